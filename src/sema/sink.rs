//! Where rows and predictions go: `sink` and `serve`.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Schema, Serve};
use crate::syntax::ast;

use super::checker::Checker;
use super::connector::{Side, patterns};
use super::findings::unknown;
use super::pipe::Piped;
use super::shape::Shape;

impl<'a> Checker<'a> {
    pub(super) fn sink(&mut self, sink: &'a ast::Sink) {
        let ast::Sink { head, pipe, to } = sink;
        self.later_was(head.was.as_ref());
        let name = head.name.name.clone();
        let Piped { input, stages, shape } = self.pipe(&name, pipe);
        let connector = self.connector(to, Side::Sink, &name);
        if let Some(connector) = &connector {
            self.check_patterns(&patterns(connector), to.span, &shape);
        }
        let visible = Schema {
            columns: shape.schema.visible().cloned().collect(),
            time: shape.schema.time.clone().filter(|time| !time.starts_with('@')),
            clock_by: Vec::new(),
        };
        if let Some(connector) = connector {
            let sink = ir::Sink { name: name.clone(), input, stages, schema: visible, connector, span: head.name.span };
            self.program.sinks.insert(name, sink);
        }
    }

    fn check_patterns(&mut self, names: &[Name], span: Span, shape: &Shape) {
        for name in names {
            if shape.get(name).is_none() && !shape.is_silent_about(name) {
                let mut diagnostic = unknown("column", name, span, shape.names());
                diagnostic.code = Code::E0702;
                diagnostic.message = format!("`{{{name}}}` is filled from no column");
                diagnostic.fix = None;
                self.report(diagnostic);
            }
        }
    }

    pub(super) fn serve(&mut self, serve: &'a ast::Serve, span: Span) {
        let task = self.task(&serve.task);
        let connector = self.connector(&serve.at, Side::Serve, &serve.task.name);
        if let Some(before) = self.program.serves.get(&serve.task.name) {
            let before = before.span;
            self.report(served_twice(&serve.task, before));
            return;
        }
        if let (Some(task), Some(connector)) = (task, connector) {
            let accepts_features = serve.accepts_features.is_some();
            if task.sources.len() > 1 && !accepts_features {
                self.report(several_sources(&serve.task, &task.sources));
            }
            let serve = Serve { task: task.name.clone(), accepts_features, connector, span };
            self.program.serves.insert(task.name.clone(), serve);
        }
    }
}

/// E0509.
fn several_sources(task: &ast::Ident, sources: &BTreeSet<Name>) -> Diagnostic {
    let sources: Vec<String> = sources.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("a request carries rows of one source, and `{}` is made of {}", task.name, sources.join(" and "));
    Diagnostic::new(Code::E0509, message)
        .at(task.span, "")
        .help(format!("write `serve {} accepts features`, so that a request carries the features", task.name))
        .fix(task.span, format!("{} accepts features", task.name))
}

/// E0202.
fn served_twice(task: &ast::Ident, before: Span) -> Diagnostic {
    Diagnostic::new(Code::E0202, format!("the task `{}` is served twice", task.name))
        .at(task.span, "once more here")
        .at(before, "first here")
        .help("remove one of them")
}
