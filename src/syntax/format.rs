//! From tree to text: the one canonical layout.
//!
//! What is one line or many is the author's choice where both fit: a body whose first entry begins a line has one entry a
//! line, and so has a pipe whose first stage does.

mod block;
mod clause;
mod comments;
mod declaration;
mod doc;
mod expr;
mod page;
mod policy;
mod records;
mod source;
mod stage;
mod stdlib;
mod task;
mod test;
mod types;

use std::ops::Range;

use crate::base::Span;

use super::ast::{Declaration, File, Ident, Use};
use super::scan::{Kind, tokens};
use comments::Comments;

/// The text of a file in canonical layout. `file` is what `text` was parsed to without errors; if a part of the text is in
/// no declaration of it, the text is given back as it is.
pub fn format(file: &File, text: &str) -> String {
    let mut parts: Vec<Part<'_>> = file.uses.iter().map(Part::Use).collect();
    parts.extend(file.declarations.iter().map(Part::Declaration));
    parts.sort_by_key(|part| part.span().start);
    let spans: Vec<Range<usize>> = parts.iter().map(|part| part.span().range()).collect();
    if !covered(text, &spans) {
        return text.to_owned();
    }
    Formatter { text, comments: Comments::of(text) }.page(&parts)
}

/// Is all text in one of the spans, but for comments?
fn covered(text: &str, spans: &[Range<usize>]) -> bool {
    let mut spans = spans.iter().peekable();
    let body = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - body.len();
    tokens(body).filter(|token| !matches!(token.kind, Kind::Comment | Kind::Newline)).all(|token| {
        let at = token.at.start + skipped;
        while spans.next_if(|span| span.end <= at).is_some() {}
        spans.peek().is_some_and(|span| span.contains(&at))
    })
}

enum Part<'f> {
    Use(&'f Use),
    Declaration(&'f Declaration),
}

impl Part<'_> {
    fn span(&self) -> Span {
        match self {
            Part::Use(it) => it.span,
            Part::Declaration(it) => it.span,
        }
    }
}

pub struct Formatter<'t> {
    text: &'t str,
    comments: Comments<'t>,
}

impl Formatter<'_> {
    /// What stands in the text.
    fn source(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// What stands in the text, without comments, a blank where there were any.
    fn tidy(&self, span: Span) -> String {
        let (mut out, mut end) = (String::new(), None);
        for token in tokens(self.source(span)).filter(|token| !matches!(token.kind, Kind::Comment | Kind::Newline)) {
            let apart = end.is_some_and(|end| end < token.at.start);
            out.push_str(if apart { " " } else { "" });
            out.push_str(&self.source(span)[token.at.clone()]);
            end = Some(token.at.end);
        }
        out
    }

    /// A name as it was written, if it was a name; in backticks where it would not read as one.
    fn name(&self, ident: &Ident) -> String {
        let written = self.source(ident.span);
        if *written == *ident.name || written.starts_with('`') { written.to_owned() } else { bare_or_ticked(&ident.name) }
    }
}

fn bare_or_ticked(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let reserved = super::parse::RESERVED.contains(&name);
    if plain && !reserved && !name.starts_with(|letter: char| letter.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}
