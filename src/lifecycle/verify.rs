//! Learns a kept version once more as its manifest says, and compares the bytes: equal jobs give equal models, or it can be
//! said what is not equal.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::base::{Hash, grouped};
use crate::diag::{Code, Diagnostic};
use crate::model::kind_of;
use crate::plan::{Learn, NodeKey, NodeOp, Slot};

use super::pool::run_all;
use super::registry::{Software, Version};
use super::split::split;
use super::table::{digests, in_order};
use super::{Data, Done, Job, Manifest, Round, Split, Stored, TrialError, Trials};

/// What came of learning a version once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    pub version: Version,
    pub family: String,
    pub verdict: Verdict,
    pub rows: RowsVerdict,
    /// The model and its twins; empty where the rows are others and nothing was learned.
    pub files: Vec<FileVerdict>,
    /// By which it was learned then, and which has learned it now.
    pub then: Software,
    pub here: Software,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every byte is the same.
    Equal,
    /// The same rows stand in another order.
    OtherOrder,
    OtherRows,
    /// The rows are the same, and the bytes of a model are not.
    OtherModel,
}

/// Rows that the task collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsVerdict {
    /// None where an earlier version of mliot has not written it down.
    pub then: Option<usize>,
    pub now: usize,
    /// The first of them that are compared: a recording may have grown since.
    pub compared: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVerdict {
    pub name: String,
    pub equal: bool,
}

/// The task and the policy by which a version was learned.
///
/// # Errors
/// If its closure does not end in its task.
pub fn learned_by(stored: &Stored) -> Result<&Learn, Diagnostic> {
    let task = &stored.manifest.version.task;
    let spec = stored.closure.nodes.get(&NodeKey::of_file(task, Slot::Task));
    match spec.map(|spec| &spec.op) {
        Some(NodeOp::Task(learn)) => Ok(learn),
        _ => Err(no_task(&stored.manifest.version)),
    }
}

/// `table` is what the version's own definitions make of the recording now.
///
/// # Errors
/// If it cannot be learned any more, as the rows are others than its split needs, or a trial fails.
pub fn verify(stored: &Stored, table: &RecordBatch, trials: &dyn Trials) -> Result<Verified, Vec<Diagnostic>> {
    let Stored { manifest, .. } = stored;
    let learn = learned_by(stored).map_err(|wrong| vec![wrong])?;
    let table = in_order(&learn.task, table)?;
    let (compared, verdict) = compared(manifest, &table);
    let then = (manifest.collected > 0).then_some(manifest.collected);
    let rows = RowsVerdict { then, now: table.num_rows(), compared: compared.num_rows() };
    let files = match verdict {
        Verdict::Equal => again(manifest, learn, &compared, trials)?,
        Verdict::OtherOrder | Verdict::OtherRows | Verdict::OtherModel => Vec::new(),
    };
    let verdict = if files.iter().all(|file| file.equal) { verdict } else { Verdict::OtherModel };
    let (then, here) = (manifest.software.clone(), Software::here());
    Ok(Verified { version: manifest.version.clone(), family: manifest.family.clone(), verdict, rows, files, then, here })
}

/// All rows, or the first as many as there were then, and whether they are those of then.
fn compared(manifest: &Manifest, table: &RecordBatch) -> (RecordBatch, Verdict) {
    let wanted = (manifest.identity.data, manifest.identity.order);
    let verdict = |found: (Hash, Hash)| match (found.0 == wanted.0, found.1 == wanted.1) {
        (true, true) => Verdict::Equal,
        (true, false) => Verdict::OtherOrder,
        (false, _) => Verdict::OtherRows,
    };
    let all = verdict(digests(table));
    if all == Verdict::OtherRows && (1..table.num_rows()).contains(&manifest.collected) {
        let first = table.slice(0, manifest.collected);
        let of_first = verdict(digests(&first));
        if of_first != Verdict::OtherRows {
            return (first, of_first);
        }
    }
    (table.clone(), all)
}

/// One fit for the model, and one for each of its twins.
fn again(
    manifest: &Manifest,
    learn: &Learn,
    table: &RecordBatch,
    trials: &dyn Trials,
) -> Result<Vec<FileVerdict>, Vec<Diagnostic>> {
    let purpose = kind_of(learn.task.kind).ok_or_else(|| vec![no_task(&manifest.version)])?;
    let data = Data::new(&learn.task, purpose, table)?;
    let split = split(&data.table, &learn.task, &learn.policy, purpose)?;
    let (names, jobs): (Vec<String>, Vec<Job>) = jobs(manifest, &split).into_iter().unzip();
    let results = run_all(trials, &data, &jobs, None, &mut |_, _| {});
    let verdict = |(name, result): (String, Result<Done, TrialError>)| match result {
        Ok(done) => {
            let bundle = done.bundles.first().map(|bundle| Hash::of_bytes(bundle));
            Ok(FileVerdict { equal: bundle == manifest.files.get(&name).copied(), name })
        }
        Err(why) => Err(vec![not_again(&manifest.version, &why)]),
    };
    names.into_iter().zip(results).map(verdict).collect()
}

/// By the name of the file that each makes.
fn jobs(manifest: &Manifest, split: &Split) -> Vec<(String, Job)> {
    let job = |train: &[usize]| Job {
        family: manifest.family.clone(),
        config: manifest.config.clone(),
        seed: manifest.fit_seed,
        rounds: vec![Round { train: train.to_vec(), validate: Vec::new() }],
        earlier: Vec::new(),
        metrics: Vec::new(),
        baseline_mae: None,
        goal: None,
        measured: false,
    };
    let twins = split.rounds.iter().take(manifest.twins).enumerate();
    let twins = twins.map(|(round, rows)| (super::registry::twin_name(round), job(&rows.train)));
    std::iter::once((super::registry::MODEL.to_owned(), job(&split.refit))).chain(twins).collect()
}

impl Verified {
    pub fn is_equal(&self) -> bool {
        self.verdict == Verdict::Equal
    }

    /// Several lines, each ending in a newline.
    pub fn text(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Equal => "equal",
            Verdict::OtherOrder => "not learned again: its rows stand in another order now",
            Verdict::OtherRows => "not learned again: the rows are others now",
            Verdict::OtherModel => "different",
        };
        let mut lines = vec![format!("{} {}: {verdict}", self.family, self.version), format!("  {}", self.rows_words())];
        let word = |file: &FileVerdict| if file.equal { "the same bytes" } else { "other bytes" };
        lines.extend(self.files.iter().map(|file| format!("  {}: {}", file.name, word(file))));
        lines.push(format!("  {}", self.software_words()));
        lines.extend(self.advice().map(|advice| format!("  help: {advice}")));
        lines.into_iter().map(|line| line + "\n").collect()
    }

    fn rows_words(&self) -> String {
        let RowsVerdict { then, now, compared } = self.rows;
        let now_rows = grouped(now as u64);
        match (self.verdict, then) {
            (Verdict::OtherRows | Verdict::OtherOrder, Some(then)) if then != now => {
                format!("{} rows then, {now_rows} now", grouped(then as u64))
            }
            (Verdict::OtherRows | Verdict::OtherOrder, _) => format!("{now_rows} rows"),
            (Verdict::Equal | Verdict::OtherModel, _) if compared < now => {
                format!("learned again from the first {} of {now_rows} rows: those of then", grouped(compared as u64))
            }
            (Verdict::Equal | Verdict::OtherModel, _) => format!("learned again from the same {now_rows} rows"),
        }
    }

    fn software_words(&self) -> String {
        let words = |software: &Software| {
            let cpu = if software.cpu.is_empty() { String::new() } else { format!(" with {}", software.cpu.join(", ")) };
            format!("mliot {} on {}{cpu}", software.mliot, software.target)
        };
        match self.then == self.here {
            true => format!("by the same software: {}", words(&self.here)),
            false => format!("then by {}, now by {}", words(&self.then), words(&self.here)),
        }
    }

    fn advice(&self) -> Option<&'static str> {
        match (self.verdict, self.then == self.here) {
            (Verdict::Equal, _) => None,
            (Verdict::OtherRows | Verdict::OtherOrder, _) => Some(
                "name the recording of then with `--input SOURCE=PATH`; rows that came live are there only with `keep`, and \
                 predictions among the features are those of the champion of now",
            ),
            (Verdict::OtherModel, false) => Some("verify it with the software of then"),
            (Verdict::OtherModel, true) => Some("this is a mistake of mliot: report it with the manifest"),
        }
    }
}

fn no_task(version: &Version) -> Diagnostic {
    Diagnostic::new(Code::R0501, format!("what was kept of `{version}` does not say how it was learned"))
        .help("learn anew: mliot replay FILE --anew")
}

fn not_again(version: &Version, why: &TrialError) -> Diagnostic {
    Diagnostic::new(Code::E0556, format!("`{version}` could not be learned again: {why}"))
        .help("verify it with the software of then")
}
