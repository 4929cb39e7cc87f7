//! What somebody wants of the kept models of a task: another champion, the one before, one that stays.
//!
//! It is carried out on the disk alone. A run that uses the same folder carries it out itself, and asks again who answers.

use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::plan::{Graph, Learn, Training};

use super::registry::{Reign, Version};
use super::{Manifest, Registry, RegistryError};

/// A wish about one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// This version serves, until something newer is learned.
    Promote { version: Version },
    /// Whoever served before serves again.
    Rollback { task: Name },
    /// This version serves, and nothing takes its place.
    Pin { version: Version },
    /// What is learned or chosen from now on may take the champion's place.
    Unpin { task: Name },
}

impl Act {
    pub fn task(&self) -> &Name {
        match self {
            Act::Promote { version } | Act::Pin { version } => &version.task,
            Act::Rollback { task } | Act::Unpin { task } => task,
        }
    }

    /// `closure` is the graph up to the task as it is now. What was done, for people.
    ///
    /// # Errors
    /// If there is no such version, if it was trained on other features, or if the folder cannot be written; nothing is
    /// changed then.
    pub fn carry_out(&self, registry: &Registry, learn: &Learn, closure: &Graph) -> Result<String, Diagnostic> {
        let acting = Acting { registry, learn, closure };
        let reign = registry.reign(self.task()).map_err(RegistryError::diagnostic)?;
        match self {
            Act::Promote { version } => acting.promote(version, reign),
            Act::Rollback { task } => acting.roll_back(reign.ok_or_else(|| no_champion(task))?),
            Act::Pin { version } => acting.pin(version, reign),
            Act::Unpin { task } => acting.unpin(reign.ok_or_else(|| no_champion(task))?),
        }
    }
}

struct Acting<'a> {
    registry: &'a Registry,
    learn: &'a Learn,
    closure: &'a Graph,
}

impl Acting<'_> {
    fn promote(&self, version: &Version, reign: Option<Reign>) -> Result<String, Diagnostic> {
        let manifest = self.fitting(version)?;
        if let Some(reign) = reign.as_ref().filter(|reign| reign.pinned && reign.champion != *version) {
            return Err(is_pinned(reign));
        }
        if reign.as_ref().is_some_and(|reign| reign.champion == *version) {
            return Ok(format!("{version} is champion already"));
        }
        self.crown(Reign { by_hand: true, ..self.reign_of(version, reign) })?;
        Ok(format!("{} {version} is champion of {}", manifest.family, version.task))
    }

    fn pin(&self, version: &Version, reign: Option<Reign>) -> Result<String, Diagnostic> {
        let manifest = self.fitting(version)?;
        if reign.as_ref().is_some_and(|reign| reign.pinned && reign.champion == *version) {
            return Ok(format!("{version} is pinned already"));
        }
        self.crown(Reign { by_hand: true, pinned: true, ..self.reign_of(version, reign) })?;
        Ok(format!("{} {version} is champion of {} and pinned: nothing takes its place", manifest.family, version.task))
    }

    fn unpin(&self, reign: Reign) -> Result<String, Diagnostic> {
        let champion = reign.champion.clone();
        if !reign.pinned {
            return Ok(format!("{champion} is not pinned"));
        }
        self.crown(Reign { pinned: false, ..reign })?;
        Ok(format!("{champion} is not pinned any more; what is learned next may take its place"))
    }

    fn roll_back(&self, reign: Reign) -> Result<String, Diagnostic> {
        if reign.pinned {
            return Err(is_pinned(&reign));
        }
        let Some(at) = reign.before.iter().position(|version| self.fitting(version).is_ok()) else {
            return Err(nobody_before(&reign));
        };
        let (champion, before) = (reign.before[at].clone(), reign.before[at + 1..].to_vec());
        let under = Some(Training::of(self.learn).choice);
        self.crown(Reign { champion: champion.clone(), under, by_hand: true, pinned: false, before })?;
        Ok(format!("{champion} is champion of {} again, in place of {}", champion.task, reign.champion))
    }

    /// Under the policy of now, after whoever serves.
    fn reign_of(&self, version: &Version, before: Option<Reign>) -> Reign {
        Reign::chosen(version.clone(), Training::of(self.learn).choice, before)
    }

    fn crown(&self, reign: Reign) -> Result<(), Diagnostic> {
        self.registry.set_reign(&reign).map_err(RegistryError::diagnostic)
    }

    /// The version, if it is whole and was trained on the features of now.
    fn fitting(&self, version: &Version) -> Result<Manifest, Diagnostic> {
        let known = self.registry.versions(&version.task).map_err(RegistryError::diagnostic)?;
        if !known.contains(version) {
            return Err(no_version(version, &known));
        }
        let stored = self.registry.open(version).map_err(RegistryError::diagnostic)?;
        if stored.manifest.identity.has_features_of(self.learn, self.closure) {
            Ok(stored.manifest)
        } else {
            Err(other_features(version))
        }
    }
}

/// R0504: no version of this name is kept.
pub fn no_version(version: &Version, known: &[Version]) -> Diagnostic {
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let help = match known.is_empty() {
        true => format!("nothing was learned for `{}` yet; learn it: mliot replay FILE", version.task),
        false => format!("kept are {}", known.join(", ")),
    };
    Diagnostic::new(Code::R0504, format!("no version `{version}` is kept")).help(help)
}

/// R0504.
fn no_champion(task: &Name) -> Diagnostic {
    Diagnostic::new(Code::R0504, format!("the task `{task}` has no champion")).help("learn one first: mliot replay FILE")
}

/// R0504.
fn nobody_before(reign: &Reign) -> Diagnostic {
    let message = format!("before `{}` nobody was champion who is still kept and has the features of the file", reign.champion);
    Diagnostic::new(Code::R0504, message).help("`mliot models FILE` lists the versions; promote one of them by its name")
}

/// R0505.
fn other_features(version: &Version) -> Diagnostic {
    let message = format!("`{version}` was trained on other features or another target than the file has now");
    Diagnostic::new(Code::R0505, message).help("`mliot undo` goes back to the plan in which it answered")
}

/// R0505.
fn is_pinned(reign: &Reign) -> Diagnostic {
    let task = &reign.champion.task;
    Diagnostic::new(Code::R0505, format!("`{}` is pinned, so nothing takes its place", reign.champion))
        .help(format!("let it go first: mliot models FILE unpin {task}"))
}
