//! What a change replaces is kept beside it for a while, fed and mute, so that going back loses nothing.

use crate::diag::Diagnostic;
use crate::plan::{Graph, diff, former};

use super::engine::Engine;
use super::feed::Parts;
use super::resting::bytes;

/// How much of what a change replaces may be remembered twice, in bytes; beyond it there is no way back but without that.
pub const PROBATION_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What of a graph is kept beside the one that takes its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Stages, by name, and how much they remember.
    pub kept: Vec<String>,
    pub bytes: usize,
    /// Stages that remember something and are not kept.
    pub left_out: Vec<String>,
    /// Why nothing is kept, where it is too much.
    pub too_large: bool,
}

impl Engine {
    /// `wanted`, and beside it what it replaces, if that remembers no more than so many bytes.
    pub fn keep_former(&mut self, wanted: Graph, plan: u64, bytes_max: usize) -> (Graph, Beside) {
        let diff = diff(&self.graph, &wanted);
        let former = former(&self.graph, &wanted, &diff, plan);
        let mut beside = Beside { left_out: former.left_out.iter().map(ToString::to_string).collect(), ..Beside::default() };
        for key in &former.originals {
            let state = self.slot_mut(key).and_then(|slot| slot.node.save().ok());
            beside.bytes += state.as_ref().map_or(0, bytes);
        }
        let names = former.originals.iter().map(ToString::to_string);
        if beside.bytes > bytes_max {
            beside.too_large = true;
            beside.left_out.extend(names);
            return (wanted, beside);
        }
        beside.kept = names.collect();
        (wanted.with(former.nodes), beside)
    }

    /// How much is remembered by what is kept beside the graph, in bytes.
    pub fn former_bytes(&mut self) -> usize {
        let slots = self.tasks.iter_mut().flat_map(|task| task.slots_mut()).filter(|slot| slot.key.is_former());
        slots.filter_map(|slot| slot.node.save().ok()).map(|state| bytes(&state)).sum()
    }

    /// What was kept beside the graph is not needed any more; the graph that runs then.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply); then it stays.
    pub fn drop_former(&mut self, parts: &dyn Parts) -> Result<Graph, Vec<Diagnostic>> {
        if self.graph.has_former() {
            let bare = self.graph.without_former();
            self.apply(&bare, parts)?;
        }
        Ok(self.graph.clone())
    }
}
