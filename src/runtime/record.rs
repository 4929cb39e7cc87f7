//! What the log keeps of a running graph, in order: enough to make everything again from the last epoch on.
//!
//! Whatever is no function of the rows takes an ordinal and is written down here: who drew how much, where time went on by
//! silence, what ended, when live began, which graph and which model came from which row on.

use crate::base::Name;
use crate::io::{Draw, Position};
use crate::node::{NodeError, Ordinal};
use crate::plan::{Graph, Patch};

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
    pub wanted: Wanted,
    /// Where the ends of sources stood that the cut opened.
    pub opened: Vec<(Name, Side, Position)>,
    /// Why nothing was rebuilt although the sources might have been read again; then nothing is when it is made again.
    pub refused: Option<String>,
}

/// The graph from a cut on.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// As it is different from the one before, so that a cut's line grows with the change.
    Changed(Patch),
    /// As lines of former versions have it.
    Whole(Graph),
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted::Changed(Patch::default())
    }
}

impl Wanted {
    /// Given the graph before.
    pub fn on(&self, before: &Graph) -> Graph {
        match self {
            Wanted::Changed(patch) => patch.on(before),
            Wanted::Whole(graph) => graph.clone(),
        }
    }
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
