//! Cutting a text at its declaration words in column 0, so that a mistake in one declaration costs no other.

use std::ops::Range;

use super::words::DECLARATIONS;

/// Bytes of the file; begins at a word in column 0 and ends where the next piece begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: Range<usize>,
    /// What lies before the first declaration begins with none.
    pub declares: bool,
}

pub fn cut(text: &str) -> Vec<Piece> {
    let heads: Vec<usize> = line_starts(text).filter(|at| begins_declaration(&text[*at..])).collect();
    let first = heads.first().copied().unwrap_or(text.len());
    let mut pieces = vec![Piece { at: 0..first, declares: false }];
    let ends = heads.iter().skip(1).copied().chain([text.len()]);
    pieces.extend(heads.iter().zip(ends).map(|(start, end)| Piece { at: *start..end, declares: true }));
    pieces
}

/// Where lines begin; a byte order mark is no part of the first.
pub fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    std::iter::once(mark).chain(text.match_indices('\n').map(|(at, _)| at + 1))
}

fn begins_declaration(line: &str) -> bool {
    let word = first_word(line);
    DECLARATIONS.contains(&word) && line[word.len()..].chars().next().is_none_or(char::is_whitespace)
}

/// The letters that a line begins with.
pub fn first_word(line: &str) -> &str {
    &line[..line.find(|letter: char| !super::super::scan::is_word(letter)).unwrap_or(line.len())]
}

/// The name that a piece seems to declare.
pub fn declared_name(piece: &str) -> Option<Range<usize>> {
    let word = first_word(piece).len();
    let start = word + piece[word..].find(|letter: char| !letter.is_whitespace())?;
    let name = first_word(&piece[start..]);
    let lettered = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    lettered.then(|| start..start + name.len())
}
