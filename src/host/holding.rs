//! A learner that remembers whom somebody has gone back to: as long as the features are still those that a model was trained
//! with, it answers, whatever else was learned since.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Hash, Name};
use crate::diag::Diagnostic;
use crate::lifecycle::Registry;
use crate::node::Predictor;
use crate::plan::{Graph, Learn};

use super::engine::closure;
use super::outside::{Job, Learned, Learner, Remembered, Trained};
use super::state::plans::Answering;

pub struct Holding {
    inner: Arc<dyn Learner>,
    held: Mutex<BTreeMap<Name, Answering>>,
}

impl Holding {
    pub fn over(inner: Arc<dyn Learner>, held: BTreeMap<Name, Answering>) -> Holding {
        Holding { inner, held: Mutex::new(held) }
    }

    /// From now on these, and nobody else's choice is in the way of the others.
    pub fn hold(&self, held: BTreeMap<Name, Answering>) {
        *self.lock() = held;
    }

    /// Something newer has been learned and answers.
    pub fn let_go(&self, task: &Name) {
        self.lock().remove(task);
    }

    /// Does this model answer again, if it is asked for these features?
    fn held(&self, task: &Name, features: Option<Hash>) -> Option<Learned> {
        let held = self.lock().get(task).filter(|held| Some(held.closure) == features).cloned()?;
        let Answering { version, family, metric, closure: _ } = held;
        let model = self.inner.version(task, &version)?;
        Some(Learned { model, family, metric, notes: Vec::new() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Answering>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learner for Holding {
    fn champion(&self, learn: &Learn, graph: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        let task = &learn.task.name;
        match self.held(task, closure(graph, task)) {
            Some(learned) => {
                let words = format!("{} {} answers again", learned.family, learned.model.version());
                Ok(Some(Remembered { learned: Some(learned), search: false, words }))
            }
            None => self.inner.champion(learn, graph),
        }
    }

    fn version(&self, task: &Name, version: &str) -> Option<Arc<dyn Predictor>> {
        self.inner.version(task, version)
    }

    fn train(&self, job: &Job) -> Result<Trained, Diagnostic> {
        self.inner.train(job)
    }

    fn registry(&self) -> Option<&Registry> {
        self.inner.registry()
    }
}
