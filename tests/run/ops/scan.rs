//! `scan` and the stages without state.

use mliot::base::{Duration, Span};
use mliot::ir::{BinaryOp, ExprKind, Op, Running, RunningCall, ScanEntry, StageKind, Type, Value};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{binary, column, entry, expr, float, literal, positive, slot, stage, with};
use super::feed::{ClockKind, Feed, Row, cuts, feed, schema};
use super::harness::{build, cases, keeps_its_promises, run};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];
const ALL: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps, ClockKind::None];

pub fn call(function: Running, arg: mliot::ir::Expr, settings: Vec<Value>, ty: Type) -> RunningCall {
    RunningCall { function, args: vec![arg], settings, ty }
}

fn scanned(name: &str, calls: Vec<RunningCall>, value: mliot::ir::Expr) -> ScanEntry {
    ScanEntry { name: name.into(), calls, value, span: Span::default() }
}

/// One column for one call.
pub fn plain(name: &str, call: RunningCall) -> ScanEntry {
    let value = slot(0, call.ty.clone());
    scanned(name, vec![call], value)
}

pub fn scan(by: &[&str], entries: Vec<ScanEntry>, clock: ClockKind) -> NodeSpec {
    let more: Vec<(&str, Type)> = entries.iter().map(|entry| (entry.name.as_str(), entry.value.ty.clone())).collect();
    let schema = with(&schema(clock), &more);
    let by = by.iter().map(|name| (*name).into()).collect();
    stage(StageKind::Scan, Op::Scan { by, entries: entries.clone() }, schema)
}

/// Every running function that needs no time.
pub fn timeless() -> Vec<ScanEntry> {
    let x = || column("x", float());
    let n = || column("n", Type::Int);
    let rise =
        binary(BinaryOp::Sub, x(), expr(ExprKind::Coalesce(Box::new(slot(0, float())), Box::new(x())), float()), float());
    vec![
        plain("previous", call(Running::Previous, x(), vec![], float())),
        plain("name", call(Running::Previous, column("key", Type::Text), vec![], Type::Text)),
        plain("lag", call(Running::Lag, n(), vec![Value::Int(3)], Type::Int)),
        scanned("rise", vec![call(Running::Previous, x(), vec![], float())], rise),
        plain("changed", call(Running::Changed, n(), vec![], Type::Bool)),
        plain("switch", call(Running::Hysteresis, x(), vec![Value::Float(1.0), Value::Float(-1.0)], Type::Bool)),
        plain("count", call(Running::CumulativeCount, x(), vec![], Type::Int)),
        plain("sum", call(Running::CumulativeSum, x(), vec![], float())),
        plain("sum_n", call(Running::CumulativeSum, n(), vec![], Type::Int)),
        plain("mean", call(Running::CumulativeMean, x(), vec![], float())),
        plain("min", call(Running::CumulativeMin, x(), vec![], float())),
        plain("max", call(Running::CumulativeMax, n(), vec![], Type::Int)),
        // A call over the slot of an earlier one, and an entry over an earlier entry.
        scanned(
            "second",
            vec![
                call(Running::Previous, column("rise", float()), vec![], float()),
                call(Running::CumulativeSum, slot(0, float()), vec![], float()),
            ],
            slot(1, float()),
        ),
    ]
}

fn timed() -> Vec<ScanEntry> {
    let x = || column("x", float());
    let long = |micros| vec![Value::Duration(Duration(micros))];
    vec![
        plain("ewma", call(Running::Ewma, x(), long(5), float())),
        plain("rate", call(Running::Rate, x(), vec![], float())),
        plain("since", call(Running::Since, column("ok", Type::Bool), vec![], Type::Duration)),
        plain("held", call(Running::For, column("ok", Type::Bool), long(6), Type::Bool)),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_scan_leaves_no_trace_of_cuts_and_restarts(feed in feed(ALL), cuts in cuts(), keyed: bool) {
        let by: &[&str] = if keyed { &["key"] } else { &[] };
        keeps_its_promises(&scan(by, timeless(), feed.clock), &feed, &cuts);
        keeps_its_promises(&scan(&["key", "ok"], timeless(), feed.clock), &feed, &cuts);
    }

    #[test]
    fn a_scan_over_time_leaves_no_trace_of_cuts_and_restarts(feed in feed(TIMED), cuts in cuts()) {
        keeps_its_promises(&scan(&["key"], timed(), feed.clock), &feed, &cuts);
    }

    #[test]
    fn a_scan_agrees_with_the_plain_way(feed in feed(TIMED)) {
        let x = || column("x", float());
        let entries = vec![
            plain("previous", call(Running::Previous, x(), vec![], float())),
            plain("count", call(Running::CumulativeCount, x(), vec![], Type::Int)),
            plain("sum", call(Running::CumulativeSum, x(), vec![], float())),
            plain("since", call(Running::Since, column("ok", Type::Bool), vec![], Type::Duration)),
            plain("ewma", call(Running::Ewma, x(), vec![Value::Duration(Duration(5))], float())),
        ];
        let spec = scan(&["key"], entries, feed.clock);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        let plain = plainly(&feed);
        prop_assert_eq!(given.rows.len(), plain.len());
        for ((_, cells), expected) in given.rows.iter().zip(&plain) {
            for (cell, expected) in cells[5..].iter().zip(expected) {
                prop_assert!(agree(cell, *expected), "{} is not {:?}", cell, expected);
            }
        }
    }

    #[test]
    fn stages_without_state_leave_no_trace_of_cuts(feed in feed(ALL), cuts in cuts()) {
        let input = feed.schema();
        let filter = stage(StageKind::Where, Op::Where { predicate: positive("x") }, input.clone());
        let kept = keeps_its_promises(&filter, &feed, &cuts);
        let above = feed.rows.iter().filter(|row| row.kept && row.x.is_some_and(|x| x > 0.0 && x.is_finite())).count();
        prop_assert_eq!(kept.rows.len(), above);
        let double = binary(BinaryOp::Mul, column("x", float()), literal(Value::Float(2.0), float()), float());
        let entries = vec![entry("double", double), entry("high", positive("double"))];
        let set = Op::Set { entries: entries.clone() };
        keeps_its_promises(&stage(StageKind::Set, set, with(&input, &[("double", float()), ("high", Type::Bool)])), &feed, &cuts);
        let chosen = vec![entry("n", column("n", Type::Int)), entry("at", column("at", Type::Time))];
        let mut narrow = input.clone();
        narrow.columns = vec![input.get("n").unwrap().clone(), input.get("at").unwrap().clone()];
        keeps_its_promises(&stage(StageKind::Select, Op::Project { entries: chosen }, narrow), &feed, &cuts);
    }
}

fn agree(cell: &str, expected: Option<f64>) -> bool {
    let value = cell.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    match (value, expected) {
        (None, None) => cell == "null",
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => false,
    }
}

/// previous, count, sum, since, ewma by the words of the language, row by row from all earlier rows.
fn plainly(feed: &Feed) -> Vec<[Option<f64>; 5]> {
    let kept: Vec<&Row> = feed.rows.iter().filter(|row| row.kept).collect();
    let mut out: Vec<[Option<f64>; 5]> = Vec::new();
    for (nth, row) in kept.iter().enumerate() {
        let Some(key) = row.key else {
            out.push([None; 5]);
            continue;
        };
        let mine: Vec<&Row> = kept[..=nth].iter().copied().filter(|other| other.key == Some(key)).collect();
        let fresh = fresh(&mine);
        if !fresh.last().is_some_and(|last| std::ptr::eq(*last, *row)) {
            out.push([None; 5]);
            continue;
        }
        let values: Vec<(i64, f64)> = fresh.iter().filter_map(|row| Some((row.at, row.x.filter(|x| x.is_finite())?))).collect();
        let told: Vec<(i64, bool)> = fresh.iter().filter_map(|row| Some((row.at, row.ok?))).collect();
        let since = told.last().and_then(|(now, _)| {
            let last = told.iter().rev().find(|(_, ok)| *ok)?;
            Some((now - last.0) as f64)
        });
        let newest = values.last().map_or(0, |(at, _)| *at);
        let weights: Vec<f64> = values.iter().map(|(at, _)| (-((newest - at) as f64) / 5.0).exp2()).collect();
        let weighed: f64 = values.iter().zip(&weights).map(|((_, x), weight)| x * weight).sum();
        out.push([
            values.len().checked_sub(2).map(|before| values[before].1),
            Some(values.len() as f64),
            (!values.is_empty()).then(|| values.iter().map(|(_, x)| x).sum()),
            since,
            (!values.is_empty()).then(|| weighed / weights.iter().sum::<f64>()),
        ]);
    }
    out
}

/// Without those older than the newest before them.
fn fresh<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut newest = i64::MIN;
    rows.iter()
        .copied()
        .filter(|row| {
            let fresh = row.at >= newest;
            newest = newest.max(row.at);
            fresh
        })
        .collect()
}

#[test]
fn an_older_row_passes_with_nulls_and_is_noted() {
    let row = |at, x| Row { at, key: Some("a"), x: Some(x), n: None, ok: None, kept: true };
    let feed = Feed { rows: vec![row(5, 1.0), row(3, 2.0), row(5, 3.0)], lateness: 0, clock: ClockKind::Gate, base: 0 };
    let rise = timeless().into_iter().filter(|entry| entry.name == "rise").collect();
    let spec = scan(&["key"], rise, feed.clock);
    let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
    let rises: Vec<&str> = given.rows.iter().map(|(_, cells)| cells[5].split(' ').next().unwrap()).collect();
    assert_eq!(rises, ["0", "null", "2"]);
    assert_eq!(given.counts.noted.values().sum::<u64>(), 1);
    assert_eq!(given.counts.passed, 3);
}

#[test]
fn a_scan_is_retuned_with_its_state() {
    let row = |at, x| Row { at, key: Some("a"), x: Some(x), n: None, ok: None, kept: true };
    let feed = Feed { rows: vec![row(1, 1.0), row(2, 4.0)], lateness: 0, clock: ClockKind::Gate, base: 0 };
    let with = |value| {
        scan(
            &["key"],
            vec![scanned("rise", vec![call(Running::Previous, column("x", float()), vec![], float())], value)],
            feed.clock,
        )
    };
    let (old, new) = (with(slot(0, float())), with(expr(ExprKind::Negate(Box::new(slot(0, float()))), float())));
    let mut node = build(&old, &feed.schema());
    let mut given = Default::default();
    super::harness::step(node.as_mut(), &feed.batch(0..1), &mut given);
    node.retune().unwrap().to(&new).unwrap();
    super::harness::step(node.as_mut(), &feed.batch(1..2), &mut given);
    assert!(given.rows[1].1[5].starts_with("-1 "), "{:?}", given.rows);
    let other = scan(&["ok"], vec![plain("rise", call(Running::Previous, column("x", float()), vec![], float()))], feed.clock);
    assert!(node.retune().unwrap().to(&other).is_err());
}
