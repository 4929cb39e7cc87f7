//! Where clients hand over rows for a source: what stands behind it knows sources, the server knows requests.

use std::pin::Pin;

pub use axum::body::Bytes as Body;

use crate::base::Name;
use crate::io::{NotTaken, Receipt};

use super::named::{Key, Named};

/// A body on its way to the disk.
pub type Putting = Pin<Box<dyn Future<Output = Result<Receipt, NotTaken>> + Send>>;

/// Takes rows for one source. Does not block.
pub trait Inbox: Send + Sync {
    /// Of the source.
    fn source(&self) -> &Name;

    /// All rows of the body, at most so many, or none of them. Comes true once they are kept for sure. A request whose `key` was
    /// taken before is told so, and nothing of it is taken.
    fn put(&self, body: Body, key: Option<Vec<u8>>, rows_max: usize) -> Putting;
}

/// The open inboxes of one listener, by their paths.
pub type Inboxes = Named<dyn Inbox>;

/// Keeps an inbox open.
pub type InboxKey = Key<dyn Inbox>;
