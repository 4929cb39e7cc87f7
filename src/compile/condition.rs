//! A condition that somebody types beside the file, as a `where` at some place of it would take it.
//!
//! It is checked as a stage of a stream that no file can declare, so units, params, `let`s and messages are those of the file.

use std::path::Path;

use crate::base::{SourceId, Sources, Span};
use crate::diag::{Code, Diagnostic, Label, TextEdit};
use crate::ir;
use crate::plan::{Input, Label as StageLabel, NodeKey, Slot};
use crate::syntax::{self, ast};

use super::gather::{World, gather};

/// What stands before the condition, so that it reads as mliot.
const BEFORE: &str = "stream shown = shown | where ";
/// No file can declare this name.
const SHOWN: &str = "@shown";
/// How messages name the text of the condition.
const CALLED: &str = "--where";

/// The condition over the rows that pass `place` in the file at `path`, whose text and what it uses come from `world`.
///
/// # Errors
/// Everything that is wrong with it, in texts of which the condition's own is called `--where`.
pub fn condition(
    path: &Path,
    world: &dyn World,
    set: &[(String, String)],
    place: &Input,
    text: &str,
) -> Result<ir::Expr, (Vec<Diagnostic>, Sources)> {
    let gathered = gather(path, world);
    let (mut file, mut sources) = (gathered.file, gathered.sources);
    // One line, so that no line of it can begin a declaration.
    let text = text.replace(['\n', '\r'], " ");
    let id = sources.add(CALLED, &format!("{BEFORE}{text}\n"));
    let shown =
        |wrong: Vec<Diagnostic>| (wrong.into_iter().map(|found| shifted(found, id)).collect(), as_typed(&sources, &text));
    let stage = stage(id, sources.get(id).text.clone().as_ref()).map_err(&shown)?;
    let Some(pipe) = pipe_at(&file, &sources, place, stage) else { return Err(shown(vec![nothing_there(place)])) };
    let span = pipe.span;
    let head = ast::Head { name: ast::Ident { name: SHOWN.into(), span }, was: None };
    let kind = ast::DeclarationKind::Stream(ast::Stream { head, pipe });
    file.declarations.push(ast::Declaration { doc: None, kind, span });
    let (program, found) = super::check(&file, &sources, world, set);
    let stages = program.streams.get(SHOWN).map(|stream| stream.stages.as_slice()).unwrap_or_default();
    match stages.last().map(|stage| (&stage.op, stage.span.source)) {
        Some((ir::Op::Where { predicate }, of)) if of == id => Ok(predicate.clone()),
        Some(_) | None => Err(shown(found.into_iter().filter(|found| found.is_error() && is_in(found, id)).collect())),
    }
}

/// The one stage that the condition is.
fn stage(id: SourceId, line: &str) -> Result<ast::Stage, Vec<Diagnostic>> {
    let (mut file, wrong) = syntax::parse(id, line);
    let wrong: Vec<Diagnostic> = wrong.into_iter().filter(Diagnostic::is_error).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let pipe = match file.declarations.pop().map(|declaration| declaration.kind) {
        Some(ast::DeclarationKind::Stream(stream)) => stream.pipe,
        Some(_) | None => return Err(vec![no_condition(Span::new(id, BEFORE.len(), line.trim_end().len()))]),
    };
    let mut stages = pipe.stages;
    match (stages.pop(), stages.pop()) {
        (Some(stage), None) if matches!(stage.kind, ast::StageKind::Where(_)) => Ok(stage),
        (last, _) => {
            let span = last.map_or(pipe.span, |stage| stage.span);
            Err(vec![no_condition(span)])
        }
    }
}

/// The pipeline up to the place, and the condition after it. None if the file has no such place.
fn pipe_at(file: &ast::File, sources: &Sources, place: &Input, stage: ast::Stage) -> Option<ast::Pipe> {
    let span = stage.span;
    let name = |text: &str| ast::Ident { name: text.into(), span };
    let Input { node: NodeKey { decl, slot, owner: _ }, outlet } = place;
    let reads = |output: Option<&str>| ast::StreamRef { name: name(decl), output: output.map(name), span };
    let whole = |output: Option<&str>, stage| Some(ast::Pipe { input: reads(output), stages: vec![stage], span });
    match (slot, outlet) {
        (_, ir::Outlet::Bad) => whole(Some("bad"), stage),
        (_, ir::Outlet::Late) => whole(Some("late"), stage),
        (Slot::Connection | Slot::Decode | Slot::Gate | Slot::Keep, ir::Outlet::Rows) => whole(None, stage),
        (Slot::Stage { kind, label }, ir::Outlet::Rows) => {
            let pipe = declared(file, decl)?;
            let at = nth_stage(pipe, sources, kind.word(), label)?;
            let stages = pipe.stages[..=at].iter().cloned().chain([stage]).collect();
            Some(ast::Pipe { input: pipe.input.clone(), stages, span })
        }
        (Slot::Accept, ir::Outlet::Rows) => {
            let pipe = declared(file, decl)?;
            let stages = pipe.stages.iter().cloned().chain([stage]).collect();
            Some(ast::Pipe { input: pipe.input.clone(), stages, span })
        }
        (Slot::Task | Slot::Serve, ir::Outlet::Rows) => None,
    }
}

fn declared<'a>(file: &'a ast::File, name: &str) -> Option<&'a ast::Pipe> {
    file.declarations.iter().find_map(|declaration| match &declaration.kind {
        ast::DeclarationKind::Stream(stream) if stream.head.name.name == name => Some(&stream.pipe),
        ast::DeclarationKind::Sink(sink) if sink.head.name.name == name => Some(&sink.pipe),
        _ => None,
    })
}

/// Stages are counted as their identities are: among those of their kind that have no name of their own.
fn nth_stage(pipe: &ast::Pipe, sources: &Sources, word: &str, label: &StageLabel) -> Option<usize> {
    let first = |stage: &ast::Stage| sources.text(stage.span).trim_start_matches(['|', ' ']).starts_with(word);
    let mut alike = pipe.stages.iter().enumerate().filter(|(_, stage)| first(stage));
    let found = match label {
        StageLabel::Id(id) => alike.find(|(_, stage)| stage.id.as_ref().is_some_and(|own| own.name == *id)),
        StageLabel::Nth(nth) => alike.filter(|(_, stage)| stage.id.is_none()).nth(*nth as usize),
        // Inside a transform, whose stages do not stand in the pipeline.
        StageLabel::Within { .. } => None,
    };
    found.map(|(at, _)| at)
}

fn is_in(found: &Diagnostic, id: SourceId) -> bool {
    found.labels.iter().any(|label| label.span.source == id)
}

/// The texts with the condition as it was typed.
fn as_typed(sources: &Sources, text: &str) -> Sources {
    let mut out = Sources::default();
    let known = sources.iter().take(sources.iter().count().saturating_sub(1));
    known.for_each(|source| _ = out.add(&source.name, &source.text));
    out.add(CALLED, text);
    out
}

/// Its places, counted without what stands before the condition.
fn shifted(found: Diagnostic, id: SourceId) -> Diagnostic {
    let shift = |span: Span| match span.source == id {
        true => Span {
            start: span.start.saturating_sub(BEFORE.len() as u32),
            end: span.end.saturating_sub(BEFORE.len() as u32),
            ..span
        },
        false => span,
    };
    let labels = found.labels.into_iter().map(|Label { span, text }| Label { span: shift(span), text }).collect();
    let fix = found.fix.map(|TextEdit { span, text }| TextEdit { span: shift(span), text });
    Diagnostic { labels, fix, ..found }
}

/// E0303.
fn no_condition(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, "one condition is needed here").at(span, "").help("write it as after `where`: co2 > 800ppm")
}

/// E0201.
fn nothing_there(place: &Input) -> Diagnostic {
    Diagnostic::new(Code::E0201, format!("the rows of `{}` cannot be asked for by a condition", place.node))
        .help("ask at a source, a stream, one of its stages, or a sink")
}
