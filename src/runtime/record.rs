//! What the log keeps of a running graph, in order: enough to make everything again from the last epoch on.
//!
//! Whatever is no function of the rows takes an ordinal and is written down here: who drew how much, where time went on by
//! silence, what ended, when live began, which graph and which model came from which row on.

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name, Time};
use crate::io::{Draw, Position};
use crate::node::{NodeError, Ordinal};
use crate::plan::{Graph, NodeKey, Patch};

use super::engine::Phase;
use super::epoch::{Epoch, SavedSource};
use super::feed::{Side, SourceSpec, sources};

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
    /// Stages that were not rebuilt although their sources might have been read again, with why; then they are not when it is
    /// made again either.
    pub not_rebuilt: Vec<(NodeKey, String)>,
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

    /// Everything that was appended can be read when this comes back, durable or not.
    ///
    /// # Errors
    /// If it cannot.
    fn write_out(&mut self) -> Result<(), NodeError> {
        self.confirm()
    }
}

/// Where the sources of a running graph stood at a moment of the log: who wants to see what followed once more begins here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub at: Ordinal,
    pub taken: Time,
    pub phase: Phase,
    /// The source that drew last.
    pub last: Option<Name>,
    pub sources: Vec<SavedSource>,
    /// Live ends that waited until the recordings had been read.
    pub live: Vec<(Name, Option<Position>)>,
    /// How rows were read then, by source.
    pub meanings: Vec<(Name, Meaning)>,
}

/// How a source reads its rows, as hashes of its three nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meaning {
    pub connection: Hash,
    pub decode: Hash,
    pub gate: Hash,
}

impl Meaning {
    /// None if the graph has no such source.
    pub fn of(graph: &Graph, source: &Name) -> Option<Meaning> {
        let SourceSpec { connection, decode, gate } = SourceSpec::of(graph, source)?;
        Some(Meaning { connection: connection.hashes.state, decode: decode.hashes.sem, gate: gate.hashes.sem })
    }
}

impl Standing {
    /// Of an epoch, which was taken at this time of the day.
    pub fn of(epoch: &Epoch, taken: Time) -> Standing {
        let Epoch { books, graph, .. } = epoch;
        let meanings = sources(graph).into_iter().filter_map(|name| Meaning::of(graph, &name).map(|meaning| (name, meaning)));
        Standing {
            at: books.at,
            taken,
            phase: books.phase,
            last: books.last.clone(),
            sources: books.sources.clone(),
            live: books.live.clone(),
            meanings: meanings.collect(),
        }
    }
}

/// What a log tells of what was.
#[derive(Clone, Debug)]
pub enum Past {
    Stands(Box<Standing>),
    Record(Record),
    /// Something is missing here: what follows is not told from what was before.
    Gap,
}

/// A log that is read from its oldest entry on, also while it is written.
pub trait History: Send {
    /// None: nothing more by now.
    fn next(&mut self) -> Option<Past>;
}
