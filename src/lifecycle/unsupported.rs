//! What the language has and this version does not carry out. Whoever trains asks first, so that a file never means less
//! than it says.

use crate::diag::{Code, Diagnostic};
use crate::ir::{Metric, MetricKind, Policy, Start, Task, TaskKind};

/// Clauses of a policy, by name. Empty where all of it is carried out.
pub fn unsupported(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut refuse = |clause: &str, help: &str| found.push(not_yet(policy, clause, help));
    if policy.retrain.is_some() {
        refuse("retrain", "leave it out and train again with `mliot train`");
    }
    if policy.promote.is_some() {
        refuse("promote", "leave it out: a training's champion is used at once");
    }
    if policy.rollback.is_some() {
        refuse("rollback", "leave it out and go back with `mliot models`");
    }
    if !policy.overrides.is_empty() {
        refuse("when", "leave it out, or write a policy for the worst case");
    }
    let required = policy.choice.requirements.iter().map(|requirement| (&requirement.metric, requirement.span));
    for (metric, span) in required.chain([(&policy.choice.goal.metric, policy.span)]) {
        if !is_measured(metric) {
            let message = format!("the metric `{}` is not measured in this version", metric.kind.name());
            found.push(Diagnostic::new(Code::E0199, message).at(span, "").help("use another metric of the language"));
        }
    }
    found
}

/// Clauses of a task, by name.
pub fn unsupported_task(task: &Task) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut refuse = |what: &str, help: &str| {
        found.push(Diagnostic::new(Code::E0199, format!("{what} is not in this version")).at(task.span, "").help(help));
    };
    match task.kind {
        TaskKind::Classify | TaskKind::Regress => {}
        TaskKind::Forecast { .. } => refuse("`forecast`", "use `regress` on a column that holds the later value"),
        TaskKind::Detect { .. } => refuse("`detect`", "classify a column that says what is normal"),
        TaskKind::Rank => refuse("`rank`", "use `regress`, and sort by its answer"),
    }
    if !task.per.is_empty() {
        refuse("`per`", "leave it out: one model serves all keys; the key can be a feature");
    }
    if let Some(Start::First { by, .. }) = &task.start
        && !by.is_empty()
    {
        refuse("`start first … by`", "leave out `by`, or write `start where …`");
    }
    found
}

/// Does a training give a figure for it?
pub fn is_measured(metric: &Metric) -> bool {
    match metric.kind {
        MetricKind::Pinball
        | MetricKind::FalseAlarms
        | MetricKind::Delay
        | MetricKind::Energy
        | MetricKind::Cost
        | MetricKind::Throughput => false,
        MetricKind::Accuracy
        | MetricKind::BalancedAccuracy
        | MetricKind::MacroF1
        | MetricKind::F1
        | MetricKind::Precision
        | MetricKind::Recall
        | MetricKind::Auc
        | MetricKind::LogLoss
        | MetricKind::Brier
        | MetricKind::Mae
        | MetricKind::Rmse
        | MetricKind::R2
        | MetricKind::Mape
        | MetricKind::Smape
        | MetricKind::Skill
        | MetricKind::LatencyP50
        | MetricKind::LatencyP99
        | MetricKind::Memory
        | MetricKind::ModelSize => true,
    }
}

fn not_yet(policy: &Policy, clause: &str, help: &str) -> Diagnostic {
    let message = format!("`{clause}` of the policy `{}` is not carried out in this version", policy.name);
    Diagnostic::new(Code::E0199, message).at(policy.span, "").help(help)
}
