//! What the engine takes from outside, as small traits: nodes by their specs, and rows by the slice.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::io::{Draw, Exact, Keep, Position};
use crate::ir;
use crate::node::{Batch, Clock, Counts, Node, NodeError, Ordinal, Ordinals};
use crate::plan::{Connection, Graph, NodeKey, NodeOp, NodeSpec, Slot};

use super::record::History;

/// Builds what a graph names. The real one asks `ops`, `io` and `lifecycle`; tests bring their own.
pub trait Parts {
    /// The running node of a stage or a task. `inputs` are the schemas of what it reads, by port.
    ///
    /// # Errors
    /// For what cannot be built; nothing of it remains.
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError>;

    /// The columns of what a source could not read, at its bad outlet.
    fn bad(&self) -> ir::Schema;

    /// Opens the writer of a sink. With `keep` it writes every row exactly once, behind what stands already, where it can.
    fn deliver(&self, sink: &NodeSpec, keep: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError>;

    /// Opens one end of a source, from its beginning or behind a position; none if the source does not have it.
    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError>;

    /// Opens an end of a source once more, from its beginning, beside the one that is read; none where its rows cannot be read
    /// again.
    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let _ = (source, side);
        Ok(None)
    }

    /// Opens an end of a source once more, beside the one that is read, from where it stood once: its draws are made again.
    /// None where there is no such end.
    ///
    /// # Errors
    /// If what is kept does not reach back so far.
    fn past(&self, source: &SourceSpec, side: Side, from: &Position) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let _ = (source, side, from);
        Ok(None)
    }

    /// What was written down of the draws of this run; none where nothing is.
    fn history(&self) -> Option<Box<dyn History>> {
        None
    }
}

/// Which end of a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Recorded,
    Live,
}

/// The three nodes of a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceSpec<'a> {
    pub connection: &'a NodeSpec,
    pub decode: &'a NodeSpec,
    pub gate: &'a NodeSpec,
}

/// A source at work: its connection, decoder and gate. Rows come out typed, with their time, numbered by the caller.
pub trait Feed: Send {
    /// What stands at its head. Does not wait.
    fn head(&mut self) -> Result<Head, NodeError>;

    /// The next rows, at most `rows_max`, numbered from `first` on; only while their time is at most `until`, where it is
    /// given. May be fewer, or none while only time went on.
    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError>;

    /// Another meaning of its columns or of its time, in place: the connection stays. On an error all is as before.
    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError>;

    /// Since it was opened.
    fn counts(&self) -> FeedCounts;

    /// How far it has been read; none where that is not to be told.
    fn position(&self) -> Option<Position>;

    /// What its owner should know and has not been told. The source goes on.
    fn take_notes(&mut self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Event time and row numbers go on from another feed of the same source: from its recording to what is live.
    fn follow(&mut self, before: &Position);

    /// Feeds whose draws can be made again after a restart.
    fn again(&mut self) -> Option<&mut dyn Again> {
        None
    }
}

/// A feed that can give again what it gave once, from a position on.
pub trait Again {
    /// Can it read its rows again? If not, the log keeps the rows themselves, and a redo brings them along.
    fn rereads(&self) -> bool;

    /// The same rows and records as once from here, with the same times. Fewer where the source has changed since.
    fn redo(&mut self, draw: &Draw, first: Ordinal) -> Result<Drawn, NodeError>;

    /// Nothing before this position will be asked for again.
    fn acknowledge(&mut self, upto: &Position);
}

/// Writes what a sink has accepted.
pub trait Deliver: Send {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), NodeError>;

    /// Nothing more comes: what was written becomes visible as a whole.
    fn finish(&mut self) -> Result<(), NodeError>;

    /// The rows that are delivered next have these numbers, from the given one on, in the outbox of this number.
    fn stands(&mut self, outbox: u64, next: u64) {
        let _ = (outbox, next);
    }

    /// Of rows that could not be delivered in the end, so many were.
    fn part_done(&self) -> u64 {
        0
    }

    /// Of rows that were delivered, those that the receiver does not want, and why. Another try would not help.
    fn take_refused(&mut self) -> Option<(u64, String)> {
        None
    }

    /// Sinks that can say what of their rows stands for good.
    fn exact(&mut self) -> Option<&mut dyn Exact> {
        None
    }
}

/// What a feed could give now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// A row of this event time; none where rows have no time.
    Row(Option<Time>),
    /// Nothing yet.
    Waiting,
    /// Nothing any more.
    Ended,
}

/// Rows of one source in the order in which they arrived.
#[derive(Debug)]
pub struct Drawn {
    /// Takes the ordinals from `first` to before its `upto`.
    pub rows: Batch,
    /// What could not be read on the way.
    pub bad: Option<RecordBatch>,
    /// When the rows were read, by the clock of the place.
    pub read: Time,
}

/// A source's books, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedCounts {
    pub connection: Counts,
    pub decode: Counts,
    pub gate: Counts,
}

impl FeedCounts {
    pub fn add(&mut self, other: &FeedCounts) {
        self.connection.add(&other.connection);
        self.decode.add(&other.decode);
        self.gate.add(&other.gate);
    }
}

/// A side of a source that does not exist, or has been read to its end and is not opened again.
#[derive(Debug, Default)]
pub struct Finished {
    pub position: Option<Position>,
}

impl Feed for Finished {
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(Head::Ended)
    }

    fn take(&mut self, _: usize, _: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let rows = RecordBatch::new_empty(Schema::empty().into());
        let rows = Batch { rows, ordinals: Ordinals::Range(first), upto: first, clock: Clock::None };
        Ok(Drawn { rows, bad: None, read: Time::MIN })
    }

    fn retune(&mut self, _: &SourceSpec) -> Result<(), NodeError> {
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        FeedCounts::default()
    }

    fn position(&self) -> Option<Position> {
        self.position.clone()
    }

    fn follow(&mut self, _: &Position) {}
}

impl<'a> SourceSpec<'a> {
    /// None if the graph has no such source.
    pub fn of(graph: &'a Graph, name: &Name) -> Option<SourceSpec<'a>> {
        let part = |slot: Slot| graph.nodes.get(&NodeKey::of_file(name, slot));
        Some(SourceSpec { connection: part(Slot::Connection)?, decode: part(Slot::Decode)?, gate: part(Slot::Gate)? })
    }

    pub fn name(&self) -> &'a Name {
        &self.gate.key.decl
    }

    /// What one end of it is connected to. What `keep` holds is a recording where no other is declared.
    pub fn end(&self, side: Side) -> Option<&'a ir::Connector> {
        let NodeOp::Connection(connection) = &self.connection.op else { return None };
        let Connection { recorded, live, keep, columns: _ } = &**connection;
        match side {
            Side::Recorded => recorded.as_ref().or(keep.as_ref()),
            Side::Live => live.as_ref(),
        }
    }
}

/// All sources of a graph, by name.
pub fn sources(graph: &Graph) -> Vec<Name> {
    graph.nodes.keys().filter(|key| key.slot == Slot::Gate && key.is_of_file()).map(|key| key.decl.clone()).collect()
}
