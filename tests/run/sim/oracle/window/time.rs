//! Windows in time. Rows stand once, in the order in which they count; a window is a stretch of them.

use std::collections::{BTreeMap, BTreeSet};

use mliot::base::Name;
use mliot::ir::{Value, WindowOp, WindowShape};
use mliot::runtime::Row;

use super::super::fate::{Fate, Fates};
use super::super::key::Key;
use super::{Came, Taken, divisor, result, window_of};

#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// Rows of which a window is still to come.
    held: Vec<Held>,
    /// What ended here or before has fired, or was never this window's to tell.
    fired: Option<i64>,
    /// Windows that begin before it lack rows, and do not come.
    whole_from: Option<i64>,
    /// The same of single columns, which are null there.
    entries_from: BTreeMap<Name, i64>,
}

#[derive(Clone, Debug)]
struct Held {
    key: Key,
    time: i64,
    taken: Taken,
}

/// How long windows are, how often they begin, and the longest piece of time that none of them divides.
#[derive(Clone, Copy)]
struct Shape {
    size: i64,
    every: i64,
    pane: i64,
}

impl Shape {
    fn of(op: &WindowOp) -> Option<Shape> {
        let WindowShape::Time { size, every } = op.shape else { return None };
        Some(Shape { size: size.0, every: every.0, pane: divisor(size.0, every.0) })
    }

    fn pane(self, time: i64) -> i64 {
        time.div_euclid(self.pane) * self.pane
    }

    /// Ends of the windows that hold this time, latest first.
    fn ends(self, time: i64) -> impl Iterator<Item = i64> {
        let newest = time.div_euclid(self.every) * self.every;
        (0..).map(move |back| newest - back * self.every + self.size).take_while(move |end| *end > time)
    }
}

impl Timed {
    pub fn row(&mut self, key: Key, taken: Taken, time: i64, before: i64, op: &WindowOp) -> Came {
        let shape = Shape::of(op).expect("windows in time");
        let closed = self.fired.unwrap_or(i64::MIN).max(before);
        match shape.ends(time).next() {
            None => Came::Nowhere,
            Some(last) if last <= closed => Came::Late,
            Some(_) => {
                self.held.push(Held { key, time, taken });
                Came::In
            }
        }
    }

    pub fn fire(&mut self, upto: i64, op: &WindowOp, out: &mut Vec<Row>) {
        self.tell(upto, op, out);
        self.fired = self.fired.max((upto > i64::MIN).then_some(upto));
        self.forget(op);
    }

    pub fn end(&mut self, op: &WindowOp, out: &mut Vec<Row>) {
        self.tell(i64::MAX, op, out);
        self.forget(op);
    }

    fn tell(&mut self, upto: i64, op: &WindowOp, out: &mut Vec<Row>) {
        let shape = Shape::of(op).expect("windows in time");
        let fired = self.fired.unwrap_or(i64::MIN);
        let due = |held: &Held| shape.ends(held.time).filter(|end| fired < *end && *end <= upto).collect::<Vec<_>>();
        let ends: BTreeSet<i64> = self.held.iter().flat_map(due).collect();
        for end in ends {
            self.tell_one(end - shape.size, end, shape, op, out);
            self.fired = self.fired.max(Some(end));
        }
    }

    /// What an aggregate is worth is defined: rows in the order of their panes, in a pane in the order in which they came.
    fn tell_one(&self, start: i64, end: i64, shape: Shape, op: &WindowOp, out: &mut Vec<Row>) {
        if self.whole_from.is_some_and(|from| start < from) {
            return;
        }
        let mut rows: Vec<&Held> = self.held.iter().filter(|held| start <= held.time && held.time < end).collect();
        rows.sort_by_key(|held| (&held.key, shape.pane(held.time)));
        for of_key in rows.chunk_by(|a, b| a.key == b.key) {
            let mut row = result(&of_key[0].key, of_key.iter().map(|held| &held.taken), op);
            for (entry, _) in self.entries_from.iter().filter(|(_, from)| start < **from) {
                row.insert(entry.clone(), Value::Null);
            }
            window_of(&mut row, start, end);
            out.push(row);
        }
    }

    fn forget(&mut self, op: &WindowOp) {
        let shape = Shape::of(op).expect("windows in time");
        let fired = self.fired.unwrap_or(i64::MIN);
        self.held.retain(|held| shape.ends(held.time).next().is_some_and(|last| last > fired));
    }

    /// None where nothing of it can be read.
    pub fn taken_over(&self, old: &WindowOp, new: &WindowOp, fates: &Fates, again: Option<&Timed>) -> Option<Timed> {
        let (was, is) = (Shape::of(old)?, Shape::of(new)?);
        if old.by != new.by {
            return None;
        }
        let seen = self.seen(was);
        if fates.values().all(|fate| *fate == Fate::Empty) {
            return Some(Timed { fired: self.fired, whole_from: seen, ..Timed::default() });
        }
        let mut taken = Timed {
            held: self.mixed(was, fates, again),
            fired: self.fired,
            whole_from: self.whole_from,
            entries_from: fates.iter().filter_map(|(name, fate)| self.entry_from(name, *fate, seen)).collect(),
        };
        if (was.size, was.every) != (is.size, is.every) {
            // The first of the longer windows lack what has been told and forgotten.
            let held_from = self.fired.map(|fired| (fired - was.size).div_euclid(was.every) * was.every + was.every);
            taken.whole_from = taken.whole_from.max(held_from);
            taken.held.sort_by_key(|held| was.pane(held.time));
        }
        taken.forget(new);
        Some(taken)
    }

    /// Behind everything that it has seen.
    fn seen(&self, shape: Shape) -> Option<i64> {
        let newest = self.held.iter().map(|held| shape.pane(held.time) + shape.pane).max();
        newest.max(self.fired)
    }

    fn entry_from(&self, name: &Name, fate: Fate, seen: Option<i64>) -> Option<(Name, i64)> {
        let from = match fate {
            Fate::Again => None,
            Fate::Empty => seen,
            Fate::Kept | Fate::Converted | Fate::PutTogether | Fate::Aged => self.entries_from.get(name).copied(),
        };
        Some((name.clone(), from?))
    }

    /// The groups are those that there are; columns that are had again bring their rows into them.
    fn mixed(&self, shape: Shape, fates: &Fates, again: Option<&Timed>) -> Vec<Held> {
        let groups: BTreeSet<(i64, &Key)> = self.held.iter().map(|held| (shape.pane(held.time), &held.key)).collect();
        let only = |held: &Held, wanted: &dyn Fn(Fate) -> bool| {
            let is_wanted = |name: &Name| fates.get(name).is_some_and(|fate| wanted(*fate));
            let taken = held.taken.iter().filter(|((name, _), _)| is_wanted(name));
            Held { taken: taken.map(|(name, read)| (name.clone(), read.clone())).collect(), ..held.clone() }
        };
        let kept = self.held.iter().map(|held| only(held, &|fate| !matches!(fate, Fate::Again | Fate::Empty)));
        let more = again.into_iter().flat_map(|again| &again.held);
        let more = more.filter(|held| groups.contains(&(shape.pane(held.time), &held.key)));
        kept.chain(more.map(|held| only(held, &|fate| fate == Fate::Again))).collect()
    }
}
