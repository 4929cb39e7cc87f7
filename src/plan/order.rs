//! The graph as petgraph sees it: its order from sources to ends, and its cycles.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::base::Name;
use crate::ir;

use super::{Graph, Input, NodeKey, NodeOp, NodeSpec, Slot};

impl Graph {
    /// Nodes and edges in the order of their keys, so equal graphs give equal results. Inputs that no node has are left out.
    pub fn digraph(&self) -> DiGraph<&NodeKey, ir::Outlet> {
        let mut out = DiGraph::new();
        let places: BTreeMap<&NodeKey, NodeIndex> = self.nodes.keys().map(|key| (key, out.add_node(key))).collect();
        for (key, node) in &self.nodes {
            for input in &node.inputs {
                if let Some(from) = places.get(&input.node) {
                    out.add_edge(*from, places[key], input.outlet);
                }
            }
        }
        out
    }

    /// Every node after those that it reads, and after the task that its predictions come from; nodes of a cycle stand
    /// together. The same for equal graphs.
    pub fn order(&self) -> Vec<&NodeKey> {
        let graph = self.dependencies();
        tarjan_scc(&graph).into_iter().rev().flatten().map(|at| graph[at]).collect()
    }

    /// Nodes that depend on each other in a circle, if there are any. A checked program has none.
    pub fn cycle(&self) -> Option<Vec<&NodeKey>> {
        let graph = self.dependencies();
        let circle = |part: &Vec<NodeIndex>| part.len() > 1 || graph.contains_edge(part[0], part[0]);
        let found = tarjan_scc(&graph).into_iter().find(circle)?;
        Some(found.into_iter().map(|at| graph[at]).collect())
    }

    /// The edges on which rows travel, and beside them the way of the models, from tasks to who predicts.
    fn dependencies(&self) -> DiGraph<&NodeKey, ir::Outlet> {
        let mut out = self.digraph();
        let places: BTreeMap<&NodeKey, NodeIndex> = out.node_indices().map(|at| (out[at], at)).collect();
        for (key, node) in &self.nodes {
            let task = node.predicts_by().map(|task| NodeKey::of_file(task, Slot::Task));
            if let Some(from) = task.and_then(|task| places.get(&task)) {
                out.add_edge(*from, places[key], ir::Outlet::Rows);
            }
        }
        out
    }

    /// The outlet that a name of the file stands for: `room`, `room.bad`, `air.late`.
    pub fn outlet(&self, read: &ir::Read) -> Option<Input> {
        let end = self.outlets.get(&read.from)?;
        let node = match read.outlet {
            ir::Outlet::Rows => return Some(end.clone()),
            ir::Outlet::Bad => NodeKey::of_file(&end.node.decl, Slot::Decode),
            ir::Outlet::Late => self.stages(&read.from).into_iter().rev().find(|key| self.refuses(key)).cloned()?,
        };
        self.nodes.contains_key(&node).then_some(Input { node, outlet: read.outlet })
    }

    /// These nodes and all that they read, back to the sources; those that the graph does not have are left out.
    pub fn before(&self, keys: &[NodeKey]) -> Vec<&NodeSpec> {
        let (mut open, mut seen): (Vec<&NodeKey>, BTreeSet<&NodeKey>) = (keys.iter().collect(), BTreeSet::new());
        let mut found = Vec::new();
        while let Some(spec) = open.pop().and_then(|key| self.nodes.get(key)) {
            if seen.insert(&spec.key) {
                found.push(spec);
                open.extend(spec.inputs.iter().map(|input| &input.node));
            }
        }
        found
    }

    /// The part of the graph that ends in these nodes.
    pub fn part(&self, keys: &[NodeKey]) -> Graph {
        let kept: BTreeSet<&NodeKey> = self.before(keys).into_iter().map(|spec| &spec.key).collect();
        // Where only what could not be read is read, the gate comes along: rows and their order are its work.
        let sources: BTreeSet<&Name> =
            kept.iter().filter(|key| self.nodes[**key].inputs.is_empty()).map(|key| &key.decl).collect();
        let is_kept =
            |key: &NodeKey| kept.contains(key) || key.slot == Slot::Gate && key.is_of_file() && sources.contains(&key.decl);
        let nodes = self.nodes.iter().filter(|(key, _)| is_kept(key)).map(|(key, spec)| (key.clone(), spec.clone()));
        let outlets = self.outlets.iter().filter(|(_, input)| kept.contains(&input.node));
        Graph {
            nodes: nodes.collect(),
            outlets: outlets.map(|(name, input)| (name.clone(), input.clone())).collect(),
            was: self.was.clone(),
            spans: self.spans.clone(),
        }
    }

    /// The stages of a stream or sink as the file declares them, in their order there.
    pub fn stages(&self, decl: &str) -> Vec<&NodeKey> {
        let mut own = self.of_declaration(decl);
        own.retain(|node| matches!(node.op, NodeOp::Stage(_)));
        let keys: BTreeSet<&NodeKey> = own.iter().map(|node| &node.key).collect();
        let mut after: BTreeMap<&NodeKey, &NodeKey> = BTreeMap::new();
        let mut first = None;
        for node in &own {
            match node.inputs.first().filter(|input| keys.contains(&input.node)) {
                Some(input) => _ = after.insert(&input.node, &node.key),
                None => first = Some(&node.key),
            }
        }
        std::iter::successors(first, |key| after.get(key).copied()).take(own.len()).collect()
    }

    /// The nodes of one declaration that the file owns, by slot: they stand together in the map.
    pub fn of_declaration(&self, decl: &str) -> Vec<&NodeSpec> {
        let first = NodeKey::of_file(&decl.into(), Slot::Connection);
        let own = self.nodes.range(first..).take_while(|(key, _)| key.decl == *decl);
        own.map(|(_, node)| node).filter(|node| node.key.is_of_file()).collect()
    }

    fn refuses(&self, key: &NodeKey) -> bool {
        matches!(&self.nodes[key].op, NodeOp::Stage(op) if matches!(**op, ir::Op::Window(_)))
    }
}

impl NodeSpec {
    /// The task whose models it predicts by.
    pub fn predicts_by(&self) -> Option<&Name> {
        let NodeOp::Stage(op) = &self.op else { return None };
        op.predict().map(|predict| &predict.task)
    }
}
