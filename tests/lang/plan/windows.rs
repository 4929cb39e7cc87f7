//! Edits of windows.

use mliot::base::{Duration, Span};
use mliot::ir::*;
use mliot::plan::{Class, Diff, diff, lower, plan_text};

use super::build::*;
use super::room::*;

const MINUTE: i64 = 60_000_000;

fn tumbling(minutes: i64) -> WindowShape {
    sliding(minutes, minutes)
}

fn sliding(size: i64, every: i64) -> WindowShape {
    WindowShape::Time { size: Duration(size * MINUTE), every: Duration(every * MINUTE) }
}

fn mean(of: Column) -> AggregateEntry {
    let call =
        AggregateCall { function: Aggregate::Mean, args: vec![read(&of)], settings: vec![], filter: None, ty: of.ty.clone() };
    AggregateEntry { name: "mean".into(), calls: vec![call], value: slot(0, of.ty), span: Span::default() }
}

fn hourly(shape: WindowShape, by: &[&str], entries: Vec<AggregateEntry>) -> Program {
    let mut columns: Vec<Column> = by.iter().map(|key| column(key, Type::Text)).collect();
    columns.extend(entries.iter().map(|entry| nullable(&entry.name, entry.value.ty.clone())));
    columns.extend([column("window_start", Type::Time), column("window_end", Type::Time)]);
    let window = WindowOp { shape, partial: false, by: by.iter().map(|key| (*key).into()).collect(), entries };
    let mut stage = stage(StageKind::Window, Op::Window(window), &columns);
    stage.schema.time = Some("window_end".into());
    let mut program = room();
    program.streams.insert("hourly".into(), stream("hourly", "room", vec![stage]));
    program
}

fn co2() -> Vec<AggregateEntry> {
    vec![mean(column("co2", ppm()))]
}

fn from_to(before: &Program, after: &Program) -> Diff {
    diff(&lower(before), &lower(after))
}

fn reshaped(from: WindowShape, to: WindowShape) -> Option<Class> {
    from_to(&hourly(from, &[], co2()), &hourly(to, &[], co2())).class_of("hourly.mean")
}

#[test]
fn a_window_resets_unless_its_panes_divide() {
    let reset = Some(Class::Reset(OnChange::Backfill));
    assert_eq!(reshaped(tumbling(60), tumbling(30)), reset);
    assert_eq!(reshaped(tumbling(30), tumbling(60)), Some(Class::Migrated));
    assert_eq!(reshaped(sliding(60, 10), sliding(30, 10)), Some(Class::Migrated));
    assert_eq!(reshaped(sliding(60, 10), sliding(30, 15)), reset);
    assert_eq!(reshaped(tumbling(60), WindowShape::Session { gap: Duration(MINUTE) }), reset);
    assert_eq!(reshaped(tumbling(60), tumbling(60)), Some(Class::Same));
}

#[test]
fn its_reason_names_both_windows() {
    let text = plan_text(&from_to(&hourly(tumbling(60), &[], co2()), &hourly(tumbling(30), &[], co2())));
    assert!(text.contains("the window is 30min, was 1h"), "{text}");
}

#[test]
fn other_keys_reset() {
    let diff = from_to(&hourly(tumbling(60), &[], co2()), &hourly(tumbling(60), &["light"], co2()));
    assert_eq!(diff.class_of("hourly.mean"), Some(Class::Reset(OnChange::Backfill)));
    assert!(plan_text(&diff).contains("its keys changed"));
}

#[test]
fn an_aggregate_more_migrates() {
    let two =
        || vec![mean(column("co2", ppm())), AggregateEntry { name: "warmth".into(), ..mean(column("light", float("lux"))) }];
    let diff = from_to(&hourly(tumbling(60), &[], co2()), &hourly(tumbling(60), &[], two()));
    assert_eq!(diff.class_of("hourly.warmth"), Some(Class::Added));
    assert_eq!(diff.class_of("hourly.mean"), Some(Class::Same));
    assert_eq!(diff.class_of("hourly.window"), Some(Class::Migrated));
}

#[test]
fn another_column_of_the_same_type_is_stale_and_of_another_resets() {
    let with = |entries| hourly(tumbling(60), &[], entries);
    let mut before = with(co2());
    let other_field = field(column("co2b", ppm()), "CO2b");
    before.sources.get_mut("room").unwrap().columns.push(other_field);
    let mut after = with(vec![mean(column("co2b", ppm()))]);
    after.sources = before.sources.clone();
    assert_eq!(from_to(&before, &after).class_of("hourly.mean"), Some(Class::Stale));
    let other_type = with(vec![mean(column("light", float("lux")))]);
    assert_eq!(from_to(&with(co2()), &other_type).class_of("hourly.mean"), Some(Class::Reset(OnChange::Backfill)));
}

#[test]
fn a_task_on_a_new_window_has_no_old_rows() {
    let learning = |shape| {
        let mut program = hourly(shape, &[], co2());
        let task = program.tasks.get_mut("occupancy").unwrap();
        task.from = from("hourly");
        task.features = vec![nullable("mean", ppm())];
        program
    };
    let diff = from_to(&learning(tumbling(60)), &learning(tumbling(30)));
    assert_eq!(diff.class_of("occupancy"), Some(Class::Shadowed));
    assert!(plan_text(&diff).contains("no new row has the old features"), "{}", plan_text(&diff));
}

#[test]
fn late_rows_are_those_that_came_in() {
    let mut program = hourly(tumbling(60), &[], co2());
    let late = Read { from: "hourly".into(), outlet: Outlet::Late };
    let above = compare(BinaryOp::Gt, read(&column("co2", ppm())), number(0.0, ppm()));
    let stage = stage(StageKind::Where, Op::Where { predicate: above }, &source().schema.columns);
    program.streams.insert("missed".into(), Stream { input: late.clone(), ..stream("missed", "hourly", vec![stage]) });
    let graph = lower(&program);
    let node = |name: &str| graph.nodes.values().find(|node| node.key.to_string() == name).expect("a node");
    assert_eq!(node("missed/where").inputs, [graph.outlet(&late).unwrap()]);
    assert_eq!(node("missed/where").hashes.flow, node("air/where").hashes.flow);
}
