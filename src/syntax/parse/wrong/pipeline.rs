//! Stages, keys and sets.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};

use super::super::foreign::Hint;

pub fn unknown_stage(span: Span, written: &str, hint: Option<Hint>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::E0103, format!("no stage is called `{written}`"));
    match hint {
        Some(Hint::Word(right)) => {
            diagnostic.at(span, format!("is `{right}` meant?")).help(format!("write `{right}`")).fix(span, right)
        }
        Some(Hint::Advice(advice)) => diagnostic.at(span, "unknown").help(advice),
        None => diagnostic.at(span, "unknown").help(format!(
            "stages begin with one of their words (`where`, `set`, `window`, …); a transform of yours is used with round \
             brackets: `{written}(…)`"
        )),
    }
}

/// `| group by device | …`
pub fn group_stage(span: Span, keys: &str) -> Diagnostic {
    let keys = if keys.is_empty() { "device" } else { keys };
    Diagnostic::new(Code::E0110, "rows are grouped inside the stage that gathers them")
        .at(span, "not a stage of its own")
        .help(format!("write `by` in it: `| window 1min by {keys} {{ m = mean(x) }}`"))
}

/// `window 5s group by device { … }`
pub fn group_by(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0110, "keys stand behind `by` alone")
        .at(span, "write `by`")
        .help("write `by device` or `by [a, b]`")
        .fix(span, "by")
}

/// `by a, b`, `select a, b`; `text` is the list as written.
pub fn list_without_brackets(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::E0126, "several columns stand in square brackets")
        .at(span, "no brackets")
        .help(format!("write `[{text}]`"))
        .fix(span, format!("[{text}]"))
}

/// `features x`: understood, and said.
pub fn single_without_brackets(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::W0101, "a list stands in square brackets, also with one element")
        .at(span, "one element")
        .help(format!("write `[{text}]`"))
        .fix(span, format!("[{text}]"))
}

/// `limit 5,`
pub fn comma_behind_stage(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0109, "stages are separated by `|` alone")
        .at(span, "a comma separates nothing here")
        .help("remove the comma")
        .fix(span, "")
}

pub fn to_outside_sink(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0122, "`to` stands only at the end of a sink")
        .at(span, "rows leave here")
        .help("declare a sink: `sink record = s | to jsonl(\"out.jsonl\")`")
}

pub fn sink_without_to(name: Span, end: Span) -> Diagnostic {
    Diagnostic::new(Code::E0122, "this sink does not say where its rows go")
        .at(name, "has no `to`")
        .at(end, "missing here")
        .help("end it with `| to jsonl(\"out.jsonl\")` or another connector")
}

pub fn stage_behind_to(stage: Span, to: Span) -> Diagnostic {
    Diagnostic::new(Code::E0122, "nothing can stand behind `to`")
        .at(stage, "no row arrives here")
        .at(to, "the rows have left here")
        .help("put this stage before `to`")
}
