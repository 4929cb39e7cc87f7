//! The smallest sets of nodes that must change together (Fries, PVLDB 2022): the changed ones and whatever lies on a way from
//! one of them to another. One cut at one ordinal serves a set; everything else does not pause.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::{Dfs, GraphBase, IntoNeighbors, Reversed, Visitable};

use crate::plan::{Graph, NodeKey, NodeSpec, Slot};

use super::identity::Identity;
use super::{Change, Class};

/// Nodes that pass one cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// By their keys in the wanted graph.
    pub nodes: BTreeSet<NodeKey>,
    /// By their keys in the running graph.
    pub removed: BTreeSet<NodeKey>,
}

/// A node of both graphs taken together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Wanted(NodeKey),
    Removed(NodeKey),
}

pub(super) fn components(
    running: &Graph,
    wanted: &Graph,
    identity: &Identity,
    changes: &BTreeMap<NodeKey, Change>,
) -> Vec<Component> {
    let both = Both::new(running, wanted, identity);
    let changed: Vec<NodeIndex> =
        both.places.iter().filter(|(member, _)| is_changed(member, changes)).map(|(_, at)| *at).collect();
    let (behind, before) = (reached(&both.graph, &changed), reached(Reversed(&both.graph), &changed));
    let together: BTreeSet<NodeIndex> = behind.intersection(&before).copied().collect();
    both.connected(&together)
}

fn is_changed(member: &Member, changes: &BTreeMap<NodeKey, Change>) -> bool {
    match member {
        Member::Wanted(key) => changes.get(key).is_some_and(|change| change.class != Class::Same),
        Member::Removed(_) => true,
    }
}

fn reached<G>(graph: G, from: &[NodeIndex]) -> BTreeSet<NodeIndex>
where
    G: IntoNeighbors + Visitable + GraphBase<NodeId = NodeIndex>,
{
    let mut visit = Dfs::empty(graph);
    visit.stack.extend(from);
    let mut found = BTreeSet::new();
    while let Some(at) = visit.next(graph) {
        found.insert(at);
    }
    found
}

/// Both graphs as one, every node that goes on once.
struct Both {
    graph: DiGraph<Member, ()>,
    places: BTreeMap<Member, NodeIndex>,
}

impl Both {
    fn new(running: &Graph, wanted: &Graph, identity: &Identity) -> Both {
        let mut both = Both { graph: DiGraph::new(), places: BTreeMap::new() };
        let today =
            |key: &NodeKey| identity.to(key).map_or_else(|| Member::Removed(key.clone()), |key| Member::Wanted(key.clone()));
        both.take(wanted, &|key| Member::Wanted(key.clone()));
        both.take(running, &today);
        both
    }

    fn take(&mut self, graph: &Graph, member: &dyn Fn(&NodeKey) -> Member) {
        for node in graph.nodes.values().filter(|node| node.key.is_of_file()) {
            let at = self.place(member(&node.key));
            for from in read_by(node).filter(|key| graph.nodes.contains_key(key)) {
                let from = self.place(member(&from));
                self.graph.update_edge(from, at, ());
            }
        }
    }

    fn place(&mut self, member: Member) -> NodeIndex {
        let graph = &mut self.graph;
        *self.places.entry(member.clone()).or_insert_with(|| graph.add_node(member))
    }

    fn connected(&self, among: &BTreeSet<NodeIndex>) -> Vec<Component> {
        let mut sets = UnionFind::new(self.graph.node_count());
        for edge in self.graph.raw_edges() {
            if among.contains(&edge.source()) && among.contains(&edge.target()) {
                sets.union(edge.source().index(), edge.target().index());
            }
        }
        let mut found: BTreeMap<usize, Component> = BTreeMap::new();
        for at in among {
            let component = found.entry(sets.find(at.index())).or_default();
            match &self.graph[*at] {
                Member::Wanted(key) => component.nodes.insert(key.clone()),
                Member::Removed(key) => component.removed.insert(key.clone()),
            };
        }
        let mut all: Vec<Component> = found.into_values().collect();
        all.sort_by(|a, b| (&a.nodes, &a.removed).cmp(&(&b.nodes, &b.removed)));
        all
    }
}

/// What a node depends on: its inputs, and the task that its predictions come from.
fn read_by(node: &NodeSpec) -> impl Iterator<Item = NodeKey> {
    let task = node.predicts_by().map(|task| NodeKey::of_file(task, Slot::Task));
    node.inputs.iter().map(|input| input.node.clone()).chain(task)
}
