//! Nodes in their places, and what is told of each.

use crate::node::{self, Ordinal};
use crate::plan::{Change, Class, Memory, NodeKey, NodeOp};

use super::super::event::{Fate, NodeEvent};
use super::super::layout::outlet_schema;
use super::super::prepare::{Prepared, Way, spec_of};
use super::super::slot::Slot;

impl Prepared {
    /// A node that is new, or not what it was.
    pub(super) fn place(
        &self,
        key: &NodeKey,
        change: &Change,
        way: Way,
        before: Option<Slot>,
        at: Ordinal,
    ) -> (Slot, NodeEvent) {
        let Some(mut slot) = before else { return self.add(key, change, way, at) };
        let event = self.change(&mut slot, key, change, way, at);
        (slot, event)
    }

    fn add(&self, key: &NodeKey, change: &Change, way: Way, at: Ordinal) -> (Slot, NodeEvent) {
        let node = match way {
            Way::Keep | Way::Retune => unreachable!("only a running node is kept"),
            Way::Carry(node) | Way::Fresh(node) | Way::Fork(node, _) | Way::Rebuild(node) | Way::Migrate { node, .. } => node,
        };
        let slot = Slot::new(spec_of(&self.graph, key), self.input(key), node, at);
        let event = told(&slot, change, Fate::Added, 0);
        (slot, event)
    }

    /// A node that runs, where it stands.
    pub(super) fn change(&self, slot: &mut Slot, key: &NodeKey, change: &Change, way: Way, at: Ordinal) -> NodeEvent {
        let rows_before = slot.counts.input;
        slot.become_spec(spec_of(&self.graph, key), self.input(key));
        let fate = slot.take_way(way, change, at);
        told(slot, change, fate, rows_before)
    }

    /// The columns at its first port.
    fn input(&self, key: &NodeKey) -> arrow::datatypes::SchemaRef {
        let spec = &self.graph.nodes[key];
        let first = spec.inputs.first().filter(|_| !matches!(spec.op, NodeOp::Gate(_)));
        node::schema(&first.map_or_else(|| spec.schema.clone(), |first| outlet_schema(&self.graph, first, &self.bad)))
    }
}

fn told(slot: &Slot, change: &Change, fate: Fate, rows_before: u64) -> NodeEvent {
    NodeEvent {
        node: slot.key.to_string(),
        class: change.class.word().into(),
        fate,
        since: slot.since,
        rows_before,
        why: why(change),
    }
}

/// A node that was left as it stands.
pub(super) fn left(slot: &Slot) -> NodeEvent {
    NodeEvent {
        node: slot.key.to_string(),
        class: Class::Same.word().into(),
        fate: Fate::Kept,
        since: slot.since,
        rows_before: slot.counts.input,
        why: String::new(),
    }
}

pub(super) fn removed(slot: Slot, at: Ordinal) -> NodeEvent {
    NodeEvent {
        node: slot.key.to_string(),
        class: Class::Removed.word().into(),
        fate: Fate::Removed,
        since: at,
        rows_before: slot.counts.input,
        why: String::new(),
    }
}

/// Why it changed, and what became of what it remembers, in a sentence.
fn why(change: &Change) -> String {
    let memory = std::iter::once(change.memory.to_string());
    let entries = change.entries.iter().map(|(name, entry)| (name, entry.memory.to_string()));
    let entries = entries.filter(|(_, memory)| !memory.is_empty()).map(|(name, memory)| format!("`{name}`: {memory}"));
    let memory: Vec<String> = if change.memory == Memory::Kept { entries.collect() } else { memory.collect() };
    change.why.iter().map(ToString::to_string).chain(memory).collect::<Vec<_>>().join("; ")
}
