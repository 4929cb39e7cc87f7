//! What people call the parts of the grammar. Exhaustive, so that no name of a rule ever reaches them.

use super::grammar::Rule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Human {
    Words(&'static str),
    /// Any of the operators between two values.
    Operator,
    /// Means nothing to people: blanks, guards, wrong spellings.
    Nothing,
}

pub fn human(rule: Rule) -> Human {
    use Human::{Nothing, Operator, Words};
    match rule {
        Rule::WHITESPACE
        | Rule::COMMENT
        | Rule::idc
        | Rule::blank
        | Rule::open_paren
        | Rule::close_paren
        | Rule::open_bracket
        | Rule::close_bracket
        | Rule::open_brace
        | Rule::close_brace
        | Rule::sep
        | Rule::bad_comma
        | Rule::nl
        | Rule::reserved
        | Rule::digits
        | Rule::bad_number
        | Rule::bad_unit
        | Rule::bad_blank
        | Rule::bad_gap
        | Rule::bad_instant
        | Rule::unit_times
        | Rule::unit_per
        | Rule::bad_type
        | Rule::prefix
        | Rule::op_not
        | Rule::op_minus
        | Rule::is_null
        | Rule::is_not_null
        | Rule::bad_equal
        | Rule::bad_not_equal
        | Rule::bad_less_or_equal
        | Rule::bad_greater_or_equal
        | Rule::bad_and
        | Rule::bad_or
        | Rule::bad_not
        | Rule::bad_mod
        | Rule::bad_power
        | Rule::bad_else
        | Rule::bad_index
        | Rule::bad_method
        | Rule::bad_dot
        | Rule::bad_ternary
        | Rule::bad_line_start
        | Rule::bad_or_comma
        | Rule::bad_field_equals
        | Rule::bad_text_name
        | Rule::bad_named_equals
        | Rule::bad_single
        | Rule::bad_names
        | Rule::bad_keys
        | Rule::bad_group
        | Rule::bad_assign
        | Rule::source_word
        | Rule::table_word
        | Rule::bad_column_equals
        | Rule::simulate_word
        | Rule::bad_clause
        | Rule::bad_rest
        | Rule::bad_nested
        | Rule::bad_inner
        | Rule::bad_end_comma
        | Rule::stage_word
        | Rule::bad_entry
        | Rule::bad_stream
        | Rule::bad_stage
        | Rule::bad_stage_rest
        | Rule::goal_word
        | Rule::bad_goal
        | Rule::bad_goal_rest
        | Rule::task_word
        | Rule::bad_model
        | Rule::train_word
        | Rule::policy_word
        | Rule::metric_word
        | Rule::test_word
        | Rule::bad_missing_comma
        | Rule::function_word => Nothing,
        Rule::start | Rule::piece | Rule::declaration => Words("a declaration"),
        Rule::comma => Words("`,`"),
        Rule::colon => Words("`:`"),
        Rule::equals => Words("`=`"),
        Rule::arrow => Words("`->`"),
        Rule::pipe => Words("`|`"),
        Rule::dot => Words("`.`"),
        Rule::question => Words("`?`"),
        Rule::ellipsis => Words("`…`"),
        Rule::semicolon | Rule::newline => Words("a new line"),
        Rule::lpar | Rule::args | Rule::let_params | Rule::network_params | Rule::function_params => Words("`(`"),
        Rule::rpar => Words("`)`"),
        Rule::lbracket | Rule::list | Rule::column_list | Rule::select_list | Rule::model_list | Rule::rows_list => {
            Words("`[`")
        }
        Rule::rbracket => Words("`]`"),
        Rule::lbrace | Rule::record | Rule::entries | Rule::task_body | Rule::policy_body | Rule::function_body => Words("`{`"),
        Rule::rbrace => Words("`}`"),
        Rule::lt => Words("`<`"),
        Rule::gt => Words("`>`"),
        Rule::name | Rule::applied | Rule::dotted | Rule::head => Words("a name"),
        Rule::text | Rule::enum_item => Words("a text in quotes"),
        Rule::number_raw | Rule::number | Rule::signed_number => Words("a number"),
        Rule::whole | Rule::unit_exponent | Rule::enum_code => Words("a whole number"),
        Rule::instant => Words("a time such as `@2026-11-23T10:00:00Z`"),
        Rule::truth => Words("`true` or `false`"),
        Rule::quantity => Words("a number with a unit"),
        Rule::percent => Words("`%`"),
        Rule::unit_expr
        | Rule::unit_power
        | Rule::type_unit
        | Rule::unit_one
        | Rule::type_unit_power
        | Rule::unit_variable
        | Rule::unit
        | Rule::unit_body => Words("a unit"),
        Rule::type_name
        | Rule::type_word
        | Rule::type_number
        | Rule::type_enum
        | Rule::type_tensor
        | Rule::type_signal
        | Rule::type_list
        | Rule::type_variable => Words("a type"),
        Rule::dim => Words("a number or a name"),
        Rule::expr
        | Rule::expr_then
        | Rule::operand
        | Rule::operand_then
        | Rule::plain_operand
        | Rule::if_else
        | Rule::if_else_then
        | Rule::match_value
        | Rule::paren
        | Rule::call
        | Rule::tensor_call => Words("a value"),
        Rule::postfix
        | Rule::postfix_then
        | Rule::infix
        | Rule::infix_then
        | Rule::infix_symbol
        | Rule::op_and
        | Rule::op_or
        | Rule::op_else
        | Rule::op_equal
        | Rule::op_not_equal
        | Rule::op_less_or_equal
        | Rule::op_greater_or_equal
        | Rule::op_less
        | Rule::op_greater
        | Rule::op_in
        | Rule::op_not_in
        | Rule::op_range
        | Rule::op_add
        | Rule::op_subtract
        | Rule::op_multiply
        | Rule::op_divide
        | Rule::op_power
        | Rule::line_operator => Operator,
        Rule::else_word | Rule::k_else => Words("`else`"),
        Rule::arm => Words("an arm such as `1 -> \"on\"`"),
        Rule::pattern | Rule::pattern_range => Words("a pattern"),
        Rule::literal => Words("a literal"),
        Rule::field => Words("a field"),
        Rule::arg => Words("an argument"),
        Rule::amount | Rule::extent => Words("an amount"),
        Rule::whole_range => Words("a range"),
        Rule::column_set | Rule::argument_set | Rule::except_set => Words("a set of columns such as `[a, b]`"),
        Rule::column_item | Rule::column | Rule::column_names | Rule::select_item | Rule::take_item | Rule::target => {
            Words("a column")
        }
        Rule::all_except | Rule::matching => Words("a set of columns"),
        Rule::keys => Words("a key"),
        Rule::by | Rule::promote_by | Rule::k_by => Words("`by`"),
        Rule::on | Rule::k_on => Words("`on`"),
        Rule::stream_ref | Rule::pipeline | Rule::union_head => Words("the name of a stream"),
        Rule::was => Words("`(was old_name)`"),
        Rule::use_file => Words("`use`"),
        Rule::param | Rule::k_param => Words("`param`"),
        Rule::let_value => Words("`let`"),
        Rule::stream | Rule::k_stream => Words("`stream`"),
        Rule::transform | Rule::k_transform => Words("`transform`"),
        Rule::sink | Rule::k_sink => Words("`sink`"),
        Rule::serve | Rule::k_serve => Words("`serve`"),
        Rule::accepts_features => Words("`accepts features`"),
        Rule::connector | Rule::feed => Words("a connector such as `csv(\"a.csv\")`"),
        Rule::source | Rule::k_source => Words("`source`"),
        Rule::source_clause
        | Rule::table_clause
        | Rule::simulate_clause
        | Rule::task_clause
        | Rule::train_clause
        | Rule::policy_clause
        | Rule::test_step
        | Rule::function_clause => Words("a clause"),
        Rule::table | Rule::k_table => Words("`table`"),
        Rule::table_key | Rule::k_key => Words("`key`"),
        Rule::recorded | Rule::k_recorded => Words("`recorded`"),
        Rule::live | Rule::k_live => Words("`live`"),
        Rule::keep | Rule::policy_keep | Rule::k_keep => Words("`keep`"),
        Rule::columns | Rule::sim_columns | Rule::k_columns => Words("`columns`"),
        Rule::null_values | Rule::k_null => Words("`null`"),
        Rule::bounds | Rule::k_in => Words("`in`"),
        Rule::origin | Rule::k_from => Words("`from`"),
        Rule::time_clause | Rule::k_time => Words("`time`"),
        Rule::time_none | Rule::k_none => Words("`none`"),
        Rule::time_every | Rule::summary_every | Rule::trigger_every | Rule::k_every => Words("`every`"),
        Rule::time_at => Words("a time"),
        Rule::time_option => Words("`lateness`, `idle` or `ahead`"),
        Rule::simulate | Rule::k_simulate => Words("`simulate`"),
        Rule::sim_rows | Rule::k_rows => Words("`rows`"),
        Rule::sim_seed | Rule::policy_seed | Rule::k_seed => Words("`seed`"),
        Rule::sim_span | Rule::k_span => Words("`span`"),
        Rule::fault_drift | Rule::trigger_drift | Rule::k_drift => Words("`drift`"),
        Rule::fault_late | Rule::k_late => Words("`late`"),
        Rule::fault_drop | Rule::drop_stage | Rule::test_drop | Rule::k_drop => Words("`drop`"),
        Rule::fault_duplicate | Rule::test_duplicate | Rule::k_duplicate => Words("`duplicate`"),
        Rule::fault_spike | Rule::k_spike => Words("`spike`"),
        Rule::fault_gap | Rule::k_gap => Words("`gap`"),
        Rule::fault_delay | Rule::test_delay | Rule::k_delay => Words("`delay`"),
        Rule::stage | Rule::stage_body => Words("a stage"),
        Rule::stage_id | Rule::k_id => Words("`id`"),
        Rule::on_change => Words("`on change`"),
        Rule::entry | Rule::assign => Words("an entry such as `a = expression`"),
        Rule::across => Words("`across(…)`"),
        Rule::where_stage | Rule::k_where => Words("`where`"),
        Rule::set_stage | Rule::edit_set | Rule::k_set => Words("`set`"),
        Rule::select_stage | Rule::k_select => Words("`select`"),
        Rule::rename_stage | Rule::k_rename => Words("`rename`"),
        Rule::renaming => Words("`new = old`"),
        Rule::scan_stage | Rule::k_scan => Words("`scan`"),
        Rule::window_stage | Rule::k_window => Words("`window`"),
        Rule::window_spec => Words("the size of a window"),
        Rule::window_session => Words("`session gap`"),
        Rule::window_whole | Rule::k_whole => Words("`whole`"),
        Rule::window_rows => Words("a number of rows"),
        Rule::window_time => Words("a duration"),
        Rule::window_align | Rule::k_align => Words("`align`"),
        Rule::summarize_stage | Rule::k_summarize => Words("`summarize`"),
        Rule::join_stage | Rule::k_join => Words("`join`"),
        Rule::asof_stage | Rule::k_asof => Words("`asof`"),
        Rule::lookup_stage | Rule::k_lookup => Words("`lookup`"),
        Rule::within | Rule::k_within => Words("`within`"),
        Rule::take | Rule::k_take => Words("`take`"),
        Rule::resample_stage | Rule::k_resample => Words("`resample`"),
        Rule::fill_stage | Rule::k_fill => Words("`fill`"),
        Rule::dedupe_stage | Rule::k_dedupe => Words("`dedupe`"),
        Rule::union_stage | Rule::k_union => Words("`union`"),
        Rule::unnest_stage | Rule::k_unnest => Words("`unnest`"),
        Rule::sample_stage | Rule::k_sample => Words("`sample`"),
        Rule::limit_stage | Rule::k_limit => Words("`limit`"),
        Rule::throttle_stage | Rule::k_throttle => Words("`throttle`"),
        Rule::sort_stage | Rule::k_sort => Words("`sort`"),
        Rule::predict_stage | Rule::k_predict => Words("`predict`"),
        Rule::predicted => Words("the name of a task"),
        Rule::probabilities => Words("`with probabilities`"),
        Rule::top_stage | Rule::k_top => Words("`top`"),
        Rule::to_stage | Rule::k_to => Words("`to`"),
        Rule::apply => Words("the use of a transform"),
        Rule::task | Rule::k_task => Words("`task`"),
        Rule::goal => Words("a kind of task"),
        Rule::goal_classify | Rule::k_classify => Words("`classify`"),
        Rule::goal_regress | Rule::k_regress => Words("`regress`"),
        Rule::goal_forecast | Rule::k_forecast => Words("`forecast`"),
        Rule::goal_detect | Rule::k_detect => Words("`detect`"),
        Rule::goal_rank | Rule::k_rank => Words("`rank`"),
        Rule::horizon_next | Rule::k_next => Words("`next`"),
        Rule::horizon_ahead => Words("a duration and `ahead`"),
        Rule::task_features | Rule::k_features => Words("`features`"),
        Rule::task_labels | Rule::k_labels => Words("`labels`"),
        Rule::label_containing | Rule::k_containing => Words("`containing`"),
        Rule::label_wait | Rule::k_wait => Words("`wait`"),
        Rule::task_hold_out | Rule::k_hold_out => Words("`hold_out`"),
        Rule::task_start | Rule::k_start => Words("`start`"),
        Rule::start_first | Rule::k_first => Words("`first`"),
        Rule::task_group | Rule::k_group => Words("`group`"),
        Rule::task_weights | Rule::k_weights => Words("`weights`"),
        Rule::task_per | Rule::metric_per | Rule::k_per => Words("`per`"),
        Rule::task_models | Rule::k_models => Words("`models`"),
        Rule::task_history | Rule::k_history => Words("`history`"),
        Rule::task_policy | Rule::policy | Rule::k_policy => Words("`policy`"),
        Rule::task_train | Rule::k_train => Words("`train`"),
        Rule::train_optimizer | Rule::k_optimizer => Words("`optimizer`"),
        Rule::train_epochs | Rule::k_epochs => Words("`epochs`"),
        Rule::train_batch | Rule::k_batch => Words("`batch`"),
        Rule::train_patience | Rule::k_patience => Words("`patience`"),
        Rule::train_augment | Rule::k_augment => Words("`augment`"),
        Rule::task_flag | Rule::k_flag => Words("`flag`"),
        Rule::task_truth | Rule::k_truth => Words("`truth`"),
        Rule::objective => Words("`objective`"),
        Rule::require | Rule::k_require => Words("`require`"),
        Rule::requirement => Words("a requirement such as `latency.p99 <= 5ms`"),
        Rule::otherwise | Rule::k_otherwise => Words("`otherwise`"),
        Rule::keep_champion => Words("`keep champion`"),
        Rule::search | Rule::k_search => Words("`search`"),
        Rule::search_item => Words("a number of trials or a duration"),
        Rule::search_trials => Words("`trials`"),
        Rule::search_cores => Words("`cores`"),
        Rule::validate | Rule::k_validate => Words("`validate`"),
        Rule::validate_last | Rule::k_last => Words("`last`"),
        Rule::validate_random | Rule::k_random => Words("`random`"),
        Rule::validate_folds | Rule::k_folds => Words("`folds`"),
        Rule::retrain | Rule::k_retrain => Words("`retrain`"),
        Rule::rollback | Rule::k_rollback => Words("`rollback`"),
        Rule::promote | Rule::k_promote => Words("`promote`"),
        Rule::promote_confidence => Words("`with confidence`"),
        Rule::allow | Rule::k_allow => Words("`allow`"),
        Rule::priority | Rule::k_priority => Words("`priority`"),
        Rule::share | Rule::k_share => Words("`share`"),
        Rule::policy_when | Rule::k_when => Words("`when`"),
        Rule::trigger | Rule::trigger_all | Rule::trigger_one | Rule::trigger_paren => Words("a condition"),
        Rule::comparison => Words("a comparison"),
        Rule::held_for | Rule::k_for => Words("`for`"),
        Rule::bound => Words("a value to compare with"),
        Rule::champion | Rule::k_champion => Words("`champion`"),
        Rule::margin | Rule::unit_offset => Words("`+` or `-`"),
        Rule::compare => Words("a comparison such as `<=`"),
        Rule::metric | Rule::metric_name | Rule::expect_metric => Words("a metric"),
        Rule::over | Rule::k_over => Words("`over`"),
        Rule::network | Rule::k_network => Words("`network`"),
        Rule::network_param | Rule::network_input | Rule::function_param => Words("a parameter"),
        Rule::network_concat | Rule::k_concat => Words("`concat`"),
        Rule::layer | Rule::layer_skip | Rule::layer_plain => Words("a layer"),
        Rule::test | Rule::k_test => Words("`test`"),
        Rule::given | Rule::k_given => Words("`given`"),
        Rule::defaults | Rule::k_defaults => Words("`defaults`"),
        Rule::given_recorded => Words("`from recorded`"),
        Rule::edit | Rule::k_edit => Words("`edit`"),
        Rule::edit_apply | Rule::k_apply => Words("`apply`"),
        Rule::test_disconnect | Rule::k_disconnect => Words("`disconnect`"),
        Rule::test_restart | Rule::k_restart => Words("`restart`"),
        Rule::expect | Rule::k_expect => Words("`expect`"),
        Rule::expectation => Words("something to expect"),
        Rule::expect_rows => Words("rows in `[ ]`"),
        Rule::expect_count | Rule::k_count => Words("`count`"),
        Rule::expect_changes | Rule::k_changes => Words("`changes`"),
        Rule::change => Words("an entry such as `air.stuffy: retuned`"),
        Rule::change_class => Words("a class such as `retuned`"),
        Rule::expect_lost | Rule::k_lost => Words("`lost`"),
        Rule::expect_doubled | Rule::k_doubled => Words("`doubled`"),
        Rule::function | Rule::k_function => Words("`function`"),
        Rule::function_kind | Rule::k_kind => Words("`kind`"),
        Rule::function_unit | Rule::k_unit => Words("`unit`"),
        Rule::per_time => Words("`per time`"),
        Rule::function_state | Rule::k_state => Words("`state`"),
        Rule::function_example | Rule::k_example => Words("`example`"),
        Rule::unit_decl => Words("`unit`"),
        Rule::unit_difference | Rule::k_difference => Words("`difference`"),
        Rule::k_abstain => Words("`abstain`"),
        Rule::k_accepts => Words("`accepts`"),
        Rule::k_across => Words("`across`"),
        Rule::per_after | Rule::k_after => Words("`after`"),
        Rule::k_aggregate => Words("`aggregate`"),
        Rule::k_ahead => Words("`ahead`"),
        Rule::k_all => Words("`all`"),
        Rule::k_anomalies => Words("`anomalies`"),
        Rule::k_arrival => Words("`arrival`"),
        Rule::k_as => Words("`as`"),
        Rule::k_at => Words("`at`"),
        Rule::k_auto => Words("`auto`"),
        Rule::k_backfill => Words("`backfill`"),
        Rule::k_balance => Words("`balance`"),
        Rule::k_better => Words("`better`"),
        Rule::k_change => Words("`change`"),
        Rule::k_confidence => Words("`confidence`"),
        Rule::k_empty => Words("`empty`"),
        Rule::k_enum => Words("`enum`"),
        Rule::k_except => Words("`except`"),
        Rule::k_float => Words("`float`"),
        Rule::k_high => Words("`high`"),
        Rule::k_idle => Words("`idle`"),
        Rule::k_if => Words("`if`"),
        Rule::k_int => Words("`int`"),
        Rule::k_is => Words("`is`"),
        Rule::k_keeps => Words("`keeps`"),
        Rule::k_lateness => Words("`lateness`"),
        Rule::k_let => Words("`let`"),
        Rule::k_linear => Words("`linear`"),
        Rule::k_list => Words("`list`"),
        Rule::k_low => Words("`low`"),
        Rule::k_match => Words("`match`"),
        Rule::k_matching => Words("`matching`"),
        Rule::k_maximize => Words("`maximize`"),
        Rule::k_minimize => Words("`minimize`"),
        Rule::k_normal => Words("`normal`"),
        Rule::k_not => Words("`not`"),
        Rule::k_of => Words("`of`"),
        Rule::k_or => Words("`or`"),
        Rule::k_partial => Words("`partial`"),
        Rule::k_prequential => Words("`prequential`"),
        Rule::k_previous => Words("`previous`"),
        Rule::k_probabilities => Words("`probabilities`"),
        Rule::k_real => Words("`real`"),
        Rule::k_refuses => Words("`refuses`"),
        Rule::k_reject => Words("`reject`"),
        Rule::k_removed => Words("`removed`"),
        Rule::k_required => Words("`required`"),
        Rule::k_reservoir => Words("`reservoir`"),
        Rule::k_row => Words("`row`"),
        Rule::k_running => Words("`running`"),
        Rule::k_session => Words("`session`"),
        Rule::k_signal => Words("`signal`"),
        Rule::k_skip => Words("`skip`"),
        Rule::k_stop => Words("`stop`"),
        Rule::k_tensor => Words("`tensor`"),
        Rule::k_then => Words("`then`"),
        Rule::k_use => Words("`use`"),
        Rule::k_warn => Words("`warn`"),
        Rule::k_was => Words("`was`"),
        Rule::k_with => Words("`with`"),
        Rule::k_x => Words("`x`"),
        Rule::EOI => Words("the end of the declaration"),
    }
}
