//! `top n by E within D`, the best rows of each stretch of time, and `sort by K within D`, all of them in order.

use crate::base::{Duration, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Op, RankOp, RankRule, StageKind, Type};
use crate::sema::checker::Checker;
use crate::sema::columns;
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
            flow.push(StageKind::Top, Op::Rank(RankOp { rule: RankRule::Best { count, by: by.expr }, within }), stage);
        }
    }

    /// What rows are sorted by may be a measurement, and is no key of the pipeline.
    pub(super) fn sort_stage(&mut self, it: &'a ast::Sort, stage: &'a ast::Stage, flow: &mut Flow) {
        self.stage_needs_time("sort … within", stage.span, flow);
        self.keeps_clocks_apart(&[], None, stage, flow);
        let by = columns::keys(&it.by, &flow.shape, &mut self.findings);
        let within = self.positive_duration(&it.within, "the time of which rows are sorted");
        flow.shape.waits = Duration(flow.shape.waits.0.saturating_add(within.unwrap_or(Duration::ZERO).0));
        let (Some(by), Some(within)) = (by, within) else { return };
        let without = by.iter().filter_map(|name| flow.shape.get(name)).find(|column| !column.ty.has_order());
        if let Some(column) = without {
            let found = no_order(&column.name, &column.ty, it.by.span);
            return self.report(found);
        }
        flow.push(StageKind::Sort, Op::Rank(RankOp { rule: RankRule::Rising { by }, within }), stage);
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

/// E0303.
fn no_order(name: &str, ty: &Type, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("`{name}` is {}, and its values have no order", phrase(ty)))
        .at(span, "")
        .help("sort by a number, a time or a text")
}

/// E0309.
fn too_many_rows(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("a `top` keeps at most {TOP_ROWS_MAX} rows"))
        .at(span, "")
        .help("write a smaller number, or use `where` with a threshold")
}
