//! Learns the tasks of a graph from its recordings: collect, train, keep, and say which model predicts which row.

mod former;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use crate::base::Name;
use crate::diag::{Code, Diagnostic, sorted};
use crate::lifecycle::{self, Generation, Recalled, Registry, Report, Split, Standing, Stored};
use crate::node::Assignment;
use crate::plan::{Graph, Learn, NodeOp};
use crate::runtime::{Parts, Replay, Settings, Status, collect, learning_order, upstream};

use super::learner::{Kept, keep, processes};
use former::{Former, Rows, former};

/// What is told while a study goes on.
#[derive(Clone, Debug)]
pub enum Told {
    /// Reading the recording for these tasks.
    Reading { tasks: Vec<Name>, status: Status },
    /// Training one.
    Training { task: Name, progress: lifecycle::Progress },
}

/// What was learned, by task.
#[derive(Clone, Debug, Default)]
pub struct Studied {
    pub reports: BTreeMap<Name, Report>,
    /// Who predicts which row of the recording, and every row after it. None where nothing met the policy.
    pub assignments: BTreeMap<Name, Assignment>,
    pub warnings: Vec<Diagnostic>,
}

/// Where a study happens.
pub struct Study<'a> {
    pub graph: &'a Graph,
    pub parts: &'a dyn Parts,
    pub registry: &'a Registry,
    /// Is everything to be trained, also what was learned from these very rows before?
    pub anew: bool,
    /// How often the champion is learned again with another seed, and in another order, to see how much is chance.
    pub sensitivity: usize,
    /// False stops it.
    pub told: &'a mut dyn FnMut(Told) -> bool,
}

impl Study<'_> {
    /// Learns every task, those first whose predictions others learn from.
    ///
    /// # Errors
    /// Everything that keeps a task from being learned; nothing is kept of a task that failed.
    pub fn learn(mut self) -> Result<Studied, Vec<Diagnostic>> {
        let refused = unsupported(self.graph);
        if !refused.is_empty() {
            return Err(refused);
        }
        let mut studied = Studied::default();
        for group in learning_order(self.graph) {
            self.learn_group(&group, &mut studied)?;
        }
        Ok(studied)
    }

    fn learn_group(&mut self, group: &BTreeSet<Name>, studied: &mut Studied) -> Result<(), Vec<Diagnostic>> {
        let tasks: Vec<Name> = group.iter().cloned().collect();
        let told = &mut self.told;
        let mut progress = |status| told(Told::Reading { tasks: tasks.clone(), status });
        let run = Replay {
            parts: self.parts,
            settings: Settings::default(),
            assignments: studied.assignments.clone(),
            progress: &mut progress,
        };
        let collected = collect(self.graph, group, run)?;
        if !collected.findings.is_empty() {
            return Err(collected.findings);
        }
        let learns = learns(self.graph);
        for task in group {
            let table = collected.collected.get(task).and_then(|state| state.tables.get("history"));
            let (Some(learn), Some(table)) = (learns.get(task), table) else { continue };
            let closure = upstream(self.graph, &[task.clone()].into());
            let known = if self.anew { None } else { lifecycle::recall(self.registry, learn, &closure, table)? };
            match known {
                Some(known) => self.recalled(learn, &closure, table, known, studied).map_err(|error| vec![error])?,
                None => {
                    let generation = self.train(learn, table)?;
                    self.keep(learn, &closure, table, generation, studied).map_err(|error| vec![error])?;
                }
            }
            self.shake(learn, table, studied)?;
        }
        Ok(())
    }

    fn shake(&self, learn: &Learn, table: &RecordBatch, studied: &mut Studied) -> Result<(), Vec<Diagnostic>> {
        let report = studied.reports.get_mut(&learn.task.name).filter(|_| self.sensitivity > 0);
        let Some((champion, sensitivity)) =
            report.and_then(|report| Some((report.champion.as_ref()?, &mut report.sensitivity)))
        else {
            return Ok(());
        };
        let workers = processes(learn).map_err(|error| vec![error])?;
        let job = (champion.family.as_str(), &champion.config);
        *sensitivity = lifecycle::sensitivity(learn, table, job, self.sensitivity, &workers)?;
        Ok(())
    }

    fn train(&mut self, learn: &Learn, table: &RecordBatch) -> Result<Generation, Vec<Diagnostic>> {
        let workers = processes(learn).map_err(|error| vec![error])?;
        let told = &mut self.told;
        let name = &learn.task.name;
        let mut progress = |progress| _ = told(Told::Training { task: name.clone(), progress });
        lifecycle::train(&learn.task, &learn.policy, table, &workers, &mut progress)
    }

    /// Commits the generation and notes who predicts what.
    fn keep(
        &self,
        learn: &Learn,
        closure: &Graph,
        table: &RecordBatch,
        mut generation: Generation,
        studied: &mut Studied,
    ) -> Result<(), Diagnostic> {
        let name = &learn.task.name;
        let kept = keep(self.registry, learn, closure, &generation)?;
        let crowned = kept.crowned().map(ToString::to_string);
        if let (Some(report), Some(version)) = (&mut generation.report.champion, crowned) {
            report.version = version;
        }
        let rows = Rows { table, split: &generation.split, ordinals: &generation.ordinals, digests: generation.digests };
        match &kept {
            Kept::Crowned(stored) => studied.assign(name, stored, &generation.split, &generation.ordinals),
            Kept::Pinned { .. } => self.stays(learn, closure, &rows, &mut generation.report, studied)?,
            Kept::Nobody if generation.chosen.standing == Standing::KeepsChampion => {
                self.stays(learn, closure, &rows, &mut generation.report, studied)?;
            }
            Kept::Nobody => {}
        }
        studied.warnings.append(&mut generation.warnings);
        studied.reports.insert(name.clone(), generation.report);
        Ok(())
    }

    fn recalled(
        &self,
        learn: &Learn,
        closure: &Graph,
        table: &RecordBatch,
        known: Recalled,
        studied: &mut Studied,
    ) -> Result<(), Diagnostic> {
        let task = &learn.task.name;
        let Recalled { champion, split, ordinals, digests, mut report, mut warnings, pinned } = known;
        match &champion {
            Some(stored) => studied.assign(task, stored, &split, &ordinals),
            None if pinned.is_some() => {
                let rows = Rows { table, split: &split, ordinals: &ordinals, digests };
                self.stays(learn, closure, &rows, &mut report, studied)?;
            }
            None => {}
        }
        studied.warnings.append(&mut warnings);
        studied.reports.insert(task.clone(), report);
        Ok(())
    }

    /// The champion of before answers what it has not seen, and the report says that it is not one of these.
    fn stays(
        &self,
        learn: &Learn,
        closure: &Graph,
        rows: &Rows,
        report: &mut Report,
        studied: &mut Studied,
    ) -> Result<(), Diagnostic> {
        let Some(Former { stored, assignment, mut notes, pinned }) = former(self.registry, learn, closure, rows)? else {
            return Ok(());
        };
        let why = if pinned { "is pinned and stays champion; what was learned here answers nothing" } else { "stays champion" };
        report.notes.push(format!("{} {} {why}", stored.manifest.family, stored.manifest.version));
        studied.assignments.extend(assignment.map(|assignment| (learn.task.name.clone(), assignment)));
        studied.warnings.append(&mut notes);
        Ok(())
    }
}

impl Studied {
    fn assign(&mut self, task: &Name, stored: &Stored, split: &Split, ordinals: &[u64]) {
        let (assignment, torn) = lifecycle::assignment_of(stored, split, ordinals);
        if torn > 0 {
            self.warnings.push(torn_rows(task, torn));
        }
        self.assignments.insert(task.clone(), assignment);
    }
}

/// The tasks of a graph with their policies.
pub fn learns(graph: &Graph) -> BTreeMap<Name, Learn> {
    let learn = |op: &NodeOp| match op {
        NodeOp::Task(learn) => Some((learn.task.name.clone(), (**learn).clone())),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => None,
    };
    graph.nodes.values().filter_map(|spec| learn(&spec.op)).collect()
}

/// What the tasks of a graph and their policies say and this version does not carry out, in the order of the text. Empty
/// where all of it is.
pub fn unsupported(graph: &Graph) -> Vec<Diagnostic> {
    let of = |learn: &Learn| [lifecycle::unsupported(&learn.policy), lifecycle::unsupported_task(&learn.task)].concat();
    sorted(learns(graph).values().flat_map(of).collect())
}

fn torn_rows(task: &Name, positions: usize) -> Diagnostic {
    let message =
        format!("{positions} positions hold rows of `{task}` that different models would have to predict; these rows get null");
    Diagnostic::new(Code::W0553, message)
}
