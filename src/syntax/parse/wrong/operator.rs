//! Operators of other languages.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};

/// `=`, `&&`, `||`, `<>`, `**`, …
pub fn foreign_operator(span: Span, written: &str, right: &str) -> Diagnostic {
    let why = match (written, right) {
        ("=", _) => "`=` gives a name its value; values are compared with `==`".to_owned(),
        _ => format!("here `{written}` is written `{right}`"),
    };
    Diagnostic::new(Code::E0105, why)
        .at(span, format!("write `{right}`"))
        .help(format!("write `{right}` instead of `{written}`"))
        .fix(span, right)
}

/// `!`
pub fn foreign_prefix(span: Span, written: &str) -> Diagnostic {
    Diagnostic::new(Code::E0105, format!("here `{written}` is written `not`"))
        .at(span, "write `not`")
        .help(format!("write `not` instead of `{written}`"))
        .fix(span, "not ")
}

/// `a % b`; `texts` are the two sides.
pub fn modulo(op: Span, whole: Span, texts: &[String; 2]) -> Diagnostic {
    let [left, right] = texts;
    Diagnostic::new(Code::E0105, "`%` is a percentage; what remains of a division is `mod(a, b)`")
        .at(op, "not an operator")
        .help(format!("write `mod({left}, {right})`"))
        .fix(whole, format!("mod({left}, {right})"))
}

/// `gap` is what lies between the operand before and the operator: newlines, blanks, comments.
pub fn operator_at_line_start(op: Span, written: &str, gap: Span, gap_text: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::E0124, format!("inside `{{ }}` a new line begins a new entry, so `{written}` stands alone"))
            .at(op, "belongs to the end of the line above")
            .help(format!("put `{written}` at the end of the line above"));
    if !gap_text.trim().is_empty() {
        return diagnostic;
    }
    diagnostic.fix(gap.to(op), format!(" {written}{gap_text}"))
}
