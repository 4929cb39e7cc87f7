//! `window SPEC by K { … }`: one row for each window and key.

use std::collections::BTreeSet;

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{AggregateCall, AggregateEntry, Column, Expr, Op, StageKind, Type, WindowOp, WindowShape};
use crate::sema::checker::Checker;
use crate::sema::expr::{Place, RowsOf, Typed};
use crate::sema::findings::not_yet;
use crate::sema::shape::{HIDDEN_TIME, Shape, hidden_time};
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    pub(super) fn window_stage(&mut self, it: &'a ast::Window, stage: &'a ast::Stage, flow: &mut Flow) {
        let ast::Window { spec, align, partial, by, entries } = it;
        let shape = self.window_shape(spec, flow);
        if let Some(align) = align {
            self.report(not_yet("`align`", align.span, "leave it out: windows then begin at whole steps of UTC"));
        }
        if let (Some(span), Some(shape)) = (partial, &shape)
            && !matches!(shape, WindowShape::Rows { .. })
        {
            self.report(partial_of_time(*span));
        }
        let keys = self.keys(by.as_ref(), stage, flow);
        let place = Place::Window { keys: keys.clone().unwrap_or_default(), rows: rows_of(shape.as_ref()) };
        let mut out = key_columns(keys.as_deref().unwrap_or_default(), &flow.shape);
        let entries = self.window_entries(entries, &place, &mut out, flow);
        let is_timed = matches!(shape, Some(WindowShape::Time { .. } | WindowShape::Session { .. }));
        let named: &[&str] = if is_timed { &["window_start", "window_end"] } else { &[] };
        self.window_time(named, &mut out, flow, stage.span);
        if let Some(shape) = &shape {
            out.waits = Duration(out.waits.0.saturating_add(length(shape).0));
        }
        let input = std::mem::replace(&mut flow.shape, out);
        match (shape, keys) {
            (Some(shape), Some(by)) => {
                let op = WindowOp { shape, partial: partial.is_some(), by, entries };
                flow.push(StageKind::Window, Op::Window(op), stage);
            }
            _ => flow.shape.open |= input.open,
        }
    }

    fn window_shape(&mut self, spec: &'a ast::WindowSpec, flow: &Flow) -> Option<WindowShape> {
        match &spec.kind {
            ast::WindowSpecKind::Time { length, every } => {
                self.needs_time(spec.span, flow);
                let size = self.positive_duration(length, "the length of a window");
                let step = every.as_ref().map_or(Some(size), |every| self.positive_duration(every, "`every`").map(Some));
                let (size, every) = (size?, step?.or(size)?);
                if every > size {
                    self.report(rows_between_windows(spec.span, &format!("{size}"), &format!("{every}")));
                }
                if parts(size, every) > WINDOW_PARTS_MAX {
                    self.report(too_many_parts(spec.span, parts(size, every)));
                }
                Some(WindowShape::Time { size, every })
            }
            ast::WindowSpecKind::Rows { count, every } => {
                let size = self.count(count, 1, "the length of a window");
                let step = every.as_ref().map_or(Some(size), |every| self.count(every, 1, "`every`").map(Some));
                let (size, every) = (size?, step?.or(size)?);
                if every > size {
                    self.report(rows_between_windows(spec.span, &format!("{size} rows"), &format!("{every} rows")));
                }
                Some(WindowShape::Rows { size, every })
            }
            ast::WindowSpecKind::Session { gap } => {
                self.needs_time(spec.span, flow);
                self.positive_duration(gap, "the gap of a session").map(|gap| WindowShape::Session { gap })
            }
            ast::WindowSpecKind::Whole => {
                if flow.shape.live {
                    let diagnostic = never_closes(spec.span, &flow.shape);
                    self.report(diagnostic);
                }
                Some(WindowShape::Whole)
            }
        }
    }

    fn needs_time(&mut self, span: Span, flow: &Flow) {
        if flow.shape.schema.time.is_none() && !flow.shape.open {
            self.report(no_time(span));
        }
    }

    pub(super) fn window_entries(
        &mut self,
        entries: &'a [ast::Entry],
        place: &Place,
        out: &mut Shape,
        flow: &Flow,
    ) -> Vec<AggregateEntry> {
        let mut made = Vec::new();
        for entry in entries {
            match entry {
                ast::Entry::Assign(assign) => {
                    self.later_was(assign.was.as_ref());
                    let mut typer = self.typer(&flow.shape, place.clone());
                    let typed = typer.expr(&assign.value);
                    let calls = std::mem::take(&mut typer.calls).aggregates;
                    self.window_entry(&assign.name, typed, calls, out, flow, &mut made);
                }
                ast::Entry::Across(across) => {
                    for column in self.across(across, &flow.shape) {
                        let mut typer = self.typer(&flow.shape, place.clone());
                        let typed = typer.call_on(column.column.clone(), column.function);
                        let calls = std::mem::take(&mut typer.calls).aggregates;
                        self.window_entry(&column.name, typed, calls, out, flow, &mut made);
                    }
                }
            }
        }
        made
    }

    fn window_entry(
        &mut self,
        name: &ast::Ident,
        typed: Option<Typed>,
        calls: Vec<AggregateCall>,
        out: &mut Shape,
        flow: &Flow,
        made: &mut Vec<AggregateEntry>,
    ) {
        if !self.is_free(name, out) {
            return;
        }
        let Some(value) = typed.and_then(|typed| self.settled(typed)) else {
            out.broken.insert(name.name.clone());
            return;
        };
        let from = columns_of(&value, &calls);
        let now = flow.shape.now_of(&from).collect::<BTreeSet<_>>();
        let column = Column { name: name.name.clone(), ty: value.ty.clone(), nullable: value.nullable, span: name.span };
        out.add(column, flow.id(&name.name), &BTreeSet::new());
        if let Some(lineage) = out.lineage.get_mut(&name.name) {
            lineage.now.extend(now);
        }
        made.push(AggregateEntry { name: name.name.clone(), calls, value, span: name.span });
    }

    /// Columns of these names, `window_end` the last, or the time of the window's last row, hidden.
    pub(super) fn window_time(&mut self, named: &[&str], out: &mut Shape, flow: &Flow, span: Span) {
        if named.is_empty() {
            if flow.shape.schema.time.is_some() {
                out.schema.columns.push(hidden_time(span));
                out.schema.time = Some(HIDDEN_TIME.into());
            }
            return;
        }
        for name in named.iter().copied() {
            let ident = ast::Ident { name: name.into(), span };
            if out.schema.get(name).is_some() {
                self.is_free(&ident, out);
                continue;
            }
            let id = flow.id(&ident.name);
            out.aside.insert(id.clone());
            out.add(Column { name: name.into(), ty: Type::Time, nullable: false, span }, id, &BTreeSet::new());
        }
        out.schema.time = Some("window_end".into());
    }
}

/// The shape that begins with the keys.
pub(super) fn key_columns(keys: &[Name], before: &Shape) -> Shape {
    let mut out = before.emptied();
    out.schema.time = None;
    for key in keys {
        out.schema.columns.extend(before.schema.get(key).cloned());
        if let Some(lineage) = before.lineage.get(key) {
            out.lineage.insert(key.clone(), lineage.clone());
        }
    }
    out
}

/// The columns of the rows that go into an entry, keys among them.
fn columns_of(value: &Expr, calls: &[AggregateCall]) -> BTreeSet<Name> {
    let parts = calls.iter().flat_map(|call| call.args.iter().chain(&call.filter));
    std::iter::once(value).chain(parts).flat_map(Expr::columns).collect()
}

fn rows_of(shape: Option<&WindowShape>) -> RowsOf {
    match shape {
        Some(WindowShape::Rows { size, .. }) => RowsOf::Known(*size),
        Some(WindowShape::Time { .. }) => RowsOf::Unknown("a window of time"),
        Some(WindowShape::Session { .. }) => RowsOf::Unknown("a session"),
        Some(WindowShape::Whole | WindowShape::Cumulative { .. }) => RowsOf::Unknown("a whole recording"),
        None => RowsOf::Broken,
    }
}

/// How long rows wait for the window to close.
fn length(shape: &WindowShape) -> Duration {
    match shape {
        WindowShape::Time { size, .. } => *size,
        WindowShape::Session { gap } => *gap,
        WindowShape::Cumulative { every } => *every,
        WindowShape::Rows { .. } | WindowShape::Whole => Duration::ZERO,
    }
}

/// Of so many parts, which neighbouring windows share, one window may be made.
const WINDOW_PARTS_MAX: i64 = 10_000;

/// How many parts one window has if each window and each step is a whole number of them.
fn parts(size: Duration, every: Duration) -> i64 {
    let (mut pane, mut rest) = (size.0, every.0);
    while rest != 0 {
        (pane, rest) = (rest, pane % rest);
    }
    size.0 / pane
}

/// E0406.
fn too_many_parts(span: Span, parts: i64) -> Diagnostic {
    Diagnostic::new(Code::E0406, format!("this window would be made of {parts} parts, and at most {WINDOW_PARTS_MAX} are kept"))
        .at(span, "")
        .help("let `every` be a larger part of the window's length, such as a tenth of it")
}

/// E0402.
fn no_time(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0402, "a window of time needs to know when each row happened")
        .at(span, "these rows have no time")
        .help("count rows instead, such as `window 100 rows`, or give the source a `time`")
}

/// E0403.
fn never_closes(span: Span, shape: &Shape) -> Diagnostic {
    let sources: Vec<String> = shape.sources.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::new(Code::E0403, "`window whole` closes when the recording ends, and these rows also come in live")
        .at(span, format!("reads {}, which has `live` or `keep`", sources.join(", ")))
        .help("use a window of time or of rows")
}

/// E0406.
fn rows_between_windows(span: Span, size: &str, every: &str) -> Diagnostic {
    Diagnostic::new(Code::E0406, "between these windows rows would be in none of them")
        .at(span, format!("{size} long, a new one every {every}"))
        .help(format!("let `every` be at most {size}"))
}

/// E0406.
fn partial_of_time(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0406, "`partial` belongs to windows of rows")
        .at(span, "")
        .help("remove it: a window of time closes with whatever rows it has")
        .fix(span, "")
}
