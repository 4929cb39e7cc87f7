//! The declarations one below the other: blank lines between them, and columns for neighbours on one line each.

use crate::syntax::ast::{DeclarationKind, Head};

use super::doc::{Doc, OutLine, all, join, print};
use super::{Formatter, Part};

/// A declaration on one line, whose word and name are put into the columns of its neighbours.
struct Row {
    line: usize,
    word: usize,
    /// None for `serve`, which has no `=`.
    name: Option<usize>,
}

#[derive(Default)]
struct Page {
    lines: Vec<OutLine>,
    rows: Vec<Row>,
    /// The last declaration takes several lines.
    tall: bool,
}

impl Formatter<'_> {
    pub(super) fn page(mut self, parts: &[Part<'_>]) -> String {
        let mut page = Page::default();
        for (nth, part) in parts.iter().enumerate() {
            self.part(&mut page, part, nth == 0);
        }
        let rest = self.comments.before(self.text.len(), parts.is_empty());
        page.lines.extend(print(&rest));
        page.align();
        let out = join(&page.lines);
        let out = out.trim_end();
        if out.is_empty() { String::new() } else { format!("{out}\n") }
    }

    fn part(&mut self, page: &mut Page, part: &Part<'_>, first: bool) {
        let span = part.span();
        let lead = self.comments.before(span.start as usize, first);
        let body = match part {
            Part::Use(it) => self.used(it),
            Part::Declaration(it) => self.declaration(it),
        };
        let body = print(&all([body, self.comments.behind(span.end as usize)]));
        let tall = body.len() > 1;
        page.lead(&lead, !first && (tall || page.tall));
        let row = self.row(part, page.lines.len());
        page.rows.extend(row.filter(|_| !tall));
        page.lines.extend(body);
        page.tall = tall;
    }

    fn row(&self, part: &Part<'_>, line: usize) -> Option<Row> {
        let Part::Declaration(declaration) = part else { return None };
        let width = |head: &Head| Some(self.head(head).chars().count());
        match &declaration.kind {
            DeclarationKind::Stream(it) => Some(Row { line, word: "stream".len(), name: width(&it.head) }),
            DeclarationKind::Sink(it) => Some(Row { line, word: "sink".len(), name: width(&it.head) }),
            DeclarationKind::Serve(_) => Some(Row { line, word: "serve".len(), name: None }),
            DeclarationKind::Param(_)
            | DeclarationKind::Let(_)
            | DeclarationKind::Source(_)
            | DeclarationKind::Transform(_)
            | DeclarationKind::Table(_)
            | DeclarationKind::Network(_)
            | DeclarationKind::Task(_)
            | DeclarationKind::Policy(_)
            | DeclarationKind::Test(_)
            | DeclarationKind::Function(_)
            | DeclarationKind::Unit(_) => None,
        }
    }
}

impl Page {
    /// Comments and blank lines above a declaration.
    fn lead(&mut self, lead: &Doc, blank: bool) {
        let mut lines = print(lead);
        // The line on which the declaration itself begins.
        lines.pop();
        let has_blank = lines.first().is_some_and(|line| line.code.is_empty() && line.comment.is_none());
        self.lines.extend((blank && !has_blank).then(OutLine::default));
        self.lines.extend(lines);
    }

    fn align(&mut self) {
        for run in self.rows.chunk_by(|a, b| a.line + 1 == b.line) {
            let word = run.iter().map(|row| row.word).max().unwrap_or(0);
            let name = run.iter().filter_map(|row| row.name).max().unwrap_or(0);
            for row in run {
                row.pad(&mut self.lines[row.line].code, word, name);
            }
        }
    }
}

impl Row {
    fn pad(&self, code: &mut String, word: usize, name: usize) {
        if let Some(own) = self.name {
            let end = code.char_indices().nth(self.word + 1 + own).map_or(code.len(), |(at, _)| at);
            code.insert_str(end, &" ".repeat(name - own));
        }
        code.insert_str(self.word, &" ".repeat(word - self.word));
    }
}
