//! The message for a piece that does not parse: what stands there, and what was expected.

use crate::diag::Diagnostic;

use super::super::scan::{Kind, tokens};
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
    let (skipped, found) = found(&piece[at..]);
    let span = placed.span(at + skipped, at + skipped + found.trim_end().len());
    if let Some(mark) = ["//", "--", "/*"].into_iter().find(|mark| piece[at..].starts_with(mark)) {
        return wrong::foreign_comment(placed.span(at, at + mark.len()), mark);
    }
    if found.is_empty() {
        let end = piece.trim_end().len();
        return wrong::unexpected(placed.span(end, end), "", &expected(error), None);
    }
    if let Some(end) = missing_separator(piece, at, error) {
        return wrong::missing_separator(placed.span(end, end), span);
    }
    wrong::unexpected(span, found, &expected(error), help(piece, at, found))
}

/// A sign where a declaration should begin.
pub fn no_declaration(placed: &Placed<'_>, text: &str) -> Diagnostic {
    if let Some(mark) = ["//", "--", "/*"].into_iter().find(|mark| text.starts_with(mark)) {
        return wrong::foreign_comment(placed.span(0, mark.len()), mark);
    }
    let (skipped, found) = found(text);
    wrong::unexpected(placed.span(skipped, skipped + found.len()), found, "a declaration such as `source` or `stream`", None)
}

/// The word, text, sign or newline that stands there, and how many blanks before it; empty at the end.
fn found(rest: &str) -> (usize, &str) {
    let token = tokens(rest).find(|token| token.kind != Kind::Comment);
    token.map_or((0, ""), |token| (token.at.start, &rest[token.at]))
}

fn help(piece: &str, at: usize, found: &str) -> Option<String> {
    let before = piece[..at].trim_end();
    if before.ends_with("window by") {
        return Some(format!("say how long a window is: `window 5s by {found} {{ … }}`"));
    }
    if before.ends_with("limit") || before.ends_with("sample") || before.ends_with("top") {
        return Some("write a number, such as `limit 5`, `sample 1%`, `top 10 by x within 1min`".to_owned());
    }
    let last = before.rfind(|letter: char| !super::super::scan::is_word(letter)).map_or(0, |at| at + 1);
    let word = &before[last..];
    if found.starts_with(['"', '\'']) && !word.is_empty() {
        return Some(format!("write `{word}({found})`"));
    }
    let advice = foreign::infix(found).or_else(|| foreign::infix(word));
    advice.map(str::to_owned)
}

/// Where a `;` is missing between a body that ends and a word on the same line.
fn missing_separator(piece: &str, at: usize, error: &Error) -> Option<usize> {
    let before = piece[..at].trim_end();
    let one_line = !piece[before.len()..at].contains('\n');
    let word = !first_word(&piece[at..]).is_empty();
    let separator = positives(error).contains(&Rule::newline);
    (one_line && word && separator && before.ends_with(['}', ')'])).then_some(before.len())
}

fn positives(error: &Error) -> &[Rule] {
    match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => positives,
        pest::error::ErrorVariant::CustomError { .. } => &[],
    }
}

/// Words for all that may begin a value, when any of it may.
const VALUE: [&str; 10] = [
    "a number",
    "a number with a unit",
    "a text in quotes",
    "a time such as `@2026-11-23T10:00:00Z`",
    "`true` or `false`",
    "`[`",
    "`{`",
    "`if`",
    "`match`",
    "`null`",
];

/// ``a name, `by` or `{` ``; what is always possible is named only where nothing else is.
fn expected(error: &Error) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut operator = false;
    for rule in positives(error) {
        match human(*rule) {
            Human::Words(text) if !words.contains(&text) => words.push(text),
            Human::Operator => operator = true,
            Human::Words(_) | Human::Nothing => {}
        }
    }
    if words.contains(&"a text in quotes") && words.contains(&"a number") {
        words
            .retain(|word| !VALUE.contains(word) && !matches!(*word, "a name" | "`tensor`" | "`(`" | "a new line" | "a value"));
        words.insert(0, "a value");
    }
    if operator && words.contains(&"`?`") {
        // Behind a value: brackets and dots are only there to be corrected.
        words.retain(|word| !matches!(*word, "`?`" | "`.`" | "`[`" | "`(`" | "`is`" | "`not`" | "`else`" | "`%`" | "a unit"));
        words.insert(0, "an operator");
    } else if operator {
        words.push("an operator");
    }
    if words.contains(&"the end of the declaration") {
        // Outside all brackets a new line is a blank.
        words.retain(|word| *word != "a new line");
    }
    if words.contains(&"`}`") && words.len() > NAMED_MAX {
        words = vec!["a clause", "`}`"];
    }
    if words.len() > 1 {
        words.retain(|word| *word != "`(`" && *word != "`.`");
    }
    listed(words)
}

fn listed(mut words: Vec<&str>) -> String {
    let more = words.len() > NAMED_MAX;
    words.truncate(NAMED_MAX);
    match (words.split_last(), more) {
        (None, _) => "something else".to_owned(),
        (Some((last, [])), _) => (*last).to_owned(),
        (Some(_), true) => format!("{}, …", words.join(", ")),
        (Some((last, rest)), false) => format!("{} or {last}", rest.join(", ")),
    }
}
