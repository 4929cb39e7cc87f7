//! `top n by E within D`: the best rows of each stretch of time.

use crate::base::{Duration, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Op, StageKind, TopOp};
use crate::sema::checker::Checker;
use crate::sema::expr::{Place, Typed, phrase};
use crate::syntax::ast;

use super::Flow;

/// So many rows of one stretch of time a `top` keeps.
const TOP_ROWS_MAX: u64 = 10_000;

impl<'a> Checker<'a> {
    pub(super) fn top_stage(&mut self, it: &'a ast::Top, stage: &'a ast::Stage, flow: &mut Flow) {
        let ast::Top { count, by, within } = it;
        self.stage_needs_time("top … within", stage.span, flow);
        self.keeps_clocks_apart(&[], None, stage, flow);
        let rows = self.count(count, 1, "how many rows are kept");
        if rows.is_some_and(|rows| rows > TOP_ROWS_MAX) {
            self.report(too_many_rows(count.span));
        }
        let typed = self.typer(&flow.shape, Place::Row).expr(by).and_then(|typed| self.ranks(typed));
        let within = self.positive_duration(within, "the time of which the best rows are kept");
        flow.shape.waits = Duration(flow.shape.waits.0.saturating_add(within.unwrap_or(Duration::ZERO).0));
        if let (Some(count), Some(by), Some(within)) = (rows, typed, within) {
            flow.push(StageKind::Top, Op::Top(TopOp { count, by: by.expr, within }), stage);
        }
    }

    fn ranks(&mut self, typed: Typed) -> Option<Typed> {
        if typed.ty().is_number() {
            return Some(typed);
        }
        self.report(no_number(&typed));
        None
    }
}

/// E0303.
fn no_number(typed: &Typed) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("`top` ranks rows by a number, and this is {}", phrase(typed.ty())))
        .at(typed.span(), "")
        .help("name a column of numbers, or calculate one")
}

/// E0309.
fn too_many_rows(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("a `top` keeps at most {TOP_ROWS_MAX} rows"))
        .at(span, "")
        .help("write a smaller number, or use `where` with a threshold")
}
