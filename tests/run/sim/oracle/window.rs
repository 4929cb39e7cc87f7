//! A `window`, row by row: every window keeps all its rows until it fires.

use std::collections::{BTreeMap, VecDeque};

use mliot::base::{Name, Time};
use mliot::ir::{Aggregate, AggregateCall, Schema, Value, WindowOp, WindowShape};
use mliot::runtime::Row;

use super::key::{Key, key, value};
use super::value::evaluate;

/// What a row is to each call of each entry: none where its filter leaves the row out.
type Taken = BTreeMap<(Name, usize), Option<Value>>;

/// The rows of a window, with the time of each.
type Rows = Vec<(Taken, i64)>;

#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// In time: by end and key.
    open: BTreeMap<(i64, Key), Rows>,
    /// What ended here or before has fired.
    fired: Option<i64>,
    /// In rows.
    queues: BTreeMap<Key, Queue>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    rows: VecDeque<(Taken, i64)>,
    /// Rows that still fall between windows.
    skip: i64,
    /// Rows since a window was last complete.
    fresh: i64,
}

/// What became of a row.
pub enum Came {
    In,
    Late,
    Nowhere,
}

impl Windows {
    /// `before` is the watermark before the row.
    pub fn row(&mut self, row: &Row, time: i64, before: i64, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) -> Came {
        let Some(key) = key(row, &op.by) else { return Came::Nowhere };
        match op.shape {
            WindowShape::Time { size, every } => self.in_time(row, time, before, (size.0, every.0), key, op),
            WindowShape::Rows { size, every } => {
                self.in_rows((taken(row, op), time), (size as i64, every as i64), key, op, schema, out)
            }
            ref other => panic!("{other:?} is not written by the simulator"),
        }
    }

    fn in_time(&mut self, row: &Row, time: i64, before: i64, (size, every): (i64, i64), key: Key, op: &WindowOp) -> Came {
        let newest = time.div_euclid(every) * every;
        let ends: Vec<i64> = (0..).map(|back| newest - back * every + size).take_while(|end| *end > time).collect();
        let closed = self.fired.unwrap_or(i64::MIN).max(before);
        match ends.iter().max() {
            None => Came::Nowhere,
            Some(last) if *last <= closed => Came::Late,
            Some(_) => {
                for end in ends.into_iter().filter(|end| *end > closed) {
                    self.open.entry((end, key.clone())).or_default().push((taken(row, op), time));
                }
                Came::In
            }
        }
    }

    fn in_rows(
        &mut self,
        row: (Taken, i64),
        (size, every): (i64, i64),
        key: Key,
        op: &WindowOp,
        schema: &Schema,
        out: &mut Vec<Row>,
    ) -> Came {
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.skip > 0 {
            queue.skip -= 1;
            return Came::Nowhere;
        }
        queue.rows.push_back(row);
        queue.fresh += 1;
        if queue.rows.len() as i64 == size {
            out.push(result(&key, queue.rows.make_contiguous(), None, op, schema));
            queue.fresh = 0;
            queue.skip = (every - size).max(0);
            queue.rows.drain(..every.min(size) as usize);
        }
        Came::In
    }

    /// Windows that end by `upto`, in the order of their ends and keys.
    pub fn fire(&mut self, upto: i64, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) {
        while let Some(first) = self.open.first_entry().filter(|first| first.key().0 <= upto) {
            let ((end, key), mut rows) = first.remove_entry();
            in_panes(&mut rows, op);
            self.fired = self.fired.max(Some(end));
            out.push(result(&key, &rows, Some(end), op, schema));
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self, op: &WindowOp, schema: &Schema, out: &mut Vec<Row>) {
        self.fire(i64::MAX, op, schema, out);
        for (key, queue) in std::mem::take(&mut self.queues) {
            let WindowShape::Rows { every, .. } = op.shape else { continue };
            if op.partial && queue.fresh > 0 {
                let rows: Rows = queue.rows.into();
                for start in (0..rows.len()).step_by(every as usize) {
                    out.push(result(&key, &rows[start..], None, op, schema));
                }
            }
        }
    }
}

/// What an aggregate is worth is defined: rows in the order of their panes, in a pane in the order in which they came. A pane
/// is the longest piece of time that no window divides.
fn in_panes(rows: &mut Rows, op: &WindowOp) {
    let WindowShape::Time { size, every } = op.shape else { return };
    let pane = divisor(size.0, every.0);
    rows.sort_by_key(|(_, time)| time.div_euclid(pane));
}

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn taken(row: &Row, op: &WindowOp) -> Taken {
    let mut all = Taken::new();
    for entry in &op.entries {
        for (nth, call) in entry.calls.iter().enumerate() {
            let counts = call.filter.as_ref().is_none_or(|only| evaluate(only, row, &[]) == Value::Bool(true));
            let arg = || call.args.first().map_or(Value::Bool(true), |arg| evaluate(arg, row, &[]));
            all.insert((entry.name.clone(), nth), counts.then(arg));
        }
    }
    all
}

fn result(key: &Key, rows: &[(Taken, i64)], end: Option<i64>, op: &WindowOp, schema: &Schema) -> Row {
    let mut out: Row = op.by.iter().cloned().zip(key.iter().map(value)).collect();
    for entry in &op.entries {
        let slot = |(nth, call): (usize, &AggregateCall)| {
            let place = (entry.name.clone(), nth);
            let values = rows.iter().filter_map(|(taken, _)| taken[&place].clone()).filter(|value| *value != Value::Null);
            aggregate(call.function, &values.collect::<Vec<_>>())
        };
        let slots: Vec<Value> = entry.calls.iter().enumerate().map(slot).collect();
        out.insert(entry.name.clone(), evaluate(&entry.value, &out, &slots));
    }
    if let (Some(end), WindowShape::Time { size, .. }) = (end, &op.shape) {
        out.insert("window_start".into(), Value::Time(Time(end - size.0)));
        out.insert("window_end".into(), Value::Time(Time(end)));
    }
    // The hidden time of a window of rows is that of its last row.
    if let Some(hidden) = schema.columns.iter().find(|column| column.is_hidden()) {
        let last = rows.last().expect("no window is without rows").1;
        out.insert(hidden.name.clone(), Value::Time(Time(last)));
    }
    out
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
