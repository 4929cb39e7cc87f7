//! `join`, `asof`, `lookup`, row by row: every row is held against all that wait.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::{JoinKind, JoinOp, Schema, Table, Value};
use mliot::runtime::Row;

use super::super::world::table_rows;
use super::key::{Key, key};
use super::value::{is_of, is_still};

#[derive(Clone, Debug, Default)]
pub struct Joining {
    /// Of an interval join, in the order in which they came.
    waiting: Vec<Waiting>,
    /// Of `asof`: by key, the row that counts, with its time.
    newest: BTreeMap<Key, (i64, Row)>,
}

#[derive(Clone, Debug)]
struct Waiting {
    of_left: bool,
    matched: bool,
    key: Key,
    time: i64,
    row: Row,
}

impl Joining {
    /// A row of the other stream; `before` is the watermark before it.
    pub fn right(&mut self, row: &Row, time: i64, before: i64, op: &JoinOp, out: &mut Vec<Row>) {
        let Some(key) = key(row, &op.on) else { return };
        let row: Row = op.take.iter().map(|taken| (taken.from.clone(), row[&taken.from].clone())).collect();
        match op.kind {
            JoinKind::Interval { .. } => self.come(Waiting { of_left: false, matched: false, key, time, row }, before, op, out),
            JoinKind::Asof { .. } => {
                if self.newest.get(&key).is_none_or(|(newest, _)| *newest <= time) {
                    self.newest.insert(key, (time, row));
                }
            }
            JoinKind::Lookup { .. } => panic!("a table is no stream"),
        }
    }

    pub fn left(&mut self, row: Row, time: i64, before: i64, op: &JoinOp, out: &mut Vec<Row>) {
        let key = key(&row, &op.on);
        match (&op.kind, key) {
            (JoinKind::Interval { .. }, None) => alone(row, op, out),
            (JoinKind::Interval { .. }, Some(key)) => {
                self.come(Waiting { of_left: true, matched: false, key, time, row }, before, op, out);
            }
            (JoinKind::Asof { within, .. }, key) => {
                let found = key.and_then(|key| self.newest.get(&key));
                let found = found.filter(|(newest, _)| within.is_none_or(|within| (newest - time).abs() <= within.0));
                joined(row, found.map(|(_, row)| row), op, out);
            }
            (JoinKind::Lookup { table }, _) => joined(row.clone(), looked_up(table, &row, &op.on).as_ref(), op, out),
        }
    }

    fn come(&mut self, mut came: Waiting, before: i64, op: &JoinOp, out: &mut Vec<Row>) {
        let reach = reach(op);
        for other in self.waiting.iter_mut().filter(|other| other.of_left != came.of_left && other.key == came.key) {
            if (other.time - came.time).abs() < reach {
                (other.matched, came.matched) = (true, true);
                let (left, right) = if came.of_left { (&came.row, &other.row) } else { (&other.row, &came.row) };
                joined(left.clone(), Some(right), op, out);
            }
        }
        if came.time + reach > before {
            self.waiting.push(came);
        } else if came.of_left && !came.matched {
            alone(came.row, op, out);
        }
    }

    /// What can find no partner any more.
    pub fn let_go(&mut self, upto: i64, op: &JoinOp, out: &mut Vec<Row>) {
        let JoinKind::Interval { .. } = op.kind else { return };
        let reach = reach(op);
        let is_over = |waiting: &Waiting| waiting.time.saturating_add(reach) <= upto;
        let mut over: Vec<Waiting> = self.waiting.extract_if(.., |waiting| is_over(waiting)).collect();
        over.sort_by_key(|waiting| waiting.time);
        over.into_iter().filter(|over| over.of_left && !over.matched).for_each(|over| alone(over.row, op, out));
    }

    /// Of rows that wait only columns that there still are, of their types.
    pub fn fit(&mut self, op: &JoinOp, left: &Schema) {
        let brought = |name: &Name, value: &Value| op.take.iter().any(|taken| taken.from == *name && is_of(value, &taken.ty));
        for waiting in &mut self.waiting {
            let of_left = waiting.of_left;
            waiting.row.retain(|name, value| if of_left { is_still(left, name, value) } else { brought(name, value) });
        }
        self.newest.values_mut().for_each(|(_, row)| row.retain(|name, value| brought(name, value)));
    }
}

/// How long after its own time a row is needed.
pub fn reach(op: &JoinOp) -> i64 {
    match op.kind {
        JoinKind::Interval { within, .. } => within.0 + 1,
        JoinKind::Asof { .. } | JoinKind::Lookup { .. } => 0,
    }
}

fn alone(row: Row, op: &JoinOp, out: &mut Vec<Row>) {
    joined(row, None, op, out);
}

fn joined(mut row: Row, partner: Option<&Row>, op: &JoinOp, out: &mut Vec<Row>) {
    if partner.is_none() && op.required {
        return;
    }
    for taken in &op.take {
        let value = partner.and_then(|partner| partner.get(&taken.from)).cloned();
        row.insert(taken.name.clone(), value.unwrap_or(Value::Null));
    }
    out.push(row);
}

fn looked_up(table: &Table, row: &Row, on: &[Name]) -> Option<Row> {
    let wanted = key(row, on)?;
    table_rows(table).into_iter().find(|row| key(row, on).as_ref() == Some(&wanted))
}
