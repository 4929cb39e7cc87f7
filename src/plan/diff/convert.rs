//! Which changed states convert, and why the others cannot be read.

use serde_json::json;

use crate::base::{Duration, Name};
use crate::ir::{AggregateEntry, Op, RankOp, Running, RunningCall, ScanEntry, Schema, Value, WindowOp, WindowShape};
use crate::plan::fingerprint::form::{self, Form};
use crate::plan::fingerprint::stage;
use crate::plan::{NodeOp, NodeSpec};

use super::Why;

/// What becomes of the state of an entry whose `state` hash changed.
pub(super) enum Fate {
    Converts(Why),
    Unreadable(Why),
}

pub(super) fn fate(old: &NodeSpec, new: &NodeSpec, entry: &Name) -> Fate {
    let stages = (stage_of(old), stage_of(new));
    if let (Some(Op::Scan { by: old_by, entries: old_entries }), Some(Op::Scan { by, entries })) = stages {
        if keys(old_by, &old.schema) != keys(by, &new.schema) {
            return Fate::Unreadable(Why::Keys);
        }
        let find = |entries: &[ScanEntry]| entries.iter().find(|one| one.name == *entry).cloned();
        return scanned(find(old_entries), find(entries));
    }
    if let (Some(Op::Window(before)), Some(Op::Window(after))) = stages {
        return windowed((before, &old.schema), (after, &new.schema), entry);
    }
    Fate::Unreadable(Why::Version)
}

/// Of a window as a whole, whatever its columns are.
pub(super) fn frame(old: &NodeSpec, new: &NodeSpec) -> Fate {
    if let (Some(Op::Window(before)), Some(Op::Window(after))) = (stage_of(old), stage_of(new)) {
        return framed((before, &old.schema), (after, &new.schema));
    }
    Fate::Unreadable(Why::Version)
}

/// Why a stage that remembers as a whole cannot read what it remembers.
pub(super) fn unreadable_as_one(old: &NodeSpec, new: &NodeSpec) -> Why {
    let form = |node: &NodeSpec| stage_of(node).map(|op| keys(stage::keys_of(op), &node.schema));
    if let (Some(Op::Rank(before)), Some(Op::Rank(after))) = (stage_of(old), stage_of(new))
        && before.within != after.within
    {
        let shape = |of: &RankOp| WindowShape::Time { size: of.within, every: of.within };
        return Why::Window { from: shape(before), to: shape(after) };
    }
    if form(old) == form(new) { Why::Version } else { Why::Keys }
}

fn stage_of(node: &NodeSpec) -> Option<&Op> {
    match &node.op {
        NodeOp::Stage(op) => Some(op),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Task(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => None,
    }
}

fn keys(by: &[Name], schema: &Schema) -> Form {
    stage::key_form(by, schema)
}

fn scanned(old: Option<ScanEntry>, new: Option<ScanEntry>) -> Fate {
    let (Some(old), Some(new)) = (old, new) else { return Fate::Unreadable(Why::Calls) };
    let without_settings = |calls: &[RunningCall]| -> Vec<Form> {
        calls.iter().map(|call| form::running_state(&RunningCall { settings: vec![], ..call.clone() })).collect()
    };
    if without_settings(&old.calls) != without_settings(&new.calls) {
        return Fate::Unreadable(Why::Calls);
    }
    let mut changed = old.calls.iter().zip(&new.calls).filter(|(old, new)| old.settings != new.settings).peekable();
    if changed.peek().is_none() {
        return Fate::Unreadable(Why::Version);
    }
    match changed.all(|(old, new)| settings_convert(new.function, &old.settings, &new.settings)) {
        true => Fate::Converts(Why::Settings),
        false => Fate::Unreadable(Why::Settings),
    }
}

/// A half-life, a hold time and thresholds only say what is done with what is remembered; a shorter lag keeps the newest.
fn settings_convert(function: Running, old: &[Value], new: &[Value]) -> bool {
    match function {
        Running::Ewma | Running::For | Running::Hysteresis => true,
        Running::Lag => matches!((old, new), ([Value::Int(old)], [Value::Int(new)]) if new <= old),
        Running::Previous
        | Running::Rate
        | Running::Since
        | Running::Changed
        | Running::CumulativeCount
        | Running::CumulativeSum
        | Running::CumulativeMean
        | Running::CumulativeMin
        | Running::CumulativeMax => false,
    }
}

fn windowed(old: (&WindowOp, &Schema), new: (&WindowOp, &Schema), entry: &Name) -> Fate {
    let calls = |window: &WindowOp| {
        let found: Option<&AggregateEntry> = window.entries.iter().find(|one| one.name == *entry);
        json!(found.map(|found| stage::calls_form(&found.calls, &form::by_type)))
    };
    match framed(old, new) {
        Fate::Converts(_) if calls(old.0) != calls(new.0) => Fate::Unreadable(Why::Calls),
        Fate::Unreadable(Why::Version) if calls(old.0) != calls(new.0) => Fate::Unreadable(Why::Calls),
        fate => fate,
    }
}

fn framed((old, old_schema): (&WindowOp, &Schema), (new, new_schema): (&WindowOp, &Schema)) -> Fate {
    if keys(&old.by, old_schema) != keys(&new.by, new_schema) {
        return Fate::Unreadable(Why::Keys);
    }
    if old.shape == new.shape {
        return Fate::Unreadable(Why::Version);
    }
    let why = Why::Window { from: old.shape.clone(), to: new.shape.clone() };
    if panes_divide(&old.shape, &new.shape) { Fate::Converts(why) } else { Fate::Unreadable(why) }
}

/// Can the new windows be put together from the old panes? A pane is the longest piece that no window divides.
fn panes_divide(old: &WindowShape, new: &WindowShape) -> bool {
    let WindowShape::Time { size: Duration(size), every: Duration(every) } = old else { return false };
    let WindowShape::Time { size: Duration(new_size), every: Duration(new_every) } = new else { return false };
    let pane = gcd(*size, *every);
    // Between windows rows are dropped.
    pane > 0 && every <= size && new_size % pane == 0 && new_every % pane == 0
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}
