//! `window`: its promises, and agreement with a plain way of counting.

use mliot::base::{Duration, Span, Time};
use mliot::ir::{Aggregate, AggregateCall, AggregateEntry, Expr, Op, Schema, StageKind, Type, Value, WindowOp, WindowShape};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{column, field, float, positive, slot, stage};
use super::feed::{ClockKind, Feed, Row, cuts, feed};
use super::harness::{build, cases, keeps_its_promises, run};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];
const ALL: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps, ClockKind::None];

pub fn aggregate(name: &str, function: Aggregate, args: Vec<Expr>, ty: Type) -> AggregateEntry {
    let call = AggregateCall { function, args, settings: vec![], filter: None, ty: ty.clone() };
    AggregateEntry { name: name.into(), calls: vec![call], value: slot(0, ty), span: Span::default() }
}

/// Every aggregate there is.
pub fn every(timed: bool) -> Vec<AggregateEntry> {
    let x = || vec![column("x", float())];
    let n = || vec![column("n", Type::Int)];
    let mut entries = vec![
        aggregate("rows", Aggregate::Count, vec![], Type::Int),
        aggregate("count", Aggregate::Count, x(), Type::Int),
        aggregate("sum", Aggregate::Sum, x(), float()),
        aggregate("sum_n", Aggregate::Sum, n(), Type::Int),
        aggregate("mean", Aggregate::Mean, x(), float()),
        aggregate("mean_n", Aggregate::Mean, n(), float()),
        aggregate("min", Aggregate::Min, x(), float()),
        aggregate("max", Aggregate::Max, n(), Type::Int),
        aggregate("least_key", Aggregate::Min, vec![column("key", Type::Text)], Type::Text),
        aggregate("all", Aggregate::Min, vec![column("ok", Type::Bool)], Type::Bool),
        aggregate("stddev", Aggregate::Stddev, x(), float()),
        aggregate("variance", Aggregate::Variance, x(), float()),
        aggregate("median", Aggregate::Median, x(), float()),
        aggregate("quantile", Aggregate::Quantile, x(), float()),
        aggregate("first", Aggregate::First, x(), float()),
        aggregate("last", Aggregate::Last, vec![column("key", Type::Text)], Type::Text),
        aggregate("mode", Aggregate::Mode, n(), Type::Int),
        aggregate("distinct", Aggregate::Distinct, x(), Type::Int),
        aggregate("correlation", Aggregate::Correlation, vec![column("x", float()), column("y", float())], float()),
        aggregate("mean_abs_change", Aggregate::MeanAbsChange, x(), float()),
        aggregate("rms", Aggregate::Rms, x(), float()),
        aggregate("peak_to_peak", Aggregate::PeakToPeak, x(), float()),
        aggregate("zero_crossings", Aggregate::ZeroCrossings, x(), Type::Int),
        aggregate("high", Aggregate::Count, x(), Type::Int),
        aggregate("packed", Aggregate::Tensor, vec![column("x", float()); 2], Type::Tensor(vec![3, 2])),
        aggregate("crest", Aggregate::Crest, x(), float()),
        aggregate("kurtosis", Aggregate::Kurtosis, x(), float()),
        aggregate("skewness", Aggregate::Skewness, x(), float()),
        aggregate("entropy", Aggregate::Entropy, x(), float()),
        aggregate("energy", Aggregate::Energy, x(), float()),
        aggregate("band_power", Aggregate::BandPower, x(), float()),
        aggregate("dominant_frequency", Aggregate::DominantFrequency, x(), float()),
        aggregate("spectral_centroid", Aggregate::SpectralCentroid, x(), float()),
        aggregate("autocorrelation", Aggregate::Autocorrelation, x(), float()),
        aggregate("mfcc", Aggregate::Mfcc, x(), Type::Tensor(vec![2, 5])),
    ];
    for entry in &mut entries {
        match entry.name.as_str() {
            "quantile" => entry.calls[0].settings = vec![Value::Float(0.3)],
            "correlation" => entry.calls[0].args[1] = mliot_cast(column("n", Type::Int)),
            "entropy" => entry.calls[0].settings = vec![Value::Int(4)],
            "band_power" => entry.calls[0].settings = vec![Value::Float(0.1), Value::Float(0.4), Value::Float(1.0)],
            "dominant_frequency" | "spectral_centroid" => entry.calls[0].settings = vec![Value::Float(50.0)],
            "autocorrelation" => entry.calls[0].settings = vec![Value::Int(1)],
            "mfcc" => entry.calls[0].settings = vec![Value::Int(5), Value::Int(2), Value::Float(1_000.0)],
            "high" => entry.calls[0].filter = Some(positive("x")),
            _ => {}
        }
    }
    if timed {
        entries.push(aggregate("slope", Aggregate::Slope, x(), float()));
        entries.push(aggregate("latest", Aggregate::Max, vec![column("at", Type::Time)], Type::Time));
    }
    entries
}

fn mliot_cast(expr: Expr) -> Expr {
    super::expression::expr(mliot::ir::ExprKind::Cast(Box::new(expr)), float())
}

pub fn window(shape: WindowShape, by: &[&str], partial: bool, entries: Vec<AggregateEntry>, feed: &Feed) -> NodeSpec {
    let input = feed.schema();
    let mut columns: Vec<_> = by.iter().map(|name| input.get(name).unwrap().clone()).collect();
    columns.extend(entries.iter().map(|entry| field(&entry.name, entry.value.ty.clone())));
    let time = match shape {
        WindowShape::Time { .. } | WindowShape::Session { .. } => {
            columns.extend([field("window_start", Type::Time), field("window_end", Type::Time)]);
            Some("window_end".into())
        }
        WindowShape::Cumulative { .. } => {
            columns.push(field("window_end", Type::Time));
            Some("window_end".into())
        }
        WindowShape::Rows { .. } | WindowShape::Whole if input.time.is_some() => {
            columns.push(field("@time", Type::Time));
            Some("@time".into())
        }
        WindowShape::Rows { .. } | WindowShape::Whole => None,
    };
    let by = by.iter().map(|name| (*name).into()).collect();
    let schema = Schema { columns, time, clock_by: vec![] };
    stage(StageKind::Window, Op::Window(WindowOp { shape, partial, by, entries }), schema)
}

fn time(size: i64, every: i64) -> WindowShape {
    WindowShape::Time { size: Duration(size), every: Duration(every) }
}

fn sizes() -> impl Strategy<Value = (i64, i64)> {
    prop_oneof![(1i64..12).prop_map(|size| (size, size)), (1i64..12, 1i64..12), Just((12, 3)), Just((10, 4))]
}

fn keys() -> impl Strategy<Value = &'static [&'static str]> {
    prop::sample::select(&[&[] as &[&str], &["key"], &["n"], &["key", "ok"], &["x"]][..])
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn windows_in_time_leave_no_trace_of_cuts_and_restarts(
        feed in feed(TIMED), cuts in cuts(), (size, every) in sizes(), by in keys(),
    ) {
        keeps_its_promises(&window(time(size, every), by, false, every_of(&feed), &feed), &feed, &cuts);
    }

    #[test]
    fn windows_of_rows_leave_no_trace_of_cuts_and_restarts(
        feed in feed(ALL), cuts in cuts(), size in 1u64..7, every in 1u64..9, partial: bool, by in keys(),
    ) {
        let shape = WindowShape::Rows { size, every };
        keeps_its_promises(&window(shape, by, partial, every_of(&feed), &feed), &feed, &cuts);
    }

    #[test]
    fn whole_windows_leave_no_trace_of_cuts_and_restarts(feed in feed(ALL), cuts in cuts(), by in keys()) {
        keeps_its_promises(&window(WindowShape::Whole, by, false, every_of(&feed), &feed), &feed, &cuts);
    }

    #[test]
    fn windows_in_time_agree_with_the_plain_way(feed in feed(TIMED), (size, every) in sizes()) {
        let spec = window(time(size, every), &["key"], false, checked(), &feed);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        let (expected, late) = plainly(&feed, size, every);
        prop_assert_eq!(given.late.len(), late);
        prop_assert_eq!(given.rows.len(), expected.len());
        for ((ordinal, cells), window) in given.rows.iter().zip(&expected) {
            prop_assert_eq!(*ordinal, window.fired, "{:?}", cells);
            prop_assert_eq!(&cells[0], window.key);
            prop_assert_eq!(&cells[10], &(window.end - size).to_string());
            prop_assert_eq!(&cells[11], &window.end.to_string());
            for (cell, expected) in cells[1..10].iter().zip(values(&window.x)) {
                prop_assert!(agree(cell, expected), "{} is not {:?} in {:?}", cell, expected, window);
            }
        }
    }

    #[test]
    fn windows_of_rows_agree_with_the_plain_way(feed in feed(ALL), size in 1usize..7, every in 1usize..9) {
        let spec = window(WindowShape::Rows { size: size as u64, every: every as u64 }, &["key"], false, checked(), &feed);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        let mut expected: Vec<(u64, &str, Vec<f64>)> = Vec::new();
        for key in ["a", "b", "c"] {
            let mine: Vec<usize> = (0..feed.rows.len()).filter(|nth| feed.rows[*nth].kept && feed.rows[*nth].key == Some(key)).collect();
            for start in (0..mine.len()).step_by(every).filter(|start| start + size <= mine.len()) {
                let rows = &mine[start..start + size];
                let x = rows.iter().filter_map(|nth| finite(&feed.rows[*nth])).collect();
                expected.push((feed.ordinal(rows[size - 1]).0, key, x));
            }
        }
        expected.sort_by_key(|(ordinal, _, _)| *ordinal);
        prop_assert_eq!(given.rows.len(), expected.len());
        for ((ordinal, cells), (fired, key, x)) in given.rows.iter().zip(&expected) {
            prop_assert_eq!((*ordinal, cells[0].as_str()), (*fired, *key));
            for (cell, expected) in cells[1..10].iter().zip(values(x)) {
                prop_assert!(agree(cell, expected), "{} is not {:?} of {:?}", cell, expected, x);
            }
        }
    }
}

fn every_of(feed: &Feed) -> Vec<AggregateEntry> {
    every(feed.clock != ClockKind::None)
}

/// The aggregates that `values` calculates plainly.
pub fn checked() -> Vec<AggregateEntry> {
    let names = ["count", "sum", "mean", "min", "variance", "median", "mean_abs_change", "peak_to_peak", "zero_crossings"];
    let all = every(false);
    names.iter().map(|name| all.iter().find(|entry| entry.name == *name).unwrap().clone()).collect()
}

pub fn values(x: &[f64]) -> [Option<f64>; 9] {
    let n = x.len() as f64;
    let some = |value: f64| (!x.is_empty()).then_some(value);
    let sum: f64 = x.iter().sum();
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = if x.is_empty() { 0.0 } else { (sorted[(x.len() - 1) / 2] + sorted[x.len() / 2]) / 2.0 };
    let variance = x.iter().map(|value| (value - sum / n).powi(2)).sum::<f64>() / (n - 1.0);
    let changes: f64 = x.windows(2).map(|two| (two[1] - two[0]).abs()).sum();
    let signs: Vec<bool> = x.iter().filter(|value| **value != 0.0).map(|value| *value > 0.0).collect();
    [
        Some(n),
        some(sum),
        some(sum / n),
        some(sorted.first().copied().unwrap_or(0.0)),
        (x.len() > 1).then_some(variance),
        some(median),
        (x.len() > 1).then(|| changes / (n - 1.0)),
        some(sorted.last().copied().unwrap_or(0.0) - sorted.first().copied().unwrap_or(0.0)),
        some(signs.windows(2).filter(|two| two[0] != two[1]).count() as f64),
    ]
}

pub fn agree(cell: &str, expected: Option<f64>) -> bool {
    let value = cell.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    match (value, expected) {
        (None, None) => cell == "null",
        (Some(a), Some(b)) => (a - b).abs() <= 1e-7 * b.abs().max(1.0),
        _ => false,
    }
}

pub fn finite(row: &Row) -> Option<f64> {
    row.x.filter(|x| x.is_finite())
}

fn divisor(a: i64, b: i64) -> i64 {
    (1..=a).rev().find(|by| a % by == 0 && b % by == 0).unwrap()
}

#[derive(Debug)]
pub struct Plain {
    pub end: i64,
    pub key: &'static str,
    pub fired: u64,
    pub x: Vec<f64>,
}

/// Every window that has a row, by looking at every row for every window; and how many rows no window took. A window's rows
/// stand pane by pane, and in a pane as they came.
pub fn plainly(feed: &Feed, size: i64, every: i64) -> (Vec<Plain>, usize) {
    let mut late = 0;
    let mut ends: Vec<i64> = Vec::new();
    let holds = |end: i64, row: &Row| end - size <= row.at && row.at < end;
    for (nth, row) in feed.rows.iter().enumerate().filter(|(_, row)| row.kept && row.key.is_some()) {
        let mine: Vec<i64> = (-1000..1000).map(|k| k * every + size).filter(|end| holds(*end, row)).collect();
        let open = mine.iter().filter(|end| feed.watermark(nth) < Time(**end)).count();
        late += usize::from(!mine.is_empty() && open == 0);
        ends.extend(mine);
    }
    ends.sort_unstable();
    ends.dedup();
    let mut windows = Vec::new();
    for end in ends {
        // The first row after which the watermark has reached the end; else the end of all.
        let passes = (0..feed.rows.len()).find(|nth| feed.watermark(nth + 1) >= Time(end));
        let fired = passes.map_or(feed.end(), |nth| feed.ordinal(nth)).0;
        for key in ["a", "b", "c"] {
            let mut mine: Vec<&Row> = (0..feed.rows.len())
                .filter(|nth| feed.watermark(*nth) < Time(end))
                .map(|nth| &feed.rows[nth])
                .filter(|row| row.kept && row.key == Some(key) && holds(end, row))
                .collect();
            mine.sort_by_key(|row| row.at.div_euclid(divisor(size, every)));
            if !mine.is_empty() {
                windows.push(Plain { end, key, fired, x: mine.iter().filter_map(|row| finite(row)).collect() });
            }
        }
    }
    (windows, late)
}

#[test]
fn a_window_fires_at_the_row_that_moved_the_watermark_even_if_a_filter_dropped_it() {
    let row = |at, kept| Row { at, key: Some("a"), x: Some(1.0), n: None, ok: None, kept };
    let rows = vec![row(1, true), row(2, true), row(12, false), row(3, true)];
    let feed = Feed { rows, lateness: 0, clock: ClockKind::Gate, base: 100 };
    let spec = window(time(10, 10), &["key"], false, vec![aggregate("n", Aggregate::Count, vec![], Type::Int)], &feed);
    let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
    assert_eq!(given.rows, [(102, vec!["a".into(), "2".into(), "0".into(), "10".into()])]);
    assert_eq!(given.late.len(), 1, "the row behind it is late");
    assert_eq!(given.counts.dropped["late"], 1);
}

#[test]
fn incomplete_windows_of_rows_are_kept_where_the_author_says_so() {
    let rows = (0..5).map(|at| Row { at, key: Some("a"), x: Some(1.0), n: None, ok: None, kept: true }).collect();
    let feed = Feed { rows, lateness: 0, clock: ClockKind::None, base: 0 };
    let entries = || vec![aggregate("n", Aggregate::Count, vec![], Type::Int)];
    let shape = WindowShape::Rows { size: 4, every: 2 };
    let counts = |partial| {
        let spec = window(shape.clone(), &[], partial, entries(), &feed);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        given.rows.into_iter().map(|(ordinal, cells)| (ordinal, cells[0].clone())).collect::<Vec<_>>()
    };
    assert_eq!(counts(false), [(3, "4".into())]);
    assert_eq!(counts(true), [(3, "4".into()), (5, "3".into()), (5, "1".into())]);
}

#[test]
fn keys_that_are_no_longer_used_are_forgotten() {
    let rows = (0..6_000).map(|at| Row { at, key: Some("a"), x: None, n: Some(at), ok: None, kept: true }).collect();
    let feed = Feed { rows, lateness: 0, clock: ClockKind::Gate, base: 0 };
    let spec = window(time(10, 5), &["n"], false, vec![aggregate("rows", Aggregate::Count, vec![], Type::Int)], &feed);
    let cuts: Vec<usize> = (0..6_000).step_by(500).collect();
    let given = run(build(&spec, &feed.schema()).as_mut(), &feed.cut(&cuts), feed.end());
    assert_eq!(given.rows.len(), 12_000, "each row is in two windows");
    assert!(given.rows.iter().all(|(_, cells)| cells[1] == "1"));
}
