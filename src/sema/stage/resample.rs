//! `resample every D by K fill …`: rows at equal steps of time.

use crate::base::{Duration, Name, Span, grouped};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Expr, ExprKind, Filling, Op, ResampleOp, StageKind};
use crate::sema::checker::Checker;
use crate::sema::shape::Lineage;
use crate::syntax::ast;

use super::Flow;

/// A gap is filled over so many steps where nothing is said.
const STEPS: i64 = 10;
/// So many rows may come of one gap.
const STEPS_MAX: i64 = 100_000;

impl<'a> Checker<'a> {
    /// All but times and keys may be null where nothing is there to fill with, and are other columns than those that came in.
    pub(super) fn resample_stage(&mut self, it: &'a ast::Resample, stage: &'a ast::Stage, flow: &mut Flow) {
        self.stage_needs_time("resample", stage.span, flow);
        let every = self.positive_duration(&it.every, "the step of a `resample`");
        let by = self.keys(it.by.as_ref(), stage, flow);
        let within = match &it.within {
            Some(within) => self.positive_duration(within, "the longest gap that is filled"),
            None => every.map(|every| Duration(every.0.saturating_mul(STEPS))),
        };
        let (Some(every), Some(by), Some(within)) = (every, by, within) else { return };
        let place = it.within.as_ref().map_or(stage.span, |within| within.span);
        if within < every {
            return self.report(shorter_than_a_step(place, within, every));
        }
        if within.0 / every.0 > STEPS_MAX {
            return self.report(too_many_steps(place, within.0 / every.0));
        }
        let fill = filling(it.fill);
        let filled = changed(flow, &by).into_iter();
        let made: Vec<(Column, Lineage)> = filled.filter_map(|(name, value)| flow.remade(&name, &value)).collect();
        made.into_iter().for_each(|(column, lineage)| flow.replace(column, lineage));
        if fill == Filling::Linear {
            flow.shape.waits = Duration(flow.shape.waits.0.saturating_add(within.0));
        }
        flow.push(StageKind::Resample, Op::Resample(ResampleOp { every, by, fill, within }), stage);
    }
}

/// The columns that are filled.
fn changed(flow: &Flow, by: &[Name]) -> Vec<(Name, Expr)> {
    let schema = &flow.shape.schema;
    let is_filled = |column: &&Column| Some(&column.name) != schema.time.as_ref() && !by.contains(&column.name);
    let value = |column: &Column| {
        let kind = ExprKind::Column(column.name.clone());
        (column.name.clone(), Expr { kind, ty: column.ty.clone(), nullable: true, span: column.span })
    };
    schema.columns.iter().filter(is_filled).map(value).collect()
}

fn filling(method: ast::FillMethod) -> Filling {
    match method {
        ast::FillMethod::Linear => Filling::Linear,
        ast::FillMethod::Last => Filling::Last,
        ast::FillMethod::Null => Filling::Null,
    }
}

/// E0409.
fn too_many_steps(span: Span, steps: i64) -> Diagnostic {
    Diagnostic::new(
        Code::E0409,
        format!(
            "one gap would be filled with {} rows, and at most {} are made",
            grouped(steps.unsigned_abs()),
            grouped(STEPS_MAX.unsigned_abs())
        ),
    )
    .at(span, "")
    .help("resample in longer steps, or fill shorter gaps: `within 10min`")
}

/// E0409.
fn shorter_than_a_step(span: Span, within: Duration, every: Duration) -> Diagnostic {
    Diagnostic::new(Code::E0409, format!("gaps of up to {within} are filled, and a step is already {every}"))
        .at(span, "")
        .help("fill gaps of several steps, or leave `within` out: ten steps")
}
