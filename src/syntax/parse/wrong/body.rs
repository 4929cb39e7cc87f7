//! Clauses and entries of bodies in `{ }`.

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};

use super::super::words::{GOALS, Place};

pub fn unknown_clause(span: Span, written: &str, place: &Place) -> Diagnostic {
    if place.later.contains(&written) {
        return Diagnostic::new(Code::E0199, format!("`{written}` is not in this version"))
            .at(span, "reserved for later")
            .help("remove it; everything runs on this machine");
    }
    let diagnostic = Diagnostic::new(Code::E0104, format!("{} has no `{written}`", place.article));
    if let Some((_, advice)) = place.instead.iter().find(|(word, _)| *word == written) {
        return diagnostic.at(span, "not here").help(*advice);
    }
    match nearest(written, place.clauses.iter().copied()) {
        Some(right) => diagnostic.at(span, format!("is `{right}` meant?")).help(format!("write `{right}`")).fix(span, right),
        None => diagnostic.at(span, "unknown here").help(format!("{} has {}", place.article, listed(place.clauses))),
    }
}

pub fn unknown_goal(span: Span, written: &str, meant: Option<&str>) -> Diagnostic {
    if matches!(written, "train_test_split" | "fit" | "split") {
        return Diagnostic::new(Code::E0123, "a task says what is to be learned, not how it is trained")
            .at(span, "not a kind of task")
            .help(
                "write `task guess = classify a from s { hold_out last 20% }`; splits, training and choice follow the policy",
            );
    }
    let diagnostic = Diagnostic::new(Code::E0123, format!("no kind of task is called `{written}`"));
    match meant {
        Some(right) => diagnostic.at(span, format!("is `{right}` meant?")).help(format!("write `{right}`")).fix(span, right),
        None => diagnostic.at(span, "unknown").help(format!("a task is one of {}", listed(&GOALS))),
    }
}

/// `a`, `b` and `c`
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

pub fn said_twice(again: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::E0108, "this is said twice, and once is the limit")
        .at(again, "said again")
        .at(first, "said first")
        .help("keep one of the two")
}

pub fn when_in_when(inner: Span, outer: Span) -> Diagnostic {
    Diagnostic::new(Code::E0104, "a `when` cannot stand inside another")
        .at(inner, "second condition")
        .at(outer, "first condition")
        .help("join the two conditions with `and`")
}

pub fn comma_between_entries(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0109, "entries in `{ }` are separated by a new line or `;`")
        .at(span, "a comma separates nothing here")
        .help("write `;` or begin a new line")
        .fix(span, ";")
}

/// `end` is where the element before it ends.
pub fn missing_comma(end: Span) -> Diagnostic {
    Diagnostic::new(Code::E0109, "elements in `[ ]` need a comma between them")
        .at(end, "write a comma here")
        .help("write a comma, also at the end of a line")
        .fix(end, ",")
}

/// `{ a: int } recorded …` on one line; `end` is behind the bracket.
pub fn missing_separator(end: Span, next: Span) -> Diagnostic {
    Diagnostic::new(Code::E0109, "entries in `{ }` are separated by a new line or `;`")
        .at(next, "begins without one")
        .help("write `;` or begin a new line")
        .fix(end, ";")
}

/// `what` names the two sides.
pub fn equals_for_colon(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0120, format!("{what} are joined by `:`"))
        .at(span, "write `:`")
        .help("write `name: value`")
        .fix(span, ":")
}

/// `a: E`, `a := E`
pub fn colon_for_equals(span: Span, written: &str) -> Diagnostic {
    let right = if written == ":" { " =" } else { "=" };
    Diagnostic::new(Code::E0120, "what a name is made of stands behind `=`")
        .at(span, "write `=`")
        .help("write `name = expression`")
        .fix(span, right)
}

/// `"a": 1` in a record.
pub fn quoted_name(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0120, "names of fields have no quotes")
        .at(span, "write the name alone")
        .help(format!("write `{name}`, in backticks if it holds blanks or signs"))
        .fix(span, bare(name))
}

/// In backticks where it is more than letters.
fn bare(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if plain && !name.starts_with(|letter: char| letter.is_ascii_digit()) { name.to_owned() } else { format!("`{name}`") }
}

/// `mean(x) as m`
pub fn entry_with_as(span: Span, name: &str, value: &str) -> Diagnostic {
    let right = format!("{name} = {value}");
    Diagnostic::new(Code::E0120, "the name of a new column stands before its expression")
        .at(span, "name at the end")
        .help(format!("write `{right}`"))
        .fix(span, right)
}

/// `mean(x)`
pub fn entry_without_name(span: Span, value: &str) -> Diagnostic {
    Diagnostic::new(Code::E0120, "a new column needs a name").at(span, "no name").help(format!("write `name = {value}`"))
}
