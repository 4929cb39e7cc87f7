//! Records, and entries that make columns.

use crate::base::Span;
use crate::syntax::ast::{Across, Assign, Entry, Field, Record, Renaming};

use super::Formatter;
use super::block::{BRACES, Item, SQUARE, item};
use super::doc::{Doc, all, text};
use super::expr::comma_list;

impl Formatter<'_> {
    pub fn record(&mut self, record: &Record) -> Doc {
        let items = record.fields.iter().map(|field| item(field_span(field), move |f| f.field(field))).collect();
        self.enclosed(&BRACES, items, record.span.end as usize - 1)
    }

    fn field(&mut self, field: &Field) -> Doc {
        all([text(format!("{}: ", self.name(&field.name))), self.expr(&field.value)])
    }

    /// Records in square brackets; `from` is a byte before the bracket closes and behind it opens.
    pub fn records(&mut self, records: &[Record], close: usize) -> Doc {
        let items = records.iter().map(|record| item(record.span, move |f| f.record(record))).collect();
        self.enclosed(&SQUARE, items, close)
    }

    pub fn entries(&mut self, entries: &[Entry], from: usize) -> Doc {
        let names: Vec<usize> = entries.iter().filter_map(|entry| self.entry_width(entry)).collect();
        let width = column_width(&names);
        let items: Vec<Item<'_>> =
            entries.iter().map(|entry| item(entry_span(entry), move |f| f.entry(entry, width))).collect();
        self.braces(items, from)
    }

    pub fn assigns(&mut self, assigns: &[Assign], from: usize) -> Doc {
        let names: Vec<usize> = assigns.iter().map(|assign| self.assign_width(assign)).collect();
        let width = column_width(&names);
        let items: Vec<Item<'_>> = assigns.iter().map(|it| item(it.span, move |f| f.assign(it, width))).collect();
        self.braces(items, from)
    }

    /// A body in curly brackets. Without entries it is found behind `from`.
    pub fn braces(&mut self, items: Vec<Item<'_>>, from: usize) -> Doc {
        let close = match items.last() {
            Some(last) => self.close_after(last.end),
            None => self.text[from..].find('{').map_or(from, |at| self.close_after(from + at + 1)),
        };
        self.enclosed(&BRACES, items, close)
    }

    fn entry(&mut self, entry: &Entry, width: usize) -> Doc {
        match entry {
            Entry::Assign(assign) => self.assign(assign, width),
            Entry::Across(across) => self.across(across),
        }
    }

    fn entry_width(&self, entry: &Entry) -> Option<usize> {
        match entry {
            Entry::Assign(assign) => Some(self.assign_width(assign)),
            Entry::Across(_) => None,
        }
    }

    fn assign_width(&self, assign: &Assign) -> usize {
        self.assigned(assign).chars().count()
    }

    fn assigned(&self, assign: &Assign) -> String {
        format!("{}{}", self.name(&assign.name), self.was(assign.was.as_ref()))
    }

    /// Where each entry has a line, their signs stand in the column behind `width`.
    pub fn assign(&mut self, assign: &Assign, width: usize) -> Doc {
        let name = self.assigned(assign);
        let pad = Doc::Pad(width.saturating_sub(name.chars().count()) + 1);
        all([text(name), pad, text("= "), self.expr(&assign.value)])
    }

    fn across(&mut self, across: &Across) -> Doc {
        let columns = self.column_set(&across.columns);
        let mut parts = vec![columns];
        parts.extend(across.functions.iter().map(|call| self.call(call)).collect::<Vec<_>>());
        all([text("across("), comma_list(parts), text(")")])
    }

    pub fn renaming(&self, renaming: &Renaming) -> String {
        format!("{} = {}", self.name(&renaming.new), self.name(&renaming.old))
    }
}

/// Longer names do not push the signs of all others to the right.
const NAME_WIDTH_MAX: usize = 24;

fn column_width(names: &[usize]) -> usize {
    names.iter().copied().filter(|width| *width <= NAME_WIDTH_MAX).max().unwrap_or(0)
}

fn field_span(field: &Field) -> Span {
    field.name.span.to(field.value.span)
}

fn entry_span(entry: &Entry) -> Span {
    match entry {
        Entry::Assign(assign) => assign.span,
        Entry::Across(across) => across.span,
    }
}
