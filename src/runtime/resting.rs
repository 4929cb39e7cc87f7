//! What removed nodes remembered rests for a while, so that a name that comes back finds it again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::Hash;
use crate::ir::Op;
use crate::node::{Ordinal, State};
use crate::plan::{Graph, NodeKey, NodeOp, NodeSpec};

use super::slot::Slot;

/// How long a removed name's memory rests.
pub const REMOVED_KEPT: Duration = Duration::from_secs(600);
/// How much may rest at the same time; beyond it what was removed first is forgotten.
pub const RESTING_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Resting(BTreeMap<NodeKey, Rested>);

/// The memory of one removed node.
struct Rested {
    /// What shapes it, and of which values it is.
    of: (Hash, Hash),
    state: State,
    /// The first ordinal that it has not seen.
    at: Ordinal,
    since: Instant,
    bytes: usize,
}

impl Resting {
    /// Takes what a node remembers that is removed before this ordinal. What cannot be saved is not kept.
    pub fn put(&mut self, slot: &mut Slot, at: Ordinal) {
        if !slot.key.is_of_file() || !remembers(&slot.spec) || slot.failed.is_some() {
            return;
        }
        let Ok(state) = slot.node.save() else { return };
        let bytes = bytes(&state);
        let rested = Rested { of: of(&slot.spec), state, at, since: Instant::now(), bytes };
        self.0.insert(slot.key.clone(), rested);
        self.shrink();
    }

    /// A name that runs again has its own memory.
    pub fn forget(&mut self, graph: &Graph) {
        self.0.retain(|key, _| !graph.nodes.contains_key(key));
    }

    pub fn save(&self) -> Vec<SavedRest> {
        let saved = |(key, rested): (&NodeKey, &Rested)| SavedRest {
            key: key.clone(),
            of: rested.of,
            at: rested.at,
            age_us: u64::try_from(rested.since.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        self.0.iter().map(saved).collect()
    }

    /// Of all that rests.
    pub fn states(&self) -> impl Iterator<Item = (&NodeKey, &State)> {
        self.0.iter().map(|(key, rested)| (key, &rested.state))
    }

    /// Takes the states that belong to `saved`.
    pub fn restore(saved: Vec<SavedRest>, states: &mut BTreeMap<NodeKey, State>) -> Resting {
        let rested = |SavedRest { key, of, at, age_us }: SavedRest| {
            let state = states.remove(&key)?;
            let since = Instant::now().checked_sub(Duration::from_micros(age_us))?;
            let bytes = bytes(&state);
            Some((key, Rested { of, state, at, since, bytes }))
        };
        Resting(saved.into_iter().filter_map(rested).collect())
    }

    fn shrink(&mut self) {
        self.0.retain(|_, rested| rested.since.elapsed() < REMOVED_KEPT);
        while self.0.values().map(|rested| rested.bytes).sum::<usize>() > RESTING_BYTES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, rested)| rested.since).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.0.remove(&oldest);
        }
    }

    /// What a node of this name remembered, if it is still of the same values; at `now` as if it had never been away where no
    /// row has come since. A window whose rows are missing would give wrong values, and does not come back.
    pub fn find(&self, spec: &NodeSpec, now: Ordinal) -> Option<Found<'_>> {
        let rested = self.0.get(&spec.key).filter(|rested| rested.since.elapsed() < REMOVED_KEPT)?;
        let missed = rested.at < now;
        let fits = rested.of == of(spec) && !(missed && is_window(spec));
        fits.then_some(Found { state: &rested.state, missed })
    }
}

/// What is written of a memory that rests; its state stands beside those of nodes that run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedRest {
    key: NodeKey,
    of: (Hash, Hash),
    at: Ordinal,
    age_us: u64,
}

/// A memory that has rested.
pub(super) struct Found<'a> {
    pub state: &'a State,
    /// Have rows come since?
    pub missed: bool,
}

fn of(spec: &NodeSpec) -> (Hash, Hash) {
    (spec.hashes.state, spec.hashes.flow)
}

pub(super) fn bytes(state: &State) -> usize {
    state.tables.values().map(|table| table.get_array_memory_size()).sum()
}

fn remembers(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if op.remembers())
}

fn is_window(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if matches!(**op, Op::Window(_)))
}
