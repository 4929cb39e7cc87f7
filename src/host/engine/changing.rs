//! What the engine's thread does to change what runs: another graph, another model, and what a task has collected until then.

use std::sync::Arc;
use std::time::Instant;

use crate::base::{Hash, Name, Sources};
use crate::diag::Diagnostic;
use crate::node::{NodeError, Ordinal, Predictor, State};
use crate::plan::{Graph, NodeKey, Slot};
use crate::runtime::{Beside, Cut, PROBATION_BYTES_MAX, Rebuild, Served, prepare_with};

use super::Core;

/// What came of a change.
pub struct Applied {
    pub cut: Cut,
    /// The graph that runs: what was wanted, and the features of models that go on being served.
    pub graph: Graph,
    pub served: Vec<Served>,
    /// How long no row was processed: what was left to prepare, and the cut.
    pub paused_us: u64,
    /// Rows that came in live meanwhile; none while a recording is read, in which rows do not come by themselves.
    pub waited: Option<u64>,
    /// What of the graph before is kept beside it.
    pub beside: Beside,
}

pub struct Collected {
    pub closure: Hash,
    pub state: Result<State, NodeError>,
}

/// The definition of the column values that reach a task's model.
pub fn closure(graph: &Graph, task: &Name) -> Option<Hash> {
    graph.nodes.get(&NodeKey::of_file(task, Slot::Task)).map(|spec| spec.hashes.flow)
}

impl Core {
    /// The model answers with the features of the file, or with those that a former model has kept, whichever are its own.
    pub(super) fn assign(&mut self, task: &Name, trained: Hash, model: Option<Arc<dyn Predictor>>) -> Option<Ordinal> {
        let graph = self.engine.graph();
        let at = if closure(graph, task) == Some(trained) {
            self.engine.promote(task, model, self.parts.as_ref())
        } else if graph.door(task).map(|door| door.hashes.flow) == Some(trained) {
            self.engine.assign(task, model);
            Ok(self.engine.next())
        } else {
            return None;
        };
        self.publish();
        match at {
            Ok(at) => Some(at),
            Err(wrong) => {
                for found in wrong {
                    self.find(found);
                }
                None
            }
        }
    }

    /// Everything that can fail first; then the cut.
    pub(super) fn apply(
        &mut self,
        wanted: &Graph,
        rebuild: Rebuild,
        probation: Option<u64>,
        sources: Sources,
    ) -> Result<Applied, Vec<Diagnostic>> {
        let begun = Instant::now();
        let ready = self.sinks.prepare(&self.engine, wanted, self.parts.as_ref())?;
        let (graph, served) = self.engine.keep_serving(wanted);
        let (graph, beside) = match probation {
            Some(plan) => self.engine.keep_former(graph, plan, PROBATION_BYTES_MAX),
            None => (graph, Beside::default()),
        };
        let prepared = prepare_with(&mut self.engine, &graph, self.parts.as_ref(), rebuild)?;
        let cut = prepared.cut(&mut self.engine).map_err(|aborted| vec![aborted.why])?;
        (self.ended, self.sources) = (false, sources);
        self.plan = Hash::of(wanted).short();
        for found in self.sinks.take_up(&self.engine, ready, self.parts.as_ref()) {
            self.find(found);
        }
        self.see_after_a_change();
        let paused_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(Applied { cut, graph, served, beside, paused_us, waited: None })
    }

    pub(super) fn collect(&mut self, task: &Name) -> Option<Collected> {
        let closure = closure(self.engine.graph(), task)?;
        let slot = self.engine.slot_mut(&NodeKey::of_file(task, Slot::Task))?;
        Some(Collected { closure, state: slot.node.save() })
    }
}
