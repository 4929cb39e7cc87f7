//! `transform smooth(s, k) = s | scan by k { … }`: each use is written out before anything is checked, with the arguments in
//! the places of the parameters. What a stage is called in the graph hangs on the names of the uses that it stands in, so a
//! stage that is added elsewhere, or another argument, makes no other stage of it.

mod message;
mod substitute;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::ir;
use crate::syntax::{STAGES, ast};

use super::checker::Checker;
use super::findings::Findings;
use super::index::{Index, Rows};

pub use message::read_as_stream;

/// So many stages one use may stand for, with the uses inside written out.
const STAGES_MAX: usize = 1_000;

/// By the place of the use.
#[derive(Debug, Default)]
pub struct Expansions(BTreeMap<Span, Vec<Part>>);

/// One stage of a use.
#[derive(Clone, Debug)]
pub struct Part {
    /// Outermost first; never empty.
    pub within: Vec<At>,
    pub stage: ast::Stage,
}

/// A use and where it stands.
#[derive(Clone, Debug)]
pub struct At {
    pub place: ir::Use,
    pub span: Span,
}

impl Expansions {
    /// None where the use does not fit; then there is a message.
    pub fn of(&self, span: Span) -> Option<&[Part]> {
        self.0.get(&span).map(Vec::as_slice)
    }
}

/// The stages of all uses in streams and sinks.
pub fn expand(file: &ast::File, index: &Index<'_>, findings: &mut Findings) -> Expansions {
    let mut expander = Expander { index, findings, open: Vec::new() };
    let mut all = BTreeMap::new();
    for declaration in &file.declarations {
        let pipe = match &declaration.kind {
            ast::DeclarationKind::Stream(it) => &it.pipe,
            ast::DeclarationKind::Sink(it) => &it.pipe,
            // What is wrong with the uses inside a transform is said where they are written out.
            _ => continue,
        };
        for (at, stage) in pipe.stages.iter().enumerate() {
            if let ast::StageKind::Apply(apply) = &stage.kind
                && let Some(parts) = expander.expand(apply, stage, nth(&pipe.stages, at), &[])
            {
                all.insert(stage.span, parts);
            }
        }
    }
    Expansions(all)
}

struct Expander<'i, 'f> {
    index: &'i Index<'i>,
    findings: &'f mut Findings,
    /// The transforms that are being written out, outermost first.
    open: Vec<(Name, Span)>,
}

impl Expander<'_, '_> {
    fn expand(&mut self, apply: &ast::Apply, stage: &ast::Stage, nth: u32, outer: &[At]) -> Option<Vec<Part>> {
        let name = &apply.transform;
        let (Rows::Transform(transform), _) = self.index.rows.get(&name.name)? else { return None };
        if self.open.iter().any(|(open, _)| *open == name.name) {
            self.findings.report(message::in_circle(name, &self.open));
            return None;
        }
        let given = message::bind(transform, apply, self.findings)?;
        let id = stage.id.as_ref().map(|id| id.name.clone());
        let place = ir::Use { transform: name.name.clone(), nth: if id.is_some() { 0 } else { nth }, id };
        let within: Vec<At> = outer.iter().cloned().chain([At { place, span: stage.span }]).collect();
        self.open.push((name.name.clone(), name.span));
        let said = self.findings.diagnostics.len();
        let parts = self.parts(transform, &given, &within).filter(|_| self.findings.diagnostics.len() == said);
        self.open.pop();
        if parts.as_ref().is_some_and(|parts| parts.len() > STAGES_MAX) {
            self.findings.report(message::too_many_stages(name, STAGES_MAX));
            return None;
        }
        parts
    }

    fn parts(&mut self, transform: &ast::Transform, given: &substitute::Given<'_>, within: &[At]) -> Option<Vec<Part>> {
        let stages = &transform.pipe.stages;
        let mut parts = Vec::new();
        for (at, stage) in stages.iter().enumerate() {
            let stage = given.stage(stage, self.findings);
            match &stage.kind {
                ast::StageKind::Apply(apply) => parts.extend(self.expand(apply, &stage, nth(stages, at), within)?),
                _ => parts.push(Part { within: within.to_vec(), stage }),
            }
            if parts.len() > STAGES_MAX {
                break;
            }
        }
        Some(parts)
    }
}

/// Which of the uses without an `id` of the same transform in one pipeline this is.
fn nth(stages: &[ast::Stage], at: usize) -> u32 {
    let name = |stage: &ast::Stage| match &stage.kind {
        ast::StageKind::Apply(apply) if stage.id.is_none() => Some(apply.transform.name.clone()),
        _ => None,
    };
    let own = name(&stages[at]);
    let before = stages[..at].iter().filter(|stage| own.is_some() && name(stage) == own).count();
    u32::try_from(before).unwrap_or(u32::MAX)
}

impl<'a> Checker<'a> {
    /// Its stages are checked at its uses, where it is known what flows in.
    pub(super) fn transform_declaration(&mut self, transform: &'a ast::Transform) {
        let ast::Transform { head, params, pipe } = transform;
        self.later_was(head.was.as_ref());
        if STAGES.contains(&head.name.name.as_str()) {
            self.report(message::called_like_a_stage(&head.name));
        }
        for (at, param) in params.iter().enumerate() {
            if let Some(before) = params[..at].iter().find(|before| before.name == param.name) {
                self.report(message::parameter_twice(param, before.span));
            }
        }
        if let Some(first) = params.first()
            && (pipe.input.name.name != first.name || pipe.input.output.is_some())
        {
            self.report(message::begins_elsewhere(&pipe.input, first));
        }
    }
}
