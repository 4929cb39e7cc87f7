//! Names, keys, and what refers to a stream.

use crate::base::Name;
use crate::syntax::ast::{Head, Ident, Keys, StreamRef};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::wrong;
use super::Builder;

impl Builder<'_> {
    /// `node` is a name.
    pub fn ident(&mut self, node: &Node<'_>) -> Ident {
        Ident { name: Name::from(node.text().trim_matches('`')), span: self.span(node) }
    }

    /// The first name directly inside.
    pub fn name_in(&mut self, node: &Node<'_>) -> Ident {
        self.ident(&node.get(Rule::name))
    }

    pub fn names_in(&mut self, node: &Node<'_>) -> Vec<Ident> {
        node.all(Rule::name).map(|name| self.ident(&name)).collect()
    }

    /// `(was old)` inside `node`.
    pub fn was_in(&mut self, node: &Node<'_>) -> Option<Ident> {
        node.find(Rule::was).map(|was| self.name_in(&was))
    }

    pub fn head_in(&mut self, node: &Node<'_>) -> Head {
        let head = node.get(Rule::head);
        Head { name: self.name_in(&head), was: self.was_in(&head) }
    }

    /// `by K` inside `node`.
    pub fn by_in(&mut self, node: &Node<'_>) -> Option<Keys> {
        let by = node.find(Rule::by)?;
        if let Some(group) = by.find(Rule::bad_group) {
            let span = self.span(&group);
            self.report(wrong::group_by(span));
        }
        Some(self.keys_in(&by))
    }

    /// `on K` inside `node`.
    pub fn on_in(&mut self, node: &Node<'_>) -> Keys {
        self.keys_in(&node.get(Rule::on))
    }

    /// The keys directly inside `node`, with or without their brackets.
    pub fn keys_in(&mut self, node: &Node<'_>) -> Keys {
        if let Some(bad) = node.find(Rule::bad_keys) {
            let span = self.span(&bad);
            let text = self.text_at(span).to_owned();
            self.report(wrong::list_without_brackets(span, &text));
            return Keys { columns: self.names_in(&bad), span };
        }
        let keys = node.get(Rule::keys);
        Keys { columns: self.names_in(&keys), span: self.span(&keys) }
    }

    pub fn stream_ref(&mut self, node: &Node<'_>) -> StreamRef {
        let mut names = self.names_in(node).into_iter();
        let name = names.next().expect("a stream has a name");
        StreamRef { name, output: names.next(), span: self.span(node) }
    }

    pub fn stream_ref_in(&mut self, node: &Node<'_>) -> StreamRef {
        self.stream_ref(&node.get(Rule::stream_ref))
    }
}
