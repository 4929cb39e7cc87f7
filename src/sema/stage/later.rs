//! Stages that the language has and this version does not carry out: each is refused by its name.

use crate::sema::checker::Checker;
use crate::sema::findings::not_yet;
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    /// What comes out of it is not known, so nothing is said about the rest of the pipeline.
    pub(super) fn later_stage(&mut self, stage: &'a ast::Stage, flow: &mut Flow) {
        let (word, help) = word_and_help(&stage.kind);
        self.report(not_yet(format!("the stage `{word}`"), stage.span, help));
        flow.shape = Shape { live: flow.shape.live, sources: flow.shape.sources.clone(), ..Shape::open() };
    }
}

fn word_and_help(kind: &ast::StageKind) -> (&'static str, &'static str) {
    match kind {
        ast::StageKind::Resample(_) => ("resample", "use `window 1s { x = mean(x) }`"),
        ast::StageKind::Sort(_) => ("sort", "give the source a `lateness`, and windows bring rows into order"),
        ast::StageKind::Where(_)
        | ast::StageKind::Set(_)
        | ast::StageKind::Select(_)
        | ast::StageKind::Drop(_)
        | ast::StageKind::Rename(_)
        | ast::StageKind::Scan(_)
        | ast::StageKind::Window(_)
        | ast::StageKind::Union(_)
        | ast::StageKind::Fill(_)
        | ast::StageKind::Unnest(_)
        | ast::StageKind::Limit(_)
        | ast::StageKind::Sample(_)
        | ast::StageKind::Dedupe(_)
        | ast::StageKind::Throttle(_)
        | ast::StageKind::Apply(_)
        | ast::StageKind::Join(_)
        | ast::StageKind::Asof(_)
        | ast::StageKind::Lookup(_)
        | ast::StageKind::Summarize(_)
        | ast::StageKind::Top(_)
        | ast::StageKind::Predict(_) => ("stage", "remove it"),
    }
}
