//! Letting go of old models: whole trainings, since their models are chosen among and their report stands beside the first.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Name;

use super::{Registry, RegistryError, Version, files};

/// A version on its way out; what a process that died has left of it goes with the next one.
const REMOVED: &str = ".removed";

/// What was let go, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub removed: Vec<Version>,
    pub kept: Vec<Version>,
}

impl Pruned {
    /// For people, a line each.
    pub fn words(&self) -> Vec<String> {
        let names = |versions: &[Version]| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let line = |what: &str, versions: &[Version]| match versions.is_empty() {
            true => format!("{what}: none"),
            false => format!("{what}: {}", names(versions)),
        };
        vec![line("removed", &self.removed), line("kept", &self.kept)]
    }
}

impl Registry {
    /// Removes all trainings of a task but the newest `keep`, that of the champion, that of whoever served before it, and
    /// those of the versions `in_use`. A version that cannot be read is a training of its own.
    pub fn prune(&self, task: &Name, keep: usize, in_use: &BTreeSet<Version>) -> Result<Pruned, RegistryError> {
        let mut generations: BTreeMap<u32, Vec<Version>> = BTreeMap::new();
        for version in self.versions(task)? {
            let generation = self.manifest(&version).map_or(version.number, |manifest| manifest.generation);
            generations.entry(generation).or_default().push(version);
        }
        let reign = self.reign(task)?;
        let before = reign.iter().flat_map(|reign| reign.before.first());
        let served: BTreeSet<&Version> = reign.iter().map(|reign| &reign.champion).chain(before).chain(in_use).collect();
        let old = generations.len().saturating_sub(keep);
        let mut pruned = Pruned::default();
        for (nth, versions) in generations.into_values().enumerate() {
            if nth >= old || versions.iter().any(|version| served.contains(version)) {
                pruned.kept.extend(versions);
            } else {
                // The first has the report of all, so it goes last.
                versions.iter().rev().try_for_each(|version| self.remove(version))?;
                pruned.removed.extend(versions);
            }
        }
        Ok(pruned)
    }

    /// Of every task, or of one.
    pub fn prune_all(&self, task: Option<&Name>, keep: usize, in_use: &BTreeSet<Version>) -> Result<Pruned, RegistryError> {
        let mut all = Pruned::default();
        for task in self.tasks()?.iter().filter(|of| task.is_none_or(|task| task == *of)) {
            let Pruned { removed, kept } = self.prune(task, keep, in_use)?;
            all.removed.extend(removed);
            all.kept.extend(kept);
        }
        Ok(all)
    }

    fn remove(&self, version: &Version) -> Result<(), RegistryError> {
        let folder = self.root.join(&*version.task);
        files::clean(&folder, REMOVED)?;
        files::remove(&folder.join(version.to_string()), &folder.join(REMOVED))
    }
}
