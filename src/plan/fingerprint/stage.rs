//! Stages of streams and sinks.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{AggregateCall, AggregateEntry, Entry, Expr, Op, PredictOp, Running, ScanEntry, Schema, WindowOp, WindowShape};
use crate::plan::{Hashes, NodeSpec};

use super::form::{self, Form};
use super::values::Columns;
use super::{Marks, STATELESS, join, passing};

/// `input` is the first of `inputs`; `target` says what the predictions of a task are.
pub fn stage(op: &Op, node: &NodeSpec, input: &Columns, inputs: &[Columns], target: &dyn Fn(&Name) -> Hash) -> Marks {
    let mut marks = match op {
        Op::Where { predicate } => where_(predicate, input),
        Op::Set { entries } => set(entries, input),
        Op::Project { entries } => project(entries, input),
        Op::Scan { by, entries } => scan(by, entries, &node.schema, input),
        Op::Window(window) => self::window(window, &node.schema, input),
        Op::Union { with: _ } => union(&node.schema, inputs),
        Op::Predict(predict) => self::predict(predict, &node.schema, input, target(&predict.task)),
        Op::Fill { entries } => passing::fill(entries, input),
        Op::Unnest { column } => passing::unnest(column, &node.schema, input),
        Op::Keep(keep) => passing::keep(keep, &node.schema, input),
        Op::Join(join) => join::join(join, &node.schema, inputs),
        Op::Rank(rank) => passing::rank(rank, input),
        Op::Resample(resample) => passing::resample(resample, &node.schema, input),
    };
    marks.made = marks.made.timed(&node.schema);
    marks
}

fn where_(predicate: &Expr, input: &Columns) -> Marks {
    let hashes = Hashes {
        sem: Hash::of(&("where", form::expr(predicate, &form::by_name))),
        state: STATELESS,
        flow: input.read_by([predicate]),
        wire: Hash::ZERO,
    };
    Marks { hashes, made: input.clone(), ..Marks::default() }
}

/// A column that is computed from its row alone.
pub(super) fn computed(value: &Expr, seen: &Columns) -> Hashes {
    Hashes {
        sem: Hash::of(&form::value(value, &form::by_name)),
        state: STATELESS,
        flow: seen.read_by([value]),
        wire: Hash::ZERO,
    }
}

fn set(entries: &[Entry], input: &Columns) -> Marks {
    let mut made = input.clone();
    let mut marked = Vec::new();
    for Entry { name, value, span: _ } in entries {
        marked.push((name.clone(), computed(value, &made)));
        made.set(name.clone(), made.define(value));
    }
    Marks::of_entries(json!("set"), marked, made)
}

fn project(entries: &[Entry], input: &Columns) -> Marks {
    let mut made = Columns::default();
    let mut marked = Vec::new();
    for Entry { name, value, span: _ } in entries {
        marked.push((name.clone(), computed(value, input)));
        made.set(name.clone(), input.define(value));
    }
    Marks::of_entries(json!("project"), marked, made)
}

fn scan(by: &[Name], entries: &[ScanEntry], schema: &Schema, input: &Columns) -> Marks {
    let keys = key_form(by, schema);
    let mut made = input.clone();
    let mut marked = Vec::new();
    for entry in entries {
        marked.push((entry.name.clone(), scanned(entry, &keys, by, &made)));
        made.set(entry.name.clone(), defined_by_scan(entry, by, &made));
    }
    Marks::of_entries(json!(["scan", keys]), marked, made)
}

/// What it remembers are the arguments of its calls; the arithmetic round them is not in `state`, and what only that
/// arithmetic reads is not in `flow`.
fn scanned(entry: &ScanEntry, keys: &Form, by: &[Name], seen: &Columns) -> Hashes {
    let ScanEntry { name: _, calls, value, span: _ } = entry;
    if calls.is_empty() {
        return computed(value, seen);
    }
    let full: Vec<Form> = calls.iter().map(|call| form::running(call, &form::by_name)).collect();
    let state: Vec<Form> = calls.iter().map(form::running_state).collect();
    let args = calls.iter().flat_map(|call| &call.args);
    let flow: Vec<Form> = args.map(|arg| seen.form(arg)).collect();
    Hashes {
        sem: Hash::of(&("scan", keys, full, form::value(value, &form::by_name))),
        state: Hash::of(&("scan", keys, state)),
        flow: Hash::of(&(flow, seen.keys(by), time_of(entry, seen))),
        wire: Hash::ZERO,
    }
}

fn defined_by_scan(entry: &ScanEntry, by: &[Name], seen: &Columns) -> Hash {
    let ScanEntry { name: _, calls, value, span: _ } = entry;
    if calls.is_empty() {
        return seen.define(value);
    }
    let calls: Vec<Form> = calls.iter().map(|call| form::running(call, &|name| json!(seen.of(name)))).collect();
    Hash::of(&("scan", seen.keys(by), time_of(entry, seen), calls, seen.form(value)))
}

fn time_of(entry: &ScanEntry, seen: &Columns) -> Option<Hash> {
    entry.calls.iter().any(|call| goes_by_time(call.function)).then_some(seen.time).flatten()
}

fn goes_by_time(function: Running) -> bool {
    match function {
        Running::Ewma | Running::Rate | Running::Since | Running::For => true,
        Running::Previous
        | Running::Lag
        | Running::Changed
        | Running::Hysteresis
        | Running::CumulativeCount
        | Running::CumulativeSum
        | Running::CumulativeMean
        | Running::CumulativeMin
        | Running::CumulativeMax => false,
    }
}

/// The columns by which a stage tells apart what it remembers.
pub fn keys_of(op: &Op) -> &[Name] {
    match op {
        Op::Scan { by, .. } => by,
        Op::Window(window) => &window.by,
        Op::Keep(keep) => &keep.by,
        Op::Join(join) => &join.on,
        Op::Where { .. }
        | Op::Set { .. }
        | Op::Project { .. }
        | Op::Union { .. }
        | Op::Predict(_)
        | Op::Fill { .. }
        | Op::Unnest { .. }
        | Op::Rank(_) => &[],
        Op::Resample(resample) => &resample.by,
    }
}

/// Keys are named in `state`: rows under another key are other rows.
pub fn key_form(by: &[Name], schema: &Schema) -> Form {
    let ty = |name: &Name| schema.get(name).map(|column| form::ty(&column.ty));
    json!(by.iter().map(|name| (name, ty(name))).collect::<Vec<_>>())
}

fn window(window: &WindowOp, schema: &Schema, input: &Columns) -> Marks {
    let WindowOp { shape, partial, by, entries } = window;
    if let WindowShape::Session { .. } = shape {
        return passing::session(window, schema, input);
    }
    let frame = json!([shape, key_form(by, schema)]);
    let given = json!([shape, input.keys(by), by_time(shape).then_some(input.time)]);
    let mut made = Columns::default();
    by.iter().for_each(|key| made.set(key.clone(), input.of(key)));
    let mut marked = Vec::new();
    for AggregateEntry { name, calls, value, span: _ } in entries {
        let defined = calls_form(calls, &|name| json!(input.of(name)));
        marked.push((name.clone(), aggregated(calls, value, &frame, Hash::of(&(&given, &defined)))));
        made.set(name.clone(), Hash::of(&("window", &given, &defined, input.form(value))));
    }
    for column in &schema.columns {
        if !made.contains(&column.name) {
            made.set(column.name.clone(), Hash::of(&("window", &given, &column.name)));
        }
    }
    let mut marks = Marks::of_entries(json!(["window", frame, partial]), marked, made);
    marks.hashes.state = Hash::of(&("window", &frame, marks.hashes.state));
    marks
}

/// Its state is of the values of its arguments, so the expressions are in it, but for the names of the columns.
fn aggregated(calls: &[AggregateCall], value: &Expr, frame: &Form, flow: Hash) -> Hashes {
    Hashes {
        sem: Hash::of(&("window", frame, calls_form(calls, &form::by_name), form::value(value, &form::by_name))),
        state: Hash::of(&("window", frame, calls_form(calls, &form::by_type))),
        flow,
        wire: Hash::ZERO,
    }
}

pub fn calls_form(calls: &[AggregateCall], see: form::See) -> Vec<Form> {
    calls.iter().map(|call| form::aggregate(call, see)).collect()
}

fn by_time(shape: &WindowShape) -> bool {
    match shape {
        WindowShape::Time { .. } | WindowShape::Session { .. } | WindowShape::Cumulative { .. } => true,
        WindowShape::Rows { .. } | WindowShape::Whole => false,
    }
}

/// How many inputs it has is where its rows come from. A column is what it is on all of them, so one more input of the
/// same meaning changes nothing.
fn union(schema: &Schema, inputs: &[Columns]) -> Marks {
    let mut made = Columns::default();
    for column in &schema.columns {
        let all: Vec<Hash> = inputs.iter().map(|input| input.of(&column.name)).collect();
        let alike = all.windows(2).all(|pair| pair[0] == pair[1]);
        let one = all.first().copied().filter(|_| alike);
        made.set(column.name.clone(), one.unwrap_or_else(|| Hash::of(&("union", &all))));
    }
    let hashes = Hashes { sem: Hash::of("union"), ..Hashes::default() };
    Marks { hashes, made, ..Marks::default() }
}

/// A prediction is of its target, whichever model or version makes it; the task's own name is where it comes from, not what
/// it means. What the features are is the task's affair.
fn predict(predict: &PredictOp, schema: &Schema, input: &Columns, target: Hash) -> Marks {
    let PredictOp { task: _, name, features: _, probabilities, ahead, every } = predict;
    let mut made = input.clone();
    let mut marked = Vec::new();
    for column in schema.columns.iter().filter(|column| !input.contains(&column.name)) {
        let part = column.name.strip_prefix(name.as_str()).unwrap_or(&column.name);
        let sem = match part {
            "_for" if every.is_some() => Hash::of(&("predict", part, ahead, every)),
            "_for" => Hash::of(&("predict", part, ahead)),
            _ => Hash::of(&("predict", part, form::ty(&column.ty), column.nullable)),
        };
        marked.push((column.name.clone(), Hashes { sem, flow: target, ..Hashes::default() }));
        made.set(column.name.clone(), Hash::of(&("predict", part, target)));
    }
    Marks::of_entries(json!(["predict", probabilities]), marked, made)
}
