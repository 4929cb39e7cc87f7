//! Bodies of clauses: each begins with its word, and what follows stands in one column.

use crate::base::Span;

use super::Formatter;
use super::block::{Item, item};
use super::doc::{Doc, all, text};

/// A word with what stands behind it.
pub struct Clause<'c> {
    word: &'static str,
    start: usize,
    end: usize,
    /// Stands in the column of the others; a body in brackets does not.
    aligned: bool,
    rest: Option<Rest<'c>>,
}

type Rest<'c> = Box<dyn FnOnce(&mut Formatter<'_>) -> Doc + 'c>;

/// The clauses of a body, in any order.
#[derive(Default)]
pub struct Clauses<'c> {
    all: Vec<Clause<'c>>,
}

impl<'c> Clauses<'c> {
    /// `span` is of the clause or of what follows its word.
    pub fn add(&mut self, word: &'static str, span: Span, rest: impl FnOnce(&mut Formatter<'_>) -> Doc + 'c) {
        self.push(word, span, true, Some(Box::new(rest)));
    }

    /// One whose rest is a body in brackets.
    pub fn add_body(&mut self, word: &'static str, span: Span, rest: impl FnOnce(&mut Formatter<'_>) -> Doc + 'c) {
        self.push(word, span, false, Some(Box::new(rest)));
    }

    pub fn add_word(&mut self, word: &'static str, span: Span) {
        self.push(word, span, false, None);
    }

    fn push(&mut self, word: &'static str, span: Span, aligned: bool, rest: Option<Rest<'c>>) {
        self.all.push(Clause { word, start: span.start as usize, end: span.end as usize, aligned, rest });
    }
}

impl Formatter<'_> {
    /// All clauses in curly brackets, in the order of the text; `close` is the bracket at the end.
    pub fn clauses(&mut self, clauses: Clauses<'_>, close: usize) -> Doc {
        let mut clauses = clauses.all;
        for clause in &mut clauses {
            clause.start = self.word_start(clause.word, clause.start);
        }
        clauses.sort_by_key(|clause| clause.start);
        let width = clauses.iter().filter(|clause| clause.aligned).map(|clause| clause.word.len()).max().unwrap_or(0);
        let items: Vec<Item<'_>> = clauses.into_iter().map(|clause| clause_item(clause, width)).collect();
        self.enclosed(&super::block::BRACES, items, close)
    }

    /// Where the word of a clause stands, `from` being its place or that of what follows.
    fn word_start(&self, word: &str, from: usize) -> usize {
        if self.text[from..].starts_with(word) { from } else { self.text[..from].rfind(word).unwrap_or(from) }
    }
}

fn clause_item(clause: Clause<'_>, width: usize) -> Item<'_> {
    let Clause { word, start, end, aligned, rest } = clause;
    let span = Span { source: Default::default(), start: start as u32, end: end as u32 };
    item(span, move |f| match rest {
        None => text(word),
        Some(rest) => {
            let pad = if aligned { Doc::Pad(width - word.len() + 1) } else { text(" ") };
            all([text(word), pad, rest(f)])
        }
    })
}
