//! Expressions that are written otherwise here.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};

/// `a < b < c`; `right` is what was probably meant.
pub fn chained(whole: Span, op: Span, right: &str) -> Diagnostic {
    Diagnostic::new(Code::E0111, "comparisons do not chain")
        .at(op, "compares the answer of the comparison before it")
        .help(format!("write `{right}`; or ask for a range with `x in 1..5`, whose ends are included"))
        .fix(whole, right)
}

pub fn if_without_else(word: Span, end: Span) -> Diagnostic {
    Diagnostic::new(Code::E0112, "this `if` says nothing for the other case")
        .at(word, "has no `else`")
        .help("write `if … then … else …`; `else null` if there is no value")
        .fix(end, " else null")
}

/// `1, 2 -> …` in a `match`.
pub fn comma_for_or(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0109, "several patterns of one arm are joined by `or`")
        .at(span, "write `or`")
        .help("write `1 or 2 -> …`")
        .fix(span, " or")
}

/// `x[0]`
pub fn index(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0119, "a value has no parts that can be picked by number").at(span, "no indexing").help(
        "give each part a column of its own: in the source with `from \"$.acc[0]\"`, in a window with `first(x)` or `last(x)`",
    )
}

/// `air.co2` in an expression.
pub fn dot(span: Span, column: &str) -> Diagnostic {
    Diagnostic::new(Code::E0119, "a column is written without the name of its stream")
        .at(span, "has a dot")
        .help(format!("write `{column}`: a stage sees the columns that flow into it"))
        .fix(span, column)
}

/// `x.mean()`
pub fn method(span: Span, object: &str, name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0119, "values have no methods; a function takes the value as its first argument")
        .at(span, "has a dot")
        .help(format!("write `{name}({object})`"))
}

/// `c ? a : b`; `texts` are its three parts, `tail` begins at the question mark.
pub fn ternary(whole: Span, tail: Span, texts: &[String; 3]) -> Diagnostic {
    let [condition, then, otherwise] = texts;
    let right = format!("if {condition} then {then} else {otherwise}");
    Diagnostic::new(Code::E0105, "a choice is written with words")
        .at(tail, "choice of another language")
        .help(format!("write `{right}`"))
        .fix(whole, right)
}

/// `True`, `NULL`, …
pub fn foreign_word(span: Span, written: &str, right: &str) -> Diagnostic {
    Diagnostic::new(Code::E0105, format!("here `{written}` is written `{right}`"))
        .at(span, format!("write `{right}`"))
        .help(format!("write `{right}`; a column of that name stands in backticks: `` `{written}` ``"))
        .fix(span, right)
}
