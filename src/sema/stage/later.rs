//! Stages that the language has and this version does not carry out: each is refused by its name.

use crate::sema::checker::Checker;
use crate::sema::findings::{not_yet, unknown};
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    /// What comes out of it is not known, so nothing is said about the rest of the pipeline.
    pub(super) fn later_stage(&mut self, stage: &'a ast::Stage, flow: &mut Flow) {
        let (word, help) = word_and_help(&stage.kind);
        if let ast::StageKind::Apply(apply) = &stage.kind {
            let is_transform =
                matches!(self.globals.index.rows.get(&apply.transform.name), Some((crate::sema::index::Rows::Transform(_), _)));
            if !is_transform && !self.globals.index.broken.contains(&apply.transform.name) {
                let name = &apply.transform;
                self.report(unknown("stage or transform", &name.name, name.span, STAGES));
                flow.shape = Shape::open();
                return;
            }
        }
        self.report(not_yet(format!("the stage `{word}`"), stage.span, help));
        self.mark_others(&stage.kind);
        flow.shape = Shape { live: flow.shape.live, sources: flow.shape.sources.clone(), ..Shape::open() };
    }

    /// A stream that such a stage reads is not unused.
    fn mark_others(&mut self, kind: &'a ast::StageKind) {
        let other = match kind {
            ast::StageKind::Join(it) => Some(&it.other.name.name),
            ast::StageKind::Asof(it) => Some(&it.other.name.name),
            ast::StageKind::Lookup(it) => Some(&it.table.name),
            _ => None,
        };
        if let Some(name) = other {
            self.findings.mark_used(crate::sema::index::Space::Rows, name);
        }
    }
}

const STAGES: [&str; 10] = ["where", "set", "select", "drop", "rename", "scan", "window", "union", "predict", "to"];

fn word_and_help(kind: &ast::StageKind) -> (&'static str, &'static str) {
    match kind {
        ast::StageKind::Summarize(_) => ("summarize", "use `window`, or `cumulative(…)` in a `scan`"),
        ast::StageKind::Join(_) => ("join", "bring the streams together before mliot reads them"),
        ast::StageKind::Asof(_) => ("asof", "bring the streams together before mliot reads them"),
        ast::StageKind::Lookup(_) => ("lookup", "write the table as a `match`"),
        ast::StageKind::Resample(_) => ("resample", "use `window 1s { x = mean(x) }`"),
        ast::StageKind::Fill(_) => ("fill", "use `set { y = x else 0 }`"),
        ast::StageKind::Dedupe(_) => ("dedupe", "use `scan { again = not changed(x) }` and `where`"),
        ast::StageKind::Unnest(_) => ("unnest", "write one row for each value into the recording"),
        ast::StageKind::Sample(_) => ("sample", "use `where`"),
        ast::StageKind::Limit(_) => ("limit", "use `scan { n = cumulative(count(x)) }` and `where n <= 10`"),
        ast::StageKind::Throttle(_) => ("throttle", "use a `window` of time"),
        ast::StageKind::Sort(_) => ("sort", "give the source a `lateness`, and windows bring rows into order"),
        ast::StageKind::Top(_) => ("top", "use `where` with a threshold"),
        ast::StageKind::Apply(_) => ("transform", "write the stages of the transform out"),
        ast::StageKind::Where(_)
        | ast::StageKind::Set(_)
        | ast::StageKind::Select(_)
        | ast::StageKind::Drop(_)
        | ast::StageKind::Rename(_)
        | ast::StageKind::Scan(_)
        | ast::StageKind::Window(_)
        | ast::StageKind::Union(_)
        | ast::StageKind::Predict(_) => ("stage", "remove it"),
    }
}
