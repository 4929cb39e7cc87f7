//! `window session` and `summarize`: their promises, and agreement with a plain way of counting.

use mliot::base::{Duration, Hash};
use mliot::ir::{Aggregate, Type, WindowShape};
use mliot::node::{Migration, Retune};
use proptest::prelude::*;

use super::feed::{ClockKind, Feed, Row, cuts, feed};
use super::harness::{Given, build, cases, finish, keeps_its_promises, run, step};
use super::window::{aggregate, agree, checked, every, finite, plainly, values, window};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];

fn session(gap: i64) -> WindowShape {
    WindowShape::Session { gap: Duration(gap) }
}

#[derive(Clone, Debug)]
struct Plain {
    key: &'static str,
    start: i64,
    last: i64,
    x: Vec<(usize, f64)>,
}

/// Sessions row by row; each with the ordinal at which it ends, and how many rows were late.
fn sessions(feed: &Feed, gap: i64) -> (Vec<(u64, Plain)>, usize) {
    let fired = |end: i64| {
        let passes = (0..feed.rows.len()).find(|nth| feed.watermark(nth + 1).0 >= end);
        passes.map_or(feed.end(), |nth| feed.ordinal(nth)).0
    };
    let (mut open, mut ended, mut late): (Vec<Plain>, Vec<Plain>, usize) = (vec![], vec![], 0);
    for (nth, row) in feed.rows.iter().enumerate().filter(|(_, row)| row.kept) {
        let Some(key) = row.key else { continue };
        let watermark = feed.watermark(nth).0;
        let (over, still): (Vec<Plain>, Vec<Plain>) = open.into_iter().partition(|session| session.last + gap <= watermark);
        ended.extend(over);
        let is_near = |session: &Plain| session.key == key && session.start - gap < row.at && row.at < session.last + gap;
        let (near, rest): (Vec<Plain>, Vec<Plain>) = still.into_iter().partition(is_near);
        open = rest;
        if near.is_empty() && row.at + gap <= watermark {
            late += 1;
            continue;
        }
        let mut session = Plain { key, start: row.at, last: row.at, x: finite(row).map(|x| (nth, x)).into_iter().collect() };
        for other in near {
            (session.start, session.last) = (session.start.min(other.start), session.last.max(other.last));
            session.x.extend(other.x);
        }
        session.x.sort_by_key(|(nth, _)| *nth);
        open.push(session);
    }
    ended.extend(open);
    let mut all: Vec<(u64, Plain)> = ended.into_iter().map(|session| (fired(session.last + gap), session)).collect();
    all.sort_by_key(|(fired, session)| (*fired, session.last, session.key, session.start));
    (all, late)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn sessions_leave_no_trace_of_cuts_and_restarts(feed in feed(TIMED), cuts in cuts(), gap in 1i64..15, keyed: bool) {
        let by: &[&str] = if keyed { &["key", "ok"] } else { &[] };
        keeps_its_promises(&window(session(gap), by, false, every(true), &feed), &feed, &cuts);
    }

    #[test]
    fn sessions_agree_with_the_plain_way(feed in feed(TIMED), gap in 1i64..15) {
        let spec = window(session(gap), &["key"], false, checked(), &feed);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        let (expected, late) = sessions(&feed, gap);
        prop_assert_eq!(given.late.len(), late);
        prop_assert_eq!(given.rows.len(), expected.len());
        for ((ordinal, cells), (fired, session)) in given.rows.iter().zip(&expected) {
            prop_assert_eq!((*ordinal, cells[0].as_str()), (*fired, session.key), "{:?}", session);
            prop_assert_eq!((&cells[10], &cells[11]), (&session.start.to_string(), &(session.last + gap).to_string()));
            let x: Vec<f64> = session.x.iter().map(|(_, x)| *x).collect();
            for (cell, expected) in cells[1..10].iter().zip(values(&x)) {
                prop_assert!(agree(cell, expected), "{} is not {:?} in {:?}", cell, expected, session);
            }
        }
    }

    #[test]
    fn summaries_leave_no_trace_of_cuts_and_restarts(feed in feed(TIMED), cuts in cuts(), step in 1i64..15, keyed: bool) {
        let by: &[&str] = if keyed { &["key", "ok"] } else { &[] };
        let shape = WindowShape::Cumulative { every: Duration(step) };
        keeps_its_promises(&window(shape, by, false, every(true), &feed), &feed, &cuts);
    }

    #[test]
    fn summaries_are_of_all_rows_so_far(feed in feed(TIMED), step in 1i64..15) {
        let shape = WindowShape::Cumulative { every: Duration(step) };
        let spec = window(shape, &["key"], false, checked(), &feed);
        let given = run(build(&spec, &feed.schema()).as_mut(), &feed.whole(), feed.end());
        let (windows, late) = plainly(&feed, step, step);
        prop_assert_eq!(given.late.len(), late);
        prop_assert_eq!(given.rows.len(), windows.len());
        for ((ordinal, cells), window) in given.rows.iter().zip(&windows) {
            prop_assert_eq!((*ordinal, cells[0].as_str(), &cells[10]), (window.fired, window.key, &window.end.to_string()));
            let so_far = windows.iter().filter(|other| other.key == window.key && other.end <= window.end);
            let x: Vec<f64> = so_far.flat_map(|other| other.x.iter().copied()).collect();
            for (cell, expected) in cells[1..10].iter().zip(values(&x)) {
                prop_assert!(agree(cell, expected), "{} is not {:?} in {:?}", cell, expected, window);
            }
        }
    }
}

fn some_rows() -> Feed {
    let row = |at| Row { at, key: Some("a"), x: Some(at as f64), n: None, ok: None, kept: true };
    Feed { rows: [1, 3, 8, 30, 60].map(row).to_vec(), lateness: 0, clock: ClockKind::Gate, base: 0 }
}

#[test]
fn another_gap_and_another_aggregate_are_of_the_rows_that_wait() {
    let feed = some_rows();
    let count = || vec![aggregate("n", Aggregate::Count, vec![], Type::Int)];
    let sum = || vec![count().remove(0), every(true).into_iter().find(|entry| entry.name == "sum").unwrap()];
    let (narrow, wide) =
        (window(session(6), &["key"], false, count(), &feed), window(session(20), &["key"], false, sum(), &feed));
    let mut node = build(&narrow, &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    let running = node.save().unwrap();
    let mut after = build(&wide, &feed.schema());
    let before = std::sync::Arc::new(narrow.clone());
    after.migrate(Migration { before, running, anew: ["sum".into()].into(), rebuilt: None }).unwrap();
    step(after.as_mut(), &feed.batch(3..5), &mut given);
    assert_eq!(given.rows[0].1[1..5].join(" "), "3 12 4028000000000000 1 28");
    let retune: &mut dyn Retune = node.retune().unwrap();
    retune.to(&window(session(2), &["key"], false, count(), &feed)).unwrap();
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(3..4), &mut given);
    let found: Vec<String> = given.rows.iter().map(|(_, cells)| cells.join(" ")).collect();
    assert_eq!(found, ["a 1 1 3", "a 1 3 5", "a 1 8 10"]);
    let mut other = narrow;
    other.hashes.state = Hash::of("another key");
    assert!(node.retune().unwrap().to(&other).is_err());
}

/// A shorter gap lets sessions end in the past. That they do so where time moves next, and not where a batch ends.
#[test]
fn what_a_shorter_gap_has_ended_comes_where_time_moves_whatever_the_batches() {
    let row = |at| Row { at, key: Some("a"), x: None, n: None, ok: None, kept: true };
    let feed = Feed { rows: [1, 9, 20, 12, 9, 40].map(row).to_vec(), lateness: 10, clock: ClockKind::Gate, base: 0 };
    let count = || vec![aggregate("n", Aggregate::Count, vec![], Type::Int)];
    let given = |cuts: &[std::ops::Range<usize>]| {
        let mut node = build(&window(session(15), &["key"], false, count(), &feed), &feed.schema());
        let mut given = Given::default();
        step(node.as_mut(), &feed.batch(0..3), &mut given);
        node.retune().unwrap().to(&window(session(1), &["key"], false, count(), &feed)).unwrap();
        cuts.iter().for_each(|cut| step(node.as_mut(), &feed.batch(cut.clone()), &mut given));
        finish(node.as_mut(), feed.end(), &mut given);
        given
    };
    let whole = given(std::slice::from_ref(&(3..6)));
    assert_eq!(whole.rows[0].1.join(" "), "a 1 1 2", "the first one was over long before");
    assert_eq!(whole.rows[0].0, feed.ordinal(5).0);
    assert_eq!(given(&[3..4, 4..5, 5..6]), whole);
    assert_eq!(given(&[3..5, 5..6]), whole);
}

#[test]
fn a_summary_takes_over_what_has_been_so_far() {
    let feed = some_rows();
    let shape = || WindowShape::Cumulative { every: Duration(10) };
    let count = || vec![aggregate("n", Aggregate::Count, vec![], Type::Int)];
    let old = window(shape(), &["key"], false, count(), &feed);
    let more = vec![count().remove(0), every(true).into_iter().find(|entry| entry.name == "sum").unwrap()];
    let new = window(shape(), &["key"], false, more, &feed);
    let mut node = build(&old, &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..4), &mut given);
    let mut after = build(&new, &feed.schema());
    let (before, running) = (std::sync::Arc::new(old), node.save().unwrap());
    after.migrate(Migration { before, running, anew: ["sum".into()].into(), rebuilt: None }).unwrap();
    step(after.as_mut(), &feed.batch(4..5), &mut given);
    let found: Vec<String> = given.rows.iter().map(|(_, cells)| cells.join(" ")).collect();
    assert_eq!(found[0], "a 3 10");
    assert!(found[1].starts_with("a 4 "), "{found:?}");
}

/// The first window lacks rows and does not come; the rows that it has are of all so far.
#[test]
fn a_summary_that_begins_in_the_middle_counts_every_row_from_there() {
    let row = |at| Row { at, key: Some("a"), x: Some(at as f64), n: None, ok: None, kept: true };
    let feed = Feed { rows: [1, 3, 8, 9, 30, 60].map(row).to_vec(), lateness: 0, clock: ClockKind::Gate, base: 0 };
    let shape = || WindowShape::Cumulative { every: Duration(10) };
    let count = |name| vec![aggregate(name, Aggregate::Count, vec![], Type::Int)];
    let (old, new) = (window(shape(), &["key"], false, count("n"), &feed), window(shape(), &["key"], false, count("m"), &feed));
    let mut node = build(&old, &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    let mut after = build(&new, &feed.schema());
    let (before, running) = (std::sync::Arc::new(old), node.save().unwrap());
    after.migrate(Migration { before, running, anew: ["m".into()].into(), rebuilt: None }).unwrap();
    step(after.as_mut(), &feed.batch(3..6), &mut given);
    let found: Vec<String> = given.rows.iter().map(|(_, cells)| cells.join(" ")).collect();
    assert_eq!(found, ["a 2 40"], "of the rows at 9 and at 30");
}
