//! The difference of two graphs: what becomes of every node and of every column that it makes. Pure; a start is the
//! difference from the empty graph.

mod align;
mod class;
mod compare;
mod component;
mod convert;
mod identity;
mod learn;
mod listing;
mod loss;
mod memory;
mod reason;
mod rename;
mod why;

use std::collections::BTreeMap;

use crate::base::Name;
use crate::ir::OnChange;

use super::shadow::{self, NotKept};
use super::{Graph, NodeKey, Slot};

pub use class::Class;
pub use component::Component;
pub use learn::task_edits;
pub use listing::Listed;
pub use loss::Loss;
pub use memory::{Again, Memory, NotAgain, Reach, again};
pub(super) use why::shape;
pub use why::{ParamEdit, TaskEdit, Why};

use identity::Identity;
pub(super) use identity::{Decl, Space, declaration};

/// What an edit does to a running graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Every node of the wanted graph.
    pub nodes: BTreeMap<NodeKey, Change>,
    /// Nodes of the running graph, by their keys there, that nothing goes on from.
    pub removed: Vec<NodeKey>,
    /// Declarations under a new name.
    pub renames: Vec<Rename>,
    /// The sets that must change together; nodes in none of them do not pause.
    pub components: Vec<Component>,
    /// Keys of `nodes` from sources to ends, for whoever prints them.
    pub order: Vec<NodeKey>,
}

/// What becomes of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The heaviest of its own class and those of its entries.
    pub class: Class,
    /// Empty where it is the same, or where its entries say why.
    pub why: Vec<Why>,
    /// The running node that it goes on from; its key may differ. None for an added one.
    pub from: Option<NodeKey>,
    /// Of a hidden copy that begins: the running node with whose state it begins, and which goes on by itself.
    pub forks: Option<NodeKey>,
    /// Does it read from other nodes than before? Also true beside heavier classes.
    pub rewired: bool,
    /// Do its rows carry other columns than before? Also true of a node that is the same: columns pass through it.
    pub reshaped: bool,
    /// What its stage says about state that cannot be kept.
    pub on_change: OnChange,
    /// What becomes of all that it remembers; where its entries differ in that, they say it.
    pub memory: Memory,
    /// By output column, of a task by feature; those that are gone included.
    pub entries: BTreeMap<Name, EntryChange>,
}

/// What becomes of one column that a node makes.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryChange {
    pub class: Class,
    pub why: Vec<Why>,
    /// What becomes of what it remembers.
    pub memory: Memory,
}

/// A declaration that goes on under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub from: Name,
    pub to: Name,
    /// `(was old)`, or recognised by equal meaning and inputs.
    pub declared: bool,
}

/// Nodes that belong to a model version, not to the file, have a change of their own in `nodes`, and are left out of account
/// everywhere else.
pub fn diff(running: &Graph, wanted: &Graph) -> Diff {
    let identity = Identity::find(running, wanted);
    let mut nodes = compare::nodes(running, wanted, &identity);
    say_what_is_not_kept(running, wanted, &mut nodes);
    memory::settle(running, wanted, &mut nodes);
    let removed = identity.removed(running);
    Diff {
        components: component::components(running, wanted, &identity, &nodes),
        order: wanted.order().into_iter().filter(|key| key.is_of_file()).cloned().collect(),
        renames: identity.renames,
        nodes,
        removed,
    }
}

/// Where the old features of a task cannot live on, that is the first thing to know about it.
fn say_what_is_not_kept(running: &Graph, wanted: &Graph, nodes: &mut BTreeMap<NodeKey, Change>) {
    let shadowed = nodes.iter().filter(|(key, change)| key.slot == Slot::Task && change.class == Class::Shadowed);
    let tasks: Vec<(NodeKey, NodeKey)> =
        shadowed.filter_map(|(key, change)| Some((key.clone(), change.from.clone()?))).collect();
    for (key, from) in tasks {
        let is_named_so = key.decl == from.decl;
        let is_back = || running.door(&key.decl).is_some_and(|door| door.hashes.flow == wanted.nodes[&key].hashes.flow);
        let kept = match is_named_so {
            true if is_back() => continue,
            true => shadow::keep(running, wanted, nodes, &key.decl, &"next".into()).map(drop),
            false => Err(NotKept::Answer),
        };
        if let Err(why) = kept {
            nodes.get_mut(&key).expect("it was found there").why.insert(0, why.into());
        }
    }
}

impl From<NotKept> for Why {
    fn from(why: NotKept) -> Why {
        match why {
            NotKept::Rows => Why::NoOldRows,
            NotKept::Source => Why::NoOldColumns,
            NotKept::Predictions => Why::OldPredictions,
            NotKept::Answer => Why::OtherAnswer,
        }
    }
}

impl Diff {
    /// Does everything stay as it is, but for names?
    pub fn is_nothing(&self) -> bool {
        self.removed.is_empty() && self.nodes.values().all(|change| change.class == Class::Same)
    }

    /// Nodes that go on under another key, running to wanted.
    pub fn moved(&self) -> impl Iterator<Item = (&NodeKey, &NodeKey)> {
        let pairs = self.nodes.iter().filter_map(|(key, change)| Some((change.from.as_ref()?, key)));
        pairs.filter(|(from, to)| from != to)
    }

    /// Nodes whose state would be lost although the file says `on change reject`: the plan may not be carried out.
    pub fn rejected(&self) -> impl Iterator<Item = &NodeKey> {
        let refuses = |change: &Change| change.on_change == OnChange::Reject && change.class.forgets();
        self.nodes.iter().filter(move |(_, change)| refuses(change)).map(|(key, _)| key)
    }
}

impl Change {
    /// All reasons in one sentence, its entries' own included.
    pub fn reason(&self) -> String {
        let mut parts: Vec<String> = self.why.iter().map(ToString::to_string).collect();
        let entries = self.entries.iter().filter(|(_, entry)| !entry.why.is_empty());
        parts.extend(entries.map(|(name, entry)| format!("`{name}`: {}", joined(&entry.why))));
        parts.join("; ")
    }
}

/// Reasons as one sentence.
pub(super) fn joined(why: &[Why]) -> String {
    why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
