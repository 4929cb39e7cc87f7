//! A whole training: split, baselines, search, choice, refit, report.

mod chosen;
mod recall;
mod refit;

pub use recall::{Recalled, recall};

use std::time::{Duration, Instant};

use arrow::array::RecordBatch;

use crate::base::{Hash, Span, Time, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, Goal, Measures, Metric, MetricKind, Models, Policy, Task};
use crate::model::{Classes, Config, Control, Purpose, kind_of};

use super::baselines::{Baselines, judging_rows, of_alarms, repeaters_on, table_of};
use super::candidates::spaces;
use super::search::{Plan, Trial};
use super::table::digests;
use super::unsupported::unsupported_task;
use super::{Chosen, Data, Member, Progress, Report, Split, Stopped, TrialError, Trials, choose, split};

/// Models of one training that no other beats in everything, each complete.
const MEMBERS_MAX: usize = 8;
/// How much longer than the policy's time the first candidate may take, before there is any.
const FIRST_PATIENCE: u32 = 10;

/// What a training gives.
#[derive(Clone, Debug)]
pub struct Generation {
    /// The Pareto set, the champion first where there is one.
    pub members: Vec<TrainedMember>,
    /// Position in `members`.
    pub champion: Option<usize>,
    pub chosen: Chosen,
    pub split: Split,
    /// Of the table's rows.
    pub ordinals: Vec<u64>,
    pub report: Report,
    pub warnings: Vec<Diagnostic>,
    /// Of the data, whatever its order, and of its order.
    pub digests: (Hash, Hash),
    /// The latest time among the rows that the champion was fitted to, where they have times.
    pub until: Option<Time>,
    pub seed: u64,
    pub trials_done: usize,
    pub stopped: Stopped,
}

/// A model of a generation.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedMember {
    pub family: String,
    pub config: Config,
    /// As the fits used it.
    pub seed: u64,
    /// Of the unrefitted twins.
    pub member: Member,
    /// Fitted to training and validation rows: what serves.
    pub bundle: Vec<u8>,
    /// One per round, each fitted without the rows that judge it: what answers these rows in a replay.
    pub twins: Vec<Vec<u8>>,
}

/// Everything that the steps of a training share.
struct Context<'a> {
    task: &'a Task,
    policy: &'a Policy,
    data: Data,
    split: Split,
    baselines: Baselines,
    baseline_mae: Option<f64>,
    trials: &'a dyn Trials,
}

/// Trains on `table`, which has the columns that [`Table`](super::Table) reads. Errors are all that is wrong with task, policy
/// or rows at once.
pub fn train(
    task: &Task,
    policy: &Policy,
    table: &RecordBatch,
    trials: &dyn Trials,
    progress: &mut dyn FnMut(Progress),
) -> Result<Generation, Vec<Diagnostic>> {
    let begin = Instant::now();
    let purpose = kind_of(task.kind).ok_or_else(|| unsupported_task(task))?;
    let mut wrong = unsupported_task(task);
    wrong.extend(unfit_metrics(policy, purpose));
    let spaces = spaces(task).unwrap_or_else(|found| {
        wrong.extend(found);
        Vec::new()
    });
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let data = Data::new(task, purpose, table)?;
    let split = split(&data.table, task, policy, purpose)?;
    let unknown = unknown_classes(policy, &data);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut context = Context { task, policy, data, split, baselines: Baselines::new(), baseline_mae: None, trials };
    let constant = match purpose {
        Purpose::Classify | Purpose::Regress => Some(context.measure_baselines()?),
        Purpose::Detect => {
            context.baselines = of_alarms(&context.data.table, &judging_rows(&context.split));
            None
        }
    };
    progress(Progress::Baselines(context.baselines.clone()));
    let searched: Vec<_> = spaces.into_iter().filter(|space| space.family.name() != "constant").collect();
    let (mut tried, stopped) = context.search(&searched, begin, progress);
    let trials_done = tried.len();
    tried.extend(constant.filter(|_| context.constant_may_win()));
    if tried.iter().all(|trial| trial.result.is_err()) {
        return Err(vec![nothing_trained(task, &tried)]);
    }
    context.finish(tried, trials_done, stopped, progress)
}

impl Context<'_> {
    fn metrics(&self) -> Vec<Metric> {
        let required = self.policy.choice.requirements.iter().map(|requirement| requirement.metric.clone());
        required.chain([self.policy.choice.goal.metric.clone()]).filter(|metric| metric.class.is_some()).collect()
    }

    /// What the search climbs: the policy's goal, or the usual quality where the goal is a cost.
    fn search_goal(&self) -> Goal {
        let goal = &self.policy.choice.goal;
        let usual = match self.data.purpose {
            Purpose::Classify => Goal { maximize: true, metric: Metric { kind: MetricKind::Accuracy, class: None } },
            Purpose::Detect => Goal { maximize: true, metric: Metric { kind: MetricKind::F1, class: None } },
            Purpose::Regress => Goal { maximize: false, metric: Metric { kind: MetricKind::Mae, class: None } },
        };
        if goal.metric.kind.is_cost() { usual } else { goal.clone() }
    }

    fn plan<'a>(&'a self, spaces: &'a [super::Space], metrics: &'a [Metric], deadline: Option<Instant>) -> Plan<'a> {
        Plan {
            spaces,
            rounds: &self.split.rounds,
            earlier: &self.split.earlier,
            metrics,
            baseline_mae: self.baseline_mae,
            goal: self.search_goal(),
            choice: &self.policy.choice,
            seed: self.policy.seed,
            trials: self.policy.search.trials,
            deadline,
        }
    }

    /// The constant model as a trial of its own, run here and at once.
    fn measure_baselines(&mut self) -> Result<Trial, Vec<Diagnostic>> {
        let metrics = self.metrics();
        let mut repeaters = repeaters_on(&self.data.table, self.task.kind, self.data.purpose, &judging_rows(&self.split));
        let mut run = |mae: Option<f64>| {
            self.baseline_mae = mae;
            let job = self.plan(&[], &metrics, None).job("constant", &Config::default());
            let result = super::trial::perform(&self.data, &job, &Control::default());
            Trial { family: job.family, config: job.config, result }
        };
        let alone = run(None);
        let figures = match &alone.result {
            Ok(done) => done.figures.clone(),
            Err(why) => return Err(vec![baseline_failed(self.task, why)]),
        };
        let (_, best_mae) = table_of(figures, &repeaters);
        // Once more, now that it is known what skill is measured against.
        let constant = run(best_mae);
        repeaters.iter_mut().for_each(|repeater| repeater.judged.outcome.measure_against(best_mae));
        let figures = constant.result.as_ref().map(|done| done.figures.clone()).unwrap_or_default();
        self.baselines = table_of(figures, &repeaters).0;
        Ok(constant)
    }

    /// A baseline becomes champion only if listed, or under `auto`.
    fn constant_may_win(&self) -> bool {
        match &self.task.models {
            Models::Auto => self.data.purpose != Purpose::Detect,
            Models::Listed(candidates) => candidates.iter().any(|candidate| candidate.family == *"constant"),
        }
    }

    fn search(&self, spaces: &[super::Space], begin: Instant, progress: &mut dyn FnMut(Progress)) -> (Vec<Trial>, Stopped) {
        if spaces.is_empty() {
            return (Vec::new(), Stopped::Exhausted);
        }
        let metrics = self.metrics();
        let time = Duration::from_micros(u64::try_from(self.policy.search.time.0).unwrap_or_default());
        let found = self.plan(spaces, &metrics, Some(begin + time)).search(self.trials, &self.data, progress);
        if found.0.iter().any(|trial| trial.result.is_ok()) || self.constant_may_win() {
            return found;
        }
        // The time was too short for anything: the cheapest candidate gets more, so that there is a useful answer.
        let patience = begin + time * FIRST_PATIENCE;
        let mut one = self.plan(&spaces[..1], &metrics, Some(patience));
        one.trials = 1;
        let (tried, _) = one.search(self.trials, &self.data, progress);
        (tried, found.1)
    }
}

/// Metrics that the task's kind does not have, or that nothing measures.
fn unfit_metrics(policy: &Policy, purpose: Purpose) -> Vec<Diagnostic> {
    let required = policy.choice.requirements.iter().map(|requirement| (&requirement.metric, requirement.span));
    let all = required.chain([(&policy.choice.goal.metric, policy.span)]);
    let unfit = all.filter(|(metric, _)| !metric.kind.is_measured() || !suits(metric.kind, purpose));
    let mut found: Vec<Diagnostic> = unfit.map(|(metric, span)| unfit_metric(metric.kind, purpose, span)).collect();
    for requirement in &policy.choice.requirements {
        if !matches!(requirement.op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne) {
            found.push(unfit_metric(requirement.metric.kind, purpose, requirement.span));
        }
    }
    found
}

/// Metrics of a class that no row has, and those that need a class and name none.
fn unknown_classes(policy: &Policy, data: &Data) -> Vec<Diagnostic> {
    let seen = || Classes::seen(&data.table.target, data.table.labelled_rows().into_iter());
    let classes = match data.purpose {
        Purpose::Classify => seen(),
        Purpose::Detect => Some(Classes::of_bool()),
        Purpose::Regress => None,
    };
    let Some(classes) = classes else { return Vec::new() };
    let required = policy.choice.requirements.iter().map(|requirement| (&requirement.metric, requirement.span));
    let complaint = |(metric, span): (&Metric, Span)| {
        let of_one = metric.kind.is_of_a_class();
        match &metric.class {
            Some(class) => classes.named(class).is_none().then(|| no_class(metric, Some(class), &classes, span)),
            None => (of_one && classes.len() > 2).then(|| no_class(metric, None, &classes, span)),
        }
    };
    required.chain([(&policy.choice.goal.metric, policy.span)]).filter_map(complaint).collect()
}

fn no_class(metric: &Metric, class: Option<&str>, classes: &Classes, span: Span) -> Diagnostic {
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let kind = metric.kind.name();
    let message = match class {
        Some(class) => format!("no row has the class {class:?} that `{kind}` asks for"),
        None => format!("`{kind}` is of one class, and there are {}", names.len()),
    };
    let near = class.and_then(|class| nearest(class, names.iter().map(String::as_str))).unwrap_or(&names[0]);
    Diagnostic::new(Code::E0651, message).at(span, "").help(format!("write `{kind}({near:?})`, or use macro_f1"))
}

fn suits(kind: MetricKind, purpose: Purpose) -> bool {
    match kind.facts().measures {
        Measures::Classes => purpose != Purpose::Regress,
        Measures::Probabilities => purpose == Purpose::Classify,
        Measures::Error | Measures::RelativeError => purpose == Purpose::Regress,
        Measures::Time | Measures::Bytes | Measures::Alarms | Measures::Other => true,
    }
}

fn unfit_metric(kind: MetricKind, purpose: Purpose, span: Span) -> Diagnostic {
    let (what, help) = match purpose {
        Purpose::Classify => {
            ("a task with classes", "use accuracy, macro_f1, recall(…), log_loss, latency.p99, memory or model.size")
        }
        Purpose::Detect => ("a detector", "use f1, recall(true), precision(true), auc, latency.p99, memory or model.size"),
        Purpose::Regress => ("a task with numbers", "use mae, rmse, r2, mape, skill, latency.p99, memory or model.size"),
    };
    Diagnostic::new(Code::E0651, format!("`{}` cannot be measured for {what}", kind.name())).at(span, "").help(help)
}

fn nothing_trained(task: &Task, tried: &[Trial]) -> Diagnostic {
    let reasons = tried.iter().filter_map(|trial| Some(format!("{}: {}", trial.family, trial.result.as_ref().err()?)));
    let mut reasons: Vec<String> = reasons.collect();
    reasons.dedup();
    reasons.truncate(5);
    let (message, help) = if reasons.is_empty() {
        let message = format!("the search for `{}` was over before the first candidate was trained", task.name);
        (message, "give `search` more time, or list a cheaper family such as logistic or linear")
    } else {
        let message = format!("no candidate of `{}` could be trained ({})", task.name, reasons.join("; "));
        (message, "change what the reasons say, or write `models auto`")
    };
    Diagnostic::new(Code::E0556, message).at(task.span, "").help(help)
}

fn baseline_failed(task: &Task, why: &TrialError) -> Diagnostic {
    let code = if why.to_string().contains("no model takes") { Code::E0557 } else { Code::E0556 };
    Diagnostic::new(code, format!("`{}` cannot be learned: {why}", task.name))
        .at(task.span, "")
        .help("leave the feature out, or summarise it into numbers first")
}
