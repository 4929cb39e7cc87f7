//! Where the clocks of a rebuilt graph stand: at each stage where that of the running one stands, neither behind nor ahead.
//!
//! An edit may add an input that is slow, or take one away that was: then the clock of a stage would be another, had the new
//! graph been there from the start; or it would have ended. But windows that the running stage has told are told, and those that
//! it has not are still to come.

use crate::plan::{Diff, NodeKey, Slot};
use crate::runtime::engine::Engine;
use crate::runtime::slot::Stand;

/// Stages that go on from running ones, by those.
#[derive(Clone, Debug, Default)]
pub(super) struct Stages(Vec<(NodeKey, NodeKey)>);

/// How far each of them may get.
#[derive(Clone, Debug, Default)]
pub(super) struct Level(Vec<(NodeKey, Stand)>);

impl Stages {
    pub fn of(diff: &Diff) -> Stages {
        let stages = diff.nodes.iter().filter(|(key, _)| is_stage(key));
        Stages(stages.filter_map(|(key, change)| Some((change.from.clone()?, key.clone()))).collect())
    }

    /// `stands` says where a running one stands.
    pub fn level(&self, stands: impl Fn(&NodeKey) -> Option<Stand>) -> Level {
        Level(self.0.iter().filter_map(|(was, key)| Some((key.clone(), stands(was)?))).collect())
    }
}

impl Level {
    /// From here on no stage gets further.
    pub fn hold(&self, engine: &mut Engine) {
        for (key, stand) in &self.0 {
            if let Some(slot) = engine.slot_mut(key) {
                slot.hold(*stand);
            }
        }
    }

    /// All stages get there; what their windows let go reaches the stages below them, as it once reached the running ones.
    pub fn rise(&self, engine: &mut Engine) {
        self.hold(engine);
        engine.tasks.iter_mut().for_each(|task| task.rise());
        engine.carry();
    }
}

pub(super) fn is_stage(key: &NodeKey) -> bool {
    matches!(key.slot, Slot::Stage { .. }) && key.is_of_file()
}
