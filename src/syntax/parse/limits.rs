//! What is looked at before the grammar sees a piece: how deep it nests, and whether quotes and brackets are closed.

use std::ops::Range;

use crate::diag::Diagnostic;

use super::super::scan::{Kind, Token, tokens};
use super::build::Placed;
use super::wrong;

/// A file has at most so many bytes.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Brackets may nest so deep, and so may `if` and `match`; also what guards the stack of all who walk the tree.
pub const NESTING_MAX: usize = 96;
/// Operators make trees deep too, but cost less stack.
const OPERATORS_PER_LEVEL: usize = 4;

/// A text that does not end on its line.
pub fn unclosed_text(piece: &str) -> Option<(Range<usize>, char)> {
    tokens(piece).find_map(|token| {
        let Kind::Quoted { quote, closed: false } = token.kind else { return None };
        Some((token.at, quote))
    })
}

/// What is wrong with the brackets of a piece.
pub enum Brackets {
    Match,
    /// Opened there and never closed.
    Open(usize, char),
    /// Opened at the first, closed at the second by another kind.
    Crossed((usize, char), (usize, char)),
    /// Closed there without having been opened.
    Surplus(usize, char),
}

pub fn brackets(piece: &str) -> Brackets {
    let mut open = Vec::new();
    for token in tokens(piece) {
        match token.kind {
            Kind::Open(bracket) => open.push((token.at.start, bracket)),
            Kind::Close(bracket) => match open.pop() {
                None => return Brackets::Surplus(token.at.start, bracket),
                Some((at, opener)) if !matching(opener, bracket) => {
                    return Brackets::Crossed((at, opener), (token.at.start, bracket));
                }
                Some(_) => {}
            },
            Kind::Comment | Kind::Quoted { .. } | Kind::Newline | Kind::Word | Kind::Sign(_) => {}
        }
    }
    open.pop().map_or(Brackets::Match, |(at, bracket)| Brackets::Open(at, bracket))
}

fn matching(open: char, close: char) -> bool {
    matches!((open, close), ('(', ')') | ('[', ']') | ('{', '}'))
}

impl Brackets {
    pub fn diagnostic(&self, placed: &Placed<'_>) -> Option<Diagnostic> {
        let span = |at: usize| placed.span(at, at + 1);
        match *self {
            Brackets::Match => None,
            Brackets::Open(at, bracket) => Some(wrong::never_closed(span(at), bracket)),
            Brackets::Crossed((at, opener), (end, closer)) => {
                Some(wrong::closed_by_another(span(at), opener, span(end), closer))
            }
            Brackets::Surplus(at, bracket) => Some(wrong::nothing_to_close(span(at), bracket)),
        }
    }
}

/// What an entry has cost so far.
#[derive(Clone, Copy, Default)]
struct Cost {
    operators: usize,
    /// Of the deepest bracket in it.
    nested: usize,
}

impl Cost {
    fn all(self) -> usize {
        self.operators + self.nested
    }
}

/// One open bracket, and the entry of it that is being read.
#[derive(Default)]
struct Level {
    entry: Cost,
    /// The entry before the last newline, in case it goes on.
    before_newline: Cost,
    /// The dearest entry so far.
    deepest: usize,
    in_braces: bool,
}

impl Level {
    fn end_entry(&mut self) {
        self.deepest = self.deepest.max(self.entry.all());
        if self.entry.all() > 0 {
            self.before_newline = self.entry;
        }
        self.entry = Cost::default();
    }

    fn go_on(&mut self) {
        self.entry.operators += self.before_newline.operators;
        self.entry.nested = self.entry.nested.max(self.before_newline.nested);
    }
}

/// The byte from which on a piece nests deeper than the limit. An upper bound of the tree's depth, never too low.
pub fn too_deep(piece: &str) -> Option<usize> {
    let mut levels = vec![Level::default()];
    let mut before = Before::Entry;
    for token in tokens(piece) {
        let text = &piece[token.at.clone()];
        step(&mut levels, &token, text, before);
        before = Before::of(token.kind, text, before);
        let open = (levels.len() - 1) * OPERATORS_PER_LEVEL;
        if open + levels.last()?.entry.all() > NESTING_MAX * OPERATORS_PER_LEVEL {
            return Some(token.at.start);
        }
    }
    None
}

/// What stood before a token: whether a newline would end an entry there, or has ended one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Entry,
    /// Something that waits for its right side.
    Operator,
    Newline,
}

impl Before {
    fn of(kind: Kind, text: &str, before: Before) -> Before {
        match kind {
            Kind::Newline if before == Before::Operator => Before::Operator,
            Kind::Newline => Before::Newline,
            Kind::Comment => before,
            Kind::Sign(_) => Before::Operator,
            Kind::Word if word_cost(text) > 0 || text == "then" => Before::Operator,
            Kind::Word | Kind::Quoted { .. } | Kind::Open(_) | Kind::Close(_) => Before::Entry,
        }
    }
}

fn step(levels: &mut Vec<Level>, token: &Token, text: &str, before: Before) {
    let inside = levels.len() > 1;
    let Some(level) = levels.last_mut() else { return };
    if before == Before::Newline && matches!(text, "and" | "or" | "then" | "else" | "&" | "|") {
        level.go_on();
    }
    match token.kind {
        Kind::Open(bracket) => levels.push(Level { in_braces: bracket == '{', ..Level::default() }),
        Kind::Close(_) if inside => close(levels),
        Kind::Newline if level.in_braces && before != Before::Operator => level.end_entry(),
        Kind::Sign(',' | ';') => level.end_entry(),
        Kind::Sign(_) => level.entry.operators += 1,
        Kind::Word => level.entry.operators += word_cost(text),
        Kind::Close(_) | Kind::Newline | Kind::Comment | Kind::Quoted { .. } => {}
    }
}

fn close(levels: &mut Vec<Level>) {
    let Some(mut inner) = levels.pop() else { return };
    inner.end_entry();
    if let Some(outer) = levels.last_mut() {
        outer.entry.nested = outer.entry.nested.max(inner.deepest + OPERATORS_PER_LEVEL);
    }
}

fn word_cost(word: &str) -> usize {
    match word {
        "if" | "match" | "list" => OPERATORS_PER_LEVEL,
        "and" | "or" | "not" | "in" | "is" | "else" => 1,
        "AND" | "OR" | "NOT" => 1,
        _ => 0,
    }
}
