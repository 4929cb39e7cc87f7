//! The steps of time of each key, and the rows that they are made of.

use std::collections::{BTreeMap, BTreeSet};

use arrow::row::OwnedRow;

use crate::base::Name;
use crate::ir::{Filling, ResampleOp};

use super::super::seen::Seen;

/// In microseconds, as all times here.
pub(super) struct Grid {
    every: i64,
    pub by: Vec<Name>,
    pub fill: Filling,
    pub within: i64,
    last: BTreeMap<OwnedRow, Last>,
    /// When something happens to a key by itself: a step that is due, or the end of the longest gap.
    due: BTreeSet<(i64, OwnedRow)>,
}

/// The newest row of a key that has been taken.
struct Last {
    time: i64,
    seen: Seen,
    /// Steps up to here have been told.
    done: i64,
}

/// A row that comes out.
pub(super) struct Step {
    pub at: i64,
    pub from: Seen,
    /// The row on the other side, and how far the step is on the way to it, in 0..=1.
    pub to: Option<(Seen, f64)>,
    /// False where no row says anything about the step.
    pub is_known: bool,
}

impl Grid {
    pub fn new(op: &ResampleOp) -> Grid {
        let ResampleOp { every, by, fill, within } = op;
        Grid { every: every.0, by: by.clone(), fill: *fill, within: within.0, last: BTreeMap::new(), due: BTreeSet::new() }
    }

    pub fn keys(&self) -> usize {
        self.last.len()
    }

    /// The newest row of every key, and up to when its steps have been told.
    pub fn last(&self) -> impl Iterator<Item = (&Seen, i64)> {
        self.last.values().map(|last| (&last.seen, last.done))
    }

    /// When the next key is due.
    pub fn next(&self) -> Option<i64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A key goes on from here.
    pub fn put(&mut self, time: i64, seen: Seen, done: i64) {
        let Some(key) = seen.key.clone() else { return };
        if let Some(before) = self.last.remove(&key) {
            self.due.remove(&(self.due_of(&before), key.clone()));
        }
        let last = Last { time, seen, done };
        self.due.insert((self.due_of(&last), key.clone()));
        self.last.insert(key, last);
    }

    /// A row of a time that no row to come is before.
    pub fn take(&mut self, time: i64, seen: Seen) -> Vec<Step> {
        let before = seen.key.as_ref().and_then(|key| self.last.get(key));
        let (steps, done) = match (self.fill, before) {
            (Filling::Linear, Some(before)) => (self.line(before, time, &seen), time),
            // The first row of a key stands for itself, on a step or before it.
            (Filling::Linear, None) => (self.first(time, &seen), time),
            (Filling::Last | Filling::Null, Some(before)) => (vec![], before.done),
            (Filling::Last | Filling::Null, None) => (vec![], time.saturating_sub(1)),
        };
        self.put(time, seen, done);
        steps
    }

    /// What is due first happens.
    pub fn pass(&mut self) -> Vec<Step> {
        let Some((at, key)) = self.due.pop_first() else { return vec![] };
        let Some(last) = self.last.remove(&key) else { return vec![] };
        if self.fill == Filling::Linear {
            return self.unknown(&last);
        }
        // The end of the longest gap, and no step.
        if at != self.step_after(last.done) || at > last.time.saturating_add(self.within) {
            return vec![];
        }
        let is_known = self.fill == Filling::Last || last.time > at.saturating_sub(self.every);
        let step = Step { at, from: last.seen.clone(), to: None, is_known };
        self.put(last.time, last.seen, at);
        vec![step]
    }

    /// The first step after a time.
    fn step_after(&self, time: i64) -> i64 {
        time.saturating_sub(time.rem_euclid(self.every)).saturating_add(self.every)
    }

    fn due_of(&self, last: &Last) -> i64 {
        let end = last.time.saturating_add(self.within);
        match self.fill {
            Filling::Linear => end,
            Filling::Last | Filling::Null => self.step_after(last.done).min(end.saturating_add(1)),
        }
    }

    fn first(&self, time: i64, seen: &Seen) -> Vec<Step> {
        let is_on = time.rem_euclid(self.every) == 0;
        let step = || Step { at: time, from: seen.clone(), to: None, is_known: true };
        is_on.then(step).into_iter().collect()
    }

    /// The steps between two rows, the second one's included.
    fn line(&self, before: &Last, time: i64, seen: &Seen) -> Vec<Step> {
        let length = time.saturating_sub(before.time);
        let step = |at: i64| {
            if at == time {
                return Step { at, from: seen.clone(), to: None, is_known: true };
            }
            let share = (at - before.time) as f64 / length as f64;
            Step { at, from: before.seen.clone(), to: Some((seen.clone(), share)), is_known: true }
        };
        self.steps(before.done, time).map(step).collect()
    }

    /// The steps of a gap that has become too long.
    fn unknown(&self, last: &Last) -> Vec<Step> {
        let step = |at: i64| Step { at, from: last.seen.clone(), to: None, is_known: at == last.time };
        self.steps(last.done, last.time.saturating_add(self.within)).map(step).collect()
    }

    /// After the one time, up to the other.
    fn steps(&self, after: i64, upto: i64) -> impl Iterator<Item = i64> + use<> {
        let every = self.every;
        std::iter::successors(Some(self.step_after(after)), move |at| at.checked_add(every)).take_while(move |at| *at <= upto)
    }
}
