//! A `window`, row by row: every window keeps all its rows until it fires.

mod rows;
mod session;
mod time;

use std::collections::BTreeMap;

use mliot::base::{Name, Time};
use mliot::ir::{Aggregate, AggregateCall, Schema, Value, WindowOp, WindowShape};
use mliot::runtime::Row;

use super::key::{Key, key, value};
use super::value::evaluate;

pub use rows::Waiting;
pub use session::Sessions;
pub use time::Timed;

/// Names a call: its column, and its number in it.
pub type CallName = (Name, usize);

/// What the calls of a window read of a row: their arguments, then their filter. A call that came later has read nothing of it.
pub type Taken = BTreeMap<CallName, Vec<Value>>;

#[derive(Clone, Debug)]
pub enum Windows {
    Timed(Timed),
    Waiting(Waiting),
    Sessions(Sessions),
}

/// What became of a row.
pub enum Came {
    In,
    Late,
    Nowhere,
}

impl Windows {
    pub fn of(op: &WindowOp) -> Windows {
        match op.shape {
            WindowShape::Time { .. } | WindowShape::Cumulative { .. } => Windows::Timed(Timed::default()),
            WindowShape::Rows { .. } => Windows::Waiting(Waiting::default()),
            WindowShape::Session { .. } => Windows::Sessions(Sessions::default()),
            ref other => panic!("{other:?} is not written by the simulator"),
        }
    }

    /// `before` is the watermark before the row.
    pub fn row(&mut self, row: &Row, time: i64, before: i64, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) -> Came {
        let Some(key) = key(row, &op.by) else { return Came::Nowhere };
        match self {
            Windows::Timed(windows) => windows.row(key, taken(row, op), time, before, op),
            Windows::Waiting(windows) => windows.row(key, (taken(row, op), time), op, schema, out),
            Windows::Sessions(windows) => windows.row(key, row, time, before, op),
        }
    }

    /// Windows that end by `upto`, in the order of their ends and keys; `moved`: time has gone on to get there.
    pub fn fire(&mut self, upto: i64, moved: bool, op: &WindowOp, out: &mut Vec<Row>) {
        match self {
            Windows::Timed(windows) => windows.fire(upto, op, out),
            Windows::Sessions(windows) if moved => windows.let_go(upto, op, out),
            Windows::Sessions(_) | Windows::Waiting(_) => {}
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) {
        match self {
            Windows::Timed(windows) => windows.end(op, out),
            Windows::Waiting(windows) => windows.end(op, schema, out),
            Windows::Sessions(windows) => windows.let_go(i64::MAX, op, out),
        }
    }
}

pub fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn calls(op: &WindowOp) -> impl Iterator<Item = (CallName, &AggregateCall)> {
    op.entries.iter().flat_map(|entry| entry.calls.iter().enumerate().map(|(nth, call)| ((entry.name.clone(), nth), call)))
}

fn taken(row: &Row, op: &WindowOp) -> Taken {
    let reads = |call: &AggregateCall| call.args.iter().chain(&call.filter).map(|part| evaluate(part, row, &[])).collect();
    calls(op).map(|(name, call)| (name, reads(call))).collect()
}

/// Keys and columns of a window over these rows.
fn result<'a>(key: &Key, rows: impl Iterator<Item = &'a Taken> + Clone, op: &WindowOp) -> Row {
    let mut out: Row = op.by.iter().cloned().zip(key.iter().map(value)).collect();
    for entry in &op.entries {
        let slot = |(nth, call): (usize, &AggregateCall)| {
            let place = (entry.name.clone(), nth);
            let values = rows.clone().filter_map(|taken| counted(call, taken.get(&place)?));
            aggregate(call.function, &values.filter(|value| *value != Value::Null).collect::<Vec<_>>())
        };
        let slots: Vec<Value> = entry.calls.iter().enumerate().map(slot).collect();
        out.insert(entry.name.clone(), evaluate(&entry.value, &out, &slots));
    }
    out
}

/// None where its filter leaves the row out; a call without arguments counts rows.
fn counted(call: &AggregateCall, read: &[Value]) -> Option<Value> {
    let counts = call.filter.is_none() || read.last() == Some(&Value::Bool(true));
    counts.then(|| if call.args.is_empty() { Value::Bool(true) } else { read[0].clone() })
}

fn window_of(out: &mut Row, start: i64, end: i64) {
    out.insert("window_start".into(), Value::Time(Time(start)));
    out.insert("window_end".into(), Value::Time(Time(end)));
}

fn aggregate(function: Aggregate, values: &[Value]) -> Value {
    let numbers = || values.iter().filter_map(Value::as_f64);
    let sum = || numbers().sum::<f64>();
    match function {
        Aggregate::Count => Value::Int(values.len() as i64),
        _ if values.is_empty() => Value::Null,
        Aggregate::Sum => Value::Float(sum()),
        Aggregate::Mean => Value::Float(sum() / values.len() as f64),
        Aggregate::Min => Value::Float(numbers().fold(f64::INFINITY, f64::min)),
        Aggregate::Max => Value::Float(numbers().fold(f64::NEG_INFINITY, f64::max)),
        Aggregate::First => values[0].clone(),
        Aggregate::Last => values[values.len() - 1].clone(),
        other => panic!("{other:?} is not written by the simulator"),
    }
}
