//! Declarations: their first words, and those that are short.

use crate::base::Span;
use crate::syntax::ast::{
    Connector, Declaration, DeclarationKind, Head, Ident, Let, Network, NetworkInput, Param, Serve, Sink, Stream, Transform,
    Use, Used,
};
use crate::syntax::ast::{Layer, LayerKind};

use super::Formatter;
use super::doc::{Doc, all, group, indent, text};

impl Formatter<'_> {
    pub fn used(&mut self, used: &Use) -> Doc {
        match &used.what {
            Used::File(path) => text(format!("use {}", self.source(path.span))),
            Used::Module(parts) => text(format!("use {}", self.dotted(parts))),
        }
    }

    pub fn dotted(&self, parts: &[Ident]) -> String {
        parts.iter().map(|part| self.name(part)).collect::<Vec<_>>().join(".")
    }

    pub fn declaration(&mut self, declaration: &Declaration) -> Doc {
        let span = declaration.span;
        match &declaration.kind {
            DeclarationKind::Param(it) => self.param(it),
            DeclarationKind::Let(it) => self.let_value(it),
            DeclarationKind::Source(it) => self.source_declaration(it, span),
            DeclarationKind::Stream(it) => self.stream(it),
            DeclarationKind::Transform(it) => self.transform(it),
            DeclarationKind::Table(it) => self.table(it, span),
            DeclarationKind::Network(it) => self.network(it),
            DeclarationKind::Task(it) => self.task(it, span),
            DeclarationKind::Policy(it) => self.policy(it, span),
            DeclarationKind::Sink(it) => self.sink(it),
            DeclarationKind::Serve(it) => self.serve(it),
            DeclarationKind::Test(it) => self.test(it, span),
            DeclarationKind::Function(it) => self.function(it, span),
            DeclarationKind::Unit(it) => self.unit(it, span),
        }
    }

    pub fn was(&self, was: Option<&Ident>) -> String {
        was.map(|old| format!(" (was {})", self.name(old))).unwrap_or_default()
    }

    pub fn head(&self, head: &Head) -> String {
        format!("{}{}", self.name(&head.name), self.was(head.was.as_ref()))
    }

    fn param(&mut self, param: &Param) -> Doc {
        let head = format!("param {}: {} = ", self.head(&param.head), self.type_name(&param.ty));
        all([text(head), self.expr(&param.default)])
    }

    fn let_value(&mut self, it: &Let) -> Doc {
        let params = it.params.as_ref().map(|params| format!("({})", self.names(params))).unwrap_or_default();
        all([text(format!("let {}{params} = ", self.head(&it.head))), self.expr(&it.value)])
    }

    fn stream(&mut self, stream: &Stream) -> Doc {
        let head = format!("stream {} = ", self.head(&stream.head));
        all([text(head), self.pipe(&stream.pipe, None)])
    }

    fn sink(&mut self, sink: &Sink) -> Doc {
        let head = format!("sink {} = ", self.head(&sink.head));
        all([text(head), self.pipe(&sink.pipe, Some(&sink.to))])
    }

    fn serve(&mut self, serve: &Serve) -> Doc {
        let features = if serve.accepts_features.is_some() { " accepts features" } else { "" };
        let head = format!("serve {}{features} at ", self.name(&serve.task));
        all([text(head), self.connector(&serve.at)])
    }

    fn transform(&mut self, transform: &Transform) -> Doc {
        let head = format!("transform {}({}) = ", self.head(&transform.head), self.names(&transform.params));
        all([text(head), self.pipe(&transform.pipe, None)])
    }

    pub fn connector(&mut self, connector: &Connector) -> Doc {
        let name = text(self.name(&connector.name));
        if connector.args.is_empty() && !self.source(connector.span).ends_with(')') {
            return name;
        }
        all([name, self.args(&connector.args, connector.span)])
    }

    fn network(&mut self, network: &Network) -> Doc {
        let params: Vec<String> =
            network.params.iter().map(|param| format!("{}: {}", self.name(&param.name), self.type_name(&param.ty))).collect();
        let head = format!("network {}({}) = ", self.head(&network.head), params.join(", "));
        let input = match &network.input {
            NetworkInput::Param(name) => self.name(name),
            NetworkInput::Concat { params, .. } => format!("concat({})", self.names(params)),
        };
        let mut layers = Vec::new();
        for (nth, layer) in network.layers.iter().enumerate() {
            let lead = self.piped(layer.span);
            layers.extend([Doc::Line, lead, text("| "), self.layer(layer)]);
            let last = nth + 1 == network.layers.len();
            layers.extend((!last).then(|| self.comments.behind(layer.span.end as usize)));
        }
        group(all([text(head), text(input), indent(2, all(layers))]))
    }

    fn layer(&mut self, layer: &Layer) -> Doc {
        match &layer.kind {
            LayerKind::Plain { name, args } if args.is_empty() && !self.source(layer.span).ends_with(')') => {
                text(self.name(name))
            }
            LayerKind::Plain { name, args } => all([text(self.name(name)), self.args(args, layer.span)]),
            LayerKind::Skip(layers) => self.skip(layers),
        }
    }

    fn skip(&mut self, layers: &[Layer]) -> Doc {
        let mut parts = vec![text("skip("), Doc::Soft];
        for (nth, layer) in layers.iter().enumerate() {
            parts.extend((nth > 0).then(|| all([Doc::Line, text("| ")])));
            parts.push(self.layer(layer));
        }
        group(all([indent(2, all(parts)), Doc::Soft, text(")")]))
    }

    /// Comments before a stage or layer; it stands behind its `|`.
    pub fn piped(&mut self, span: Span) -> Doc {
        let bar = self.text[..span.start as usize].rfind('|').unwrap_or(span.start as usize);
        self.comments.before(bar, true)
    }
}
