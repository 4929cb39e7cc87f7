//! `limit`, `sample`, `dedupe`, `throttle`: stages that let some rows pass and change none.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{KeepOp, KeepRule, Op, StageKind};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::syntax::ast;

use super::Flow;

/// So many rows of one key a `throttle` lets through in its time: it remembers when each of them passed.
const THROTTLE_ROWS_MAX: u64 = 10_000;

impl<'a> Checker<'a> {
    pub(super) fn limit_stage(&mut self, it: &'a ast::Limit, stage: &'a ast::Stage, flow: &mut Flow) {
        if let Some(rows) = self.count(&it.count, 1, "the limit") {
            flow.push(StageKind::Limit, keep(vec![], KeepRule::First { rows }), stage);
        }
    }

    pub(super) fn sample_stage(&mut self, it: &'a ast::Sample, stage: &'a ast::Stage, flow: &mut Flow) {
        match self.share(&it.share, "the share of a sample") {
            Some(share) if share > 0.0 => flow.push(StageKind::Sample, keep(vec![], KeepRule::Share { share }), stage),
            Some(_) => self.report(empty_sample(it.share.span)),
            None => {}
        }
    }

    /// Its keys are what makes rows alike, and so may be measurements: they are no keys of the pipeline.
    pub(super) fn dedupe_stage(&mut self, it: &'a ast::Dedupe, stage: &'a ast::Stage, flow: &mut Flow) {
        self.stage_needs_time("dedupe … within", stage.span, flow);
        let by = columns::keys(&it.by, &flow.shape, &mut self.findings);
        let within = self.positive_duration(&it.within, "how long `dedupe` looks back");
        let (Some(by), Some(within)) = (by, within) else { return };
        self.keeps_clocks_apart(&by, Some(&it.by), stage, flow);
        flow.push(StageKind::Dedupe, keep(by, KeepRule::Once { within }), stage);
    }

    pub(super) fn throttle_stage(&mut self, it: &'a ast::Throttle, stage: &'a ast::Stage, flow: &mut Flow) {
        self.stage_needs_time("throttle", stage.span, flow);
        let rows = self.count(&it.count, 1, "the number of rows that pass");
        let per = self.positive_duration(&it.per, "the time of a `throttle`");
        let by = self.keys(it.by.as_ref(), stage, flow);
        let (Some(rows), Some(per), Some(by)) = (rows, per, by) else { return };
        if rows > THROTTLE_ROWS_MAX {
            self.report(too_many_rows(it.count.span));
        }
        flow.push(StageKind::Throttle, keep(by, KeepRule::Rate { rows, per }), stage);
    }

    /// E0402 where the rows have no time.
    pub(super) fn stage_needs_time(&mut self, word: &str, span: Span, flow: &Flow) {
        if flow.shape.schema.time.is_none() && !flow.shape.open {
            self.report(no_time(word, span));
        }
    }
}

fn keep(by: Vec<crate::base::Name>, rule: KeepRule) -> Op {
    Op::Keep(KeepOp { by, rule })
}

/// E0402.
fn no_time(word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0402, format!("`{word}` needs to know when each row happened"))
        .at(span, "these rows have no time")
        .help("give the source a `time`, such as `time at` or `time every 1s from @2026-01-01T00:00:00Z`")
}

/// E0309.
fn empty_sample(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "a sample of nothing lets no row through")
        .at(span, "")
        .help("write a share above 0%, or remove what reads these rows")
}

/// E0309.
fn too_many_rows(span: Span) -> Diagnostic {
    let message = format!("a `throttle` lets at most {THROTTLE_ROWS_MAX} rows of a key through in its time");
    Diagnostic::new(Code::E0309, message).at(span, "").help("write a smaller number over a shorter time")
}
