//! Sets of columns.

use crate::syntax::ast::{ColumnItem, ColumnSet, ColumnSetKind, Text};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::wrong;
use super::Builder;

impl Builder<'_> {
    pub fn column_set_in(&mut self, node: &Node<'_>) -> ColumnSet {
        self.column_set(&node.get(Rule::column_set))
    }

    /// `node` is what stands for a set, or what encloses it.
    pub fn column_set(&mut self, node: &Node<'_>) -> ColumnSet {
        let kind = match node.rule() {
            Rule::column_set | Rule::argument_set | Rule::except_set => return self.column_set(&node.only()),
            Rule::column_list => ColumnSetKind::List(self.column_items(node)),
            Rule::all_except => ColumnSetKind::AllExcept(Box::new(self.column_set(&node.get(Rule::except_set)))),
            Rule::matching => ColumnSetKind::Matching(self.text_in(node)),
            Rule::k_all => ColumnSetKind::All,
            Rule::bad_single => ColumnSetKind::List(vec![self.single_column(node)]),
            Rule::bad_names => ColumnSetKind::List(self.bare_columns(node)),
            other => unreachable!("{other:?} is no set of columns"),
        };
        ColumnSet { kind, span: self.span(node) }
    }

    /// A name without its brackets.
    pub fn single_column(&mut self, node: &Node<'_>) -> ColumnItem {
        let name = self.name_in(node);
        self.report(wrong::single_without_brackets(name.span, &name.name));
        ColumnItem::One(name)
    }

    /// Several names without their brackets.
    pub fn bare_columns(&mut self, node: &Node<'_>) -> Vec<ColumnItem> {
        let span = self.span(node);
        let text = self.text_at(span).to_owned();
        self.report(wrong::list_without_brackets(span, &text));
        self.names_in(node).into_iter().map(ColumnItem::One).collect()
    }

    pub fn column_items(&mut self, list: &Node<'_>) -> Vec<ColumnItem> {
        list.all(Rule::column_item).map(|item| self.column_item(&item)).collect()
    }

    pub fn column_item(&mut self, node: &Node<'_>) -> ColumnItem {
        let mut names = self.names_in(node).into_iter();
        let first = names.next().expect("an item has a name");
        match names.next() {
            Some(last) => ColumnItem::Range { first, last },
            None => ColumnItem::One(first),
        }
    }

    pub fn text_in(&mut self, node: &Node<'_>) -> Text {
        self.text(&node.get(Rule::text))
    }
}
