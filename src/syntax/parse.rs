//! From text to tree. All mistakes are reported, each once; what does not read is skipped up to the next declaration.

mod build;
mod docs;
mod expected;
mod foreign;
mod grammar;
mod human;
mod limits;
mod node;
mod pieces;
mod words;
mod wrong;

use std::ops::Range;

use crate::base::{SourceId, Span};
use crate::diag::{Diagnostic, sorted};

use super::ast::{File, Ident};
use build::{Built, Placed, What};
use limits::Brackets;
use node::Node;
use pieces::Piece;

pub use foreign::{Hint, stage as stage_hint};
pub use limits::{FILE_BYTES_MAX, NESTING_MAX};
pub use words::{RESERVED, STAGES};

/// What the text of `source` says, and what is wrong with it. A declaration that is wrong in its spelling only is in the
/// tree as it was meant; one that cannot be understood is left out, its name is in `broken`.
pub fn parse(source: SourceId, text: &str) -> (File, Vec<Diagnostic>) {
    let mut reader = Reader { source, text, file: File::default(), diagnostics: Vec::new() };
    if text.len() > FILE_BYTES_MAX {
        let start = Span::new(source, 0, 0);
        return (reader.file, vec![wrong::file_too_large(start, text.len(), FILE_BYTES_MAX)]);
    }
    reader.pieces(&pieces::cut(text));
    (reader.file, sorted(reader.diagnostics))
}

struct Reader<'t> {
    source: SourceId,
    text: &'t str,
    file: File,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    fn pieces(&mut self, pieces: &[Piece]) {
        let mut rest = pieces;
        while let Some((piece, behind)) = rest.split_first() {
            rest = match behind.first() {
                Some(next) if piece.declares && self.unindented(&piece.at, &next.at) => &behind[1..],
                _ => {
                    self.piece(piece);
                    behind
                }
            };
        }
    }

    fn piece(&mut self, piece: &Piece) {
        match piece.declares {
            true => self.declaration(piece.at.clone(), None),
            false => self.before_the_first(piece.at.clone()),
        }
    }

    /// Only blanks and comments may stand there.
    fn before_the_first(&mut self, at: Range<usize>) {
        let mark = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let text = &self.text[at.clone()][mark..];
        let first = super::scan::tokens(text)
            .find(|token| !matches!(token.kind, super::scan::Kind::Comment | super::scan::Kind::Newline));
        if let Some(token) = first {
            self.unknown(mark + token.at.start..at.end);
        }
    }

    /// Reads one declaration. `correct` is the word that its first one was meant to be, which has been reported.
    fn declaration(&mut self, at: Range<usize>, correct: Option<&str>) {
        let word = pieces::first_word(&self.text[at.clone()]).len();
        let (piece, here) = match correct {
            Some(right) => (format!("{right}{}", &self.text[at.start + word..at.end]), right.len()),
            None => (self.text[at.clone()].to_owned(), word),
        };
        let placed = Placed { source: self.source, file: self.text, start: at.start, word: (here, word) };
        if let Some(diagnostic) = refused(&placed, &piece) {
            return self.give_up(at, diagnostic);
        }
        match grammar::read(&piece) {
            Ok(pair) => self.keep(build::build(placed, Node::new(pair))),
            Err(error) => self.failed(at, &placed, &piece, &error, correct.is_some()),
        }
    }

    fn keep(&mut self, built: Built) {
        self.diagnostics.extend(built.diagnostics);
        match built.what {
            What::Use(it) => self.file.uses.push(it),
            What::Declaration(it) => self.file.declarations.push(*it),
            What::Broken(name) => self.file.broken.extend(name),
        }
    }

    /// The piece does not parse: an unknown word in column 0, brackets, or a single mistake.
    fn failed(&mut self, at: Range<usize>, placed: &Placed<'_>, piece: &str, error: &expected::Error, reported: bool) {
        let place = expected::place(error);
        if let Some(line) = line_that_begins_at(piece, place) {
            let cut = placed.byte(line);
            let correct = reported.then(|| pieces::first_word(piece).to_owned());
            self.declaration(at.start..cut, correct.as_deref());
            return self.unknown(cut..at.end);
        }
        match reported {
            true => self.remember_name(at),
            false => {
                let diagnostic = limits::brackets(piece).diagnostic(placed);
                let diagnostic = diagnostic.unwrap_or_else(|| expected::diagnostic(placed, piece, error));
                self.give_up(at, diagnostic);
            }
        }
    }

    fn give_up(&mut self, at: Range<usize>, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        self.remember_name(at);
    }

    fn remember_name(&mut self, at: Range<usize>) {
        if let Some(name) = pieces::declared_name(&self.text[at.clone()]) {
            let span = Span::new(self.source, at.start + name.start, at.start + name.end);
            self.file.broken.push(Ident { name: self.text[span.range()].into(), span });
        }
    }

    /// Text in column 0 that begins no declaration. It is read as the declaration that was probably meant.
    fn unknown(&mut self, at: Range<usize>) {
        let text = &self.text[at.clone()];
        let word = pieces::first_word(text);
        if word.is_empty() {
            return self.no_word(at);
        }
        let span = Span::new(self.source, at.start, at.start + word.len());
        let diagnostic = wrong::unknown_declaration(span, word);
        let meant = diagnostic.fix.as_ref().map(|fix| fix.text.clone());
        self.diagnostics.push(diagnostic);
        match meant {
            Some(right) => self.declaration(at, Some(&right)),
            None => self.skip_unknown(at),
        }
    }

    /// Goes on at the next line that begins with almost a declaration word.
    fn skip_unknown(&mut self, at: Range<usize>) {
        self.remember_name(at.clone());
        let text = &self.text[at.clone()];
        let almost = |line: &usize| {
            let word = pieces::first_word(&text[*line..]);
            crate::base::nearest(word, words::DECLARATIONS).is_some()
        };
        if let Some(line) = pieces::line_starts(text).skip(1).find(almost) {
            self.unknown(at.start + line..at.end);
        }
    }

    /// A sign where a declaration should begin.
    fn no_word(&mut self, at: Range<usize>) {
        let text = &self.text[at.clone()];
        let placed = Placed { source: self.source, file: self.text, start: at.start, word: (0, 0) };
        let brackets = limits::brackets(text);
        let surplus = matches!(brackets, Brackets::Surplus(0, _));
        let diagnostic = surplus.then(|| brackets.diagnostic(&placed)).flatten();
        self.diagnostics.push(diagnostic.unwrap_or_else(|| expected::no_declaration(&placed, text)));
    }

    /// A body that is still open, and a clause of it in column 0 that reads as a declaration: both are one declaration.
    fn unindented(&mut self, piece: &Range<usize>, next: &Range<usize>) -> bool {
        let word = pieces::first_word(&self.text[next.clone()]);
        let Brackets::Open(opener, _) = limits::brackets(&self.text[piece.clone()]) else { return false };
        if !words::CLAUSES_TOO.contains(&word) {
            return false;
        }
        let whole = piece.start..next.end;
        let joined = &self.text[whole.clone()];
        let placed = Placed { source: self.source, file: self.text, start: whole.start, word: (0, 0) };
        if refused(&placed, joined).is_some() {
            return false;
        }
        let Ok(pair) = grammar::read(joined) else { return false };
        let span = |start: usize, length: usize| Span::new(self.source, start, start + length);
        let diagnostic = wrong::unindented(span(next.start, word.len()), word, span(piece.start + opener, 1));
        self.diagnostics.push(diagnostic);
        self.keep(build::build(placed, Node::new(pair)));
        true
    }
}

/// What must not reach the grammar.
fn refused(placed: &Placed<'_>, piece: &str) -> Option<Diagnostic> {
    if let Some((at, quote)) = limits::unclosed_text(piece) {
        return Some(wrong::text_not_closed(placed.span(at.start, at.end), quote));
    }
    let at = limits::too_deep(piece)?;
    let length = piece[at..].chars().next().map_or(0, char::len_utf8);
    Some(wrong::nested_too_deep(placed.span(at, at + length), NESTING_MAX))
}

/// The byte itself, if a line other than the first begins there with a letter.
fn line_that_begins_at(piece: &str, at: usize) -> Option<usize> {
    let first_of_line = at > 0 && piece[..at].ends_with('\n');
    (first_of_line && !pieces::first_word(&piece[at..]).is_empty()).then_some(at)
}
