//! `hold_out` and `start`: which rows a model never sees, and which the first one sees.

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::ir::{HoldOut, Share, Start, Type};
use crate::sema::checker::Checker;
use crate::sema::expr::Place;
use crate::sema::shape::Shape;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    pub(super) fn hold_out(&mut self, hold_out: &'a ast::HoldOut, shape: &Shape) -> Option<HoldOut> {
        match &hold_out.kind {
            ast::HoldOutKind::Last(share) => {
                self.share(share, "the share to hold out").map(|share| HoldOut::Last(Share(share)))
            }
            ast::HoldOutKind::Where(condition) => {
                let typed = self.typer(shape, Place::Row).expr_as(condition, &Type::Bool, "`hold_out where`")?;
                Some(HoldOut::Where(typed.expr))
            }
        }
    }

    /// A group is whole on one side only where the condition looks at nothing else.
    pub(super) fn warn_of_divided_groups(&mut self, group: &Name, hold_out: &HoldOut, clause: &ast::HoldOut) {
        let keeps_groups = match hold_out {
            HoldOut::Last(_) => false,
            HoldOut::Where(condition) => condition.columns().iter().all(|column| column == group),
        };
        if !keeps_groups {
            self.report(divides_groups(group, clause));
        }
    }

    pub(super) fn start(&mut self, start: &'a ast::Start, shape: &Shape) -> Option<Start> {
        match &start.kind {
            ast::StartKind::Where(condition) => {
                let typed = self.typer(shape, Place::Row).expr_as(condition, &Type::Bool, "`start where`")?;
                Some(Start::Where(typed.expr))
            }
            ast::StartKind::First { rows, by } => {
                let rows = self.count(rows, 1, "the number of rows to start with");
                let by = self.task_keys(by.as_ref(), shape);
                Some(Start::First { rows: rows?, by })
            }
        }
    }
}

/// W0501.
fn divides_groups(group: &str, clause: &ast::HoldOut) -> Diagnostic {
    Diagnostic::new(Code::W0501, format!("this hold-out may divide a `{group}`, so the model has seen a part of it"))
        .at(clause.span, format!("does not look at `{group}` alone"))
        .help(format!("hold out whole groups, such as `hold_out where {group} in […]`"))
}
