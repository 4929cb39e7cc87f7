//! One configuration, fitted and judged. The same function runs on a thread of this process or in a worker of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ir::{Metric, Per, TaskKind};
use crate::model::{
    AnyFamily, Config, Confusion, Control, Figures, FitError, FitRequest, Fitted, PerKey, confusion, figures, measure,
    metric_text,
};

use super::error::{LeftOut, all_figures, blocks, left_out};
use super::judge::judge;
use super::keys::{KeyScores, key_scores};
use super::{Data, Measured, Round};

/// What to fit and what to find out about it. Rows are those of the table as [`Table::read`](super::Table::read) orders them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub family: String,
    /// Every setting of the family.
    pub config: Config,
    pub seed: u64,
    /// One fit for each; rows to judge by may be none.
    pub rounds: Vec<Round>,
    /// One more fit for each, whose model is judged and let go.
    pub earlier: Vec<Round>,
    /// Beside those that name no class.
    pub metrics: Vec<Metric>,
    /// For `skill`.
    pub baseline_mae: Option<f64>,
    /// What the scores of single keys are, where keys have models of their own.
    #[serde(default)]
    pub goal: Option<Metric>,
    /// Are latency and memory wanted?
    pub measured: bool,
}

/// What came of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Over the judging rows of all rounds together.
    pub figures: Figures,
    pub confusion: Option<Confusion>,
    /// What the choice goes by: over the judging rows of all rounds and of all earlier stretches. Every metric of every
    /// class is among them.
    pub overall: Figures,
    /// The same without each block of these rows in turn.
    pub left_out: LeftOut,
    /// Of single keys, where they have models of their own.
    #[serde(default)]
    pub keys: Option<KeyScores>,
    /// Over each earlier stretch alone.
    pub stretches: Vec<Figures>,
    pub judged_rows: usize,
    pub unanswered: usize,
    /// Of the first round's model.
    pub measured: Option<Measured>,
    /// One per round.
    #[serde(skip)]
    pub bundles: Vec<Vec<u8>>,
}

/// Why a job gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrialError {
    Cancelled,
    /// It cannot be fitted, for this reason.
    Failed(String),
    /// Its process ended; what it last said.
    Crashed(String),
}

/// Where jobs run.
pub trait Trials: Sync {
    /// How many at once.
    fn parallel(&self) -> usize;

    /// Blocks until the job is done, failed, or cancelled through `control`. Equal jobs on equal data give equal bytes
    /// (but for what was measured).
    fn run(&self, data: &Data, job: &Job, control: &Control) -> Result<Done, TrialError>;
}

/// On threads of this process: for tests, and where no processes can be started. A fit is cancelled between its steps.
#[derive(Clone, Copy, Debug)]
pub struct InProcess {
    pub parallel: usize,
}

impl Trials for InProcess {
    fn parallel(&self) -> usize {
        self.parallel.max(1)
    }

    fn run(&self, data: &Data, job: &Job, control: &Control) -> Result<Done, TrialError> {
        perform(data, job, control)
    }
}

/// The job itself.
pub fn perform(data: &Data, job: &Job, control: &Control) -> Result<Done, TrialError> {
    let fit = |round: &Round| fit(data, job, &round.train, control);
    let fits = job.rounds.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
    let bundles: Vec<Vec<u8>> = fits.iter().map(Fitted::to_bytes).collect();
    let measured = match (job.measured, bundles.first()) {
        (true, Some(bundle)) => Some(super::measure::measure(bundle, &data.table.features).map_err(TrialError::failed)?),
        (true, None) | (false, _) => None,
    };
    let earlier = job.earlier.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
    let own: Vec<(&Fitted, &[usize])> = fits.iter().zip(&job.rounds).map(asked).collect();
    let others: Vec<(&Fitted, &[usize])> = earlier.iter().zip(&job.earlier).map(asked).collect();
    let per = data.task.per.as_ref().zip(job.goal.as_ref()).filter(|_| own.iter().any(|(_, rows)| !rows.is_empty()));
    let keys = per.map(|(per, goal)| key_scores(per, goal, &own, &data.table));
    let judge = |fits: &[(&Fitted, &[usize])]| judge(fits, &data.table, job.baseline_mae);
    let judged = judge(&own);
    let mut found = figures(&judged.outcome);
    found.extend(job.metrics.iter().filter_map(|metric| Some((metric_text(metric), measure(metric, &judged.outcome)?))));
    let overall = judge(&[others.as_slice(), own.as_slice()].concat());
    let blocks = blocks(&overall.rows, &overall.outcome, data.table.groups.as_deref());
    Ok(Done {
        overall: all_figures(&overall.outcome),
        left_out: left_out(&overall.outcome, &blocks),
        stretches: others.iter().map(|one| figures(&judge(&[*one]).outcome)).collect(),
        keys,
        figures: found,
        confusion: confusion(&judged.outcome),
        judged_rows: judged.outcome.rows(),
        unanswered: judged.unanswered,
        measured,
        bundles,
    })
}

fn asked<'a>((fitted, round): (&'a Fitted, &'a Round)) -> (&'a Fitted, &'a [usize]) {
    (fitted, &round.validate)
}

fn fit(data: &Data, job: &Job, rows: &[usize], control: &Control) -> Result<Fitted, TrialError> {
    let family = AnyFamily::among(&data.task.models, &job.family);
    let family = family.ok_or_else(|| TrialError::failed(format!("there is no family `{}`", job.family)))?;
    let request = FitRequest {
        family: &*family,
        config: &job.config,
        seed: job.seed,
        purpose: data.purpose,
        features: &data.task.features,
        table: &data.table.features,
        target: &data.table.target,
        target_type: &data.task.target.column.ty,
        before: &data.table.before,
        rows,
        weights: data.table.weights.as_deref(),
        balance: data.task.balance,
        flag: match data.task.kind {
            TaskKind::Detect { flag } => flag,
            TaskKind::Classify | TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Rank => 0.0,
        },
        // One constant for all is what every model must beat.
        per: data.task.per.as_ref().filter(|_| job.family != "constant").map(per_key),
    };
    request.fit(control).map_err(|error| match error {
        FitError::Cancelled => TrialError::Cancelled,
        FitError::Failed(why) => TrialError::Failed(why),
    })
}

fn per_key(per: &Per) -> PerKey<'_> {
    PerKey { columns: &per.columns, rows: usize::try_from(per.rows).unwrap_or(usize::MAX) }
}

impl TrialError {
    pub fn failed(why: impl fmt::Display) -> TrialError {
        TrialError::Failed(why.to_string())
    }
}

impl fmt::Display for TrialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrialError::Cancelled => f.write_str("stopped"),
            TrialError::Failed(why) => f.write_str(why),
            TrialError::Crashed(last) if last.is_empty() => f.write_str("its process ended"),
            TrialError::Crashed(last) => write!(f, "its process ended: {last}"),
        }
    }
}

impl std::error::Error for TrialError {}
