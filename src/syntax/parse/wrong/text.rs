//! What is wrong with the text as a whole: brackets, quotes, sizes, unknown beginnings.

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};

use super::super::{foreign, words};

/// What does not fit, with what was expected.
pub fn unexpected(span: Span, found: &str, expected: &str, help: Option<String>) -> Diagnostic {
    let message = match found {
        "" => "this declaration ends too early".to_owned(),
        "\n" => "this line ends too early".to_owned(),
        _ => format!("`{found}` does not fit here"),
    };
    let diagnostic = Diagnostic::new(Code::E0101, message).at(span, format!("expected {expected}"));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// A word in column 0 that begins no declaration.
pub fn unknown_declaration(span: Span, written: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::E0102, format!("no declaration begins with `{written}`"));
    let known = &words::DECLARATIONS[..words::OF_A_FILE];
    if let Some(advice) = foreign::declaration(written) {
        return diagnostic.at(span, "unknown").help(advice);
    }
    match nearest(written, known.iter().copied()) {
        Some(right) => diagnostic.at(span, format!("is `{right}` meant?")).help(format!("write `{right}`")).fix(span, right),
        None => diagnostic
            .at(span, "unknown")
            .help(format!("begin with one of {}; lines that belong to the declaration above are indented", known.join(", "))),
    }
}

/// A clause in column 0 that reads as a declaration; `opener` is the bracket that it should stand in.
pub fn unindented(word: Span, written: &str, opener: Span) -> Diagnostic {
    Diagnostic::new(Code::E0118, format!("`{written}` at the beginning of a line begins a declaration"))
        .at(word, "indent this line")
        .at(opener, "this body is still open")
        .help("indent what stands inside a body")
        .fix(Span { end: word.start, ..word }, "  ")
}

pub fn never_closed(span: Span, bracket: char) -> Diagnostic {
    Diagnostic::new(Code::E0113, format!("this `{bracket}` is never closed"))
        .at(span, "opened here")
        .help(format!("close it with `{}`", closer(bracket)))
}

pub fn closed_by_another(open: Span, bracket: char, close: Span, found: char) -> Diagnostic {
    let right = closer(bracket);
    Diagnostic::new(Code::E0113, format!("`{bracket}` is closed by `{found}`"))
        .at(close, format!("write `{right}`"))
        .at(open, "opened here")
        .help(format!("write `{right}`, or close what stands between the two"))
}

pub fn nothing_to_close(span: Span, bracket: char) -> Diagnostic {
    Diagnostic::new(Code::E0113, format!("`{bracket}` closes nothing"))
        .at(span, "nothing is open here")
        .help("remove it, or open the bracket")
        .fix(span, "")
}

fn closer(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

pub fn text_not_closed(span: Span, quote: char) -> Diagnostic {
    let what = if quote == '`' { "name" } else { "text" };
    Diagnostic::new(Code::E0114, format!("this {what} is not closed on its line"))
        .at(span, "begins here")
        .help(format!("end it with `{quote}`"))
}

/// `//`, `--`, `/* */`
pub fn foreign_comment(span: Span, written: &str) -> Diagnostic {
    Diagnostic::new(Code::E0125, "comments begin with `#`")
        .at(span, format!("`{written}` begins no comment"))
        .help("write `#`; `##` describes the declaration below it")
        .fix(span, "#")
}

pub fn nested_too_deep(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::new(Code::E0115, format!("this is nested more than {limit} deep"))
        .at(span, "too deep from here on")
        .help("give the inner parts names with `let`, or make them columns with `set`")
}

pub fn file_too_large(start: Span, bytes: usize, limit: usize) -> Diagnostic {
    Diagnostic::new(Code::E0116, format!("this file has {bytes} bytes, and {limit} are the limit"))
        .at(start, "")
        .help("split it over several files and join them with `use \"part.mliot\"`")
}
