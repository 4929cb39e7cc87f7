//! What is different in another graph, as plain data: as large as the difference, however large the graphs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name};

use super::{Graph, Input, NodeKey, NodeSpec};

/// From one graph to another. Places in the text are no difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// Nodes that are new, or not what they were.
    pub nodes: Vec<NodeSpec>,
    pub gone: Vec<NodeKey>,
    /// Where rows come out; none of those that are gone.
    pub outlets: BTreeMap<Name, Option<Input>>,
    /// Names that the other graph says that declarations had, by their new ones.
    #[serde(default)]
    pub was: BTreeMap<Name, Name>,
}

impl NodeSpec {
    /// Would it be written down in the same words? More than being equal, which hashes decide: also what is no part of any hash,
    /// as the features that a `predict` reads of its inputs. Places in the text do not count.
    pub fn is_written_as(&self, other: &NodeSpec) -> bool {
        self == other && (self.op == other.op || Hash::of(&self.op) == Hash::of(&other.op))
    }
}

impl Patch {
    pub fn between(from: &Graph, to: &Graph) -> Patch {
        let nodes = to.nodes.iter().filter(|(key, spec)| !from.nodes.get(*key).is_some_and(|old| old.is_written_as(spec)));
        let gone = from.nodes.keys().filter(|key| !to.nodes.contains_key(*key));
        let outlets = to.outlets.iter().filter(|(name, input)| from.outlets.get(*name) != Some(*input));
        let closed = from.outlets.keys().filter(|name| !to.outlets.contains_key(*name));
        let was = to.was.iter().filter(|(new, _)| !from.outlets.contains_key(*new));
        Patch {
            was: was.map(|(new, old)| (new.clone(), old.clone())).collect(),
            nodes: nodes.map(|(_, spec)| spec.clone()).collect(),
            gone: gone.cloned().collect(),
            outlets: outlets
                .map(|(name, input)| (name.clone(), Some(input.clone())))
                .chain(closed.map(|name| (name.clone(), None)))
                .collect(),
        }
    }

    /// The other graph.
    pub fn on(&self, graph: &Graph) -> Graph {
        let mut graph = Graph { was: self.was.clone(), ..graph.clone() };
        self.gone.iter().for_each(|key| _ = graph.nodes.remove(key));
        graph.nodes.extend(self.nodes.iter().map(|spec| (spec.key.clone(), spec.clone())));
        for (name, input) in &self.outlets {
            match input {
                Some(input) => _ = graph.outlets.insert(name.clone(), input.clone()),
                None => _ = graph.outlets.remove(name),
            }
        }
        graph
    }
}
