//! What a check finds: messages, and which names were used.

use std::collections::BTreeSet;

use crate::base::{Name, Span, nearest};
use crate::diag::{Code, Diagnostic};

use super::index::Space;

/// Filled while the file is checked.
#[derive(Debug, Default)]
pub struct Findings {
    pub diagnostics: Vec<Diagnostic>,
    pub used: BTreeSet<(Space, Name)>,
    /// The uses of transforms whose stages are being checked, outermost first: who reads a message sees both places.
    pub within: Vec<(Name, Span)>,
}

impl Findings {
    /// Inside a transform, what is wrong with its text is said at its first use, and not again at every other.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        if !self.within.is_empty() && self.diagnostics.iter().any(|said| is_the_same(said, &diagnostic)) {
            return;
        }
        for (transform, span) in self.within.iter().rev() {
            diagnostic = diagnostic.at(*span, format!("`{transform}` is used here"));
        }
        self.diagnostics.push(diagnostic);
    }

    pub fn mark_used(&mut self, space: Space, name: &Name) {
        self.used.insert((space, name.clone()));
    }

    /// The value, or none after its message is kept.
    pub fn take<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.report(diagnostic)).ok()
    }
}

fn is_the_same(said: &Diagnostic, other: &Diagnostic) -> bool {
    (said.code, &said.message, said.span()) == (other.code, &other.message, other.span())
}

/// E0199: the language has it and this version does not.
pub fn not_yet(what: impl Into<String>, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(Code::E0199, format!("{} is not in this version", what.into())).at(span, "").help(help)
}

/// E0201: a name of one space that nothing declares, with the likeliest one that was meant.
pub fn unknown<'k>(kind: &str, name: &str, span: Span, known: impl IntoIterator<Item = &'k str>) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let out = Diagnostic::new(Code::E0201, format!("there is no {kind} `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(close) => out.at(span, "not known").help(format!("write `{close}`, if that was meant")).fix(span, quoted(close)),
        None => match list(&known) {
            Some(list) if known.len() == 1 => out.at(span, "not known").help(format!("there is only {list}")),
            Some(list) => out.at(span, "not known").help(format!("choose one of {list}")),
            None => out.at(span, "not known"),
        },
    }
}

/// A name as the language writes it, in backticks where it needs them.
pub fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain || name.contains('.') { name.to_owned() } else { format!("`{name}`") }
}

/// At most this many names are listed in a message.
const NAMES_LISTED_MAX: usize = 12;

/// `a, b, c`; none if there is nothing to list, or too much.
pub fn list(names: &[&str]) -> Option<String> {
    let fits = !names.is_empty() && names.len() <= NAMES_LISTED_MAX;
    fits.then(|| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}
