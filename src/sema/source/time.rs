//! `time`: how a row gets its event time.

use crate::base::Duration;
use crate::diag::{Code, Diagnostic};
use crate::ir::{ExprKind, Limits, TimeSpec, Type, Value};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::{Place, Typed, phrase};
use crate::sema::findings::not_yet;
use crate::sema::shape::{HIDDEN_TIME, Shape, hidden_time};
use crate::syntax::ast;

impl<'a> Checker<'a> {
    pub(super) fn time_clause(&mut self, clause: &'a ast::TimeClause, shape: &mut Shape) -> (TimeSpec, Limits) {
        let ast::TimeClause { basis, lateness, idle, ahead, span } = clause;
        let limits = Limits {
            lateness: lateness.as_ref().and_then(|expr| self.duration(expr, "the lateness")).unwrap_or(Duration::ZERO),
            idle: idle.as_ref().and_then(|expr| self.positive_duration(expr, "`idle`")),
            ahead: ahead.as_ref().and_then(|expr| self.duration(expr, "`ahead`")),
        };
        let spec = match basis {
            ast::TimeBasis::None => {
                if lateness.is_some() || idle.is_some() || ahead.is_some() {
                    self.report(limits_without_time(clause));
                }
                Some(TimeSpec::None)
            }
            ast::TimeBasis::Every { every, from, by } => {
                if let Some(by) = by {
                    self.report(not_yet(
                        "`time every … by`",
                        by.span,
                        "compute the time from a row number: `time @2026-01-01 + n * 1s by device`",
                    ));
                }
                let every = self.positive_duration(every, "the step of the time");
                let from = self.constant(from, &Type::Time, "the first instant");
                hide_time(shape, *span);
                shape.step = every;
                match (every, from) {
                    (Some(every), Some(Value::Time(from))) => Some(TimeSpec::Every { every, from }),
                    _ => None,
                }
            }
            ast::TimeBasis::At { time, by } => self.time_at(time, by.as_ref(), shape),
        };
        (spec.unwrap_or(TimeSpec::None), limits)
    }

    fn time_at(&mut self, time: &'a ast::Expr, by: Option<&ast::Keys>, shape: &mut Shape) -> Option<TimeSpec> {
        let by = by.map_or_else(|| Some(Vec::new()), |by| columns::keys(by, shape, &mut self.findings));
        let typed = self.typer(shape, Place::Row).expr(time);
        let typed = typed.and_then(|typed| self.instant(typed));
        // A mistake in `time` is no reason to doubt the windows below.
        let expr = match typed {
            Some(typed) => typed.expr,
            None => {
                hide_time(shape, time.span);
                return None;
            }
        };
        match &expr.kind {
            ExprKind::Column(name) => shape.schema.time = Some(name.clone()),
            _ => hide_time(shape, expr.span),
        }
        let by = by?;
        for key in &by {
            let id = shape.id_of(key).cloned();
            shape.keys.extend(id);
        }
        shape.schema.clock_by = by.clone();
        Some(TimeSpec::Column { expr, by })
    }

    fn instant(&mut self, typed: Typed) -> Option<Typed> {
        if *typed.ty() == Type::Time {
            return Some(typed);
        }
        self.report(no_instant(&typed));
        None
    }
}

fn hide_time(shape: &mut Shape, span: crate::base::Span) {
    shape.schema.columns.push(hidden_time(span));
    shape.schema.time = Some(HIDDEN_TIME.into());
}

/// E0407.
fn no_instant(typed: &Typed) -> Diagnostic {
    let out = Diagnostic::new(Code::E0407, format!("the time of a row is an instant, not {}", phrase(typed.ty())))
        .at(typed.span(), phrase(typed.ty()));
    match (typed.ty(), &typed.expr.kind) {
        (Type::Int | Type::Float(_), ExprKind::Column(name)) => {
            out.help(format!("count from an instant, such as `time @1970-01-01T00:00:00Z + {name} * 1ms`"))
        }
        (Type::Text, ExprKind::Column(name)) => out.help(format!("declare `{name}` as `time`")),
        _ => out.help("write a column of type `time`, or an instant and a duration"),
    }
}

/// E0402.
fn limits_without_time(clause: &ast::TimeClause) -> Diagnostic {
    Diagnostic::new(Code::E0402, "under `time none` no row is late, idle or ahead")
        .at(clause.span, "")
        .help("remove `lateness`, `idle` and `ahead`, or say when rows happen")
}
