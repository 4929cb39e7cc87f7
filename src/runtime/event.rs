//! What happened to the running graph: a closed list, for people, logs and tests.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::node::Ordinal;

/// Events that wait to be read; beyond them the oldest is forgotten and counted.
pub const EVENTS_MAX: usize = 1_024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The graph was changed; starting is a change of the empty graph.
    Cut(CutEvent),
    /// Another model answers from this ordinal on; none answers with null.
    Assigned { task: Name, at: Ordinal, version: Option<String> },
    /// The recordings have been read; from here on rows come live.
    WentLive { at: Ordinal },
    /// Nothing more comes from this source.
    SourceEnded { source: Name, at: Ordinal },
    /// A node or source failed; `code` has a page.
    Failed { name: String, at: Ordinal, code: String, message: String },
}

/// What a cut did, node by node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutEvent {
    /// Rows before this ordinal saw the old graph, from it on the new one.
    pub at: Ordinal,
    pub nodes: Vec<NodeEvent>,
    /// By entry (`air.stuffy`), the class that the language names.
    pub entries: BTreeMap<Name, Name>,
    /// How long nothing was processed, in microseconds.
    pub pause_us: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeEvent {
    pub node: String,
    /// As the language names it: `same`, `retuned`, …
    pub class: Name,
    pub fate: Fate,
    /// The ordinal from which on its state counts.
    pub since: Ordinal,
    /// Rows that it had seen before the cut.
    pub rows_before: u64,
    /// Why, in a sentence, where there is something to say.
    pub why: String,
}

/// What became of a node and of what it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Not touched.
    Kept,
    /// Not touched; its rows come from elsewhere.
    Rewired,
    /// Its meaning changed in place, its state stayed.
    Retuned,
    /// A new node took over the state of the old one.
    Carried,
    /// A new node, remembering what it would, had it been there from the start.
    Rebuilt,
    /// A new node, remembering nothing.
    Reset,
    Added,
    Removed,
}

/// Events in order, until somebody reads them.
#[derive(Debug, Default)]
pub struct EventLog {
    waiting: VecDeque<Event>,
    pub forgotten: u64,
}

impl EventLog {
    pub fn put(&mut self, event: Event) {
        if self.waiting.len() == EVENTS_MAX {
            self.waiting.pop_front();
            self.forgotten += 1;
        }
        self.waiting.push_back(event);
    }

    pub fn take(&mut self) -> Vec<Event> {
        self.waiting.drain(..).collect()
    }
}
