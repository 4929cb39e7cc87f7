//! What a difference of graphs means for each node that is to run: who it was, and what becomes of it.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::plan::{Graph, NodeKey};

use super::layout::is_stepped;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Same,
    Rewired,
    Retuned,
    Migrated,
    Stale,
    Reset,
    Shadowed,
    Added,
    Removed,
}

impl Class {
    pub fn word(self) -> &'static str {
        match self {
            Class::Same => "same",
            Class::Rewired => "rewired",
            Class::Retuned => "retuned",
            Class::Migrated => "migrated",
            Class::Stale => "stale",
            Class::Reset => "reset",
            Class::Shadowed => "shadowed",
            Class::Added => "added",
            Class::Removed => "removed",
        }
    }
}

/// A node of the wanted graph.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its key in the running graph.
    pub old: Option<NodeKey>,
    pub class: Class,
    pub why: String,
}

/// Of all stepped nodes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub nodes: BTreeMap<NodeKey, Change>,
    pub removed: Vec<NodeKey>,
    /// By output column that a node makes: `air.stuffy`.
    pub entries: BTreeMap<Name, Class>,
}

pub fn changes(running: &Graph, wanted: &Graph) -> Changes {
    let mut out = Changes::default();
    for (key, spec) in wanted.nodes.iter().filter(|(_, spec)| is_stepped(spec)) {
        let old = running.nodes.get(key);
        let class = match old {
            None => Class::Added,
            Some(old) if old.hashes == spec.hashes && old.entries == spec.entries => Class::Same,
            Some(old) if old.hashes.state != spec.hashes.state => Class::Reset,
            Some(old) if old.hashes.flow != spec.hashes.flow => Class::Stale,
            Some(old) if old.hashes.sem != spec.hashes.sem => Class::Retuned,
            Some(_) => Class::Rewired,
        };
        out.nodes.insert(key.clone(), Change { old: old.map(|old| old.key.clone()), class, why: String::new() });
    }
    let gone = running.nodes.iter().filter(|(key, spec)| is_stepped(spec) && !wanted.nodes.contains_key(*key));
    out.removed = gone.map(|(key, _)| key.clone()).collect();
    out
}
