//! A running graph to an epoch. Tables are shared, not copied, so this takes as long as the nodes need to lay out what they
//! remember.

use std::collections::BTreeMap;

use crate::base::{Name, Time};
use crate::io::Position;
use crate::node::{Assignment, Clock, NodeError, State};
use crate::plan::NodeKey;
use crate::runtime::engine::Engine;
use crate::runtime::feed::Side;

use super::Epoch;
use super::books::{Books, SavedModel};

impl Engine {
    /// Everything that it is, between two steps. None while rows are under way, which the next step ends.
    ///
    /// # Errors
    /// If a node cannot save.
    pub fn epoch(&mut self) -> Result<Option<Epoch>, NodeError> {
        if self.in_flight() > 0 {
            return Ok(None);
        }
        Ok(Some(Epoch {
            states: self.save_states()?,
            books: self.save_books(),
            graph: self.graph.clone(),
            outboxes: self.save_outboxes(),
        }))
    }

    /// An epoch with these positions is kept for good, and nothing before it: sources may forget what was before.
    pub fn acknowledge(&mut self, positions: &[(Name, Side, Position)]) {
        self.sequencer.acknowledge(positions);
    }

    fn save_states(&mut self) -> Result<BTreeMap<NodeKey, State>, NodeError> {
        let mut states = BTreeMap::new();
        for slot in self.tasks.iter_mut().flat_map(|task| task.slots_mut()).filter(|slot| slot.failed.is_none()) {
            let state = slot.node.save()?;
            if !state.tables.is_empty() {
                states.insert(slot.key.clone(), state);
            }
        }
        states.extend(self.resting.states().map(|(key, state)| (key.clone(), state.clone())));
        Ok(states)
    }

    fn save_books(&self) -> Books {
        Books {
            at: self.next(),
            phase: self.phase,
            last: self.sequencer.last().cloned(),
            next_outbox: self.next_outbox,
            sources: self.sequencer.save(),
            live: self.live.iter().map(|(name, feed)| (name.clone(), feed.position())).collect(),
            slots: self.slots().map(|slot| slot.save()).collect(),
            models: self.save_models(),
            dead: self.dead_letter().clone(),
            resting: self.resting.save(),
        }
    }

    /// Only the model that answers from now on: rows before have been answered.
    fn save_models(&self) -> Vec<SavedModel> {
        let answering = |assignment: &Assignment| assignment.pieces.last().cloned();
        let model = |(task, assignment)| {
            let (from, model) = answering(assignment)?;
            let version = model.map(|model| model.version().to_owned());
            Some(SavedModel { task: Name::clone(task), from, version })
        };
        self.assignments.iter().filter_map(model).collect()
    }
}

/// Where a clock stands; none where there is no time.
pub(in crate::runtime) fn standing(clock: &Clock) -> Option<Time> {
    match clock {
        Clock::None => None,
        Clock::Gate { .. } | Clock::Steps { .. } => Some(clock.after()),
    }
}
