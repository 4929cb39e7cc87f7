//! What can be wrong with a state folder, in words.

use std::fmt::Display;
use std::path::Path;

use crate::diag::{Code, Diagnostic};

/// An epoch that is not used, because something of it is damaged.
pub fn damaged(path: &Path, why: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0101, format!("the epoch `{}` cannot be read: {why}", path.display()))
        .help("the one before it is used, and what was logged since then is made again")
}

pub fn nothing_left(path: &Path) -> Diagnostic {
    Diagnostic::new(
        Code::R0101,
        format!("no epoch in `{}` can be read, so the run cannot go on where it stopped", path.display()),
    )
    .help("begin anew with `--fresh`, which puts the old state aside and keeps the models")
}

pub fn other_format(path: &Path, format: u64, by: &str) -> Diagnostic {
    let own = super::FORMAT;
    let message =
        format!("`{}` was written in format {format} by mliot {by}, and this version reads format {own}", path.display());
    Diagnostic::new(Code::R0102, message)
        .help("run that version, or begin anew with `--fresh`, which puts the old state aside and keeps the models")
}

pub fn in_use(path: &Path) -> Diagnostic {
    Diagnostic::new(Code::R0103, format!("another run uses the state folder `{}`", path.display()))
        .help("end it first, or name another folder with `--state DIR`")
}

pub fn unwritten(path: &Path, error: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0104, format!("`{}` cannot be written: {error}", path.display()))
        .help("make room on its disk, or allow this user to write there")
}

/// A log whose lines cannot be read from some place on, where that is no torn end.
pub fn broken_log(path: &Path, why: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0101, format!("the log `{}` cannot be read any further: {why}", path.display()))
        .help("what follows in it is read from the sources again, where they can")
}
