//! One message to the person who wrote the file, or who runs it.

use crate::base::Span;

use super::{Code, Level};

/// What is wrong, the places, and what to do next. Build it in a small named function beside its use.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    pub code: Code,
    /// One sentence without jargon, in lower case, without a full stop.
    pub message: String,
    /// The place itself first; then the other places that disagree with it. Empty where no text is at fault.
    pub labels: Vec<Label>,
    /// What to do, starting with a verb.
    pub help: Option<String>,
    /// The edit that does it, if there is exactly one.
    pub fix: Option<TextEdit>,
}

/// A place with what stands there; the text may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// Replace `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    pub span: Span,
    pub text: String,
}

impl Diagnostic {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: None, fix: None }
    }

    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(TextEdit { span, text: text.into() });
        self
    }

    pub fn level(&self) -> Level {
        self.code.level()
    }

    pub fn is_error(&self) -> bool {
        self.level() == Level::Error
    }

    /// The place that it is about.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// In the order of the text, each once.
pub fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| (a.span(), a.code, &a.message).cmp(&(b.span(), b.code, &b.message)));
    diagnostics.dedup();
    diagnostics
}
