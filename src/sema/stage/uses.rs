//! `smooth(device)`: the stages that a use of a transform stands for, as if they stood here.

use crate::diag::{Code, Diagnostic};
use crate::sema::checker::Checker;
use crate::sema::findings::unknown;
use crate::sema::index::{Rows, Space};
use crate::sema::shape::Shape;
use crate::syntax::STAGES;
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    /// Where a use does not fit its transform there is a message already, and nothing is known of what comes out.
    pub(super) fn apply_stage(&mut self, it: &'a ast::Apply, stage: &'a ast::Stage, flow: &mut Flow) {
        self.findings.mark_used(Space::Rows, &it.transform.name);
        if !self.is_transform(&it.transform) {
            flow.shape = Shape::open();
            return;
        }
        if let Some(on_change) = &stage.on_change {
            self.report(on_change_of_a_use(on_change.span));
        }
        let globals = self.globals;
        let Some(expanded) = globals.expansions.of(stage.span) else {
            flow.shape = Shape::open();
            return;
        };
        for part in expanded {
            flow.within = part.within.iter().map(|at| at.place.clone()).collect();
            self.findings.within = part.within.iter().map(|at| (at.place.transform.clone(), at.span)).collect();
            self.stage(&part.stage, flow);
        }
        flow.within.clear();
        self.findings.within.clear();
    }

    fn is_transform(&mut self, name: &ast::Ident) -> bool {
        let index = &self.globals.index;
        if matches!(index.rows.get(&name.name), Some((Rows::Transform(_), _))) {
            return true;
        }
        if !index.broken.contains(&name.name) {
            let transforms = index.rows.iter().filter(|(_, (rows, _))| matches!(rows, Rows::Transform(_)));
            let known: Vec<&str> = STAGES.into_iter().chain(transforms.map(|(name, _)| name.as_str())).collect();
            self.report(unknown("stage or transform", &name.name, name.span, known));
        }
        false
    }
}

/// E0208.
fn on_change_of_a_use(span: crate::base::Span) -> Diagnostic {
    Diagnostic::new(Code::E0208, "a use of a transform remembers nothing by itself")
        .at(span, "")
        .help("write `on change …` behind the stage inside the transform")
}
