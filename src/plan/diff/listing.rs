//! The difference as a list of names, one per thing that changed: what people read and tests expect.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Name;
use crate::ir::OnChange;
use crate::plan::{NodeKey, Slot};

use super::identity::{Decl, Space, declaration};
use super::{Change, Class, Diff, Memory, Why, joined};

/// One thing that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// `air.stuffy` (an entry), `air/where` (a node), `occupancy` (a task, or a whole declaration).
    pub name: String,
    pub class: Class,
    pub why: Vec<Why>,
    /// What becomes of what it remembers.
    pub memory: Memory,
    /// A node of it, in the wanted graph or, of what is removed, in the running one.
    pub node: NodeKey,
}

impl Listed {
    /// Why, and what becomes of what it remembers, in one sentence.
    pub fn reason(&self) -> String {
        let memory = Some(self.memory.to_string()).filter(|memory| !memory.is_empty());
        let why = Some(joined(&self.why)).filter(|why| !why.is_empty());
        why.into_iter().chain(memory).collect::<Vec<_>>().join("; ")
    }
}

impl Diff {
    /// Everything that changed, from sources to ends, then what is removed. A node is listed where its entries do not say it.
    pub fn listed(&self) -> Vec<Listed> {
        let (kept, gone) = (self.declarations_kept(), self.declarations_gone());
        let mut list = Vec::new();
        let mut whole = BTreeSet::new();
        for key in &self.order {
            let decl = declaration(key);
            if kept.contains(&decl) {
                self.list_node(&mut list, key);
            } else if whole.insert(decl) {
                let memory = self.memory_of(&declaration(key));
                let (name, why) = (key.decl.to_string(), vec![Why::New]);
                list.push(Listed { name, class: Class::Added, why, memory, node: key.clone() });
            }
        }
        for key in &self.removed {
            let decl = declaration(key);
            let name = if gone.contains(&decl) { key.decl.to_string() } else { node_name(key) };
            if !gone.contains(&decl) || whole.insert(decl) {
                let (memory, why) = (Memory::Kept, vec![Why::Gone]);
                list.push(Listed { name, class: Class::Removed, why, memory, node: key.clone() });
            }
        }
        list
    }

    /// The class of `air.stuffy` (an entry), `air.where` (a stage), or `occupancy` (a task or a whole declaration); none
    /// where neither graph has it.
    pub fn class_of(&self, name: &str) -> Option<Class> {
        let Some((decl, part)) = name.split_once(['.', '/']) else { return self.class_of_declaration(name) };
        let own = || self.nodes.iter().filter(|(key, _)| key.decl == *decl);
        let entries = own().filter(|(key, _)| key.slot != Slot::Task).filter_map(|(_, change)| change.entries.get(part));
        let node = own().find(|(key, _)| key.slot.to_string() == part).map(|(_, change)| change.class);
        let gone = || self.removed.iter().any(|key| key.decl == *decl && key.slot.to_string() == part);
        let entries: Vec<Class> = entries.map(|entry| entry.class).collect();
        let present = entries.iter().copied().filter(|class| *class != Class::Removed).max();
        present.or(entries.first().copied()).or(node).or_else(|| gone().then_some(Class::Removed))
    }

    fn class_of_declaration(&self, name: &str) -> Option<Class> {
        let heaviest = self.nodes.iter().filter(|(key, _)| key.decl == *name).map(|(_, change)| change.class).max();
        heaviest.or_else(|| self.removed.iter().any(|key| key.decl == *name).then_some(Class::Removed))
    }

    /// How many nodes have each class; what a reset does next does not count.
    pub fn counts(&self) -> BTreeMap<Class, usize> {
        let mut counts = BTreeMap::new();
        for change in self.nodes.values() {
            let class = if matches!(change.class, Class::Reset(_)) { Class::Reset(OnChange::Empty) } else { change.class };
            *counts.entry(class).or_default() += 1;
        }
        if !self.removed.is_empty() {
            counts.insert(Class::Removed, self.removed.len());
        }
        counts
    }

    fn list_node(&self, list: &mut Vec<Listed>, key: &NodeKey) {
        let change = &self.nodes[key];
        let listed = |name: String, class: Class, why: &[Why], memory: &Memory| {
            let (why, memory) = (why.to_vec(), memory.clone());
            Listed { name, class, why, memory, node: key.clone() }
        };
        let entries: Vec<_> = change.entries.iter().filter(|(name, entry)| self.is_told(key, name, entry.class)).collect();
        for (name, entry) in &entries {
            list.push(listed(entry_name(key, name), entry.class, &entry.why, &entry.memory));
        }
        let is_said = match change.class {
            Class::Same => true,
            Class::Rewired | Class::Retuned => !entries.is_empty(),
            Class::Migrated | Class::Stale | Class::Shadowed | Class::Reset(_) | Class::Added | Class::Removed => {
                entries.iter().any(|(_, entry)| entry.class == change.class)
            }
        };
        if !is_said {
            // What its entries say of themselves need not be said again.
            let memory = if entries.is_empty() { &change.memory } else { &Memory::Kept };
            list.push(listed(node_name(key), change.class, &change.why, memory));
        }
    }

    /// Of a new declaration: the first thing that there is to say of one of its nodes.
    fn memory_of(&self, decl: &Decl) -> Memory {
        let own = self.order.iter().filter(|key| declaration(key) == *decl).map(|key| &self.nodes[key].memory);
        own.into_iter().find(|memory| **memory != Memory::Kept).cloned().unwrap_or_default()
    }

    /// A task and a new node are spoken of as one thing, and a column that moved to another stage is not gone.
    fn is_told(&self, key: &NodeKey, entry: &Name, class: Class) -> bool {
        let as_one = key.slot == Slot::Task || self.nodes[key].class == Class::Added;
        let makes = |(other, change): (&NodeKey, &Change)| {
            declaration(other) == declaration(key) && change.entries.get(entry).is_some_and(|one| one.class != Class::Removed)
        };
        let moved = || self.nodes.iter().any(makes);
        if class == Class::Same || as_one || entry.starts_with('@') {
            return false;
        }
        class != Class::Removed || !moved()
    }

    /// Declarations of which at least one node goes on.
    fn declarations_kept(&self) -> BTreeSet<Decl> {
        let kept = self.nodes.iter().filter(|(_, change)| change.from.is_some());
        kept.map(|(key, _)| declaration(key)).collect()
    }

    /// Declarations of which nothing goes on.
    fn declarations_gone(&self) -> BTreeSet<Decl> {
        let kept: BTreeSet<Decl> = self.nodes.values().filter_map(|change| change.from.as_ref()).map(declaration).collect();
        self.removed.iter().map(declaration).filter(|decl| !kept.contains(decl)).collect()
    }
}

fn entry_name(key: &NodeKey, entry: &Name) -> String {
    format!("{}.{entry}", key.decl)
}

fn node_name(key: &NodeKey) -> String {
    match declaration(key).0 {
        Space::Tasks if key.slot == Slot::Task => key.decl.to_string(),
        Space::Tasks | Space::Rows => key.to_string(),
    }
}
