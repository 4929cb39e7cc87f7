//! An epoch: everything that a running graph is between two steps, as plain data and Arrow tables.
//!
//! Nothing is under way between two steps, so an epoch needs no marks in the streams: the states of all nodes, the positions of
//! all sources, the rows that sinks have accepted and not written for good, the books, the models that answer, and the graph
//! itself, hidden branches included. A running graph that is made from it goes on as the first would have.

mod books;
mod outboxes;
mod restore;
mod save;

use std::collections::BTreeMap;

use crate::base::Name;
use crate::io::Position;
use crate::node::{Ordinal, State};
use crate::plan::{Graph, NodeKey};

use super::feed::Side;

pub use books::{Books, SavedError, SavedSource};
pub(super) use books::{SavedEdge, SavedMessage, SavedSlot};
pub use outboxes::SavedOutbox;
pub(super) use restore::model_gone;
pub use restore::{Models, Restored, Unopened};
pub(super) use save::standing;

/// At one ordinal: rows before it are in here, rows from it on are not.
#[derive(Clone, Debug)]
pub struct Epoch {
    pub books: Books,
    pub graph: Graph,
    /// Of every node that remembers something.
    pub states: BTreeMap<NodeKey, State>,
    pub outboxes: Vec<SavedOutbox>,
}

impl Epoch {
    pub fn at(&self) -> Ordinal {
        self.books.at
    }

    /// Where the sources stood that were being read.
    pub fn positions(&self) -> Vec<(Name, Side, Position)> {
        let standing = |source: &SavedSource| Some((source.name.clone(), source.side, source.position.clone()?));
        self.books.sources.iter().filter_map(standing).collect()
    }
}
