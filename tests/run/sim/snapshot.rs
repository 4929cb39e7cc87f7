//! What there is at one moment between two steps: what a failed change must leave as it was, and a good one must keep.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::node::State;
use mliot::plan::{Graph, NodeKey};
use mliot::runtime::{EdgeReport, Engine, FeedCounts, NodeReport};

use super::ledger::Ledger;
use super::world::path;

#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub graph: Graph,
    pub next: u64,
    pub states: BTreeMap<NodeKey, State>,
    pub nodes: Vec<NodeReport>,
    pub edges: Vec<EdgeReport>,
    pub sinks: BTreeMap<u64, SinkBooks>,
    pub feeds: BTreeMap<Name, FeedCounts>,
    /// Which built node has which name, of all that have not been dropped.
    pub living: BTreeMap<u64, String>,
    /// Sources that are open.
    pub open: u64,
    /// What belongs to a change that is prepared.
    pub aside: u64,
    pub under_way: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SinkBooks {
    pub path: String,
    pub accepted: u64,
    pub taken: u64,
    pub lost: u64,
    pub waiting: u64,
}

pub fn take(engine: &mut Engine, ledger: &Ledger) -> Snapshot {
    let sinks = engine.outboxes_mut().map(|outbox| {
        let (accepted, taken, lost) = (outbox.accepted, outbox.taken, outbox.lost);
        let books = SinkBooks { path: path(&outbox.connector), accepted, taken, lost, waiting: outbox.waiting() as u64 };
        (outbox.id.0, books)
    });
    let sinks = sinks.collect();
    let sources = mliot_sources(engine.graph());
    let feeds = sources.into_iter().map(|name| (name.clone(), engine.source_counts(&name))).collect();
    let states = states(engine);
    let book = ledger.book();
    Snapshot {
        graph: engine.graph().clone(),
        next: engine.next().0,
        states,
        nodes: engine.node_reports(),
        edges: engine.edge_reports(),
        sinks,
        feeds,
        living: book.nodes.clone(),
        open: book.feeds,
        aside: book.aside,
        under_way: engine.in_flight(),
    }
}

fn mliot_sources(graph: &Graph) -> Vec<Name> {
    graph.nodes.keys().filter(|key| key.slot == mliot::plan::Slot::Gate).map(|key| key.decl.clone()).collect()
}

fn states(engine: &mut Engine) -> BTreeMap<NodeKey, State> {
    let keys: Vec<NodeKey> = engine.slots().map(|slot| slot.key.clone()).collect();
    let save = |key: NodeKey| {
        let slot = engine.slot_mut(&key).expect("a node that runs");
        let state = slot.node.save().expect("every node can save");
        (key, state)
    };
    keys.into_iter().map(save).collect()
}
