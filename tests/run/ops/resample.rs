//! `resample`: its promises, and agreement with looking up, for each step of each key, the rows around it.

use std::collections::BTreeMap;

use mliot::base::{Duration, Hash};
use mliot::ir::{Filling, Op, ResampleOp, StageKind};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::stage;
use super::feed::{ClockKind, Feed, Row, cuts, feed};
use super::harness::{Given, build, cases, keeps_its_promises, step};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];

fn resample(every: i64, fill: Filling, within: i64, feed: &Feed) -> NodeSpec {
    let op = ResampleOp { every: Duration(every), by: vec!["key".into()], fill, within: Duration(within) };
    let mut out = feed.schema();
    out.columns.iter_mut().filter(|column| &*column.name != "at").for_each(|column| column.nullable = true);
    stage(StageKind::Resample, Op::Resample(op), out)
}

/// Step, key, `x` and `n`, as they come out; with the ordinal.
type Told = (u64, i64, String, Option<f64>, Option<i64>);

struct Plainly<'a> {
    feed: &'a Feed,
    every: i64,
    fill: Filling,
    within: i64,
    /// Of each key the last row of each time.
    rows: BTreeMap<&'static str, BTreeMap<i64, &'a Row>>,
    newest: i64,
}

impl Plainly<'_> {
    fn of(feed: &Feed, every: i64, fill: Filling, within: i64) -> Plainly<'_> {
        let mut rows: BTreeMap<&'static str, BTreeMap<i64, &Row>> = BTreeMap::new();
        let mut waiting = i64::MIN;
        for (nth, row) in feed.rows.iter().enumerate() {
            if let Some(key) = row.key.filter(|_| row.kept && row.at >= feed.watermark(nth).0) {
                rows.entry(key).or_default().insert(row.at, row);
                waiting = waiting.max(row.at);
            }
        }
        let after = feed.watermark(feed.rows.len()).0;
        // Rows that wait are taken at the end; without any, time stands where the watermark is.
        let newest = if waiting >= after { waiting } else { after };
        Plainly { feed, every, fill, within, rows, newest }
    }

    /// When the watermark has passed a time; at the end, if rows have come that far.
    fn passed(&self, time: i64) -> Option<u64> {
        let passes = (0..self.feed.rows.len()).find(|nth| self.feed.watermark(nth + 1).0 > time);
        passes.map(|nth| self.feed.ordinal(nth).0).or((time <= self.newest).then(|| self.feed.end().0))
    }

    fn told(&self) -> Vec<Told> {
        let mut told = Vec::new();
        for (key, rows) in &self.rows {
            let (Some(first), Some(last)) = (rows.keys().next(), rows.keys().last()) else { continue };
            let from = first.div_euclid(self.every) * self.every;
            for at in (from..=last + self.within).step_by(self.every as usize).filter(|at| at >= first) {
                told.extend(self.at(at, rows).map(|(ordinal, x, n)| (ordinal, at, (*key).to_owned(), x, n)));
            }
        }
        told.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        told
    }

    /// What stands at a step, and when that is known; nothing where the key rests.
    fn at(&self, at: i64, rows: &BTreeMap<i64, &Row>) -> Option<(u64, Option<f64>, Option<i64>)> {
        let (before, row) = rows.range(..=at).next_back()?;
        if at > before + self.within {
            return None;
        }
        let x = |row: &Row| row.x.filter(|x| !x.is_nan());
        match self.fill {
            Filling::Last => Some((self.passed(at)?, x(row), row.n)),
            Filling::Null if *before > at - self.every => Some((self.passed(at)?, x(row), row.n)),
            Filling::Null => Some((self.passed(at)?, None, None)),
            Filling::Linear if *before == at => Some((self.passed(at)?, x(row), row.n)),
            Filling::Linear => match rows.range(at..).next() {
                Some((after, next)) if after - before <= self.within => {
                    let share = (at - before) as f64 / (after - before) as f64;
                    let line = x(row).zip(x(next)).map(|(a, b)| a + (b - a) * share).filter(|x| !x.is_nan());
                    Some((self.passed(*after)?, line, row.n))
                }
                _ => Some((self.passed(before + self.within)?, None, None)),
            },
        }
    }
}

fn found(given: &Given) -> Vec<Told> {
    let number = |cell: &String| cell.split(' ').next().and_then(|cell| cell.parse().ok()).filter(|x: &f64| !x.is_nan());
    let row = |(ordinal, cells): &(u64, Vec<String>)| {
        (*ordinal, cells[0].parse().unwrap(), cells[1].clone(), number(&cells[2]), cells[3].parse().ok())
    };
    let mut told: Vec<Told> = given.rows.iter().map(row).collect();
    told.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
    told
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn each_step_is_told_once_and_of_the_rows_around_it(
        feed in feed(TIMED),
        cuts in cuts(),
        every in 1i64..9,
        steps in 1i64..5,
        fill in prop::sample::select(vec![Filling::Linear, Filling::Last, Filling::Null]),
    ) {
        let within = every * steps + steps % 2;
        let given = keeps_its_promises(&resample(every, fill, within, &feed), &feed, &cuts);
        let expected = Plainly::of(&feed, every, fill, within).told();
        prop_assert_eq!(format!("{:?}", found(&given)), format!("{expected:?}"));
    }
}

fn rows(times: &[(i64, f64)]) -> Feed {
    let row = |(at, x): &(i64, f64)| Row { at: *at, key: Some("a"), x: Some(*x), n: Some(1), ok: None, kept: true };
    Feed { rows: times.iter().map(row).collect(), lateness: 0, clock: ClockKind::Gate, base: 0 }
}

fn told(given: &Given) -> Vec<(i64, Option<f64>)> {
    found(given).into_iter().map(|(_, at, _, x, _)| (at, x)).collect()
}

#[test]
fn other_steps_begin_where_the_former_ones_were_told() {
    let feed = rows(&[(0, 1.0), (4, 5.0), (12, 13.0), (13, 14.0)]);
    let mut node = build(&resample(2, Filling::Linear, 10, &feed), &feed.schema());
    let mut given = Given::default();
    step(node.as_mut(), &feed.batch(0..3), &mut given);
    assert_eq!(told(&given), [(0, Some(1.0)), (2, Some(3.0)), (4, Some(5.0))]);
    node.retune().unwrap().to(&resample(4, Filling::Linear, 10, &feed)).unwrap();
    step(node.as_mut(), &feed.batch(3..4), &mut given);
    assert_eq!(told(&given)[3..], [(8, Some(9.0)), (12, Some(13.0))]);
    let mut other = resample(4, Filling::Linear, 10, &feed);
    other.hashes.state = Hash::of("another key");
    assert!(node.retune().unwrap().to(&other).is_err());
}

#[test]
fn a_key_that_is_silent_for_long_is_forgotten() {
    let feed = rows(&[(0, 1.0), (100, 2.0)]);
    for (fill, expected) in [(Filling::Last, Some(1.0)), (Filling::Null, None), (Filling::Linear, None)] {
        let given = keeps_its_promises(&resample(5, fill, 12, &feed), &feed, &[]);
        assert_eq!(told(&given), [(0, Some(1.0)), (5, expected), (10, expected), (100, Some(2.0))], "{fill:?}");
    }
}
