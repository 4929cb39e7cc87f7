//! What the live shell takes from outside, as small traits.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::base::{Name, Sources};
use crate::diag::Diagnostic;
use crate::node::{Predictor, State};
use crate::plan::{Graph, Learn};

/// Turns a text into a graph. Called off the data path.
pub trait Compiler: Send {
    fn compile(&mut self, text: &str) -> Compiled;
}

/// What came of a text.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// None if there are errors.
    pub graph: Option<Graph>,
    pub diagnostics: Vec<Diagnostic>,
    pub sources: Sources,
    /// Every file that was read besides the text itself; a change of one of them is a change of the text.
    pub files: Vec<PathBuf>,
}

/// Finds and keeps models.
pub trait Learner: Send + Sync {
    /// The champion that a former run has left, if it was trained on the same feature definitions.
    ///
    /// # Errors
    /// If there is one and it cannot be read; then the task learns anew.
    fn champion(&self, learn: &Learn, closure: &Graph) -> Result<Option<Learned>, Diagnostic>;

    /// A version that answered before a restart; none if it is not there any more.
    fn version(&self, task: &Name, version: &str) -> Option<Arc<dyn Predictor>>;

    /// Learns, chooses, and keeps what was chosen. Takes as long as its policy allows; called on a thread of its own.
    ///
    /// # Errors
    /// If nothing could be learned, or nothing may be used.
    fn train(&self, job: &Job) -> Result<Learned, Diagnostic>;
}

/// What is to be learned from what.
#[derive(Debug)]
pub struct Job {
    pub learn: Learn,
    /// The graph up to the task: the definitions of its features.
    pub closure: Graph,
    /// What the task's node has collected.
    pub collected: State,
    /// Set when nobody wants the result any more.
    pub stop: Arc<AtomicBool>,
}

/// A model that may answer.
#[derive(Clone, Debug)]
pub struct Learned {
    pub model: Arc<dyn Predictor>,
    pub family: String,
    /// The metric that the policy asks for, and its value on rows that did not train the model.
    pub metric: Option<(String, f64)>,
    /// What its owner should know: requirements that are not met, and the like.
    pub notes: Vec<Diagnostic>,
}
