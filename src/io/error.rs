//! The world's failure at the edge: one value that becomes a diagnostic when it happens at the start, and a node's error later.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::node::NodeError;

/// What went wrong with which file, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct IoError {
    pub code: Code,
    pub message: String,
    pub path: Option<PathBuf>,
    pub help: Option<String>,
    /// The declaration that is at fault, where one is.
    pub span: Option<Span>,
}

impl IoError {
    pub fn new(code: Code, message: impl Into<String>) -> IoError {
        IoError { code, message: message.into(), path: None, help: None, span: None }
    }

    pub fn path(mut self, path: &Path) -> IoError {
        self.path = Some(path.to_owned());
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> IoError {
        self.help = Some(help.into());
        self
    }

    /// An empty span is no place.
    pub fn at(mut self, span: Span) -> IoError {
        self.span = (!span.is_empty()).then_some(span);
        self
    }

    /// For the person who wrote the file.
    pub fn diagnostic(self) -> Diagnostic {
        let mut out = Diagnostic::new(self.code, self.message);
        if let Some(span) = self.span {
            out = out.at(span, "");
        }
        out.help = self.help;
        out
    }
}

impl From<IoError> for NodeError {
    fn from(error: IoError) -> NodeError {
        let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
        NodeError { span: error.span, ..NodeError::new(error.code, format!("{}{help}", error.message)) }
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for IoError {}

/// A file that is there and does not let itself be opened.
pub(super) fn cannot_be_read(path: &Path, error: &std::io::Error) -> IoError {
    let help = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "allow this user to read it, such as with `chmod a+r`",
        std::io::ErrorKind::IsADirectory => "name the files in it, such as `folder/*.csv`",
        _ => "see whether the disk and the file are whole",
    };
    IoError::new(Code::E0712, format!("`{}` cannot be read: {error}", path.display())).path(path).help(help)
}

/// A file that breaks in the middle.
pub(super) fn reading_stopped(path: &Path, error: impl fmt::Display) -> IoError {
    let message = format!("`{}` cannot be read to its end: {error}", path.display());
    IoError::new(Code::R0711, message).path(path).help("see whether the file was copied and packed whole")
}

/// A computation over the rows of a source that Arrow refuses.
pub(super) fn arrow_refuses(error: impl fmt::Display) -> IoError {
    IoError::new(Code::R0001, format!("the rows of this source cannot be worked out: {error}"))
}
