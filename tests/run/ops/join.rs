//! `asof` and `join`, against the words of the language pair by pair.

use mliot::base::Duration;
use mliot::ir::{JoinKind, JoinOp, Op, Outlet, Read, StageKind, Taken, Type};
use mliot::node::{Node, Ordinal, Out};
use mliot::ops;
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{float, stage, with};
use super::feed::{ClockKind, Feed, Row, cuts, feed, schema};
use super::harness::{Given, bits, cases};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];

fn joined(kind: StageKind, how: JoinKind, required: bool, clock: ClockKind) -> NodeSpec {
    let taken = |name: &str, from: &str, ty: Type| Taken { name: name.into(), from: from.into(), ty };
    let take = vec![taken("other_x", "x", float()), taken("other_at", "at", Type::Time)];
    let schema = with(&schema(clock), &[("other_x", float()), ("other_at", Type::Time)]);
    stage(kind, Op::Join(JoinOp { kind: how, on: vec!["key".into()], take, required }), schema)
}

fn other() -> Read {
    Read { from: "other".into(), outlet: Outlet::Rows }
}

fn asof(within: Option<i64>, required: bool, clock: ClockKind) -> NodeSpec {
    joined(StageKind::Asof, JoinKind::Asof { with: other(), within: within.map(Duration) }, required, clock)
}

fn interval(within: i64, required: bool, clock: ClockKind) -> NodeSpec {
    joined(StageKind::Join, JoinKind::Interval { with: other(), within: Duration(within) }, required, clock)
}

fn is_left(row: &Row) -> bool {
    row.kept
}

/// Some rows come in on both sides, as where a stream is joined with itself.
fn is_right(row: &Row) -> bool {
    !row.kept || row.ok == Some(true)
}

/// The same feed with the rows of the other side.
fn other_side(feed: &Feed) -> Feed {
    let rows = feed.rows.iter().map(|row| Row { kept: is_right(row), ..row.clone() }).collect();
    Feed { rows, ..feed.clone() }
}

fn build(spec: &NodeSpec, feed: &Feed) -> Box<dyn Node> {
    ops::build(spec, &[feed.schema(), feed.schema()]).unwrap_or_else(|error| panic!("{error}"))
}

fn step(node: &mut dyn Node, port: usize, batch: mliot::node::Batch, given: &mut Given) {
    let mut out = Out::default();
    out.counts.input = batch.len() as u64;
    let upto = batch.upto;
    node.batch(port, batch, &mut out).unwrap_or_else(|error| panic!("{error}"));
    assert!(out.counts.balance(), "{:?}", out.counts);
    assert_eq!(out.batches.len(), usize::from(port == 0), "one batch for the rows, none for the other side");
    assert!(out.batches.iter().all(|(_, batch)| batch.upto == upto));
    collect(out, given);
}

fn collect(out: Out, given: &mut Given) {
    given.counts.add(&out.counts);
    for (_, batch) in &out.batches {
        let ordinals = batch.ordinals.to_column(batch.len());
        let last = given.rows.last().map_or(0, |(ordinal, _)| *ordinal);
        let all: Vec<u64> = std::iter::once(last).chain(ordinals.iter().copied()).collect();
        assert!(all.is_sorted(), "ordinals never fall");
        given.rows.extend(ordinals.iter().copied().zip(bits(&batch.rows)));
    }
}

/// In pieces that end at these rows; `reload` goes on in a new node with the saved state after each.
fn run(spec: &NodeSpec, feed: &Feed, cuts: &[usize], reload: bool) -> Given {
    let (mut node, other) = (build(spec, feed), other_side(feed));
    let (mut given, mut from) = (Given::default(), 0);
    for cut in cuts.iter().map(|cut| (*cut).min(feed.rows.len())).chain([feed.rows.len()]) {
        step(node.as_mut(), 1, other.batch(from..cut), &mut given);
        step(node.as_mut(), 0, feed.batch(from..cut), &mut given);
        from = cut;
        if reload {
            let state = node.save().unwrap();
            node = build(spec, feed);
            node.load(state.clone()).unwrap();
            let again = node.save().unwrap();
            for (name, rows) in &state.tables {
                assert_eq!(bits(&again.tables[name]), bits(rows), "{name}");
            }
        }
    }
    let mut out = Out::default();
    node.end(feed.end(), &mut out).unwrap();
    collect(out, &mut given);
    given
}

fn keeps_its_promises(spec: &NodeSpec, feed: &Feed, cuts: &[usize]) -> Given {
    let whole = run(spec, feed, &[], false);
    let single: Vec<usize> = (0..feed.rows.len()).collect();
    assert_eq!(run(spec, feed, cuts, false), whole, "cut at {cuts:?}");
    assert_eq!(run(spec, feed, &single, false), whole, "row by row");
    assert_eq!(run(spec, feed, cuts, true), whole, "loaded at {cuts:?}");
    assert_eq!(run(spec, feed, &single, true), whole, "loaded after every row");
    whole
}

/// What a row that comes out is made of: its ordinal, the time of the row, the time of its partner.
type Pair = (u64, i64, Option<i64>);

fn pairs(given: &Given) -> Vec<Pair> {
    let time = |cell: &String| cell.parse::<i64>().ok();
    let mut all: Vec<Pair> =
        given.rows.iter().map(|(ordinal, cells)| (*ordinal, time(&cells[0]).unwrap(), time(&cells[6]))).collect();
    all.sort_unstable();
    all
}

/// Every row with the newest of its key that came before it.
fn plainly_asof(feed: &Feed, within: Option<i64>, required: bool) -> Vec<Pair> {
    let mut out = Vec::new();
    for (nth, row) in feed.rows.iter().enumerate().filter(|(_, row)| is_left(row)) {
        let before = feed.rows[..nth].iter().filter(|other| is_right(other) && row.key.is_some() && other.key == row.key);
        let newest = before.fold(None, |best: Option<i64>, other| Some(best.map_or(other.at, |best| best.max(other.at))));
        let partner = newest.filter(|at| within.is_none_or(|within| (at - row.at).abs() <= within));
        if partner.is_some() || !required {
            out.push((feed.ordinal(nth).0, row.at, partner));
        }
    }
    out.sort_unstable();
    out
}

/// Every two rows of one key that are near, if the earlier one still waited; then those that found none.
fn plainly_interval(feed: &Feed, within: i64, required: bool) -> Vec<Pair> {
    let over = |row: &Row| row.at + within + 1;
    let mut out = Vec::new();
    for (nth, left) in feed.rows.iter().enumerate().filter(|(_, row)| is_left(row)) {
        let mut alone = true;
        for (mth, right) in feed.rows.iter().enumerate().filter(|(_, row)| is_right(row)) {
            let later = nth.max(mth);
            let earlier = if nth < mth { left } else { right };
            let waits =
                nth == mth && over(left) > feed.watermark(nth).0 || nth != mth && over(earlier) > feed.watermark(later).0;
            if left.key.is_some() && left.key == right.key && (left.at - right.at).abs() <= within && waits {
                out.push((feed.ordinal(later).0, left.at, Some(right.at)));
                alone = false;
            }
        }
        if alone && !required {
            let first = (nth..feed.rows.len()).find(|at| feed.watermark(at + 1).0 >= over(left));
            let now = left.key.is_none() || over(left) <= feed.watermark(nth).0;
            let at = if now { feed.ordinal(nth) } else { first.map_or(feed.end(), |at| feed.ordinal(at)) };
            out.push((at.0, left.at, None));
        }
    }
    out.sort_unstable();
    out
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn asof_brings_the_newest_that_has_arrived(
        feed in feed(TIMED), cuts in cuts(), within in proptest::option::of(0i64..20), required: bool
    ) {
        let given = keeps_its_promises(&asof(within, required, feed.clock), &feed, &cuts);
        prop_assert_eq!(pairs(&given), plainly_asof(&feed, within, required));
    }

    #[test]
    fn a_join_finds_all_that_are_near(feed in feed(TIMED), cuts in cuts(), within in 0i64..20, required: bool) {
        let given = keeps_its_promises(&interval(within, required, feed.clock), &feed, &cuts);
        prop_assert_eq!(pairs(&given), plainly_interval(&feed, within, required));
    }
}

#[test]
fn no_row_is_late_for_a_window_behind_a_join() {
    let row = |at, kept| Row { at, key: Some("a"), x: None, n: None, ok: None, kept };
    let rows = vec![row(10, true), row(30, false), row(36, false), row(39, true), row(60, false), row(90, false)];
    let feed = Feed { rows, lateness: 3, clock: ClockKind::Gate, base: 0 };
    let spec = interval(20, false, feed.clock);
    let (mut node, other) = (build(&spec, &feed), other_side(&feed));
    for nth in 0..feed.rows.len() {
        let mut out = Out::default();
        node.batch(1, other.batch(nth..nth + 1), &mut out).unwrap();
        node.batch(0, feed.batch(nth..nth + 1), &mut out).unwrap();
        for (_, batch) in out.batches {
            let ordinals = batch.ordinals.to_column(batch.len());
            for (ordinal, cells) in ordinals.iter().zip(bits(&batch.rows)) {
                assert!(cells[0].parse::<i64>().unwrap() >= batch.clock.before(Ordinal(*ordinal)).0, "{cells:?}");
            }
        }
    }
}

#[test]
fn columns_of_what_waits_are_found_by_name() {
    let row = |at, kept| Row { at, key: Some("a"), x: Some(at as f64), n: Some(at), ok: None, kept };
    let feed = Feed { rows: vec![row(1, true), row(2, false)], lateness: 0, clock: ClockKind::Gate, base: 0 };
    let narrow = interval(9, false, feed.clock);
    let mut node = build(&narrow, &feed);
    let mut given = Given::default();
    step(node.as_mut(), 1, other_side(&feed).batch(0..1), &mut given);
    step(node.as_mut(), 0, feed.batch(0..1), &mut given);
    let mut wide = narrow.clone();
    wide.schema = with(&narrow.schema, &[("other_n", Type::Int)]);
    let mliot::plan::NodeOp::Stage(op) = &mut wide.op else { unreachable!() };
    let Op::Join(join) = &mut **op else { unreachable!() };
    join.take.push(Taken { name: "other_n".into(), from: "n".into(), ty: Type::Int });
    let mut after = build(&wide, &feed);
    after.load(node.save().unwrap()).unwrap();
    step(after.as_mut(), 1, other_side(&feed).batch(1..2), &mut given);
    step(after.as_mut(), 0, feed.batch(1..2), &mut given);
    let [(_, cells)] = &given.rows[..] else { panic!("{given:?}") };
    assert_eq!((&*cells[0], &*cells[6], &*cells[7]), ("1", "2", "2"));
    let mut other_key = wide.clone();
    other_key.hashes.state = mliot::base::Hash::of("another key");
    assert!(build(&other_key, &feed).load(after.save().unwrap()).is_err());
}
