//! Which wanted node goes on from which running one.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Hash, Name};
use crate::plan::{Graph, Input, NodeKey, NodeSpec, Slot};

use super::{Rename, align, rename};

/// The pairing of both graphs' nodes, in both directions.
pub(super) struct Identity {
    pub renames: Vec<Rename>,
    /// Running to wanted.
    onward: BTreeMap<NodeKey, NodeKey>,
    /// Wanted to running.
    back: BTreeMap<NodeKey, NodeKey>,
    /// Tasks under a new name, running to wanted.
    tasks: BTreeMap<Name, Name>,
    /// Running nodes of the file whose place a former definition has taken back.
    replaced: BTreeSet<NodeKey>,
}

/// Names stand for one thing each within a space: rows, or tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::plan) enum Space {
    Rows,
    Tasks,
}

pub(in crate::plan) type Decl = (Space, Name);

pub(in crate::plan) fn declaration(key: &NodeKey) -> Decl {
    let space = match key.slot {
        Slot::Connection | Slot::Decode | Slot::Gate | Slot::Keep | Slot::Stage { .. } | Slot::Accept => Space::Rows,
        Slot::Task | Slot::Serve => Space::Tasks,
    };
    (space, key.decl.clone())
}

/// Those that the file declares and that have nodes.
pub(super) fn declarations(graph: &Graph) -> BTreeSet<Decl> {
    graph.nodes.keys().filter(|key| key.is_of_file()).map(declaration).collect()
}

impl Identity {
    pub fn find(running: &Graph, wanted: &Graph) -> Identity {
        let renamed = rename::renamed(running, wanted);
        let mut found = Identity {
            renames: vec![],
            onward: BTreeMap::new(),
            back: BTreeMap::new(),
            tasks: BTreeMap::new(),
            replaced: BTreeSet::new(),
        };
        let known = declarations(wanted);
        for old in declarations(running) {
            let new = renamed.get(&old).map_or(&old.1, |(new, _)| new);
            if known.contains(&(old.0, new.clone())) {
                found.pair_declaration(running, wanted, &old, new);
            }
        }
        found.pair_shadows(running, wanted);
        for ((space, from), (to, declared)) in renamed {
            if space == Space::Tasks {
                found.tasks.insert(from.clone(), to.clone());
            }
            found.renames.push(Rename { from, to, declared });
        }
        found
    }

    fn pair_declaration(&mut self, running: &Graph, wanted: &Graph, old: &Decl, new: &Name) {
        for node in running.of_declaration(&old.1) {
            let counterpart = NodeKey { decl: new.clone(), ..node.key.clone() };
            let is_stage = matches!(node.key.slot, Slot::Stage { .. });
            if !is_stage && declaration(&node.key) == *old && wanted.nodes.contains_key(&counterpart) {
                self.pair(&node.key, &counterpart);
            }
        }
        if old.0 == Space::Rows {
            for (from, to) in align::align(running, &running.stages(&old.1), wanted, &wanted.stages(new)) {
                self.pair(from, to);
            }
        }
    }

    /// A shadow goes on as it is. Where the file says again what a shadow still does, and the shadow is not needed any more,
    /// the file's node goes on from there: an edit that is taken back leaves no trace.
    fn pair_shadows(&mut self, running: &Graph, wanted: &Graph) {
        for key in wanted.nodes.keys().filter(|key| !key.is_of_file() && running.nodes.contains_key(*key)) {
            self.pair(key, key);
        }
        let hidden: Vec<&NodeSpec> = running.nodes.values().filter(|spec| !spec.key.is_of_file()).collect();
        if hidden.is_empty() {
            return;
        }
        let (before, after) = (histories(running), histories(wanted));
        for spec in hidden.into_iter().filter(|spec| matches!(spec.key.slot, Slot::Stage { .. })) {
            let file = NodeKey::of_file(&spec.key.decl, spec.key.slot.clone());
            let Some(new) = wanted.nodes.get(&file).filter(|new| alike(spec, new)) else { continue };
            let old = self.from(running, &file);
            let has_seen_the_same = |key: &NodeKey| before.get(key) == after.get(&file);
            let stays = |old: &NodeSpec| alike(old, new) && (has_seen_the_same(&old.key) || !has_seen_the_same(&spec.key));
            if wanted.nodes.contains_key(&spec.key) || old.is_some_and(stays) {
                continue;
            }
            if let Some(old) = self.back.get(&file).cloned() {
                self.onward.remove(&old);
                self.replaced.insert(old);
            }
            self.pair(&spec.key, &file);
        }
    }

    fn pair(&mut self, from: &NodeKey, to: &NodeKey) {
        self.onward.insert(from.clone(), to.clone());
        self.back.insert(to.clone(), from.clone());
    }

    /// The running node that a wanted one goes on from.
    pub fn from<'a>(&self, running: &'a Graph, wanted: &NodeKey) -> Option<&'a NodeSpec> {
        running.nodes.get(self.back.get(wanted)?)
    }

    pub fn to(&self, running: &NodeKey) -> Option<&NodeKey> {
        self.onward.get(running)
    }

    /// Is a running input, in today's names, the wanted one?
    pub fn same_input(&self, running: &Input, wanted: &Input) -> bool {
        running.outlet == wanted.outlet && self.to(&running.node) == Some(&wanted.node)
    }

    pub fn same_task(&self, running: &Name, wanted: &Name) -> bool {
        self.tasks.get(running).unwrap_or(running) == wanted
    }

    /// Running nodes of the file that nothing goes on from.
    pub fn removed(&self, running: &Graph) -> Vec<NodeKey> {
        running.order().into_iter().filter(|key| self.is_gone(key)).cloned().collect()
    }

    fn is_gone(&self, key: &NodeKey) -> bool {
        key.is_of_file() && !self.onward.contains_key(key) && !self.replaced.contains(key)
    }
}

/// What every node does and what came to it, filters included, back to the sources.
fn histories(graph: &Graph) -> BTreeMap<&NodeKey, Hash> {
    let mut all: BTreeMap<&NodeKey, Hash> = BTreeMap::new();
    for key in graph.order() {
        let spec = &graph.nodes[key];
        let above: Vec<_> = spec.inputs.iter().map(|input| (input.outlet, all.get(&input.node))).collect();
        let history = Hash::of(&(spec.hashes.sem, spec.hashes.state, spec.hashes.flow, above));
        all.insert(key, history);
    }
    all
}

/// Does one remember what the other would?
fn alike(a: &NodeSpec, b: &NodeSpec) -> bool {
    (a.hashes.sem, a.hashes.state, a.hashes.flow) == (b.hashes.sem, b.hashes.state, b.hashes.flow)
}
