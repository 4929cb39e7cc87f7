//! Floor 9: predictions on request, rows for sources, and what a machine or a person may ask about the running pipeline, over HTTP.
//!
//! A [`Listener`] is an open port; what it answers stands in its [`Doors`], which are opened and closed while it runs. What
//! stands behind a door is a [`Backend`]: the server knows nothing of engines.

mod answer;
mod backend;
mod bounded;
mod cell;
mod door;
mod error;
mod http;
mod inbox;
mod listener;
mod meter;
mod metrics;
mod named;
#[cfg(test)]
mod orders;
mod page;
mod post;
mod rows;
mod status;

use crate::base::sync;

pub use backend::{Answer, Answering, Backend, Refusal};
pub use door::{Door, DoorKey, Doors, Missing};
pub use inbox::{Body, Inbox, InboxKey, Inboxes, Putting};
pub use listener::{Address, Limits, Listener};
pub use status::{Edits, Happened, Rates, SinkStatus, Stage, Status, TaskStatus};

#[cfg(test)]
mod tests;
