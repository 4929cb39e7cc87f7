//! Sessions: rows of a key between which less than a gap lies.

use std::collections::BTreeMap;

use mliot::ir::{Schema, WindowOp, WindowShape};
use mliot::runtime::Row;

use super::super::fate::{Fate, Fates};
use super::super::key::Key;
use super::super::value::is_still;
use super::{Came, result, taken, window_of};

/// Rows of open sessions as they came in, in their order.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    rows: Vec<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    key: Key,
    time: i64,
    row: Row,
}

fn gap(op: &WindowOp) -> i64 {
    let WindowShape::Session { gap } = op.shape else { panic!("windows of sessions") };
    gap.0
}

impl Sessions {
    pub fn row(&mut self, key: Key, row: &Row, time: i64, before: i64, op: &WindowOp) -> Came {
        let gap = gap(op);
        let is_near = |held: &Held| held.key == key && (held.time - time).abs() < gap;
        if time + gap <= before && !self.rows.iter().any(is_near) {
            return Came::Late;
        }
        self.rows.push(Held { key, time, row: row.clone() });
        Came::In
    }

    /// Sessions that end by `upto`, in the order of their ends, keys and starts.
    pub fn let_go(&mut self, upto: i64, op: &WindowOp, out: &mut Vec<Row>) {
        let gap = gap(op);
        let mut by_key: BTreeMap<&Key, Vec<i64>> = BTreeMap::new();
        self.rows.iter().for_each(|held| by_key.entry(&held.key).or_default().push(held.time));
        let mut over: Vec<(i64, Key, i64)> = Vec::new();
        for (key, mut times) in by_key {
            times.sort_unstable();
            for session in times.chunk_by(|before, after| after - before < gap) {
                let (start, end) = (session[0], session[session.len() - 1].saturating_add(gap));
                over.extend((end <= upto).then(|| (end, key.clone(), start)));
            }
        }
        over.sort();
        for (end, key, start) in over {
            let is_in = |held: &Held| held.key == key && (start..end).contains(&held.time) && held.time + gap <= end;
            let rows: Vec<Held> = self.rows.extract_if(.., |held| is_in(held)).collect();
            let taken: Vec<_> = rows.iter().map(|held| taken(&held.row, op)).collect();
            let mut row = result(&key, taken.iter(), op);
            window_of(&mut row, start, end);
            out.push(row);
        }
    }

    /// Rows are what they were, whatever is made of them: another aggregate or gap is of all that wait.
    pub fn taken_over(&self, old: &WindowOp, new: &WindowOp, fates: &Fates, again: Option<&Sessions>) -> Option<Sessions> {
        let WindowShape::Session { .. } = new.shape else { return None };
        if old.by != new.by {
            return None;
        }
        let partly = fates.values().any(|fate| *fate == Fate::Again);
        Some(again.filter(|_| partly).unwrap_or(self).clone())
    }

    /// Only columns that there still are, of their types.
    pub fn fit(&mut self, input: &Schema) {
        self.rows.iter_mut().for_each(|held| held.row.retain(|name, value| is_still(input, name, value)));
    }
}
