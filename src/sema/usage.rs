//! What is declared and never used.

use crate::base::{SourceId, Span};
use crate::diag::{Code, Diagnostic};

use super::checker::Checker;
use super::index::{Rows, Space};

impl Checker<'_> {
    /// Warns of streams and values that nothing reads. Where something is broken it might be what reads them, so then
    /// nothing is said.
    pub(super) fn warn_of_unused(&mut self) {
        let broken = self.findings.diagnostics.iter().any(Diagnostic::is_error) || !self.globals.index.broken.is_empty();
        if broken {
            return;
        }
        let index = &self.globals.index;
        let mut unused = Vec::new();
        for (name, (rows, _)) in &index.rows {
            if let Rows::Stream(stream) = rows
                && !self.findings.used.contains(&(Space::Rows, name.clone()))
            {
                unused.push(unused_stream(name, stream.head.name.span));
            }
        }
        for (name, (rows, _)) in &index.rows {
            let (kind, span) = match rows {
                Rows::Transform(transform) => ("transform", transform.head.name.span),
                Rows::Table(table) => ("table", table.head.name.span),
                Rows::Source(_) | Rows::Stream(_) | Rows::Sink(_) => continue,
            };
            if !self.findings.used.contains(&(Space::Rows, name.clone())) {
                unused.push(unused_value(kind, name, span));
            }
        }
        for (name, network) in &index.networks {
            if !self.findings.used.contains(&(Space::Network, name.clone())) {
                unused.push(unused_value("network", name, network.head.name.span));
            }
        }
        for (name, (param, _)) in &index.params {
            if !self.findings.used.contains(&(Space::Value, name.clone())) {
                unused.push(unused_value("param", name, param.head.name.span));
            }
        }
        for (name, value) in &index.lets {
            if !self.findings.used.contains(&(Space::Value, name.clone())) {
                unused.push(unused_value("value", name, value.head.name.span));
            }
        }
        unused.retain(|found| found.span().is_some_and(is_of_the_file_itself));
        self.findings.diagnostics.extend(unused);
    }
}

/// What another file brings is there for several, and not each of them reads all of it.
fn is_of_the_file_itself(span: Span) -> bool {
    span.source == SourceId::default()
}

/// W0201.
fn unused_stream(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::W0201, format!("nothing reads the stream `{name}`"))
        .at(span, "computed for nothing")
        .help("add a sink, such as `sink out = … | to stdout`, or remove it")
}

/// W0202.
fn unused_value(kind: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::W0202, format!("nothing uses the {kind} `{name}`")).at(span, "").help("use it, or remove it")
}
