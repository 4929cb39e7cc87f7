//! What the live shell takes from outside, as small traits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::base::{Hash, Name, Sources};
use crate::diag::Diagnostic;
use crate::ir::Expr;
use crate::lifecycle::Registry;
use crate::node::{Predictor, State};
use crate::plan::{Graph, Input, Learn};

use super::said::Messages;
use super::watch::Seen;

/// Turns a text into a graph. Called off the data path.
pub trait Compiler: Send {
    fn compile(&mut self, text: &str) -> Compiled;

    /// What the watcher has seen of a file that the text uses: that is compiled from now on, whatever stands on the disk by
    /// then, since it may be half written.
    fn saw(&mut self, path: &Path, seen: &Seen);

    /// What understands conditions as this compiler understands the file.
    fn conditions(&self) -> Arc<dyn Conditions>;
}

/// Understands conditions that somebody types beside the file, from any thread.
pub trait Conditions: Send + Sync {
    /// The condition over the rows that pass the place, in the file with these texts.
    ///
    /// # Errors
    /// What is wrong with it.
    fn condition(&self, sources: &Sources, place: &Input, text: &str) -> Result<Expr, Messages>;
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

impl Compiled {
    /// Each of these files with the hash of its text as it was compiled; without one where it could not be read.
    pub fn known(&self) -> Vec<(PathBuf, Option<Hash>)> {
        let hash = |file: &PathBuf| {
            let name = file.to_string_lossy();
            let source = self.sources.iter().find(|source| *source.name == *name)?;
            Some(Hash::of_bytes(source.text.as_bytes()))
        };
        self.files.iter().map(|file| (file.clone(), hash(file))).collect()
    }
}

/// Finds and keeps models.
pub trait Learner: Send + Sync {
    /// What former trainings on the same feature definitions have left for this policy: their champion, chosen again among
    /// what they measured where something else is asked now. Called between two decisions, so it reads and trains nothing.
    ///
    /// # Errors
    /// If there is something and it cannot be read; then the task learns anew.
    fn champion(&self, learn: &Learn, closure: &Graph) -> Result<Option<Remembered>, Diagnostic>;

    /// A version that answered before a restart; none if it is not there any more.
    fn version(&self, task: &Name, version: &str) -> Option<Arc<dyn Predictor>>;

    /// Learns, chooses, and keeps what was chosen. Takes as long as its policy allows; called on a thread of its own.
    ///
    /// # Errors
    /// If nothing could be learned, or nothing may be used and whoever answered before is to go on.
    fn train(&self, job: &Job) -> Result<Trained, Diagnostic>;

    /// Where models are kept on disk, if they are: what is changed there is seen at the next [`champion`](Learner::champion).
    fn registry(&self) -> Option<&Registry> {
        None
    }
}

/// What came of a training.
#[derive(Clone, Debug)]
pub enum Trained {
    /// Who answers from now on.
    Answers(Learned),
    /// Nothing meets the requirements, and the policy says `otherwise abstain`: nobody answers. With the reason.
    Abstains(Vec<Diagnostic>),
}

/// What former trainings have left.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Who answers; None where nothing that is kept may.
    pub learned: Option<Learned>,
    /// Is a model to be searched for beside it?
    pub search: bool,
    /// How it was chosen, for people.
    pub words: String,
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
