//! Learns a kept version once more: its own definitions read the recording again, and `lifecycle` compares.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::lifecycle::{self, Data, Registry, RegistryError, Stored, Trials, Verified, Version, learned_by};
use crate::model::kind_of;
use crate::node::Assignment;
use crate::plan::Graph;
use crate::runtime::{Parts, Replay, Settings, Status, collect};

/// Where and how a version is verified.
pub struct Verify<'a> {
    pub registry: &'a Registry,
    pub parts: &'a dyn Parts,
    pub settings: Settings,
    pub trials: &'a dyn Trials,
    /// Changes where a closure reads its rows, before it is used.
    pub connect: &'a dyn Fn(&mut Graph) -> Result<(), Diagnostic>,
    /// False stops it.
    pub progress: &'a mut dyn FnMut(Status) -> bool,
}

impl Verify<'_> {
    /// # Errors
    /// If the version cannot be opened, its rows cannot be read any more, or it cannot be learned from them.
    pub fn version(&mut self, version: &Version) -> Result<Verified, Vec<Diagnostic>> {
        let stored = self.registry.open(version).map_err(|error| vec![error.diagnostic()])?;
        let table = self.rows(&stored, &mut BTreeSet::new())?;
        lifecycle::verify(&stored, &table, self.trials)
    }

    /// What the task of a version collects of its recording. `under_way` are the tasks that need these rows for theirs.
    fn rows(&mut self, stored: &Stored, under_way: &mut BTreeSet<Name>) -> Result<RecordBatch, Vec<Diagnostic>> {
        let task = stored.manifest.version.task.clone();
        let mut closure = stored.closure.clone();
        (self.connect)(&mut closure).map_err(|wrong| vec![wrong])?;
        under_way.insert(task.clone());
        let assignments = self.assignments(&closure, under_way)?;
        under_way.remove(&task);
        let run = Replay { parts: self.parts, settings: self.settings, assignments, progress: self.progress };
        let mut collected = collect(&closure, &BTreeSet::from([task.clone()]), run)?;
        if !collected.findings.is_empty() {
            return Err(collected.findings);
        }
        let history = collected.collected.remove(&task).and_then(|mut state| state.tables.remove("history"));
        history.ok_or_else(|| vec![no_rows(&stored.manifest.version)])
    }

    /// Predictions among the features are made by the champions of now, each on rows that it has not seen.
    fn assignments(
        &mut self,
        closure: &Graph,
        under_way: &mut BTreeSet<Name>,
    ) -> Result<BTreeMap<Name, Assignment>, Vec<Diagnostic>> {
        let predicted: BTreeSet<Name> = closure.nodes.values().filter_map(|spec| spec.predicts_by().cloned()).collect();
        let mut assignments = BTreeMap::new();
        for task in predicted {
            if under_way.contains(&task) {
                return Err(vec![circle(&task)]);
            }
            let failed = |error: RegistryError| vec![error.diagnostic()];
            let Some(champion) = self.registry.champion(&task).map_err(failed)? else { continue };
            let stored = self.registry.open(&champion).map_err(failed)?;
            let table = self.rows(&stored, under_way)?;
            assignments.insert(task, assigned(&stored, &table)?);
        }
        Ok(assignments)
    }
}

fn assigned(stored: &Stored, table: &RecordBatch) -> Result<Assignment, Vec<Diagnostic>> {
    let learn = learned_by(stored).map_err(|wrong| vec![wrong])?;
    let purpose = kind_of(learn.task.kind).ok_or_else(|| vec![no_rows(&stored.manifest.version)])?;
    let data = Data::new(&learn.task, purpose, table)?;
    let split = lifecycle::split(&data.table, &learn.task, &learn.policy, purpose)?;
    Ok(lifecycle::assignment_of(stored, &split, &data.table.ordinals).0)
}

fn no_rows(version: &Version) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("the definitions of `{version}` collect no rows of the recording"))
        .help("name the recording that it was learned from with `--input SOURCE=PATH`")
}

fn circle(task: &Name) -> Diagnostic {
    let message = format!("the champions of now need each other's predictions, so the rows of `{task}` cannot be made again");
    Diagnostic::new(Code::E0505, message).help("promote a version of before, or learn anew: mliot replay FILE --anew")
}
