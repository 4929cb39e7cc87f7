//! What can be wrong at the control door, in words.

use std::fmt::Display;
use std::path::Path;

use crate::diag::{Code, Diagnostic};

#[cfg(unix)]
pub fn not_opened(state: &Path, error: impl Display) -> Diagnostic {
    Diagnostic::new(
        Code::R0201,
        format!("no command reaches this run: its door in `{}` cannot be opened: {error}", state.display()),
    )
    .help("edits and everything else work; `mliot undo`, `mliot confirm` and `mliot plan --against running` do not")
}

pub fn nothing_runs(state: &Path) -> Diagnostic {
    Diagnostic::new(Code::R0202, format!("nothing runs that uses the state folder `{}`", state.display()))
        .help("start it with `mliot run`; where its state is elsewhere, name the folder with `--state DIR`")
}

pub fn not_allowed(state: &Path, error: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0202, format!("the run in `{}` cannot be reached: {error}", state.display()))
        .help("ask as the user that runs it")
}

pub fn no_answer(waited: std::time::Duration) -> Diagnostic {
    Diagnostic::new(Code::R0202, format!("the run has not answered for {} s", waited.as_secs()))
        .help("what was asked may still take place; look at `mliot history`")
}

pub fn broken_off(error: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0202, format!("the run broke off before it had answered: {error}"))
        .help("look at `mliot history`, and start it again if it has ended")
}

pub fn ending() -> Diagnostic {
    Diagnostic::new(Code::R0006, "the pipeline is ending; nothing was changed")
}

#[cfg(unix)]
pub fn busy() -> Diagnostic {
    Diagnostic::new(Code::R0202, "the run has too much to do to take the request").help("ask again in a moment")
}

#[cfg(unix)]
pub fn not_understood(why: impl Display) -> Diagnostic {
    Diagnostic::new(Code::R0202, format!("the run does not understand the request: {why}"))
        .help("use the version of mliot that runs")
}
