//! The former version of what an edit changes, fed and mute beside the new one (probation): hidden copies of the stages that
//! the edit changes or removes and of those below them, as far as they remember something. Where the edit is taken back, the
//! file's nodes go on from these copies, and remember what they would, had it never been made.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Hash;

use super::diff::{Change, Class};
use super::{Diff, Graph, Input, NodeKey, NodeOp, NodeSpec, Owner, Slot};

/// What of a running graph can be kept beside a wanted one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Former {
    /// The hidden copies.
    pub nodes: Vec<NodeSpec>,
    /// What they are copies of, and begin with the state of.
    pub originals: Vec<NodeKey>,
    /// Stages that cannot be kept: the rows that they read do not come any more as they did.
    pub left_out: Vec<NodeKey>,
}

/// `diff` is from `running` to `wanted`; `plan` is the number of the plan that begins.
pub fn former(running: &Graph, wanted: &Graph, diff: &Diff, plan: u64) -> Former {
    let onward = diff.nodes.iter().filter_map(|(key, change)| Some((change.from.as_ref()?, key))).collect();
    let mut keeping = Keeping { running, wanted, diff, onward, touched: BTreeSet::new(), feeds: BTreeMap::new() };
    keeping.touch();
    let order = running.order();
    let mut asked: Vec<&NodeKey> = Vec::new();
    for key in order.iter().rev().filter(|key| keeping.touched.contains(**key)) {
        let is_read = asked.iter().any(|reader| running.nodes[*reader].inputs.iter().any(|input| input.node == **key));
        if remembers(&running.nodes[*key]) || is_read {
            asked.push(key);
        }
    }
    asked.reverse();
    let mut found = Former::default();
    for key in asked {
        match keeping.copy(key, plan) {
            Some(copy) => {
                found.nodes.push(copy);
                found.originals.push(key.clone());
            }
            None => found.left_out.push(key.clone()),
        }
    }
    found
}

impl Graph {
    /// The same with hidden copies beside it.
    pub fn with(mut self, copies: Vec<NodeSpec>) -> Graph {
        self.nodes.extend(copies.into_iter().map(|copy| (copy.key.clone(), copy)));
        self
    }

    /// The same without former versions.
    pub fn without_former(&self) -> Graph {
        let mut bare = self.clone();
        bare.nodes.retain(|key, _| !key.is_former());
        bare
    }

    pub fn has_former(&self) -> bool {
        self.nodes.keys().any(NodeKey::is_former)
    }
}

struct Keeping<'a> {
    running: &'a Graph,
    wanted: &'a Graph,
    diff: &'a Diff,
    /// Running to wanted.
    onward: BTreeMap<&'a NodeKey, &'a NodeKey>,
    /// Running stages of the file whose rows, or what they do with them, change.
    touched: BTreeSet<NodeKey>,
    /// By running node: out of which node of the new graph the same rows come.
    feeds: BTreeMap<NodeKey, Option<NodeKey>>,
}

impl<'a> Keeping<'a> {
    /// In the order of the rows, so that whoever reads a touched stage is one.
    fn touch(&mut self) {
        for key in self.running.order().into_iter().filter(|key| key.is_of_file() && is_stage(key)) {
            let spec = &self.running.nodes[key];
            if self.changes(key) || spec.inputs.iter().any(|input| self.touched.contains(&input.node)) {
                self.touched.insert(key.clone());
            }
        }
    }

    fn changes(&self, key: &NodeKey) -> bool {
        let Some(now) = self.onward.get(key) else { return true };
        match self.diff.nodes[*now].class {
            Class::Same | Class::Rewired | Class::Shadowed | Class::Added => false,
            Class::Retuned | Class::Migrated | Class::Stale | Class::Reset(_) | Class::Removed => true,
        }
    }

    fn copy(&mut self, key: &NodeKey, plan: u64) -> Option<NodeSpec> {
        let spec = &self.running.nodes[key];
        if spec.predicts_by().is_some() {
            return None;
        }
        let inputs: Option<Vec<Input>> = spec.inputs.iter().map(|input| self.read(input)).collect();
        let key = NodeKey { owner: Owner::Former { plan }, ..key.clone() };
        let mut copy = NodeSpec { key, inputs: inputs?, ..spec.clone() };
        let wire = Hash::of(&copy.inputs);
        copy.hashes.wire = wire;
        copy.entries.values_mut().for_each(|entry| entry.wire = wire);
        // Whoever reads it finds it by the name of what it is a copy of.
        self.feeds.insert(spec.key.clone(), Some(copy.key.clone()));
        Some(copy)
    }

    /// Where the rows of a running outlet come out of in the new graph; touched stages have their copies by then.
    fn read(&mut self, input: &Input) -> Option<Input> {
        if self.touched.contains(&input.node) {
            let node = self.feeds.get(&input.node).cloned().flatten()?;
            return Some(Input { node, outlet: input.outlet });
        }
        let node = self.same(&input.node)?;
        Some(Input { node, outlet: input.outlet })
    }

    /// The node of the new graph out of which the very rows come that came out of a running one.
    fn same(&mut self, key: &NodeKey) -> Option<NodeKey> {
        if let Some(known) = self.feeds.get(key) {
            return known.clone();
        }
        let found = self.find_same(key);
        self.feeds.insert(key.clone(), found.clone());
        found
    }

    fn find_same(&mut self, key: &NodeKey) -> Option<NodeKey> {
        let (spec, now) = (self.running.nodes.get(key)?, *self.onward.get(key)?);
        let change: &Change = &self.diff.nodes[now];
        let is_same = change.class == Class::Same && !change.reshaped && self.wanted.nodes[now].schema == spec.schema;
        let above = is_same && spec.inputs.iter().all(|input| self.same(&input.node).is_some());
        above.then(|| now.clone())
    }
}

fn is_stage(key: &NodeKey) -> bool {
    matches!(key.slot, Slot::Stage { .. })
}

fn remembers(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if op.remembers())
}
