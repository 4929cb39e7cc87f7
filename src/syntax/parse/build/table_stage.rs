//! Stages that bring columns from elsewhere.

use crate::base::Span;
use crate::syntax::ast::{Asof, Join, Lookup, Take, TakeItem};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::Builder;

impl Builder<'_> {
    pub fn join(&mut self, node: &Node<'_>) -> Join {
        Join {
            other: self.stream_ref_in(node),
            on: self.on_in(node),
            within: self.within_in(node),
            take: self.take_in(node),
            required: self.required_in(node),
        }
    }

    pub fn asof(&mut self, node: &Node<'_>) -> Asof {
        Asof {
            other: self.stream_ref_in(node),
            on: self.on_in(node),
            within: node.find(Rule::within).map(|within| self.amount_in(&within)),
            take: self.take_in(node),
            required: self.required_in(node),
        }
    }

    pub fn lookup(&mut self, node: &Node<'_>) -> Lookup {
        Lookup { table: self.name_in(node), on: self.on_in(node), take: self.take_in(node), required: self.required_in(node) }
    }

    fn required_in(&mut self, node: &Node<'_>) -> Option<Span> {
        node.find(Rule::k_required).map(|word| self.span(&word))
    }

    fn take_in(&mut self, node: &Node<'_>) -> Option<Take> {
        let take = node.find(Rule::take)?;
        let items = match take.one_of(&[Rule::bad_single, Rule::bad_names]) {
            Some(single) if single.rule() == Rule::bad_single => vec![TakeItem::Columns(self.single_column(&single))],
            Some(names) => self.bare_columns(&names).into_iter().map(TakeItem::Columns).collect(),
            None => take.children().filter_map(|item| self.take_item(&item)).collect(),
        };
        Some(Take { items, span: self.span(&take) })
    }

    fn take_item(&mut self, node: &Node<'_>) -> Option<TakeItem> {
        match node.rule() {
            Rule::renaming => Some(TakeItem::Renamed(self.renaming(node))),
            Rule::column_item => Some(TakeItem::Columns(self.column_item(node))),
            // Words, commas and brackets.
            _ => None,
        }
    }
}
