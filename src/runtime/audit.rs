//! The self-check, always on: every row that entered a node or an edge is accounted for. What does not add up is a bug of
//! ours, and is reported with the numbers instead of stopping anything.

use std::collections::BTreeSet;

use crate::diag::{Code, Diagnostic};
use crate::node::NodeError;
use crate::plan::{Graph, NodeKey};

use super::outbox::Outbox;
use super::slot::Slot;

/// Finds books that do not balance, each node's once.
#[derive(Debug, Default)]
pub struct Audit {
    reported: BTreeSet<NodeKey>,
}

impl Audit {
    pub fn slot(&mut self, slot: &Slot, graph: &Graph) -> Option<Diagnostic> {
        let numbers = match slot.inputs.iter().find(|edge| !edge.balances()) {
            Some(edge) => format!("sent {}, received {}, in flight {}", edge.sent, edge.received, edge.in_flight()),
            None if !slot.counts.balance() => node_numbers(slot),
            None => return None,
        };
        self.report(&slot.key, numbers, graph)
    }

    pub fn outbox(&mut self, key: &NodeKey, outbox: &Outbox, graph: &Graph) -> Option<Diagnostic> {
        if outbox.balances() {
            return None;
        }
        let numbers = format!("accepted {}, taken {}, waiting {}", outbox.accepted, outbox.taken, outbox.waiting());
        self.report(key, numbers, graph)
    }

    fn report(&mut self, key: &NodeKey, numbers: String, graph: &Graph) -> Option<Diagnostic> {
        self.reported.insert(key.clone()).then(|| does_not_balance(key, &numbers, graph))
    }
}

fn node_numbers(slot: &Slot) -> String {
    let counts = &slot.counts;
    let dropped: u64 = counts.dropped.values().sum();
    format!("in {}, passed {}, absorbed {}, dropped {dropped}", counts.input, counts.passed, counts.absorbed)
}

fn does_not_balance(key: &NodeKey, numbers: &str, graph: &Graph) -> Diagnostic {
    let found = Diagnostic::new(Code::R0003, format!("the rows of `{key}` do not add up: {numbers}"));
    placed(found, key, graph).help("report this as a bug of mliot, with the file and these numbers")
}

/// A failure of a node, with its line in the file.
pub fn node_failed(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = error.diagnostic(&format!("`{key}` failed"));
    placed(found, key, graph)
        .help("what does not depend on it runs on; rows that reach it are dropped and counted until it is changed")
}

/// The message at the node's place in the text, where the graph knows it and the message has no place of its own.
pub fn placed(found: Diagnostic, key: &NodeKey, graph: &Graph) -> Diagnostic {
    match graph.spans.get(key) {
        Some(span) if found.span().is_none() => found.at(*span, ""),
        Some(_) | None => found,
    }
}
