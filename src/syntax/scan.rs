//! A text as coarse tokens: enough to see comments, quotes, brackets and operators without parsing.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#` to the end of the line, without the newline.
    Comment,
    /// `"…"`, `'…'` or a name in backticks; it ends with its line at the latest.
    Quoted {
        quote: char,
        closed: bool,
    },
    Open(char),
    Close(char),
    Newline,
    /// Letters, digits and `_`.
    Word,
    /// Any other character; blanks are left out.
    Sign(char),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub at: Range<usize>,
}

pub fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\t', '\r']).len();
        let first = text[at..].chars().next()?;
        let (kind, length) = token(&text[at..], first);
        at += length;
        Some(Token { kind, at: at - length..at })
    })
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '#' => (Kind::Comment, line_length(rest)),
        '"' | '\'' | '`' => quoted(rest, first),
        '(' | '[' | '{' => (Kind::Open(first), 1),
        ')' | ']' | '}' => (Kind::Close(first), 1),
        '\n' => (Kind::Newline, 1),
        _ if is_word(first) => (Kind::Word, rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())),
        _ => (Kind::Sign(first), first.len_utf8()),
    }
}

pub fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// Only `"` knows escapes.
fn quoted(rest: &str, quote: char) -> (Kind, usize) {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            '\n' => return (Kind::Quoted { quote, closed: false }, at),
            _ if escaped => escaped = false,
            '\\' => escaped = quote == '"',
            _ if letter == quote => return (Kind::Quoted { quote, closed: true }, at + 1),
            _ => {}
        }
    }
    (Kind::Quoted { quote, closed: false }, rest.len())
}
