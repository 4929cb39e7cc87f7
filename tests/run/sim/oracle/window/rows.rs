//! Windows of rows, by key: rows wait with what the calls have read of them.

use std::collections::{BTreeMap, VecDeque};

use mliot::base::Time;
use mliot::ir::{AggregateCall, Expr, Schema, Value, WindowOp, WindowShape};
use mliot::runtime::Row;

use super::super::fate::{Fate, Fates};
use super::super::key::Key;
use super::{CallName, Came, Taken, calls, result};

#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// In the order in which they came first.
    keys: Vec<Key>,
    queues: BTreeMap<Key, Queue>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    /// With the time of each.
    rows: VecDeque<(Taken, i64)>,
    /// Rows that still fall between windows.
    skip: i64,
    /// Rows since a window was last complete.
    fresh: i64,
}

impl Waiting {
    pub fn row(&mut self, key: Key, row: (Taken, i64), op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) -> Came {
        let WindowShape::Rows { size, every } = op.shape else { panic!("windows of rows") };
        let (size, every) = (size as i64, every as i64);
        if !self.keys.contains(&key) {
            self.keys.push(key.clone());
        }
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.skip > 0 {
            queue.skip -= 1;
            return Came::Nowhere;
        }
        queue.rows.push_back(row);
        queue.fresh += 1;
        if queue.rows.len() as i64 == size {
            out.push(told(&key, queue.rows.make_contiguous(), op, schema));
            queue.fresh = 0;
            queue.skip = (every - size).max(0);
            queue.rows.drain(..every.min(size) as usize);
        }
        Came::In
    }

    pub fn end(&mut self, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) {
        let WindowShape::Rows { every, .. } = op.shape else { panic!("windows of rows") };
        for (key, queue) in std::mem::take(&mut self.queues) {
            if op.partial && queue.fresh > 0 {
                let rows: Vec<(Taken, i64)> = queue.rows.into();
                for start in (0..rows.len()).step_by(every as usize) {
                    out.push(told(&key, &rows[start..], op, schema));
                }
            }
        }
    }

    /// None where nothing of it can be read. An entry is of the same rows as its neighbours: where others wait in what was had
    /// again, all of it is that.
    pub fn taken_over(&self, old: &WindowOp, new: &WindowOp, fates: &Fates, again: Option<&Waiting>) -> Option<Waiting> {
        if old.shape != new.shape || old.by != new.by {
            return None;
        }
        if let Some(again) = again.filter(|again| !self.has_rows_of(again)) {
            return Some(again.clone());
        }
        let kept = Kept::of(old, new, fates)?;
        let mut taken = self.clone();
        for (key, queue) in &mut taken.queues {
            let again = again.and_then(|again| again.queues.get(key));
            for (at, (row, _)) in queue.rows.iter_mut().enumerate() {
                *row = kept.row(row, again.map(|again| &again.rows[at].0), new)?;
            }
        }
        Some(taken)
    }

    fn has_rows_of(&self, other: &Waiting) -> bool {
        let counts = |waiting: &Waiting| -> Vec<(i64, i64, usize)> {
            let count = |key| waiting.queues.get(key).map_or((0, 0, 0), |queue| (queue.skip, queue.fresh, queue.rows.len()));
            waiting.keys.iter().map(count).collect()
        };
        self.keys == other.keys && counts(self) == counts(other)
    }
}

/// Which values that rows wait with are still the same ones. A value that several calls read stands there once, so a call that
/// comes new may find its own there already.
struct Kept<'a> {
    /// By what is read now: the call that has read it before, and where among its values.
    values: Vec<(&'a Expr, (CallName, usize))>,
}

impl<'a> Kept<'a> {
    /// None where two calls share a value now that they did not share before.
    fn of(old: &WindowOp, new: &'a WindowOp, fates: &Fates) -> Option<Kept<'a>> {
        let before: BTreeMap<CallName, &AggregateCall> = calls(old).collect();
        let mut values: Vec<(&Expr, (CallName, usize))> = Vec::new();
        let goes_on = |name: &CallName| !matches!(fates.get(&name.0), Some(Fate::Again | Fate::Empty));
        for (name, call) in calls(new).filter(|(name, _)| goes_on(name)) {
            let was = before.get(&name)?;
            if reads(was).count() != reads(call).count() {
                return None;
            }
            for (at, expr) in reads(call).enumerate() {
                match values.iter().find(|(known, _)| *known == expr) {
                    None => values.push((expr, (name.clone(), at))),
                    Some((_, (other, place))) => {
                        let shared = reads(before.get(other)?).nth(*place) == reads(was).nth(at);
                        if !shared {
                            return None;
                        }
                    }
                }
            }
        }
        Some(Kept { values })
    }

    /// A row that waits, as the new calls see it; none where one of them has never read it.
    fn row(&self, row: &Taken, again: Option<&Taken>, new: &WindowOp) -> Option<Taken> {
        let value = |name: &CallName, at: usize, expr: &Expr| -> Option<Value> {
            match self.values.iter().find(|(known, _)| *known == expr) {
                Some((_, (before, place))) => Some(row[before][*place].clone()),
                None => Some(again?.get(name)?[at].clone()),
            }
        };
        let read = |name: &CallName, call: &AggregateCall| {
            reads(call).enumerate().map(|(at, expr)| value(name, at, expr)).collect::<Option<Vec<Value>>>()
        };
        calls(new).map(|(name, call)| Some((name.clone(), read(&name, call)?))).collect()
    }
}

fn reads(call: &AggregateCall) -> impl Iterator<Item = &Expr> {
    call.args.iter().chain(&call.filter)
}

/// The hidden time of a window of rows is that of its last row.
fn told(key: &Key, rows: &[(Taken, i64)], op: &WindowOp, schema: &Schema) -> Row {
    let mut out = result(key, rows.iter().map(|(taken, _)| taken), op);
    if let Some(hidden) = schema.columns.iter().find(|column| column.is_hidden()) {
        let last = rows.last().expect("no window is without rows").1;
        out.insert(hidden.name.clone(), Value::Time(Time(last)));
    }
    out
}
