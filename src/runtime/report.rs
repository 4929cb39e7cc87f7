//! The books of a running graph as plain data: what scripts read, and what reports print.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Name, Time};
use crate::node::Counts;
use crate::plan::{NodeKey, Slot as NodeSlot};

use super::engine::{Engine, Life, Phase};
use super::feed::{FeedCounts, Head};

/// One node's rows: `in = passed + absorbed + the sum of dropped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    pub name: String,
    #[serde(rename = "in")]
    pub input: u64,
    pub passed: u64,
    pub absorbed: u64,
    pub dropped: BTreeMap<String, u64>,
    pub out: u64,
    /// What happened besides.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub noted: BTreeMap<String, u64>,
}

/// One edge's rows; what is sent and not received is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeReport {
    pub from: String,
    pub to: String,
    pub sent: u64,
    pub received: u64,
}

/// How a source gets on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    pub name: String,
    /// Rows that it brought.
    pub rows: u64,
    /// Records that could not be read.
    pub bad: u64,
    pub ended: bool,
    /// How old the oldest row is, by its event time, that has come and was not taken yet, in microseconds: 0 if none waits.
    /// None while a recording is read, and where rows have no time.
    pub behind_us: Option<u64>,
}

/// One sink's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkReport {
    pub name: String,
    pub accepted: u64,
    pub taken: u64,
    pub waiting: u64,
    /// What could not be written.
    pub lost: u64,
    /// Of a recording that only warmed up what runs live.
    pub muted: u64,
}

impl Engine {
    /// In the order of their keys, sources as connection, decoder and gate.
    pub fn node_reports(&self) -> Vec<NodeReport> {
        let mut all: BTreeMap<NodeKey, NodeReport> = BTreeMap::new();
        for slot in self.slots() {
            all.insert(slot.key.clone(), node_report(&slot.key, &slot.counts));
        }
        let gates: Vec<NodeKey> = all.keys().filter(|key| key.slot == NodeSlot::Gate).cloned().collect();
        for gate in gates {
            let counts = self.source_counts(&gate.decl);
            let parts =
                [(NodeSlot::Connection, counts.connection), (NodeSlot::Decode, counts.decode), (NodeSlot::Gate, counts.gate)];
            for (slot, counts) in parts {
                let key = NodeKey { slot, ..gate.clone() };
                all.insert(key.clone(), node_report(&key, &counts));
            }
        }
        all.into_values().collect()
    }

    /// In the order of their names. `now` is what event times are compared with.
    pub fn source_reports(&mut self, now: Time) -> Vec<SourceReport> {
        let live = self.settings.life == Life::Run && self.phase == Phase::Live;
        let heads = self.sequencer.heads();
        let report = |(name, head): (Name, Head)| {
            let FeedCounts { decode, gate, .. } = self.source_counts(&name);
            SourceReport {
                rows: gate.output,
                bad: decode.dropped.values().sum(),
                ended: head == Head::Ended,
                behind_us: behind(head, now).filter(|_| live),
                name: name.to_string(),
            }
        };
        heads.into_iter().map(report).collect()
    }

    pub fn edge_reports(&self) -> Vec<EdgeReport> {
        let mut all = Vec::new();
        for slot in self.slots() {
            for edge in &slot.inputs {
                let from = super::layout::place(&edge.from);
                all.push(EdgeReport { from, to: slot.key.to_string(), sent: edge.sent, received: edge.received });
            }
        }
        all.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        all
    }

    pub fn sink_reports(&self) -> Vec<SinkReport> {
        let report = |outbox: &super::Outbox| SinkReport {
            name: outbox.sink.to_string(),
            accepted: outbox.accepted,
            taken: outbox.taken,
            waiting: outbox.waiting() as u64,
            lost: outbox.lost,
            muted: outbox.muted,
        };
        self.outboxes().map(report).collect()
    }
}

fn behind(head: Head, now: Time) -> Option<u64> {
    match head {
        Head::Row(oldest) => oldest.map(|oldest| u64::try_from((now - oldest).0).unwrap_or(0)),
        Head::Waiting | Head::Ended => Some(0),
    }
}

fn node_report(key: &NodeKey, counts: &Counts) -> NodeReport {
    let Counts { input, passed, absorbed, dropped, output, noted } = counts.clone();
    let words = |reasons: BTreeMap<&str, u64>| reasons.into_iter().map(|(reason, rows)| (reason.to_owned(), rows)).collect();
    NodeReport { name: key.to_string(), input, passed, absorbed, dropped: words(dropped), out: output, noted: words(noted) }
}
