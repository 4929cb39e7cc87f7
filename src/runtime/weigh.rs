//! How much every node remembers, for whoever asks before a change.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::Ordinal;
use crate::plan::{Graph, NodeKey};

use super::engine::Engine;
use super::resting::bytes;
use super::shadow::Served;

/// What one node remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub rows: u64,
    pub bytes: u64,
}

/// What runs, weighed before a change.
#[derive(Clone, Debug)]
pub struct Weighed {
    pub at: Ordinal,
    /// Of every node that remembers something. A node that has failed has nothing that could be kept.
    pub loads: BTreeMap<NodeKey, Load>,
    /// Nodes of the wanted graph whose name's memory rests, and would come back.
    pub returns: BTreeSet<NodeKey>,
    /// Models whose features the change takes away.
    pub served: Vec<Served>,
}

impl Engine {
    /// Nodes lay out what they remember, as they do for an epoch, and go on as they were.
    pub fn weigh(&mut self, wanted: &Graph) -> Weighed {
        let (at, served) = (self.next(), self.keep_serving(wanted).1);
        let mut loads = BTreeMap::new();
        let slots = self.tasks.iter_mut().flat_map(|task| task.slots_mut());
        for slot in slots.filter(|slot| slot.failed.is_none()) {
            let Ok(state) = slot.node.save() else { continue };
            let rows: usize = state.tables.values().map(|table| table.num_rows()).sum();
            if !state.tables.is_empty() {
                loads.insert(slot.key.clone(), Load { rows: rows as u64, bytes: bytes(&state) as u64 });
            }
        }
        let new = wanted.nodes.iter().filter(|(key, _)| !self.graph.nodes.contains_key(key));
        let returns = new.filter(|(_, spec)| self.resting.find(spec, at).is_some()).map(|(key, _)| key.clone()).collect();
        Weighed { at, loads, returns, served }
    }
}
