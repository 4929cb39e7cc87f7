//! Clauses of a task that do not belong to its kind, or not to this version.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::sema::checker::Checker;
use crate::sema::findings::not_yet;
use crate::sema::index::Space;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    pub(super) fn later_clauses(&mut self, task: &'a ast::Task) {
        if let Some(labels) = &task.labels {
            self.findings.mark_used(Space::Rows, &labels.from.name.name);
            self.report(not_yet(
                "`labels from`",
                labels.span,
                "put the truth into a column of the rows, null while nobody knows it",
            ));
        }
    }

    pub(super) fn check_kind_clauses(&mut self, task: &'a ast::Task) {
        let is_detect = matches!(task.goal, ast::Goal::Detect);
        if let (Some(flag), false) = (&task.flag, is_detect) {
            self.report(foreign("flag", flag.span, "`detect anomalies`", "remove it"));
        }
        if let (Some(truth), false) = (&task.truth, is_detect) {
            self.report(foreign("truth", truth.span, "`detect anomalies`", "remove it: the target is the truth here"));
        }
        if let (Some(span), false) = (task.balance, matches!(task.goal, ast::Goal::Classify(_))) {
            self.report(foreign("balance", span, "`classify`", "remove it"));
        }
    }
}

/// E0507.
fn foreign(clause: &str, span: Span, owner: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::E0507, format!("`{clause}` belongs to {owner}")).at(span, "").help(help)
}
