//! Edits of the occupancy example, and what becomes of every entry: the table at the end of the language's section on
//! identity and change, before any engine exists.

use mliot::base::{Duration, Name};
use mliot::ir::*;
use mliot::plan::{Class, Diff, Graph, Listed, diff, lower, plan_text};

use super::build::*;
use super::room::*;

/// `air.stuffy: retuned`, one a line, in the order of the plan.
fn classes(diff: &Diff) -> Vec<String> {
    diff.listed().iter().map(|Listed { name, class, .. }| format!("{name}: {class}")).collect()
}

fn edit(change: impl FnOnce(&mut Program)) -> Diff {
    edit_of(room(), change)
}

fn edit_of(before: Program, change: impl FnOnce(&mut Program)) -> Diff {
    let mut after = before.clone();
    change(&mut after);
    diff(&lower(&before), &lower(&after))
}

fn stages<'a>(program: &'a mut Program, stream: &str) -> &'a mut Vec<Stage> {
    &mut program.streams.get_mut(stream).expect("a stream").stages
}

fn task_of(program: &mut Program) -> &mut Task {
    program.tasks.get_mut("occupancy").expect("a task")
}

fn policy_of(program: &mut Program) -> &mut Policy {
    program.policies.get_mut("frugal").expect("a policy")
}

fn expect(diff: &Diff, lines: &[&str]) {
    assert_eq!(classes(diff), lines, "\n{}", plan_text(diff));
}

#[test]
fn nothing_but_text() {
    let diff = edit(|program| {
        stages(program, "air").iter_mut().for_each(|stage| stage.span.end = 77);
        policy_of(program).choice.requirements[0].text = "latency.p99  <=  0.002".into();
    });
    expect(&diff, &[]);
    assert!(diff.is_nothing());
    assert!(diff.components.is_empty());
    assert_eq!(plan_text(&diff), "nothing to do\n");
}

#[test]
fn param_fresh_is_500() {
    let diff = edit(|program| stages(program, "air")[2] = set(vec![stuffy(500.0)]));
    expect(&diff, &["air.stuffy: retuned"]);
    assert_eq!(diff.components.len(), 1);
    let text = plan_text(&diff);
    assert!(text.starts_with("air.stuffy  retuned  fresh is 500ppm, was 450ppm\n"), "{text}");
}

#[test]
fn param_fresh_of_a_feature() {
    let mut before = room();
    task_of(&mut before).features.push(column("stuffy", Type::Bool));
    let diff = edit_of(before, |program| stages(program, "air")[2] = set(vec![stuffy(500.0)]));
    expect(&diff, &["air.stuffy: retuned", "occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn other_rows_pass() {
    let diff = edit(|program| stages(program, "air")[0] = keep_if_measured(10.0));
    expect(&diff, &["air/where: retuned"]);
    assert_eq!(diff.class_of("air.where"), Some(Class::Retuned));
}

#[test]
fn a_column_more() {
    let dry = entry("dry", compare(BinaryOp::Lt, read(&column("humidity", float("percent"))), number(30.0, float("percent"))));
    let diff = edit(|program| stages(program, "air")[2] = set(vec![stuffy(450.0), dry]));
    expect(&diff, &["air.dry: added"]);
    assert_eq!(diff.class_of("air.dry"), Some(Class::Added));
    assert_eq!(diff.class_of("air.stuffy"), Some(Class::Same));
    assert_eq!(diff.class_of("air.damp"), None);
}

#[test]
fn a_column_less() {
    let diff = edit(|program| {
        stages(program, "air")[2] = set(vec![]);
        stages(program, "now")[0].schema.columns.retain(|column| column.name != "stuffy");
    });
    expect(&diff, &["air.stuffy: removed"]);
}

#[test]
fn rise_over_five_rows() {
    let diff = edit(|program| stages(program, "air")[1] = scan(rise(Running::Lag, vec![Value::Int(5)])));
    expect(&diff, &["air.rise: reset", "occupancy: shadowed", "now/predict: shadowed"]);
    assert_eq!(diff.class_of("air.rise"), Some(Class::Reset(OnChange::Backfill)));
    assert!(plan_text(&diff).contains("begins empty: rows that came live to `room` cannot be read again"));
    assert!(plan_text(&diff).contains("features: `rise` changed"));
}

#[test]
fn rise_that_may_not_be_reset() {
    let diff = edit(|program| {
        let lag = Stage { on_change: OnChange::Reject, ..scan(rise(Running::Lag, vec![Value::Int(5)])) };
        stages(program, "air")[1] = lag;
    });
    let refused: Vec<String> = diff.rejected().map(ToString::to_string).collect();
    assert_eq!(refused, ["air/scan"]);
    assert!(plan_text(&diff).contains("refused: `air/scan`"));
}

#[test]
fn arithmetic_round_rise() {
    let diff = edit(|program| {
        let mut entry = rise(Running::Previous, vec![]);
        entry.value = minus(entry.value, number(1.0, ppm()));
        stages(program, "air")[1] = scan(entry);
    });
    expect(&diff, &["air.rise: retuned", "occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn rise_of_another_calculation() {
    let diff = edit(|program| {
        let mut entry = rise(Running::Previous, vec![]);
        entry.calls[0].args[0] = minus(read(&column("co2", ppm())), number(1.0, ppm()));
        stages(program, "air")[1] = scan(entry);
    });
    expect(&diff, &["air.rise: stale", "occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn a_shorter_lag_converts() {
    let mut before = room();
    stages(&mut before, "air")[1] = scan(rise(Running::Lag, vec![Value::Int(5)]));
    let shorter = |program: &mut Program| stages(program, "air")[1] = scan(rise(Running::Lag, vec![Value::Int(3)]));
    let longer = |program: &mut Program| stages(program, "air")[1] = scan(rise(Running::Lag, vec![Value::Int(9)]));
    expect(&edit_of(before.clone(), shorter), &["air.rise: migrated", "occupancy: shadowed", "now/predict: shadowed"]);
    expect(&edit_of(before, longer), &["air.rise: reset", "occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn a_column_that_remembers_more() {
    let diff = edit(|program| {
        let mut stage = scan(rise(Running::Previous, vec![]));
        let Op::Scan { entries, .. } = &mut stage.op else { unreachable!() };
        entries.push(ScanEntry { name: "before".into(), ..rise(Running::Lag, vec![Value::Int(5)]) });
        stages(program, "air")[1] = stage;
    });
    expect(&diff, &["air.before: added", "air/scan: migrated"]);
}

#[test]
fn temperature_from_another_field() {
    let diff = edit(|program| {
        program.sources.get_mut("room").unwrap().columns[1].origin = Origin::Field("Temp2".into());
    });
    expect(&diff, &["room.temperature: retuned", "occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn co2_from_another_field() {
    let diff = edit(|program| {
        program.sources.get_mut("room").unwrap().columns[4].origin = Origin::Field("CO2b".into());
    });
    expect(&diff, &["room.co2: retuned", "air.rise: stale", "occupancy: shadowed", "now/predict: shadowed"]);
    assert!(plan_text(&diff).contains("it remembers `co2` of another meaning"), "{}", plan_text(&diff));
}

#[test]
fn a_sharper_requirement() {
    let diff = edit(|program| policy_of(program).choice.requirements[0].bound = 0.001);
    expect(&diff, &["occupancy: retuned"]);
    assert!(plan_text(&diff).contains("chosen again from what was measured; no training"));
}

#[test]
fn other_models() {
    let candidate = |family: &str| Candidate {
        family: family.into(),
        settings: Default::default(),
        network: None,
        span: Default::default(),
    };
    let listed = Models::Listed(vec![candidate("logistic"), candidate("boosted")]);
    let diff = edit(|program| task_of(program).models = listed);
    expect(&diff, &["occupancy: retuned"]);
    assert!(plan_text(&diff).contains("the champion stays if it still is"));
}

#[test]
fn a_policy_under_another_name() {
    let diff = edit(|program| {
        let policy = Policy { name: "thrifty".into(), ..program.policies.remove("frugal").unwrap() };
        program.policies.insert("thrifty".into(), policy);
        task_of(program).policy = "thrifty".into();
    });
    expect(&diff, &[]);
}

#[test]
fn a_target_of_another_type() {
    let diff = edit(|program| task_of(program).target.column.ty = Type::Int);
    expect(&diff, &["occupancy: reset", "now/predict: reset"]);
}

#[test]
fn another_target_of_the_same_type() {
    let diff = edit(|program| task_of(program).target.column = column("stuffy", Type::Bool));
    expect(&diff, &["occupancy: shadowed", "now/predict: shadowed"]);
}

#[test]
fn a_feature_less() {
    let diff = edit(|program| task_of(program).features.retain(|column| column.name != "light"));
    expect(&diff, &["occupancy: shadowed", "now/predict: shadowed"]);
    assert!(plan_text(&diff).contains("features: `light` gone"));
}

#[test]
fn a_target_under_another_name() {
    let named = |name: &str| {
        let mut entries: Vec<Entry> = air_columns().iter().map(|column| entry(&column.name, read(column))).collect();
        entries.retain(|entry| entry.name != "occupied");
        entries.push(entry(name, read(&nullable("occupied", Type::Bool))));
        let columns: Vec<Column> = entries.iter().map(|entry| column(&entry.name, entry.value.ty.clone())).collect();
        let mut program = room();
        stages(&mut program, "air").push(stage(StageKind::Rename, Op::Project { entries }, &columns));
        stages(&mut program, "now")[0].schema.columns.retain(|column| column.name != "occupied");
        task_of(&mut program).target.column.name = name.into();
        program
    };
    let diff = diff(&lower(&named("present")), &lower(&named("inside")));
    expect(&diff, &["air.inside: added", "air.present: removed", "occupancy: retuned"]);
    assert!(plan_text(&diff).contains("means the same"), "{}", plan_text(&diff));
}

#[test]
fn columns_in_two_stages_instead_of_one() {
    let dry =
        || entry("dry", compare(BinaryOp::Lt, read(&column("humidity", float("percent"))), number(30.0, float("percent"))));
    let mut before = room();
    stages(&mut before, "air")[2] = set(vec![stuffy(450.0), dry()]);
    let diff = edit_of(before, |program| {
        stages(program, "air")[2] = set(vec![stuffy(450.0)]);
        stages(program, "air").push(set(vec![dry()]));
    });
    expect(&diff, &["air/set: retuned", "air/set#1: added", "occupancy: rewired", "now/predict: rewired"]);
    assert_eq!(diff.class_of("air.dry"), Some(Class::Added));
}

#[test]
fn another_topic() {
    let diff = edit(|program| program.sources.get_mut("room").unwrap().live = Some(mqtt("rooms/hall/air")));
    expect(&diff, &["room/connection: reset"]);
    assert_eq!(diff.class_of("room.temperature"), Some(Class::Same));
}

#[test]
fn more_patience() {
    let diff = edit(|program| program.sources.get_mut("room").unwrap().limits.lateness = Duration(120_000_000));
    expect(&diff, &["room/gate: retuned"]);
}

#[test]
fn another_time() {
    let diff = edit(|program| program.sources.get_mut("room").unwrap().time = TimeSpec::Arrival);
    expect(&diff, &["room/gate: reset"]);
}

fn rename_air(program: &mut Program, was: Option<Name>) {
    let air = program.streams.remove("air").unwrap();
    program.streams.insert("breath".into(), Stream { name: "breath".into(), was, ..air });
    program.streams.get_mut("now").unwrap().input = from("breath");
    task_of(program).from = from("breath");
}

#[test]
fn a_stream_under_another_name() {
    for was in [Some("air".into()), None] {
        let declared = was.is_some();
        let diff = edit(|program| rename_air(program, was));
        expect(&diff, &[]);
        let renames: Vec<_> = diff.renames.iter().map(|rename| (&*rename.from, &*rename.to, rename.declared)).collect();
        assert_eq!(renames, [("air", "breath", declared)]);
        assert_eq!(diff.moved().count(), 3);
        assert_eq!(diff.class_of("breath.rise"), Some(Class::Same));
    }
}

#[test]
fn an_edit_under_another_name() {
    let change = |was: Option<Name>| {
        edit(|program| {
            rename_air(program, was);
            stages(program, "breath")[2] = set(vec![stuffy(500.0)]);
        })
    };
    expect(&change(Some("air".into())), &["breath.stuffy: retuned"]);
    let unsaid = change(None);
    assert_eq!(unsaid.class_of("breath"), Some(Class::Added));
    assert_eq!(unsaid.class_of("air"), Some(Class::Removed));
}

#[test]
fn two_declarations_under_other_names_at_once() {
    let diff = edit(|program| {
        let room = Source { name: "lab".into(), ..program.sources.remove("room").unwrap() };
        program.sources.insert("lab".into(), room);
        program.streams.get_mut("air").unwrap().input = from("lab");
        rename_air(program, None);
        let task = Task { name: "presence".into(), ..program.tasks.remove("occupancy").unwrap() };
        program.tasks.insert("presence".into(), task);
        let Op::Predict(predict) = &mut stages(program, "now")[0].op else { unreachable!() };
        predict.task = "presence".into();
        let serve = Serve { task: "presence".into(), ..program.serves.remove("occupancy").unwrap() };
        program.serves.insert("presence".into(), serve);
    });
    expect(&diff, &[]);
    assert_eq!(diff.renames.len(), 3, "{:?}", diff.renames);
}

#[test]
fn twins_are_not_recognised() {
    let mut before = room();
    before.streams.insert("twin".into(), Stream { name: "twin".into(), ..air() });
    let diff = edit_of(before, |program| {
        program.streams.remove("twin");
        rename_air(program, None);
        program.streams.insert("other".into(), Stream { name: "other".into(), ..air() });
    });
    assert!(diff.renames.is_empty(), "{:?}", diff.renames);
}

#[test]
fn a_stage_in_front() {
    let diff = edit(|program| stages(program, "air").insert(0, keep_if_measured(3.0)));
    expect(&diff, &["air/where: added", "air/where#1: rewired"]);
    let moved: Vec<String> = diff.moved().map(|(from, to)| format!("{from} -> {to}")).collect();
    assert_eq!(moved, ["air/where -> air/where#1"]);
    assert_eq!(diff.components.len(), 1);
    assert_eq!(diff.components[0].nodes.len(), 2);
}

#[test]
fn an_edited_stage_behind_one_that_goes() {
    let mut before = room();
    stages(&mut before, "air").insert(2, keep_if_measured(5.0));
    let diff = edit_of(before, |program| {
        stages(program, "air")[2] = keep_if_measured(7.0);
        stages(program, "air").remove(0);
    });
    expect(&diff, &["air/scan: rewired", "air/where: retuned", "air/where: removed"]);
}

#[test]
fn scans_that_change_places() {
    let other = || {
        let mut stage = scan(rise(Running::Lag, vec![Value::Int(2)]));
        let Op::Scan { entries, .. } = &mut stage.op else { unreachable!() };
        entries[0].name = "other".into();
        stage
    };
    let mut before = room();
    stages(&mut before, "air").insert(2, other());
    let diff = edit_of(before, |program| stages(program, "air").swap(1, 2));
    expect(&diff, &["air/scan: rewired", "air/scan#1: rewired", "air/set: rewired"]);
}

#[test]
fn an_id_for_a_stage() {
    let diff = edit(|program| stages(program, "air")[1].id = Some("risen".into()));
    expect(&diff, &[]);
    assert_eq!(diff.moved().count(), 1);
}

#[test]
fn a_stream_from_elsewhere() {
    let mut before = room();
    let hall = Source { name: "hall".into(), live: Some(mqtt("rooms/hall/air")), ..source() };
    before.sources.insert("hall".into(), hall);
    let diff = edit_of(before, |program| program.streams.get_mut("air").unwrap().input = from("hall"));
    expect(&diff, &["air/where: rewired"]);
}

#[test]
fn another_source_beside_it() {
    let mut before = room();
    before.sources.insert("hall".into(), Source { name: "hall".into(), live: Some(mqtt("rooms/hall/air")), ..source() });
    before.sources.insert("attic".into(), Source { name: "attic".into(), live: Some(mqtt("rooms/attic/air")), ..source() });
    let both = |others: &[&str]| {
        let with = others.iter().map(|name| from(name)).collect();
        stage(StageKind::Union, Op::Union { with }, &source().schema.columns)
    };
    stages(&mut before, "air").insert(0, both(&["hall"]));
    let diff = edit_of(before, |program| stages(program, "air")[0] = both(&["hall", "attic"]));
    expect(&diff, &["air/union: rewired"]);
}

#[test]
fn a_sink_elsewhere() {
    let diff = edit(|program| program.sinks.get_mut("record").unwrap().connector = jsonl("other.jsonl"));
    expect(&diff, &["record/accept: reset"]);
}

#[test]
fn a_port_elsewhere() {
    let diff = edit(|program| {
        program.serves.get_mut("occupancy").unwrap().connector =
            Connector::Http(HttpConnector { host: "127.0.0.1".into(), port: 8081, path: None });
    });
    expect(&diff, &["occupancy/serve: reset"]);
}

#[test]
fn a_declaration_comes_and_goes() {
    let (with, without) = (room(), {
        let mut program = room();
        program.sinks.remove("record");
        program
    });
    expect(&diff(&lower(&without), &lower(&with)), &["record: added"]);
    expect(&diff(&lower(&with), &lower(&without)), &["record: removed"]);
}

#[test]
fn a_start_adds_everything_in_one_set() {
    let start = diff(&Graph::default(), &lower(&room()));
    expect(&start, &["room: added", "air: added", "occupancy: added", "now: added", "record: added"]);
    assert_eq!(start.components.len(), 1);
}
