//! A cut after which every node stands where it stood and reads what it read: only what changed is touched, whatever the size
//! of the graph. Nothing is moved, no edge is laid and no task is made anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Name;
use crate::node::Ordinal;
use crate::plan::NodeKey;

use super::super::engine::Engine;
use super::super::event::NodeEvent;
use super::super::prepare::Prepared;
use super::told;

impl Prepared {
    /// Nothing here can fail.
    pub(super) fn in_place(&mut self, engine: &mut Engine, at: Ordinal) -> Vec<NodeEvent> {
        let mut events: BTreeMap<NodeKey, NodeEvent> = BTreeMap::new();
        let mut asks: BTreeSet<Name> = BTreeSet::new();
        for (key, way) in std::mem::take(&mut self.ways) {
            let slot = engine.slot_mut(&key).expect("every node stands where it stood");
            let event = self.change(slot, &key, &self.diff.nodes[&key], way, at);
            asks.extend(slot.spec.predicts_by().cloned());
            if slot.failed.is_none() {
                engine.failed.remove(&key);
            }
            events.insert(key, event);
        }
        for slot in engine.slots() {
            if !events.contains_key(&slot.key) {
                events.insert(slot.key.clone(), told::left(slot));
            }
        }
        self.keep_outboxes(engine);
        self.open_sources(engine);
        std::mem::swap(&mut engine.graph, &mut self.graph);
        engine.generation += 1;
        self.unassign(engine);
        asks.iter().for_each(|task| engine.hand_out(task));
        events.into_values().collect()
    }

    /// Sinks that write other columns, or elsewhere.
    fn keep_outboxes(&self, engine: &mut Engine) {
        let changed = |(key, outbox): (&NodeKey, &super::super::Outbox)| self.graph.nodes[key] != outbox.spec;
        if engine.outboxes.iter().any(changed) {
            engine.open_outboxes(&self.graph, &BTreeMap::new());
        }
    }
}
