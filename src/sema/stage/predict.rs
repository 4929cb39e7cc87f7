//! `predict TASK as NAME`: adds what a task's champion says of each row.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Op, PredictOp, StageKind, TaskKind, Type};
use crate::sema::checker::Checker;
use crate::sema::findings::not_yet;
use crate::sema::shape::Shape;
use crate::sema::task::TaskShape;
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    pub(super) fn predict_stage(&mut self, it: &'a ast::Predict, stage: &'a ast::Stage, flow: &mut Flow) {
        if let Some(span) = it.probabilities {
            self.report(not_yet("`with probabilities`", span, "use `NAME_confidence`, the probability of the answer"));
        }
        for predicted in &it.tasks {
            let before = flow.stages.len();
            self.predict(predicted, stage, flow);
            // Several stages of one line need identities of their own.
            if let (Some(id), true) = (&stage.id, it.tasks.len() > 1) {
                let ids = flow.stages[before..].iter_mut();
                ids.for_each(|made| made.id = Some(format!("{}_{}", id.name, predicted.task.name).into()));
            }
        }
    }

    fn predict(&mut self, predicted: &'a ast::Predicted, stage: &'a ast::Stage, flow: &mut Flow) {
        let name = predicted.alias.as_ref().unwrap_or(&predicted.task);
        let Some(task) = self.task(&predicted.task) else {
            let made = ["", "_confidence", "_score", "_version", "_for"].map(|suffix| format!("{}{suffix}", name.name).into());
            flow.shape.broken.extend(made);
            return;
        };
        let is_carried = self.carries_features(&task, predicted, &flow.shape);
        let inputs: BTreeSet<Name> = task.door.iter().map(|(column, _)| column.name.clone()).collect();
        let now: BTreeSet<_> = flow.shape.now_of(&inputs).collect();
        let mut fits = is_carried;
        for (suffix, ty, is_aside) in added(&task) {
            let ident = ast::Ident { name: format!("{}{suffix}", name.name).into(), span: name.span };
            if !self.is_free(&ident, &flow.shape) {
                fits = false;
                continue;
            }
            let id = flow.id(&ident.name);
            if is_aside {
                flow.shape.aside.insert(id.clone());
            }
            flow.shape.predicted.insert(id.clone(), task.name.clone());
            let column = Column { name: ident.name.clone(), ty, nullable: true, span: name.span };
            flow.shape.add(column, id, &BTreeSet::new());
            if let Some(lineage) = flow.shape.lineage.get_mut(&ident.name) {
                lineage.now.extend(now.iter().cloned());
            }
        }
        if fits {
            let features = task.door.iter().map(|(column, _)| column.name.clone()).collect();
            let (ahead, every) = match task.kind {
                TaskKind::Forecast { ahead, every } => (Some(ahead), every),
                TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => (None, None),
            };
            let (of, name) = (task.name.clone(), name.name.clone());
            let op = PredictOp { task: of, name, features, probabilities: false, ahead, every };
            flow.push(StageKind::Predict, Op::Predict(op), stage);
        }
    }

    /// The stream has every feature as the task's own stream has it.
    fn carries_features(&mut self, task: &TaskShape, predicted: &ast::Predicted, shape: &Shape) -> bool {
        if shape.open {
            return false;
        }
        let mut carried = true;
        for (column, id) in &task.door {
            match shape.get(&column.name) {
                Some(_) if shape.id_of(&column.name) == Some(id) => {}
                Some(other) => {
                    let diagnostic = redefined(predicted, task, &column.name, other.span, column.span);
                    self.report(diagnostic);
                    carried = false;
                }
                None if shape.is_silent_about(&column.name) => carried = false,
                None => {
                    self.report(missing(predicted, task, &column.name, column.span));
                    carried = false;
                }
            }
        }
        carried
    }
}

/// Suffix, type, and whether it stands aside from default features.
fn added(task: &TaskShape) -> Vec<(&'static str, Type, bool)> {
    let version = ("_version", Type::Text, true);
    match task.kind {
        TaskKind::Classify => vec![("", task.target.clone(), false), ("_confidence", Type::NUMBER(), false), version],
        TaskKind::Regress => vec![("", task.target.clone(), false), version],
        TaskKind::Forecast { every, .. } => {
            let time = if every.is_some() { Type::List(Box::new(Type::Time)) } else { Type::Time };
            vec![("", task.target.clone(), false), ("_for", time, true), version]
        }
        TaskKind::Detect { .. } => vec![("", Type::Bool, false), ("_score", Type::NUMBER(), false), version],
        TaskKind::Rank => vec![("", task.target.clone(), false), ("_score", Type::NUMBER(), false), version],
    }
}

/// E0504.
fn missing(predicted: &ast::Predicted, task: &TaskShape, feature: &str, made: Span) -> Diagnostic {
    Diagnostic::new(Code::E0504, format!("`{}` needs the feature `{feature}`, which these rows do not have", task.name))
        .at(predicted.task.span, "predicted here")
        .at(made, "the feature that it learns from")
        .help(format!(
            "predict on `{0}`, from which it learns, or on a stream that goes on from `{0}` and keeps its features",
            task.from
        ))
}

/// E0504.
fn redefined(predicted: &ast::Predicted, task: &TaskShape, feature: &str, here: Span, there: Span) -> Diagnostic {
    Diagnostic::new(Code::E0504, format!("`{feature}` is not the column here that `{}` learns from", task.name))
        .at(predicted.task.span, "predicted here")
        .at(here, "what it would get")
        .at(there, "what it learns from")
        .help(format!("predict on a stream that goes on from `{}`, so that training and serving use one definition", task.from))
}
