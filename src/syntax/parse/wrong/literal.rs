//! Literals and types that mean nothing.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};

/// `5 min`; `gap` is the blank, `right` the spelling without it.
pub fn blank_before_unit(span: Span, gap: Span, right: &str) -> Diagnostic {
    Diagnostic::new(Code::E0106, "a number and its unit are written without a blank between them")
        .at(span, "one quantity")
        .help(format!("write `{right}`"))
        .fix(gap, "")
}

/// `5minutes`
pub fn unknown_unit(span: Span, written: &str, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::E0107, format!("no unit is called `{written}`"));
    match meant {
        Some(unit) => diagnostic
            .at(span, format!("write `{unit}`"))
            .help(format!("write `{unit}` directly behind the number"))
            .fix(span, unit),
        None => diagnostic.at(span, "no unit").help(
            "units are `us ms s min h d`, `B kB KiB MiB`, `degC K`, `%`, `ppm`, `Pa bar`, `V A W kWh`, `m km kg L`, `Hz rpm gee` \
             and others; all stand in `stdlib/units.mliot`",
        ),
    }
}

pub fn number_too_large(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0121, "this number does not fit into 64 bits")
        .at(span, "too large")
        .help("write it with a point or an exponent, such as 1e20, if it need not be exact")
}

pub fn unit_power(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0121, "a unit is raised to a whole number from -9 to 9 that is not 0")
        .at(span, "not such a number")
        .help("write `m^2`, `s^-1`, …")
}

pub fn no_time(span: Span, written: &str) -> Diagnostic {
    Diagnostic::new(Code::E0121, format!("`{written}` is no time"))
        .at(span, "no such day or time of day")
        .help("write `@2026-11-23T10:00:00Z` or `@2026-11-23`")
}

pub fn unknown_escape(span: Span, written: &str) -> Diagnostic {
    Diagnostic::new(Code::E0114, format!("`{written}` means nothing inside a text"))
        .at(span, "unknown")
        .help("write `\\n \\t \\r \\0 \\\" \\\\ \\u{1F600}`, or a raw text in single quotes: 'C:\\data'")
}

/// `string`, `double`, …
pub fn unknown_type(span: Span, written: &str, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::E0117, format!("no type is called `{written}`"));
    match meant {
        Some(right) => diagnostic.at(span, format!("write `{right}`")).help(format!("write `{right}`")).fix(span, right),
        None => diagnostic.at(span, "no type").help(
            "types are `bool int float text time duration bytes`, `float<ppm>`, `enum(\"a\", \"b\")`, `tensor[128, 9]`, \
             `signal<8kHz>`, `list<float>`, each with `?` if it may be null",
        ),
    }
}
