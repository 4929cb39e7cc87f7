//! Which nodes are stepped together: the connected components of the graph, each in topological order.

use std::collections::BTreeMap;

use crate::ir;
use crate::plan::{Graph, Input, NodeKey, NodeOp, NodeSpec, Slot};

/// Does the node stand in a task? A source's connection and decoder run at the edge, before rows have ordinals, and what is
/// served is answered by the shell. The copy of a task in a shadow only says what its model reads.
pub fn is_stepped(spec: &NodeSpec) -> bool {
    match &spec.op {
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Serve(_) => false,
        NodeOp::Task(_) => spec.key.is_of_file(),
        NodeOp::Gate(_) | NodeOp::Stage(_) | NodeOp::Accept(_) => true,
    }
}

/// The outlet as tasks see it: everything that leaves a source leaves it at its gate.
pub fn origin(input: &Input) -> Input {
    let slot = match &input.node.slot {
        Slot::Connection | Slot::Decode | Slot::Gate => Slot::Gate,
        other @ (Slot::Stage { .. } | Slot::Keep | Slot::Task | Slot::Accept | Slot::Serve) => other.clone(),
    };
    Input { node: NodeKey { slot, ..input.node.clone() }, outlet: input.outlet }
}

/// The stepped nodes, by component, each in topological order; components in the order of their first node.
pub fn components(graph: &Graph) -> Vec<Vec<NodeKey>> {
    let order: Vec<&NodeKey> = graph.order().into_iter().filter(|key| is_stepped(&graph.nodes[*key])).collect();
    let places: BTreeMap<&NodeKey, usize> = order.iter().enumerate().map(|(at, key)| (*key, at)).collect();
    let mut groups = Groups((0..order.len()).collect());
    for (key, at) in &places {
        for input in &graph.nodes[*key].inputs {
            if let Some(from) = places.get(&origin(input).node) {
                groups.join(*at, *from);
            }
        }
    }
    let mut out: BTreeMap<usize, Vec<NodeKey>> = BTreeMap::new();
    for (at, key) in order.into_iter().enumerate() {
        out.entry(groups.of(at)).or_default().push(key.clone());
    }
    let mut out: Vec<Vec<NodeKey>> = out.into_values().collect();
    out.sort_by_key(|keys| keys.iter().min().cloned());
    out
}

/// Numbers in disjoint groups: each points to another of its group, the group's own number to itself.
struct Groups(Vec<usize>);

impl Groups {
    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// The columns at an outlet. What comes too late has the columns of what the node reads.
pub fn outlet_schema(graph: &Graph, input: &Input, bad: &ir::Schema) -> ir::Schema {
    let Some(spec) = graph.nodes.get(&input.node) else { return ir::Schema::default() };
    match input.outlet {
        ir::Outlet::Rows => spec.schema.clone(),
        ir::Outlet::Bad => bad.clone(),
        ir::Outlet::Late => match spec.inputs.first() {
            Some(before) if *before != *input => outlet_schema(graph, before, bad),
            Some(_) | None => spec.schema.clone(),
        },
    }
}

/// An outlet in words: `air/where`, `room/decode.bad`.
pub fn place(input: &Input) -> String {
    match input.outlet {
        ir::Outlet::Rows => input.node.to_string(),
        ir::Outlet::Bad => format!("{}.bad", input.node),
        ir::Outlet::Late => format!("{}.late", input.node),
    }
}
