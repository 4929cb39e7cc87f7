//! What stages take over from plan to plan, column by column.

use std::collections::BTreeMap;

use mliot::ir::Op;
use mliot::plan::{Graph, NodeKey, NodeOp, NodeSpec};

use super::super::log::CutLog;
use super::fate::{Fate, Fates, fates, op};
use super::meaning::Meaning;
use super::window::Windows;
use super::{Cell, Memory, Oracle};

/// What an edit does to one node.
#[derive(Default)]
pub struct Change {
    pub fates: Fates,
    /// What it would remember, had it been there from the beginning; none where its rows cannot be had once more.
    pub again: Option<Memory>,
    /// It failed, and was changed.
    mends: bool,
    /// Which columns remember something changed, or what they remember.
    differs: bool,
    /// The name was there before, and comes back with this.
    rested: Option<Memory>,
    old: Option<NodeSpec>,
}

/// Nodes whose rows can be had once more, with what they would remember then.
pub type Again = BTreeMap<NodeKey, Memory>;

impl Oracle {
    pub(super) fn change(
        &self,
        spec: &NodeSpec,
        from: Option<&NodeKey>,
        cut: &CutLog,
        (meaning, again): (&Meaning, &Again),
    ) -> Change {
        let now = &meaning.entries[&spec.key];
        let old = from.map(|from| (&self.graph.nodes[from], &self.meaning.entries[from]));
        let again = again.get(&spec.key).cloned();
        Change {
            fates: fates(old, (spec, now), again.is_some()),
            mends: from.is_some_and(|from| !self.is_same(from, spec, cut, meaning)),
            differs: old.is_some_and(|(_, was)| was != now),
            rested: self.rested(spec, cut, meaning, again.is_some()),
            old: old.map(|(spec, _)| spec.clone()),
            again,
        }
    }

    /// What a name remembered when it was removed, if it is still of the same values. A window that missed rows does not come
    /// back; and what missed some is better had again.
    fn rested(&self, spec: &NodeSpec, cut: &CutLog, meaning: &Meaning, again: bool) -> Option<Memory> {
        let rested = self.resting.get(&spec.key).filter(|rested| rested.remembers == meaning.entries[&spec.key])?;
        let missed = rested.at < cut.at;
        let is_window = matches!(rested.memory, Memory::Windows(_));
        (!missed || !again && !is_window).then(|| rested.memory.clone())
    }

    pub(super) fn cell(&self, spec: &NodeSpec, from: Option<(Cell, NodeKey)>, change: &Change, graph: &Graph) -> Cell {
        let mut cell = self.carried(spec, from, change);
        cell.memory.fit(spec, graph);
        cell
    }

    fn carried(&self, spec: &NodeSpec, from: Option<(Cell, NodeKey)>, change: &Change) -> Cell {
        let Some((mut cell, _)) = from else {
            let memory = change.rested.clone().or_else(|| change.again.clone()).unwrap_or_else(|| Memory::of(spec));
            return Cell { memory, ..Cell::default() };
        };
        // What failed in the middle of a batch remembers half of it.
        let mended = cell.failed && change.mends;
        cell.failed &= !mended;
        cell.memory = match mended {
            true => change.whole().unwrap_or_else(|| Memory::of(spec)),
            false => change.of(cell.memory, spec),
        };
        cell
    }
}

impl Change {
    /// If nothing of it goes on, and all of it can be had again.
    fn whole(&self) -> Option<Memory> {
        let all = !self.fates.is_empty() && self.fates.values().all(|fate| *fate == Fate::Again);
        self.again.clone().filter(|_| all)
    }

    fn of(&self, running: Memory, spec: &NodeSpec) -> Memory {
        if !self.differs {
            return running;
        }
        if let Some(again) = self.whole() {
            return again;
        }
        let partly = self.fates.values().any(|fate| *fate == Fate::Again);
        let again = self.again.as_ref().filter(|_| partly);
        self.taken_over(&running, spec, again).or_else(|| again.cloned()).unwrap_or_else(|| Memory::of(spec))
    }

    fn taken_over(&self, running: &Memory, spec: &NodeSpec, again: Option<&Memory>) -> Option<Memory> {
        let old = op(self.old.as_ref()?)?;
        match (running, old, op(spec)?) {
            (Memory::Scan(scan), _, Op::Scan { entries, .. }) => {
                if self.fates.values().all(|fate| *fate == Fate::Empty) {
                    return None;
                }
                let again = again.and_then(|again| if let Memory::Scan(again) = again { Some(again) } else { None });
                Some(Memory::Scan(scan.taken_over(entries, &self.fates, again)))
            }
            (Memory::Windows(Windows::Timed(windows)), Op::Window(old), Op::Window(new)) => {
                let again = again.and_then(|again| match again {
                    Memory::Windows(Windows::Timed(again)) => Some(again),
                    _ => None,
                });
                Some(Memory::Windows(Windows::Timed(windows.taken_over(old, new, &self.fates, again)?)))
            }
            (Memory::Windows(Windows::Waiting(windows)), Op::Window(old), Op::Window(new)) => {
                let again = again.and_then(|again| match again {
                    Memory::Windows(Windows::Waiting(again)) => Some(again),
                    _ => None,
                });
                Some(Memory::Windows(Windows::Waiting(windows.taken_over(old, new, &self.fates, again)?)))
            }
            (Memory::Windows(Windows::Sessions(windows)), Op::Window(old), Op::Window(new)) => {
                let again = again.and_then(|again| match again {
                    Memory::Windows(Windows::Sessions(again)) => Some(again),
                    _ => None,
                });
                Some(Memory::Windows(Windows::Sessions(windows.taken_over(old, new, &self.fates, again)?)))
            }
            // What remembers as a whole goes on as it is, or not at all.
            (Memory::Keep(_) | Memory::Join(_) | Memory::Top(_), ..) => {
                let goes_on = self.fates.values().all(|fate| matches!(fate, Fate::Kept | Fate::Aged));
                goes_on.then(|| running.clone())
            }
            _ => None,
        }
    }
}

impl Memory {
    /// Of rows that wait only what the stage reads now.
    fn fit(&mut self, spec: &NodeSpec, graph: &Graph) {
        let NodeOp::Stage(op) = &spec.op else { return };
        let input = &graph.nodes[&spec.inputs[0].node].schema;
        match (self, &**op) {
            (Memory::Join(joining), Op::Join(join)) => joining.fit(join, input),
            (Memory::Top(ranking), _) => ranking.fit(input),
            (Memory::Windows(Windows::Sessions(sessions)), _) => sessions.fit(input),
            _ => {}
        }
    }
}
