//! What is known of a simulated case when it is over; the promises are checked on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::node::Ordinal;
use mliot::plan::{Diff, NodeKey};
use mliot::runtime::{CutEvent, Row};

use super::ledger::{Armed, Seen};
use super::log::Happening;
use super::oracle::Oracle;
use super::snapshot::Snapshot;
use super::world::Scripts;

pub struct Record {
    pub scripts: Arc<Scripts>,
    /// Everything that happened, in order.
    pub log: Vec<Happening>,
    pub moments: Vec<Moment>,
    pub recoveries: Vec<Recovery>,
    pub seen: Vec<Seen>,
    /// By path: what was taken from the outboxes that write there, in order.
    pub written: BTreeMap<String, Vec<Row>>,
    pub tapped: BTreeMap<NodeKey, Vec<Row>>,
    /// Messages of the engine that no fault of the simulator explains.
    pub findings: Vec<String>,
    /// Steps after which something was still under way.
    pub unfinished: Vec<String>,
    pub last: Snapshot,
    pub oracle: Oracle,
    /// Former outboxes that are kept although nothing waits in them.
    pub stale_outboxes: usize,
    /// What fails by itself depends on how rows are cut into batches.
    pub has_failures: bool,
}

/// A process ended and another went on.
pub struct Recovery {
    pub before: Snapshot,
    pub after: Snapshot,
    pub told: Vec<String>,
}

/// One attempt to change the graph.
pub struct Moment {
    pub what: String,
    pub outcome: Outcome,
    pub before: Snapshot,
    pub after: Snapshot,
    /// Sources that were opened.
    pub opened: Vec<(String, mliot::runtime::Side, String)>,
    /// Nodes that were given rows meanwhile.
    pub rows_moved: usize,
    /// Was every source held back by a sink?
    pub blocked: bool,
    pub armed: Option<Armed>,
    /// Happened to be told by an event.
    pub told: usize,
    /// Where its happening stands in the log, if there is one.
    pub at: Ordinal,
    /// The text before was the same text.
    pub back: bool,
}

pub enum Outcome {
    /// The compiler refused the text, and said why.
    Refused(String),
    /// The engine refused the change, with these codes.
    Failed(Vec<String>),
    /// A change that was prepared came too late.
    Overtaken(String),
    Done(Box<(CutEvent, Diff)>),
}
