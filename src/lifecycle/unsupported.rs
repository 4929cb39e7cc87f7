//! What the language has and this version does not carry out. Whoever trains asks first, so that a file never means less
//! than it says.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{ClausePlaces, Policy, Task, TaskKind};

/// Clauses of a policy, by name. Empty where all of it is carried out.
pub fn unsupported(policy: &Policy) -> Vec<Diagnostic> {
    let ClausePlaces { retrain, promote, rollback, when } = policy.places;
    let mut found = Vec::new();
    let mut refuse = |clause: &str, span: Span, help: &str| found.push(not_yet(policy, clause, span, help));
    if policy.retrain.is_some() {
        refuse("retrain", retrain, "leave it out: `mliot run` learns again when the file's tasks change");
    }
    if policy.promote.is_some() {
        refuse("promote", promote, "leave it out: a training's champion is used at once");
    }
    if policy.rollback.is_some() {
        refuse("rollback", rollback, "leave it out: former models stay in the state folder");
    }
    if !policy.overrides.is_empty() {
        refuse("when", when, "leave it out, or write a policy for the worst case");
    }
    let required = policy.choice.requirements.iter().map(|requirement| (&requirement.metric, requirement.span));
    for (metric, span) in required.chain([(&policy.choice.goal.metric, policy.span)]) {
        if !metric.kind.is_measured() {
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
        TaskKind::Classify | TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Detect { .. } => {}
        TaskKind::Rank => refuse("`rank`", "use `regress`, and sort by its answer"),
    }
    found
}

fn not_yet(policy: &Policy, clause: &str, span: Span, help: &str) -> Diagnostic {
    let message = format!("`{clause}` of the policy `{}` is not carried out in this version", policy.name);
    let place = if span.is_empty() { policy.span } else { span };
    Diagnostic::new(Code::E0199, message).at(place, "").help(help)
}
