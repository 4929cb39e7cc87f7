//! One training, on a thread of its own: rows to learn from, then the learner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::base::{Hash, Name};
use crate::diag::{Code, Diagnostic};
use crate::node::{Assignment, Predictor, State};
use crate::plan::{Graph, Learn};
use crate::runtime::{Life, Replay, Settings, collect};

use super::super::engine::{Collected, Order, SharedParts};
use super::super::outside::{Job, Learner};
use super::{Done, Need};

/// One training, on its own thread.
pub struct Work {
    pub nth: u64,
    pub need: Need,
    pub closure: Hash,
    pub learn: Learn,
    pub graph: Graph,
    pub stop: Arc<AtomicBool>,
    pub learner: Arc<dyn Learner>,
    pub parts: SharedParts,
    pub orders: SyncSender<Order>,
    pub models: BTreeMap<Name, Arc<dyn Predictor>>,
}

impl Work {
    pub fn run(self) -> Done {
        let (nth, closure) = (self.nth, self.closure);
        let result = match self.need {
            Need::Recording => self.of_recording().or_else(|_| self.of_node()),
            Need::Node | Need::Waits | Need::Nothing => self.of_node(),
        };
        let result = result.and_then(|collected| {
            let Work { learn, graph, stop, learner, .. } = self;
            learner.train(&Job { learn, closure: graph, collected, stop })
        });
        Done { nth, closure, result }
    }

    fn of_node(&self) -> Result<State, Diagnostic> {
        let (done, answer) = sync_channel(1);
        let sent = self.orders.send(Order::Collect { task: self.learn.task.name.clone(), done });
        let collected = sent.ok().and_then(|()| answer.recv().ok()).flatten();
        match collected {
            Some(Collected { closure, state }) if closure == self.closure => {
                state.map_err(|error| Diagnostic::new(error.code, error.message))
            }
            Some(_) | None => Err(overtaken(&self.learn.task.name)),
        }
    }

    /// Runs the recording through the features as they are now, beside the running graph.
    fn of_recording(&self) -> Result<State, Diagnostic> {
        let task = &self.learn.task.name;
        let always = |(name, model): (&Name, &Arc<dyn Predictor>)| (name.clone(), Assignment::always(model.clone()));
        let mut progress = |_| !self.stop.load(Relaxed);
        let replay = Replay {
            parts: self.parts.as_ref(),
            settings: Settings { life: Life::Replay, ..Settings::default() },
            assignments: self.models.iter().map(always).collect(),
            progress: &mut progress,
        };
        let first = |mut wrong: Vec<Diagnostic>| wrong.pop().unwrap_or_else(|| overtaken(task));
        let mut replayed = collect(&self.graph, &[task.clone()].into(), replay).map_err(first)?;
        replayed.collected.remove(task).ok_or_else(|| overtaken(task))
    }
}

fn overtaken(task: &Name) -> Diagnostic {
    Diagnostic::new(Code::R0006, format!("what `{task}` learns from has changed meanwhile"))
}
