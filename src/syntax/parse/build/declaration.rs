//! One declaration, and what all bodies have in common.

use crate::syntax::ast::{Connector, Declaration, DeclarationKind, Let, Param, Serve, Sink, Stream, Transform, Use, Used};

use super::super::docs::doc_before;
use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::words::Place;
use super::super::wrong;
use super::{Builder, What};

impl Builder<'_> {
    pub fn declaration(&mut self, node: Node<'_>) -> What {
        let span = self.span(&node);
        let doc = doc_before(self.placed.file, span);
        if node.rule() == Rule::use_file {
            return What::Use(Use { doc, what: self.used(&node), span });
        }
        let kind = self.declaration_kind(&node);
        match self.broken {
            true => What::Broken(kind.name().cloned()),
            false => What::Declaration(Box::new(Declaration { doc, kind, span })),
        }
    }

    fn declaration_kind(&mut self, node: &Node<'_>) -> DeclarationKind {
        match node.rule() {
            Rule::param => DeclarationKind::Param(self.param(node)),
            Rule::let_value => DeclarationKind::Let(self.let_value(node)),
            Rule::source => DeclarationKind::Source(self.source(node)),
            Rule::stream => DeclarationKind::Stream(self.stream(node)),
            Rule::transform => DeclarationKind::Transform(self.transform(node)),
            Rule::table => DeclarationKind::Table(self.table(node)),
            Rule::network => DeclarationKind::Network(self.network(node)),
            Rule::task => DeclarationKind::Task(self.task(node)),
            Rule::policy => DeclarationKind::Policy(self.policy(node)),
            Rule::sink => DeclarationKind::Sink(self.sink(node)),
            Rule::serve => DeclarationKind::Serve(self.serve(node)),
            Rule::test => DeclarationKind::Test(self.test(node)),
            Rule::function => DeclarationKind::Function(self.function(node)),
            Rule::unit_decl => DeclarationKind::Unit(self.unit(node)),
            other => unreachable!("{other:?} is no declaration"),
        }
    }

    fn used(&mut self, node: &Node<'_>) -> Used {
        match node.find(Rule::text) {
            Some(text) => Used::File(self.text(&text)),
            None => Used::Module(self.names_in(&node.get(Rule::dotted))),
        }
    }

    fn param(&mut self, node: &Node<'_>) -> Param {
        self.assign_sign_in(node);
        Param { head: self.head_in(node), ty: self.type_in(node), default: self.expr_in(node) }
    }

    fn let_value(&mut self, node: &Node<'_>) -> Let {
        self.assign_sign_in(node);
        let params = node.find(Rule::let_params).map(|params| self.names_in(&params));
        Let { head: self.head_in(node), params, value: self.expr_in(node) }
    }

    fn stream(&mut self, node: &Node<'_>) -> Stream {
        self.assign_sign_in(node);
        let ended = self.pipeline_in(node);
        self.refuse_to(ended.to);
        Stream { head: self.head_in(node), pipe: ended.pipe }
    }

    fn transform(&mut self, node: &Node<'_>) -> Transform {
        self.assign_sign_in(node);
        let ended = self.pipeline_in(node);
        self.refuse_to(ended.to);
        let params = self.names_in(&node.get(Rule::let_params));
        Transform { head: self.head_in(node), params, pipe: ended.pipe }
    }

    fn refuse_to(&mut self, to: Option<Connector>) {
        if let Some(connector) = to {
            self.report(wrong::to_outside_sink(connector.span));
        }
    }

    fn sink(&mut self, node: &Node<'_>) -> Sink {
        self.assign_sign_in(node);
        let (head, ended) = (self.head_in(node), self.pipeline_in(node));
        let to = ended.to.unwrap_or_else(|| {
            self.lose(wrong::sink_without_to(head.name.span, ended.pipe.span.after()));
            Connector { name: head.name.clone(), args: Vec::new(), span: ended.pipe.span.after() }
        });
        Sink { head, pipe: ended.pipe, to }
    }

    fn serve(&mut self, node: &Node<'_>) -> Serve {
        let accepts_features = node.find(Rule::accepts_features).map(|words| self.span(&words));
        Serve { task: self.name_in(node), accepts_features, at: self.connector_in(node) }
    }

    /// The one clause of a kind; another one is reported.
    pub fn once<'a>(&mut self, node: &Node<'a>, rule: Rule) -> Option<Node<'a>> {
        let mut found = node.all(rule);
        let first = found.next()?;
        for again in found {
            self.said_twice(&first, &again);
        }
        Some(first)
    }

    pub fn said_twice(&mut self, first: &Node<'_>, again: &Node<'_>) {
        let (first, again) = (self.span(first), self.span(again));
        self.report(wrong::said_twice(again, first));
    }

    /// Reports the words that a body does not know, and the commas between its clauses.
    pub fn clauses_in(&mut self, node: &Node<'_>, place: &Place) {
        let children: Vec<Node<'_>> = node.children().collect();
        for (nth, child) in children.iter().enumerate() {
            let next = children.get(nth + 1).map(Node::rule);
            match child.rule() {
                Rule::bad_clause => self.unknown_clause(child, place),
                // `time at, latness 1min`: one message is enough.
                Rule::bad_comma if next != Some(Rule::bad_clause) => {
                    self.report(wrong::comma_between_entries(self.span(child)));
                }
                _ => {}
            }
        }
    }

    fn unknown_clause(&mut self, node: &Node<'_>, place: &Place) {
        let word = node.get(Rule::name);
        self.lose(wrong::unknown_clause(self.span(&word), word.text(), place));
    }
}
