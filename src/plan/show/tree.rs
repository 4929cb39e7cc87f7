//! The graph as an indented tree: every declaration under the first one that it reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Name;
use crate::plan::diff::{Decl, Space, declaration};
use crate::plan::{Graph, Input, NodeKey, NodeSpec, Slot};

use super::brief;

/// For a terminal. Ends in a newline, but for an empty graph.
pub fn graph_text(graph: &Graph) -> String {
    let tree = Tree::new(graph);
    let mut text = String::new();
    for decl in &tree.roots {
        tree.write(&mut text, decl, 0);
    }
    text
}

struct Tree<'a> {
    graph: &'a Graph,
    /// Nodes of each declaration, in the order of the file.
    nodes: BTreeMap<Decl, Vec<&'a NodeSpec>>,
    roots: Vec<Decl>,
    below: BTreeMap<Decl, Vec<Decl>>,
    /// Streams without stages, by what they read.
    plain: BTreeMap<Decl, Vec<(&'a Name, &'a Input)>>,
}

impl<'a> Tree<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut tree = Tree { graph, nodes: BTreeMap::new(), roots: vec![], below: BTreeMap::new(), plain: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        for key in graph.order() {
            let decl = declaration(key);
            tree.nodes.entry(decl.clone()).or_default().push(&graph.nodes[key]);
            if seen.insert(decl.clone()) {
                tree.hang(decl, &graph.nodes[key]);
            }
        }
        for (name, end) in graph.outlets.iter().filter(|(name, end)| end.node.decl != **name) {
            tree.plain.entry(declaration(&end.node)).or_default().push((name, end));
        }
        tree
    }

    /// `first` is the node of a declaration that comes before its others.
    fn hang(&mut self, decl: Decl, first: &NodeSpec) {
        let parent = first.inputs.first().map(|input| declaration(&input.node)).filter(|parent| *parent != decl);
        match parent {
            Some(parent) => self.below.entry(parent).or_default().push(decl),
            None => self.roots.push(decl),
        }
    }

    fn write(&self, text: &mut String, decl: &Decl, depth: usize) {
        let own = &self.nodes[decl];
        line(text, depth, &self.head(decl, own));
        let width = own.iter().map(|node| node.key.slot.to_string().len()).max().unwrap_or(0);
        for node in own.iter().filter(|node| node.key.slot != Slot::Task) {
            line(text, depth + 1, &format!("{:width$}  {}", node.key.slot.to_string(), brief::node(node)));
        }
        for (name, end) in self.plain.get(decl).into_iter().flatten() {
            line(text, depth + 1, &format!("stream {name} = {}", brief::read_as(&end.node.decl, end.outlet)));
        }
        for below in self.below.get(decl).into_iter().flatten() {
            self.write(text, below, depth + 1);
        }
    }

    /// `stream air: at time, co2 float<ppm>, 4 more`
    fn head(&self, decl: &Decl, own: &[&NodeSpec]) -> String {
        let kind = brief::kind(self.graph, &own[0].key);
        let brief = match decl.0 {
            Space::Tasks => own.iter().find(|node| node.key.slot == Slot::Task).map(|node| brief::node(node)),
            Space::Rows => own.last().map(|node| brief::schema(&node.schema)),
        };
        let from = own[0].inputs.first().map(aside).unwrap_or_default();
        let owner = owner(&own[0].key);
        format!("{kind} {}{owner}{from}: {}", decl.1, brief.unwrap_or_default())
    }
}

/// Where a declaration reads not the rows of the one above it.
fn aside(input: &Input) -> String {
    let read = brief::read_as(&input.node.decl, input.outlet);
    if read == *input.node.decl { String::new() } else { format!(" from {read}") }
}

fn owner(key: &NodeKey) -> String {
    key.to_string().split_once(" @").map(|(_, owner)| format!(" @{owner}")).unwrap_or_default()
}

fn line(text: &mut String, depth: usize, content: &str) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(content.trim_end().trim_end_matches(':'));
    text.push('\n');
}
