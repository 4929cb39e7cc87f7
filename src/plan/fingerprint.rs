//! Hashes of every node and entry: what it means, what shapes its state, where its rows come from, and what the values
//! that reach it are. All are of canonical forms of the IR, written as JSON.

mod edge;
pub(super) mod form;
mod join;
pub(super) mod learn;
mod passing;
pub(super) mod stage;
pub(super) mod values;

use std::collections::BTreeMap;

use crate::base::{Hash, Name};

use super::{Graph, Hashes, NodeKey, NodeOp, NodeSpec};

use form::Form;
use values::{Columns, Values};

/// Fills in the hashes of all nodes.
pub(super) fn fingerprint(graph: &mut Graph) {
    for (key, marks) in walk(graph, &mut Values::default()) {
        let node = graph.nodes.get_mut(&key).expect("the order names nodes of the graph");
        (node.hashes, node.entries) = (marks.hashes, marks.entries);
    }
}

/// What the columns of every node stand for.
pub(super) fn values(graph: &Graph) -> Values {
    let mut values = Values::default();
    walk(graph, &mut values);
    values
}

fn walk(graph: &Graph, values: &mut Values) -> Vec<(NodeKey, Marks)> {
    let mut all = Vec::new();
    for key in graph.order() {
        let mut marks = mark(graph, &graph.nodes[key], values);
        values.insert(key.clone(), std::mem::take(&mut marks.made));
        all.push((key.clone(), marks));
    }
    all
}

/// What is found out about one node.
#[derive(Default)]
pub(super) struct Marks {
    hashes: Hashes,
    entries: BTreeMap<Name, Hashes>,
    /// The columns at its rows outlet.
    made: Columns,
}

fn mark(graph: &Graph, node: &NodeSpec, values: &Values) -> Marks {
    let inputs: Vec<Columns> = node.inputs.iter().map(|input| values.at(graph, input)).collect();
    // Every node but a connection has an input; a graph that was damaged on disk is no reason to panic.
    let input = inputs.first().cloned().unwrap_or_default();
    let mut marks = match &node.op {
        NodeOp::Connection(connection) => edge::connection(connection),
        NodeOp::Decode(decode) => edge::decode(decode),
        NodeOp::Gate(gate) => edge::gate(gate, &node.schema, &input),
        NodeOp::Stage(op) => stage::stage(op, node, &input, &inputs, &|task| learn::target_at(graph, values, task)),
        NodeOp::Task(learn) => learn::task(learn, &input),
        NodeOp::Accept(accept) => edge::accept(accept, &node.schema, &input),
        NodeOp::Serve(serve) => edge::serve(serve),
    };
    marks.hashes.wire = Hash::of(&node.inputs);
    marks.entries.values_mut().for_each(|entry| entry.wire = marks.hashes.wire);
    marks
}

impl Marks {
    /// A node that is `frame` and its entries, in their order. What it remembers is by name, of those that remember.
    fn of_entries(frame: Form, entries: Vec<(Name, Hashes)>, made: Columns) -> Marks {
        let all = |pick: fn(&Hashes) -> Hash| -> Vec<(&Name, Hash)> {
            entries.iter().map(|(name, hashes)| (name, pick(hashes))).collect()
        };
        let mut state = all(|hashes| hashes.state);
        state.retain(|(_, state)| *state != STATELESS);
        state.sort();
        let hashes = Hashes {
            sem: Hash::of(&(frame, all(|hashes| hashes.sem))),
            state: if state.is_empty() { STATELESS } else { Hash::of(&state) },
            flow: Hash::of(&all(|hashes| hashes.flow)),
            wire: Hash::ZERO,
        };
        Marks { hashes, entries: entries.into_iter().collect(), made }
    }
}

/// The `state` of whatever remembers nothing.
pub(super) const STATELESS: Hash = Hash::ZERO;
