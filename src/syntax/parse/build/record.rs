//! Blocks in curly brackets: records, and entries that make columns.

use crate::syntax::ast::{Across, Assign, Entry, Field, Record, Renaming};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::wrong;
use super::Builder;

impl Builder<'_> {
    /// Reports the commas between the entries of `node`.
    pub fn commas_in(&mut self, node: &Node<'_>) {
        for comma in node.all(Rule::bad_comma) {
            self.report(wrong::comma_between_entries(self.span(&comma)));
        }
    }

    /// Reports `:` or `:=` where `=` is written.
    pub fn assign_sign_in(&mut self, node: &Node<'_>) {
        if let Some(sign) = node.find(Rule::bad_assign) {
            self.report(wrong::colon_for_equals(self.span(&sign), sign.text()));
        }
    }

    pub fn record(&mut self, node: &Node<'_>) -> Record {
        self.commas_in(node);
        Record { fields: node.all(Rule::field).map(|field| self.field(&field)).collect(), span: self.span(node) }
    }

    pub fn records(&mut self, list: &Node<'_>) -> Vec<Record> {
        let mut end = self.span(list).after();
        let mut records = Vec::new();
        for child in list.children() {
            match child.rule() {
                Rule::bad_missing_comma => self.report(wrong::missing_comma(end)),
                Rule::record => records.push(self.record(&child)),
                // Commas and brackets.
                _ => {}
            }
            end = self.span(&child).after();
        }
        records
    }

    fn field(&mut self, node: &Node<'_>) -> Field {
        if let Some(sign) = node.find(Rule::bad_field_equals) {
            self.report(wrong::equals_for_colon(self.span(&sign), "a field's name and its value"));
        }
        let name = match node.find(Rule::bad_text_name) {
            Some(text) => self.quoted_name(&text),
            None => self.name_in(node),
        };
        Field { name, value: self.expr_in(node) }
    }

    fn quoted_name(&mut self, node: &Node<'_>) -> crate::syntax::ast::Ident {
        let text = self.text_in(node);
        self.report(wrong::quoted_name(text.span, &text.value));
        crate::syntax::ast::Ident { name: text.value, span: text.span }
    }

    pub fn entries_in(&mut self, node: &Node<'_>) -> Vec<Entry> {
        let entries = node.get(Rule::entries);
        self.commas_in(&entries);
        entries.children().filter_map(|entry| self.entry(&entry)).collect()
    }

    fn entry(&mut self, node: &Node<'_>) -> Option<Entry> {
        match node.rule() {
            Rule::assign => Some(Entry::Assign(self.assign(node))),
            Rule::across => Some(Entry::Across(self.across(node))),
            Rule::bad_entry => self.unnamed_entry(node).map(Entry::Assign),
            // Separators and brackets.
            _ => None,
        }
    }

    /// `mean(x) as m`, or an expression alone.
    fn unnamed_entry(&mut self, node: &Node<'_>) -> Option<Assign> {
        let (value, span) = (self.expr_in(node), self.span(node));
        let text = self.text_at(value.span).to_owned();
        let Some(name) = node.find(Rule::name).map(|name| self.ident(&name)) else {
            self.lose(wrong::entry_without_name(span, &text));
            return None;
        };
        self.report(wrong::entry_with_as(span, &name.name, &text));
        Some(Assign { name, was: None, value, span })
    }

    pub fn assign(&mut self, node: &Node<'_>) -> Assign {
        self.assign_sign_in(node);
        Assign { name: self.name_in(node), was: self.was_in(node), value: self.expr_in(node), span: self.span(node) }
    }

    pub fn assigns_in(&mut self, node: &Node<'_>) -> Vec<Assign> {
        self.commas_in(node);
        node.all(Rule::assign).map(|assign| self.assign(&assign)).collect()
    }

    fn across(&mut self, node: &Node<'_>) -> Across {
        Across {
            columns: self.column_set(&node.get(Rule::argument_set)),
            functions: self.all_applied(node),
            span: self.span(node),
        }
    }

    pub fn renaming(&mut self, node: &Node<'_>) -> Renaming {
        self.assign_sign_in(node);
        let mut names = self.names_in(node).into_iter();
        let new = names.next().expect("a renaming has a new name");
        Renaming { new, old: names.next().expect("a renaming has an old name") }
    }
}
