//! The control door of a run: how commands such as `mliot undo` reach the process that runs.
//!
//! The door is the socket `STATE/control`. Only its owner may come in: the socket is readable by nobody else, and whoever
//! comes is asked for who he is. One connection carries one request, a line of JSON, and its answers, a line of JSON each; the
//! last of them is known by its kind, and whoever closes the connection before that wants no more of them. Everything has a
//! limit: connections, bytes of a request, the time that it may take to arrive, and answers that nobody takes.
//!
//! A new command is a [`Request`], an [`Answer`] and an arm in `run/calls.rs`.

mod ask;
#[cfg(unix)]
mod door;
#[cfg(unix)]
mod place;
#[cfg(all(test, unix))]
mod tests;
mod words;
mod wrong;

use tokio::sync::mpsc::Sender;

#[cfg(unix)]
pub use ask::{ask, ask_while};
#[cfg(not(unix))]
pub use ask::{elsewhere as ask, elsewhere_while as ask_while};
#[cfg(unix)]
pub use door::Door;
pub use words::{Answer, Applied, Refused, Request, Running};

/// Connections at the same time; beyond them one waits for another to go.
pub const CONNECTIONS_MAX: usize = 16;
/// Of a request: the largest text that a run watches, with every character escaped.
pub const REQUEST_BYTES_MAX: u64 = 40 << 20;
/// For a request to arrive, and for an answer to be taken.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Answers that wait for a slow reader.
pub const ANSWERS_MAX: usize = 256;

/// A request with the way back to whoever asked.
#[derive(Debug)]
pub struct Call {
    pub request: Request,
    pub reply: Reply,
}

/// Where answers go. Dropping it without a last answer says that the run is ending.
#[derive(Clone, Debug)]
pub struct Reply(Sender<Answer>);

impl Reply {
    /// Never waits. False: whoever asked is gone, or takes his answers too slowly, and this one is not on its way.
    pub fn say(&self, answer: Answer) -> bool {
        self.0.try_send(answer).is_ok()
    }

    /// Does nobody want answers any more?
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// A door that this system does not have.
#[cfg(not(unix))]
pub struct Door;

#[cfg(not(unix))]
impl Door {
    pub fn open(
        _: &std::path::Path,
        _: std::sync::mpsc::SyncSender<super::run::Signal>,
        _: &tokio::runtime::Handle,
    ) -> Result<Door, crate::diag::Diagnostic> {
        Ok(Door)
    }
}
