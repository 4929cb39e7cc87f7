//! `top` and `sort`: their promises, and agreement with sorting all rows of each stretch of time.

use mliot::base::{Duration, Hash};
use mliot::ir::{Op, RankOp, RankRule, StageKind};
use mliot::node::{Ordinal, Out, Retune};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{column, float, stage};
use super::feed::{ClockKind, Feed, Row, cuts, feed};
use super::harness::{Given, bits, build, cases, keeps_its_promises, run, step};
use super::window::finite;

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];

fn top(count: u64, within: i64, feed: &Feed) -> NodeSpec {
    let rule = RankRule::Best { count, by: column("x", float()) };
    let op = RankOp { rule, within: Duration(within) };
    stage(StageKind::Top, Op::Rank(op), feed.schema())
}

fn sorted(by: &[&str], within: i64, feed: &Feed) -> NodeSpec {
    let rule = RankRule::Rising { by: by.iter().map(|name| (*name).into()).collect() };
    stage(StageKind::Sort, Op::Rank(RankOp { rule, within: Duration(within) }), feed.schema())
}

/// The ordinal at which each row comes out, and its time, among all in order; and how many rows are late.
fn plainly(feed: &Feed, rows: &[usize], within: i64, order: impl Fn(&mut Vec<&Row>)) -> (Vec<(u64, i64)>, u64) {
    let end = |nth: &usize| feed.rows[*nth].at.div_euclid(within) * within + within;
    let (on_time, late): (Vec<usize>, Vec<usize>) = rows.iter().partition(|nth| feed.watermark(**nth).0 < end(nth));
    let mut ends: Vec<i64> = on_time.iter().map(end).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut out = Vec::new();
    for stretch in ends {
        let passes = (0..feed.rows.len()).find(|nth| feed.watermark(nth + 1).0 >= stretch);
        let fired = passes.map_or(feed.end(), |nth| feed.ordinal(nth)).0;
        let mut rows: Vec<&Row> = on_time.iter().filter(|nth| end(nth) == stretch).map(|nth| &feed.rows[*nth]).collect();
        order(&mut rows);
        out.extend(rows.iter().map(|row| (fired, row.at)));
    }
    (out, late.len() as u64)
}

fn kept(feed: &Feed, is_ranked: impl Fn(&Row) -> bool) -> Vec<usize> {
    (0..feed.rows.len()).filter(|nth| feed.rows[*nth].kept && is_ranked(&feed.rows[*nth])).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_best_rows_of_each_stretch_pass(feed in feed(TIMED), cuts in cuts(), count in 1usize..5, within in 1i64..20) {
        let given = keeps_its_promises(&top(count as u64, within, &feed), &feed, &cuts);
        let (expected, late) = plainly(&feed, &kept(&feed, |row| finite(row).is_some()), within, |rows| {
            rows.sort_by(|a, b| finite(b).partial_cmp(&finite(a)).unwrap());
            rows.truncate(count);
        });
        let found: Vec<(u64, i64)> = given.rows.iter().map(|(at, cells)| (*at, cells[0].parse().unwrap())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(given.counts.dropped.get("late").copied().unwrap_or_default(), late);
    }

    #[test]
    fn all_rows_of_each_stretch_pass_in_order(feed in feed(TIMED), cuts in cuts(), within in 1i64..20) {
        let given = keeps_its_promises(&sorted(&["n", "at"], within, &feed), &feed, &cuts);
        let (expected, late) = plainly(&feed, &kept(&feed, |_| true), within, |rows| {
            rows.sort_by_key(|row| (row.n.is_none(), row.n, row.at));
        });
        let found: Vec<(u64, i64)> = given.rows.iter().map(|(at, cells)| (*at, cells[0].parse().unwrap())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(given.counts.dropped.get("late").copied().unwrap_or_default(), late);
    }
}

fn rows(times: &[(i64, f64)]) -> Feed {
    let row = |(at, x): &(i64, f64)| Row { at: *at, key: None, x: Some(*x), n: None, ok: None, kept: true };
    Feed { rows: times.iter().map(row).collect(), lateness: 2, clock: ClockKind::Gate, base: 0 }
}

#[test]
fn no_row_is_late_for_a_window_behind_a_top() {
    let feed = rows(&[(1, 1.0), (4, 9.0), (9, 3.0), (8, 4.0), (21, 1.0), (40, 2.0)]);
    let mut node = build(&top(2, 10, &feed), &feed.schema());
    let mut seen = 0;
    for nth in 0..feed.rows.len() {
        let mut out = Out::default();
        node.batch(0, feed.batch(nth..nth + 1), &mut out).unwrap();
        for (_, batch) in out.batches {
            let ordinals = batch.ordinals.to_column(batch.len());
            for (ordinal, cells) in ordinals.iter().zip(bits(&batch.rows)) {
                assert!(cells[0].parse::<i64>().unwrap() >= batch.clock.before(Ordinal(*ordinal)).0, "{cells:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 3, "the last stretch is open still");
}

#[test]
fn another_number_is_of_what_waits() {
    let feed = rows(&[(1, 1.0), (2, 9.0), (3, 3.0), (30, 0.0)]);
    let mut node = build(&top(2, 10, &feed), &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    let retune: &mut dyn Retune = node.retune().unwrap();
    retune.to(&top(1, 10, &feed)).unwrap();
    step(node.as_mut(), &feed.batch(3..4), &mut given);
    assert_eq!(given.rows.iter().map(|(_, cells)| &*cells[0]).collect::<Vec<_>>(), ["2"]);
    let mut other = top(1, 10, &feed);
    other.hashes.state = Hash::of("another stretch");
    assert!(node.retune().unwrap().to(&other).is_err());
    let whole = run(build(&top(9, 10, &feed), &feed.schema()).as_mut(), &feed.whole(), feed.end());
    assert_eq!(whole.rows.len(), 4);
}

/// What an edit that is taken back, or an aborted one, has let fall cannot be had again.
#[test]
fn a_smaller_number_that_is_taken_back_has_lost_nothing() {
    let feed = rows(&[(1, 1.0), (2, 9.0), (3, 3.0), (30, 0.0)]);
    let mut node = build(&top(3, 10, &feed), &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    let before = node.save().unwrap();
    for count in [1, 3] {
        node.retune().unwrap().to(&top(count, 10, &feed)).unwrap();
        assert_eq!(node.save().unwrap().tables, before.tables, "top {count}");
    }
    step(node.as_mut(), &feed.batch(3..4), &mut given);
    assert_eq!(given.rows.iter().map(|(_, cells)| &*cells[0]).collect::<Vec<_>>(), ["2", "3", "1"]);
}

#[test]
fn what_waits_is_sorted_anew_when_the_order_is_another() {
    let feed = rows(&[(3, 1.0), (1, 9.0), (2, 3.0), (30, 0.0)]);
    let mut node = build(&sorted(&["at"], 10, &feed), &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    node.retune().unwrap().to(&sorted(&["x"], 10, &feed)).unwrap();
    step(node.as_mut(), &feed.batch(3..4), &mut given);
    assert_eq!(given.rows.iter().map(|(_, cells)| &*cells[0]).collect::<Vec<_>>(), ["3", "2", "1"]);
}
