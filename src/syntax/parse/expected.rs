//! The message for a piece that does not parse: what stands there, and what was expected.

use crate::diag::Diagnostic;

use super::build::Placed;
use super::grammar::Rule;
use super::human::{Human, human};
use super::pieces::first_word;
use super::{foreign, wrong};

pub type Error = pest::error::Error<Rule>;

/// So many alternatives are named.
const NAMED_MAX: usize = 6;

/// The byte of the piece where nothing fits.
pub fn place(error: &Error) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) => at,
        pest::error::InputLocation::Span((start, _)) => start,
    }
}

pub fn diagnostic(placed: &Placed<'_>, piece: &str, error: &Error) -> Diagnostic {
    let at = place(error);
    let found = found(&piece[at..]);
    let span = placed.span(at, at + found.len());
    if let Some(mark) = ["//", "--", "/*"].into_iter().find(|mark| piece[at..].starts_with(mark)) {
        return wrong::foreign_comment(placed.span(at, at + mark.len()), mark);
    }
    if found.is_empty() {
        let end = piece.trim_end().len();
        return wrong::unexpected(placed.span(end, end), "", &expected(error), None);
    }
    wrong::unexpected(span, found, &expected(error), help(piece, at, found))
}

/// A sign where a declaration should begin.
pub fn no_declaration(placed: &Placed<'_>, text: &str) -> Diagnostic {
    if let Some(mark) = ["//", "--", "/*"].into_iter().find(|mark| text.starts_with(mark)) {
        return wrong::foreign_comment(placed.span(0, mark.len()), mark);
    }
    let found = found(text);
    wrong::unexpected(placed.span(0, found.len()), found, "a declaration such as `source` or `stream`", None)
}

/// The word, number or sign that stands there; empty at the end.
fn found(rest: &str) -> &str {
    let word = first_word(rest);
    let sign = rest.trim().chars().next().map_or(0, char::len_utf8);
    if word.is_empty() { rest.trim_start().get(..sign).unwrap_or("") } else { word }
}

fn help(piece: &str, at: usize, found: &str) -> Option<String> {
    let before = piece[..at].trim_end();
    let last = before.rfind(|letter: char| !super::super::scan::is_word(letter)).map_or(0, |at| at + 1);
    let advice = foreign::infix(found).or_else(|| foreign::infix(&before[last..]));
    advice.map(str::to_owned)
}

/// `a name, `by` or `{``; operators only where little else fits.
fn expected(error: &Error) -> String {
    let pest::error::ErrorVariant::ParsingError { positives, .. } = &error.variant else { return "something else".into() };
    let mut words: Vec<&str> = Vec::new();
    let mut operator = false;
    for rule in positives {
        match human(*rule) {
            Human::Words(text) if !words.contains(&text) => words.push(text),
            Human::Operator => operator = true,
            Human::Words(_) | Human::Nothing => {}
        }
    }
    if operator {
        words.push("an operator");
    }
    let more = words.len() > NAMED_MAX;
    words.truncate(NAMED_MAX);
    match (words.split_last(), more) {
        (None, _) => "something else".to_owned(),
        (Some((last, [])), _) => (*last).to_owned(),
        (Some(_), true) => format!("{}, …", words.join(", ")),
        (Some((last, rest)), false) => format!("{} or {last}", rest.join(", ")),
    }
}
