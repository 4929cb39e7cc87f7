//! `limit`, `sample`, `dedupe`, `throttle`, `fill` and `unnest`, against the words of the language row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use mliot::base::{Duration, Time};
use mliot::ir::{ExprKind, KeepOp, KeepRule, Op, Schema, StageKind, Type, Value};
use mliot::node::{self, Batch, Clock, Ordinal, Ordinals, Retune};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{column, entry, expr, field, float, literal, stage};
use super::feed::{ClockKind, Feed, Row, cuts, feed, schema};
use super::harness::{Given, build, cases, keeps_its_promises, run, step};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];
const ALL: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps, ClockKind::None];

fn keep(kind: StageKind, by: &[&str], rule: KeepRule, clock: ClockKind) -> NodeSpec {
    let by = by.iter().map(|name| (*name).into()).collect();
    stage(kind, Op::Keep(KeepOp { by, rule }), schema(clock))
}

/// The rows of a feed that reach the stage, with their numbers in it.
fn arriving(feed: &Feed) -> Vec<(usize, &Row)> {
    feed.rows.iter().enumerate().filter(|(_, row)| row.kept).collect()
}

/// Those of them that pass, by the words: unless `most` rows of its key have passed whose times are nearer than `reach`, and
/// which the watermark has not left behind by as much.
fn passing(feed: &Feed, keyed: bool, most: usize, reach: i64) -> Vec<u64> {
    let mut passed: Vec<(&'static str, i64)> = Vec::new();
    let mut out = Vec::new();
    for (nth, row) in arriving(feed) {
        let key = if keyed { row.key } else { Some("all") };
        let watermark = feed.watermark(nth).0;
        let near = |(other, at): &&(&str, i64)| Some(*other) == key && (at - row.at).abs() < reach && at + reach > watermark;
        if passed.iter().filter(near).count() < most {
            out.push(feed.ordinal(nth).0);
            passed.extend(key.map(|key| (key, row.at)));
        }
    }
    out
}

fn ordinals(given: &Given) -> Vec<u64> {
    given.rows.iter().map(|(ordinal, _)| *ordinal).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_limit_passes_the_first_rows(feed in feed(ALL), cuts in cuts(), rows in 0u64..40) {
        let given = keeps_its_promises(&keep(StageKind::Limit, &[], KeepRule::First { rows }, feed.clock), &feed, &cuts);
        let first: Vec<u64> = arriving(&feed).iter().take(rows as usize).map(|(nth, _)| feed.ordinal(*nth).0).collect();
        prop_assert_eq!(ordinals(&given), first);
    }

    #[test]
    fn a_sample_is_chosen_by_the_number_of_the_row(feed in feed(ALL), cuts in cuts(), share in 0.01f64..1.0) {
        let spec = keep(StageKind::Sample, &[], KeepRule::Share { share }, feed.clock);
        let given = keeps_its_promises(&spec, &feed, &cuts);
        // Of the same rows at other ordinals the same are chosen.
        let elsewhere = Feed { base: feed.base + 77, ..feed.clone() };
        let again = run(build(&spec, &feed.schema()).as_mut(), &elsewhere.whole(), elsewhere.end());
        prop_assert_eq!(ordinals(&again), ordinals(&given).iter().map(|at| at + 77).collect::<Vec<_>>());
    }

    #[test]
    fn repetitions_do_not_pass(feed in feed(TIMED), cuts in cuts(), within in 1i64..25, keyed: bool) {
        let by: &[&str] = if keyed { &["key"] } else { &[] };
        let rule = KeepRule::Once { within: Duration(within) };
        let given = keeps_its_promises(&keep(StageKind::Dedupe, by, rule, feed.clock), &feed, &cuts);
        prop_assert_eq!(ordinals(&given), passing(&feed, keyed, 1, within + 1));
    }

    #[test]
    fn a_throttle_lets_so_many_through(feed in feed(TIMED), cuts in cuts(), per in 1i64..25, rows in 1u64..4, keyed: bool) {
        let by: &[&str] = if keyed { &["key"] } else { &[] };
        let rule = KeepRule::Rate { rows, per: Duration(per) };
        let given = keeps_its_promises(&keep(StageKind::Throttle, by, rule, feed.clock), &feed, &cuts);
        prop_assert_eq!(ordinals(&given), passing(&feed, keyed, rows as usize, per));
    }

    #[test]
    fn filled_columns_are_null_only_where_both_are(feed in feed(ALL), cuts in cuts()) {
        let (x, n) = (column("x", float()), column("n", Type::Int));
        let cast = expr(ExprKind::Cast(Box::new(n)), float());
        let filled = expr(ExprKind::Coalesce(Box::new(x), Box::new(cast)), float());
        let zero = expr(ExprKind::Coalesce(Box::new(column("n", Type::Int)), Box::new(literal(Value::Int(0), Type::Int))), Type::Int);
        let entries = vec![entry("x", filled), entry("n", zero)];
        let given = keeps_its_promises(&stage(StageKind::Fill, Op::Fill { entries }, feed.schema()), &feed, &cuts);
        for ((_, cells), (_, row)) in given.rows.iter().zip(arriving(&feed)) {
            let x = row.x.filter(|x| x.is_finite()).or(row.n.map(|n| n as f64));
            prop_assert_eq!(cells[2] == "null", x.is_none(), "{:?} of {:?}", cells, row);
            // The first entry saw the row as it came in.
            prop_assert_eq!(&cells[3], &row.n.unwrap_or(0).to_string());
        }
    }
}

#[test]
fn other_settings_are_of_what_is_remembered() {
    let row = |at| Row { at, key: Some("a"), x: None, n: None, ok: None, kept: true };
    let feed = Feed { rows: [0, 3, 9, 11].map(row).to_vec(), lateness: 0, clock: ClockKind::Gate, base: 0 };
    let dedupe = |within| keep(StageKind::Dedupe, &["key"], KeepRule::Once { within: Duration(within) }, feed.clock);
    let mut node = build(&dedupe(2), &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..2), &mut given);
    let retune: &mut dyn Retune = node.retune().unwrap();
    retune.to(&dedupe(6)).unwrap();
    step(node.as_mut(), &feed.batch(2..4), &mut given);
    assert_eq!(ordinals(&given), [0, 1, 3], "at 9 the row at 3 is remembered, at 11 it is over");
    let mut other = dedupe(2);
    other.hashes.state = mliot::base::Hash::of("another key");
    assert!(node.retune().unwrap().to(&other).is_err());
}

/// Lists in one batch: several values, one, none, null.
fn lists() -> (Schema, Batch) {
    let list = Type::List(Box::new(Type::Int));
    let schema = Schema { columns: vec![field("n", Type::Int), field("tags", list)], time: None, clock_by: vec![] };
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let item = Arc::new(Field::new_list_field(DataType::Int64, true));
    let offsets = OffsetBuffer::from_lengths([2, 1, 0, 1]);
    let lists = ListArray::try_new(item, offsets, values, Some(vec![true, true, true, false].into())).unwrap();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![10, 20, 30, 40])), Arc::new(lists)];
    let rows = RecordBatch::try_new(node::schema(&schema), columns).unwrap();
    let batch = Batch { rows, ordinals: Ordinals::Range(Ordinal(5)), upto: Ordinal(9), clock: Clock::still(Time(1)) };
    (schema, batch)
}

#[test]
fn each_value_of_a_list_is_a_row() {
    let (input, batch) = lists();
    let schema = Schema { columns: vec![field("n", Type::Int), field("tags", Type::Int)], ..input.clone() };
    let spec = stage(StageKind::Unnest, Op::Unnest { column: "tags".into() }, schema);
    let given = run(build(&spec, &input).as_mut(), std::slice::from_ref(&batch), Ordinal(9));
    let rows: Vec<(u64, String)> = given.rows.iter().map(|(at, cells)| (*at, cells.join(" "))).collect();
    let expected = [(5, "10 1"), (5, "10 null"), (6, "20 3")].map(|(at, cells)| (at, cells.to_owned()));
    assert_eq!(rows, expected);
    assert_eq!((given.counts.passed, given.counts.dropped["empty list"], given.counts.output), (2, 2, 3));
    for cut in 5..9 {
        let (early, late) = batch.split(Ordinal(cut));
        let halves = run(build(&spec, &input).as_mut(), &[early, late], Ordinal(9));
        assert_eq!(halves.rows, given.rows, "cut at {cut}");
    }
}
