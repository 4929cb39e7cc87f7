//! One function for each spelling that is wrong: what is wrong, where, and what to write instead.

mod body;
mod expression;
mod literal;
mod operator;
mod pipeline;
mod text;

pub use body::{
    colon_for_equals, comma_between_entries, entry_with_as, entry_without_name, equals_for_colon, missing_comma,
    missing_separator, quoted_name, said_twice, unknown_clause, unknown_goal, when_in_when,
};
pub use expression::{chained, comma_for_or, dot, foreign_word, if_without_else, index, method, ternary};
pub use literal::{blank_before_unit, no_time, number_too_large, unit_power, unknown_escape, unknown_type, unknown_unit};
pub use operator::{foreign_operator, foreign_prefix, modulo, operator_at_line_start};
pub use pipeline::{
    comma_behind_stage, group_by, group_stage, list_without_brackets, single_without_brackets, sink_without_to,
    stage_behind_to, to_outside_sink, unknown_stage,
};
pub use text::{
    closed_by_another, file_too_large, foreign_comment, nested_too_deep, never_closed, nothing_to_close, text_not_closed,
    unexpected, unindented, unknown_declaration,
};
