//! A tap: what lately left a node, for people and tests who look. The rows themselves are shared, not copied.

use std::collections::VecDeque;

use crate::ir::{self, Outlet};
use crate::node::Batch;
use crate::plan::{self, Input, NodeKey};

use super::engine::Engine;
use super::feed::Parts;
use super::layout::{origin, outlet_schema};
use super::slot::Slot;

/// Which of a node's taps, chosen by whoever looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TapId(pub u64);

/// The tap of [`Engine::tap`], of which a node has one.
const THE_ONE: TapId = TapId(u64::MAX);

/// Keeps the newest batches of one outlet, as many as hold at most `rows_max` rows.
#[derive(Debug)]
pub struct Tap {
    id: TapId,
    /// None: all of them.
    outlet: Option<Outlet>,
    rows_max: usize,
    rows: usize,
    batches: VecDeque<(Outlet, Batch)>,
    /// Rows that left unseen because nobody looked in time.
    missed: u64,
}

/// What a tap has seen since somebody looked last.
#[derive(Clone, Debug, Default)]
pub struct Tapped {
    /// Oldest first, each with rows.
    pub batches: Vec<(Outlet, Batch)>,
    /// Rows that left before these and were not kept.
    pub missed: u64,
}

impl Tap {
    /// `outlet`: none for all of them.
    pub fn new(id: TapId, outlet: Option<Outlet>, rows_max: usize) -> Tap {
        Tap { id, outlet, rows_max, rows: 0, batches: VecDeque::new(), missed: 0 }
    }

    pub(super) fn see(&mut self, outlet: Outlet, batch: &Batch) {
        if self.outlet.is_some_and(|mine| mine != outlet) || batch.is_empty() {
            return;
        }
        self.rows += batch.len();
        self.batches.push_back((outlet, batch.clone()));
        while self.rows > self.rows_max
            && let Some((_, oldest)) = self.batches.pop_front()
        {
            self.rows -= oldest.len();
            self.missed += oldest.len() as u64;
        }
    }

    fn take(&mut self) -> Tapped {
        self.rows = 0;
        Tapped { batches: self.batches.drain(..).collect(), missed: std::mem::take(&mut self.missed) }
    }
}

impl Engine {
    /// Looks at what leaves a node from now on. False if there is no such node.
    pub fn tap(&mut self, at: &Input, rows_max: usize) -> bool {
        self.tap_as(THE_ONE, at, rows_max)
    }

    /// What the tap has seen since the last call.
    pub fn tapped(&mut self, at: &NodeKey) -> Vec<Batch> {
        let seen = self.tapped_as(THE_ONE, at).unwrap_or_default();
        seen.batches.into_iter().map(|(_, batch)| batch).collect()
    }

    /// The same, beside others who look at the same node. One tap under an id and node: a second one takes its place.
    pub fn tap_as(&mut self, id: TapId, at: &Input, rows_max: usize) -> bool {
        let from = origin(at);
        let Some(slot) = self.slot_mut(&from.node) else { return false };
        slot.taps.retain(|tap| tap.id != id);
        slot.taps.push(Tap::new(id, Some(at.outlet), rows_max));
        true
    }

    /// None where there is no such node or tap.
    pub fn tapped_as(&mut self, id: TapId, at: &NodeKey) -> Option<Tapped> {
        self.slot_mut(at)?.taps.iter_mut().find(|tap| tap.id == id).map(Tap::take)
    }

    /// The same wherever the tap is now: a change of the graph may have given its node another key.
    pub fn untap_anywhere(&mut self, id: TapId) -> Option<Tapped> {
        let has = |slot: &&mut Slot| slot.taps.iter().any(|tap| tap.id == id);
        let slot = self.tasks.iter_mut().flat_map(|task| task.slots_mut()).find(has)?;
        let nth = slot.taps.iter().position(|tap| tap.id == id)?;
        Some(slot.taps.swap_remove(nth).take())
    }

    /// The columns of what passes there; of a sink, what is written.
    pub fn columns_at(&self, at: &Input, parts: &dyn Parts) -> ir::Schema {
        let schema = outlet_schema(self.graph(), at, &parts.bad());
        match at.node.slot {
            plan::Slot::Accept => ir::Schema { columns: schema.visible().cloned().collect(), ..schema },
            plan::Slot::Connection
            | plan::Slot::Decode
            | plan::Slot::Gate
            | plan::Slot::Keep
            | plan::Slot::Stage { .. }
            | plan::Slot::Task
            | plan::Slot::Serve => schema,
        }
    }

    /// What it has seen and nobody has looked at; from here on it is gone.
    pub fn untap(&mut self, id: TapId, at: &NodeKey) -> Option<Tapped> {
        let slot = self.slot_mut(at)?;
        let nth = slot.taps.iter().position(|tap| tap.id == id)?;
        Some(slot.taps.swap_remove(nth).take())
    }
}
