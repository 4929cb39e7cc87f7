//! What becomes of what one column of a stage remembers: LANGUAGE.md section 10, written down a second time.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::{Op, Running, RunningCall, ScanEntry, Value, WindowOp, WindowShape};
use mliot::plan::{NodeOp, NodeSpec};

use super::meaning::{Defined, Entries, aggregate_shape};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Kept,
    /// It goes on, and other settings say what is done with it.
    Converted,
    /// Longer windows are put together from the open ones.
    PutTogether,
    /// As if it had been there from the beginning.
    Again,
    /// It goes on, although it is of values of another meaning.
    Aged,
    /// It begins here.
    Empty,
}

pub type Fates = BTreeMap<Name, Fate>;

/// Of every column of a stage; `again`: can its rows be had once more?
pub fn fates(old: Option<(&NodeSpec, &Entries)>, new: (&NodeSpec, &Entries), again: bool) -> Fates {
    let (spec, entries) = new;
    let begins = if again { Fate::Again } else { Fate::Empty };
    let fate = |(name, now): (&Name, _)| {
        let Some((was_spec, was)) = old.and_then(|(spec, entries)| Some((spec, entries.get(name)?))) else {
            return (name.clone(), begins);
        };
        let now: &super::meaning::Words = now;
        let fate = match (was.shape == now.shape, was.values == now.values) {
            (true, true) => Fate::Kept,
            (true, false) => {
                if again {
                    Fate::Again
                } else {
                    Fate::Aged
                }
            }
            (false, _) => match converts(was_spec, spec, name) {
                Some(Fate::PutTogether) if again => Fate::Again,
                Some(fate) => fate,
                None => begins,
            },
        };
        (name.clone(), fate)
    };
    entries.iter().map(fate).collect()
}

/// None where what it remembers cannot be read any more.
fn converts(old: &NodeSpec, new: &NodeSpec, entry: &Name) -> Option<Fate> {
    match (op(old)?, op(new)?) {
        (Op::Scan { by: was, entries: old_entries }, Op::Scan { by, entries }) => {
            let find = |entries: &[ScanEntry]| entries.iter().find(|one| one.name == *entry).cloned();
            let (old, new) = (find(old_entries)?, find(entries)?);
            let same = was == by && old.calls.len() == new.calls.len();
            let mut pairs = old.calls.iter().zip(&new.calls);
            (same && pairs.all(|(old, new)| settings_convert(old, new))).then_some(Fate::Converted)
        }
        (Op::Window(old), Op::Window(new)) => {
            let seen = Defined::blind();
            let calls = |window: &WindowOp| -> Option<Vec<String>> {
                let found = window.entries.iter().find(|one| one.name == *entry)?;
                Some(found.calls.iter().map(|call| aggregate_shape(call, &seen)).collect())
            };
            let same = old.by == new.by && calls(old) == calls(new);
            (same && is_made_up(&old.shape, &new.shape)).then_some(Fate::PutTogether)
        }
        _ => None,
    }
}

pub fn op(spec: &NodeSpec) -> Option<&Op> {
    if let NodeOp::Stage(op) = &spec.op { Some(op) } else { None }
}

/// A half-life and thresholds say what is done with what is remembered; a shorter lag keeps the newest.
fn settings_convert(old: &RunningCall, new: &RunningCall) -> bool {
    let types = |call: &RunningCall| call.args.iter().map(|arg| arg.ty.clone()).collect::<Vec<_>>();
    if old.function != new.function || old.ty != new.ty || types(old) != types(new) {
        return false;
    }
    match new.function {
        _ if old.settings == new.settings => true,
        Running::Ewma | Running::Hysteresis => true,
        Running::Lag => matches!((&old.settings[..], &new.settings[..]), ([Value::Int(old)], [Value::Int(new)]) if new < old),
        _ => false,
    }
}

/// Can the new windows be put together from pieces that no old window divides?
fn is_made_up(old: &WindowShape, new: &WindowShape) -> bool {
    let (WindowShape::Time { size, every }, WindowShape::Time { size: new_size, every: new_every }) = (old, new) else {
        return false;
    };
    let pane = super::window::divisor(size.0, every.0);
    every <= size && new_size.0 % pane == 0 && new_every.0 % pane == 0
}
