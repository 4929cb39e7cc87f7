//! Where text goes: colours on a terminal, plain when piped, never more than was asked for.

use std::io::{IsTerminal, Write, stderr, stdout};

use crate::base::Sources;
use crate::diag::{Diagnostic, Style, render};

/// Coloured where standard error is a terminal and `NO_COLOR` is not set.
pub fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if !plain && stderr().is_terminal() { Style::Coloured } else { Style::Plain }
}

/// Prints results. A reader that has gone away (`| head`) is no failure.
pub fn say(text: &str) {
    let _gone = stdout().lock().write_all(text.as_bytes());
}

/// Prints what is about the work, not its result.
pub fn note(text: &str) {
    let _gone = writeln!(stderr().lock(), "{text}");
}

/// Prints messages to standard error, each with its lines, and a closing count.
pub fn complain(diagnostics: &[Diagnostic], sources: &Sources) {
    for diagnostic in diagnostics {
        note(&render(diagnostic, sources, style()));
    }
    if let Some(summary) = summary(diagnostics) {
        note(&summary);
    }
}

/// `2 errors, 1 warning`; none where there is nothing to count.
fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    let parts = [(errors, "error"), (warnings, "warning")];
    let said: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(*count, word)).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// `1 row`, `2 rows`.
pub fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// `45,312`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
