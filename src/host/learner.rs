//! Trains for a live run, in worker processes, and keeps what was chosen in the state folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::lifecycle::{
    self, Again, Data, Decision, Done, Generation, Manifest, Processes, Registry, RegistryError, Standing, Stored, TrialError,
    Trials, Version,
};
use crate::model::Control;
use crate::node::Predictor;
use crate::plan::{Graph, Learn, Training};

use super::outside::{Job, Learned, Learner, Remembered, Trained};

/// The models of one state folder, and the worker processes that make more.
#[derive(Clone, Debug)]
pub struct Keeper {
    pub registry: Registry,
}

impl Learner for Keeper {
    fn champion(&self, learn: &Learn, graph: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        let Some(again) = Again::of(&self.registry, learn, graph).map_err(not_kept)? else { return Ok(None) };
        let stored = again.champion().map(|manifest| self.registry.open(&manifest.version));
        let stored = stored.transpose().map_err(not_kept)?;
        if let (Some(stored), Decision::Chosen(_)) = (&stored, &again.decision) {
            let under = Training::of(learn).choice;
            self.registry.set_champion(&stored.manifest.version, under).map_err(not_kept)?;
        }
        let notes: Vec<Diagnostic> = again.complaint(learn).into_iter().collect();
        let learned = stored.map(|stored| learned(learn, stored, notes));
        Ok(Some(Remembered { learned, search: again.wants_search(), words: again.words() }))
    }

    fn version(&self, task: &Name, version: &str) -> Option<Arc<dyn Predictor>> {
        let version = version.parse().ok().filter(|version: &lifecycle::Version| version.task == *task)?;
        self.registry.open(&version).ok().map(|stored| stored.fitted as Arc<dyn Predictor>)
    }

    fn train(&self, job: &Job) -> Result<Trained, Diagnostic> {
        let Job { learn, closure, collected, stop } = job;
        if let Some(refused) = lifecycle::unsupported(&learn.policy).into_iter().next() {
            return Err(refused);
        }
        let table = collected.tables.get("history").ok_or_else(|| nothing_collected(learn))?;
        let workers = Stoppable { inner: processes(learn)?, stop: stop.clone() };
        let mut generation =
            lifecycle::train(&learn.task, &learn.policy, table, &workers, &mut |_| ()).map_err(|found| first(learn, found))?;
        if stop.load(Relaxed) {
            return Err(not_wanted(learn));
        }
        let notes = std::mem::take(&mut generation.warnings);
        match keep(&self.registry, learn, closure, &generation)? {
            Kept::Crowned(stored) => Ok(Trained::Answers(learned(learn, *stored, notes))),
            Kept::Pinned { pinned, instead } => self.stays(learn, closure, &pinned, instead.as_ref()),
            Kept::Nobody if generation.chosen.standing == Standing::Abstains => Ok(Trained::Abstains(notes)),
            Kept::Nobody => Err(first(learn, notes)),
        }
    }

    fn registry(&self) -> Option<&Registry> {
        Some(&self.registry)
    }
}

impl Keeper {
    /// A pinned version goes on, where the features are still its own.
    fn stays(
        &self,
        learn: &Learn,
        closure: &Graph,
        pinned: &Version,
        instead: Option<&Version>,
    ) -> Result<Trained, Diagnostic> {
        let stored = self.registry.open(pinned).map_err(not_kept)?;
        let note = pinned_stays(learn, pinned, instead);
        if !stored.manifest.identity.has_features_of(learn, closure) {
            return Err(note);
        }
        Ok(Trained::Answers(learned(learn, stored, vec![note])))
    }
}

/// W0653.
fn pinned_stays(learn: &Learn, pinned: &Version, instead: Option<&Version>) -> Diagnostic {
    let task = &learn.task.name;
    let instead = instead.map(|version| format!(", and `{version}` would have taken its place")).unwrap_or_default();
    Diagnostic::new(Code::W0653, format!("`{pinned}` is pinned and stays champion of `{task}`{instead}"))
        .at(learn.task.span, "")
        .help(format!("let it go with `mliot models FILE unpin {task}`"))
}

/// Who answers after a generation was committed.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Its champion.
    Crowned(Box<Stored>),
    /// Somebody has pinned a version of before; this one would have taken its place, where the policy was met.
    Pinned { pinned: Version, instead: Option<Version> },
    /// Nothing met the policy.
    Nobody,
}

impl Kept {
    /// The version that the training has chosen, whether it answers or not.
    pub fn crowned(&self) -> Option<&Version> {
        match self {
            Kept::Crowned(stored) => Some(&stored.manifest.version),
            Kept::Pinned { instead, .. } => instead.as_ref(),
            Kept::Nobody => None,
        }
    }
}

/// Commits a generation, and takes its champion from the disk, so that what serves is what a restart would serve.
pub fn keep(registry: &Registry, learn: &Learn, closure: &Graph, generation: &Generation) -> Result<Kept, Diagnostic> {
    let versions = registry.commit(&learn.task, &learn.policy, closure, generation).map_err(not_kept)?;
    let champion = generation.champion.and_then(|nth| versions.get(nth)).cloned();
    match (registry.pinned(&learn.task.name).map_err(not_kept)?, champion) {
        (Some(pinned), instead) => Ok(Kept::Pinned { pinned, instead }),
        (None, Some(champion)) => registry.open(&champion).map(|stored| Kept::Crowned(Box::new(stored))).map_err(not_kept),
        (None, None) => Ok(Kept::Nobody),
    }
}

/// As many workers as the policy's cores.
pub fn processes(learn: &Learn) -> Result<Processes, Diagnostic> {
    Processes::of_this_program(learn.policy.search.cores)
        .map_err(|error| Diagnostic::new(Code::R0001, format!("this program cannot find itself to start trials: {error}")))
}

/// Trials that are not begun once nobody wants the result any more.
struct Stoppable {
    inner: Processes,
    stop: Arc<AtomicBool>,
}

impl Trials for Stoppable {
    fn parallel(&self) -> usize {
        self.inner.parallel()
    }

    fn run(&self, data: &Data, job: &lifecycle::Job, control: &Control) -> Result<Done, TrialError> {
        if self.stop.load(Relaxed) { Err(TrialError::Cancelled) } else { self.inner.run(data, job, control) }
    }
}

fn learned(learn: &Learn, stored: Stored, notes: Vec<Diagnostic>) -> Learned {
    let Manifest { family, member, .. } = stored.manifest;
    let goal = &learn.policy.choice.goal.metric;
    let metric = lifecycle::figure(&member, goal).map(|value| (goal.kind.name().to_owned(), value));
    Learned { model: stored.fitted, family, metric, notes }
}

fn first(learn: &Learn, found: Vec<Diagnostic>) -> Diagnostic {
    found.into_iter().next().unwrap_or_else(|| not_wanted(learn))
}

fn nothing_collected(learn: &Learn) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("the task `{}` has collected no rows yet", learn.task.name)).at(learn.task.span, "")
}

fn not_wanted(learn: &Learn) -> Diagnostic {
    Diagnostic::new(Code::E0556, format!("the training of `{}` was given up: its task has changed", learn.task.name))
}

fn not_kept(error: RegistryError) -> Diagnostic {
    error.diagnostic()
}
