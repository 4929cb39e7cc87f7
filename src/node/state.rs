//! The one portable form of a node's state: checkpoint, migration, backfill, fork and test read and write this and no other.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::base::{Hash, Name};

/// Named Arrow tables with the version of their format and the hash of what shaped them.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub format: u16,
    /// The node's `state` hash when it was saved.
    pub hash: Hash,
    pub tables: BTreeMap<Name, RecordBatch>,
}

impl State {
    pub fn empty(format: u16, hash: Hash) -> State {
        State { format, hash, tables: BTreeMap::new() }
    }
}
