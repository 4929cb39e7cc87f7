//! Where text goes: colours on a terminal, plain when piped, never more than was asked for.

use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::path::Path;

use serde_json::{Value, json};

use crate::base::Sources;
use crate::diag::{Code, Diagnostic, Style, render, to_json};

use super::Outcome;

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

/// How a command ends that these messages ended. A text that is wrong is said to be wrong, even where the world failed too.
pub fn outcome(diagnostics: &[Diagnostic]) -> Outcome {
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|found| found.is_error()).collect();
    if errors.is_empty() {
        Outcome::Good
    } else if errors.iter().all(|error| error.code.is_of_the_world()) {
        Outcome::Failed
    } else {
        Outcome::Refused
    }
}

/// Says what ended a command; under `--json` on standard output too, as the one object that a command gives that failed.
pub fn ended(wrong: &[Diagnostic], sources: &Sources, json: bool) -> Outcome {
    complain(wrong, sources);
    if json {
        say(&format!("{}\n", json!({ "diagnostics": listed(wrong, sources) })));
    }
    outcome(wrong)
}

/// Messages as scripts read them.
pub fn listed(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Value> {
    diagnostics.iter().map(|found| to_json(found, sources)).collect()
}

/// A file named on the command line that cannot be read, or what else was tried.
pub fn unusable(path: &Path, done: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::E0207, format!("`{}` cannot be {done}: {error}", path.display())).help("check the path")
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
