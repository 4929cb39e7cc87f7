//! Pipelines: what a stream, a sink or a task reads, and its stages one after the other.

use std::rc::Rc;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Column, Outlet, Read, Type};
use crate::syntax::ast;

use super::checker::Checker;
use super::findings::unknown;
use super::index::{Rows, Space};
use super::shape::{ColumnId, Shape};
use super::stage::Flow;

/// A pipeline that is understood.
pub(super) struct Piped {
    pub input: Read,
    pub stages: Vec<ir::Stage>,
    pub shape: Shape,
}

impl<'a> Checker<'a> {
    /// The rows of a source or stream, resolved at the first call.
    pub(super) fn rows(&mut self, ident: &ast::Ident) -> Rc<Shape> {
        if let Some(shape) = self.shapes.get(&ident.name) {
            return shape.clone();
        }
        if self.is_circular(Space::Rows, ident) {
            return Rc::new(Shape::open());
        }
        let Some((rows, span)) = self.globals.index.rows.get(&ident.name).copied() else {
            self.unknown_rows(ident);
            return Rc::new(Shape::open());
        };
        self.visiting.push((Space::Rows, ident.name.clone(), span_of(rows)));
        let shape = match rows {
            Rows::Source(source) => self.source(source, span),
            Rows::Stream(stream) => self.stream(stream),
            Rows::Sink(_) | Rows::Table(_) | Rows::Transform(_) => {
                self.report(not_readable(ident, rows));
                Shape::open()
            }
        };
        self.visiting.pop();
        let shape = Rc::new(shape);
        self.shapes.insert(ident.name.clone(), shape.clone());
        shape
    }

    fn stream(&mut self, stream: &'a ast::Stream) -> Shape {
        let ast::Stream { head, pipe } = stream;
        let name = head.name.name.clone();
        let Piped { input, stages, shape } = self.pipe(&name, pipe);
        let schema = shape.schema.clone();
        let was = head.was.as_ref().map(|was| was.name.clone());
        self.program.streams.insert(name.clone(), ir::Stream { name, was, input, stages, schema, span: head.name.span });
        shape
    }

    pub(super) fn pipe(&mut self, decl: &Name, pipe: &'a ast::Pipe) -> Piped {
        let (input, shape) = self.read(&pipe.input);
        let mut flow = Flow { decl: decl.clone(), shape, stages: Vec::new(), within: Vec::new() };
        for stage in &pipe.stages {
            self.stage(stage, &mut flow);
        }
        Piped { input, stages: flow.stages, shape: flow.shape }
    }

    /// What a pipeline begins with, and marks it as used.
    pub(super) fn read(&mut self, reference: &ast::StreamRef) -> (Read, Shape) {
        let ident = &reference.name;
        self.findings.mark_used(Space::Rows, &ident.name);
        let shape = self.rows(ident);
        let outlet = match &reference.output {
            None => Outlet::Rows,
            Some(output) if output.name == "bad" => Outlet::Bad,
            Some(output) if output.name == "late" => Outlet::Late,
            Some(output) => {
                self.report(unknown("outlet", &output.name, output.span, ["bad", "late"]));
                return (Read { from: ident.name.clone(), outlet: Outlet::Rows }, Shape::open());
            }
        };
        let shape = match outlet {
            Outlet::Rows => (*shape).clone(),
            Outlet::Bad => self.bad_rows(reference, &shape),
            Outlet::Late => self.late_rows(reference),
        };
        (Read { from: ident.name.clone(), outlet }, shape)
    }

    /// What could not be read: the reason, the raw text, and where it came from.
    fn bad_rows(&mut self, reference: &ast::StreamRef, of: &Shape) -> Shape {
        if of.open && !self.program.sources.contains_key(&reference.name.name) {
            return Shape::open();
        }
        if !self.program.sources.contains_key(&reference.name.name) {
            self.report(nothing_bad(reference));
            return Shape::open();
        }
        let mut shape = Shape { sources: of.sources.clone(), live: of.live, ..Shape::default() };
        for name in ["reason", "raw", "origin"] {
            let column = Column { name: name.into(), ty: Type::Text, nullable: name != "reason", span: reference.span };
            let id = ColumnId { decl: format!("{}.bad", reference.name.name).into(), stage: 0, name: name.into() };
            shape.add(column, id, &Default::default());
        }
        shape
    }

    /// What came too late for the first time window of a stream: the rows that flow into that.
    fn late_rows(&mut self, reference: &ast::StreamRef) -> Shape {
        let name = &reference.name.name;
        let Some(stream) = self.program.streams.get(name) else {
            if !self.shapes.get(name).is_some_and(|shape| shape.open) {
                self.report(nothing_late(reference));
            }
            return Shape::open();
        };
        let is_timed = |stage: &ir::Stage| match &stage.op {
            ir::Op::Window(window) => match window.shape {
                ir::WindowShape::Time { .. } | ir::WindowShape::Session { .. } | ir::WindowShape::Cumulative { .. } => true,
                ir::WindowShape::Rows { .. } | ir::WindowShape::Whole => false,
            },
            _ => false,
        };
        let Some(at) = stream.stages.iter().position(is_timed) else {
            self.report(nothing_late(reference));
            return Shape::open();
        };
        let schema = match at.checked_sub(1) {
            Some(before) => stream.stages[before].schema.clone(),
            None => self.schema_of(&stream.input.clone()),
        };
        let mut shape = Shape { schema: ir::Schema { columns: Vec::new(), ..schema.clone() }, ..Shape::default() };
        for column in schema.columns {
            let id = ColumnId { decl: format!("{name}.late").into(), stage: 0, name: column.name.clone() };
            shape.add(column, id, &Default::default());
        }
        shape
    }

    fn schema_of(&self, read: &Read) -> ir::Schema {
        self.shapes.get(&read.from).map(|shape| shape.schema.clone()).unwrap_or_default()
    }

    fn unknown_rows(&mut self, ident: &ast::Ident) {
        let index = &self.globals.index;
        if index.broken.contains(&ident.name) {
            return;
        }
        let mut diagnostic = unknown("source or stream", &ident.name, ident.span, index.readable());
        if index.tasks.contains_key(&ident.name) && diagnostic.fix.is_none() {
            diagnostic = diagnostic.help(format!("`{0}` is a task; its predictions are made by `| predict {0}`", ident.name));
        }
        self.report(diagnostic);
    }
}

fn span_of(rows: Rows<'_>) -> Span {
    match rows {
        Rows::Source(it) => it.head.name.span,
        Rows::Stream(it) => it.head.name.span,
        Rows::Sink(it) => it.head.name.span,
        Rows::Table(it) => it.head.name.span,
        Rows::Transform(it) => it.head.name.span,
    }
}

fn not_readable(ident: &ast::Ident, rows: Rows<'_>) -> Diagnostic {
    let name = &ident.name;
    match rows {
        Rows::Table(_) => Diagnostic::new(Code::E0313, format!("`{name}` is a table, from which no rows flow"))
            .at(ident.span, "")
            .help(format!("bring its columns to rows that do: `| lookup {name} on …`")),
        Rows::Transform(_) => super::transform::read_as_stream(ident),
        Rows::Sink(_) | Rows::Source(_) | Rows::Stream(_) => {
            Diagnostic::new(Code::E0201, format!("`{name}` is a sink, and nothing comes out of a sink"))
                .at(ident.span, "")
                .help("name the pipeline with `stream`, and let both read that")
        }
    }
}

/// E0408.
fn nothing_bad(reference: &ast::StreamRef) -> Diagnostic {
    let name = &reference.name.name;
    Diagnostic::new(Code::E0408, format!("`{name}` has no bad rows, since it is a stream"))
        .at(reference.span, "")
        .help("bad rows are what a source could not read: write the source's name before `.bad`")
}

/// E0408.
fn nothing_late(reference: &ast::StreamRef) -> Diagnostic {
    let name = &reference.name.name;
    Diagnostic::new(Code::E0408, format!("nothing can be late in `{name}`, since it has no window of time"))
        .at(reference.span, "")
        .help("rows are late only where a `window 10min …` has closed without them")
}
