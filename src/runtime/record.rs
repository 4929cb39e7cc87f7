//! What the log keeps of a running graph, in order: enough to make everything again from the last epoch on.
//!
//! Whatever is no function of the rows takes an ordinal and is written down here: who drew how much, where time went on by
//! silence, what ended, when live began, which graph and which model came from which row on.

use crate::base::Name;
use crate::io::{Draw, Position};
use crate::node::{NodeError, Ordinal};
use crate::plan::{Graph, NodeKey};

use super::feed::Side;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Round(RoundRecord),
    /// The recordings had been read; live ends took over.
    WentLive {
        at: Ordinal,
    },
    /// From this ordinal on another graph runs.
    Cut(Box<CutRecord>),
    /// From this ordinal on another model answers; none answers with null.
    Assigned {
        task: Name,
        at: Ordinal,
        version: Option<String>,
    },
}

/// What one round let in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoundRecord {
    /// In the order in which ordinals were drawn.
    pub draws: Vec<DrawRecord>,
    pub ended: Vec<Name>,
    pub failed: Vec<(Name, NodeError)>,
    pub upto: Ordinal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DrawRecord {
    pub source: Name,
    pub first: Ordinal,
    pub draw: Draw,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CutRecord {
    pub at: Ordinal,
    pub graph: Graph,
    /// Where the ends of sources stood that the cut opened.
    pub opened: Vec<(Name, Side, Position)>,
    /// Stages that were not rebuilt although their sources might have been read again, with why; then they are not when it is
    /// made again either.
    pub not_rebuilt: Vec<(NodeKey, String)>,
}

/// Keeps records, in order. The shell's: what waits for a disk waits there.
pub trait Log: Send {
    fn append(&mut self, record: Record);

    /// Everything that was appended is durable when this comes back.
    ///
    /// # Errors
    /// If it is not, and may never be.
    fn confirm(&mut self) -> Result<(), NodeError>;
}
