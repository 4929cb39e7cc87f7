//! The books of a running graph as plain data: what scripts read, and what reports print.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::node::Counts;
use crate::plan::{NodeKey, Slot as NodeSlot};

use super::engine::Engine;

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

fn node_report(key: &NodeKey, counts: &Counts) -> NodeReport {
    let Counts { input, passed, absorbed, dropped, output, noted } = counts.clone();
    let words = |reasons: BTreeMap<&str, u64>| reasons.into_iter().map(|(reason, rows)| (reason.to_owned(), rows)).collect();
    NodeReport { name: key.to_string(), input, passed, absorbed, dropped: words(dropped), out: output, noted: words(noted) }
}
