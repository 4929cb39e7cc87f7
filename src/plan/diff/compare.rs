//! The class of every wanted node: one function per kind of node.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::base::{Hash, Name};
use crate::ir::{OnChange, Op};
use crate::plan::fingerprint::STATELESS;
use crate::plan::fingerprint::learn::target;
use crate::plan::fingerprint::values::{Columns, Values};
use crate::plan::{Connection, Graph, Hashes, Learn, NodeKey, NodeOp, NodeSpec, Slot, fingerprint};

use super::convert::{self, Fate};
use super::identity::Identity;
use super::{Change, Class, EntryChange, Memory, Why, learn, reason};

pub(super) fn nodes(running: &Graph, wanted: &Graph, identity: &Identity) -> BTreeMap<NodeKey, Change> {
    let comparison = Comparison { running, wanted, identity, before: OnceCell::new(), after: OnceCell::new() };
    let mut changes: BTreeMap<NodeKey, Change> =
        wanted.nodes.values().map(|node| (node.key.clone(), comparison.change(node))).collect();
    comparison.follow_tasks(&mut changes);
    changes
}

struct Comparison<'a> {
    running: &'a Graph,
    wanted: &'a Graph,
    identity: &'a Identity,
    /// What all columns stand for, found out only where a reason needs it.
    before: OnceCell<Values>,
    after: OnceCell<Values>,
}

impl Comparison<'_> {
    fn change(&self, new: &NodeSpec) -> Change {
        let Some(old) = self.identity.from(self.running, &new.key) else { return self.added(new) };
        let mut change = Change {
            class: Class::Same,
            why: vec![],
            from: Some(old.key.clone()),
            forks: None,
            rewired: !self.same_inputs(old, new),
            reshaped: old.schema != new.schema,
            on_change: new.on_change,
            memory: Memory::Kept,
            entries: BTreeMap::new(),
        };
        if change.rewired {
            change.raise(Class::Rewired, [Why::ReadsElsewhere]);
        }
        match &new.op {
            NodeOp::Connection(other_end) => connection(&mut change, old, new, other_end),
            NodeOp::Decode(_) => self.stateless(&mut change, old, new),
            NodeOp::Gate(_) => self.gate(&mut change, old, new),
            NodeOp::Stage(op) => self.stage(&mut change, old, new, op),
            NodeOp::Task(learn) => self.task(&mut change, old, new, learn),
            NodeOp::Accept(_) => end(&mut change, old, new, Why::WritesElsewhere, Why::WrittenColumns),
            NodeOp::Serve(_) => end(&mut change, old, new, Why::ListensElsewhere, Why::Request),
        }
        change
    }

    /// A hidden copy begins with the state of what it is a copy of.
    fn added(&self, new: &NodeSpec) -> Change {
        let original = NodeKey::of_file(&new.key.decl, new.key.slot.clone());
        let original = self.running.nodes.get(&original).filter(|_| !new.key.is_of_file());
        let forks = original.filter(|old| old.hashes.state == new.hashes.state).map(|old| old.key.clone());
        Change { forks, ..added(new) }
    }

    fn same_inputs(&self, old: &NodeSpec, new: &NodeSpec) -> bool {
        let mut pairs = old.inputs.iter().zip(&new.inputs);
        old.inputs.len() == new.inputs.len() && pairs.all(|(old, new)| self.identity.same_input(old, new))
    }

    fn task(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec, after: &Learn) {
        let NodeOp::Task(before) = &old.op else { return };
        let was = || target(before, &self.seen_before(old));
        let is = || target(after, &self.seen_after(new));
        let other_target = old.hashes.flow != new.hashes.flow && was() != is();
        learn::task(change, (old, before), (new, after), other_target);
    }

    fn gate(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec) {
        let (before, after) = (&old.hashes, &new.hashes);
        if before.state != after.state {
            change.raise(Class::Reset(OnChange::Empty), [Why::Time]);
        } else if before.flow != after.flow {
            change.raise(Class::Stale, [Why::Time]);
        } else if before.sem != after.sem {
            change.raise(Class::Retuned, [Why::Limits]);
        }
    }

    fn stage(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec, op: &Op) {
        match op {
            Op::Where { .. } => {
                if old.hashes.sem != new.hashes.sem {
                    let mut why = vec![Why::OtherRows];
                    why.extend(reason::recalculated(old, new, None, Why::OtherRows));
                    why.dedup();
                    change.raise(Class::Retuned, why);
                }
            }
            Op::Set { .. } | Op::Project { .. } | Op::Predict(_) | Op::Fill { .. } | Op::Unnest { .. } => {
                self.stateless(change, old, new)
            }
            Op::Keep(_) | Op::Rank(_) | Op::Resample(_) => self.as_one(change, old, new, Why::OtherRows),
            Op::Join(join) => self.as_one(change, old, new, reason::partners(old, join)),
            Op::Scan { .. } => self.entries(change, old, new, Why::ColumnOrder),
            Op::Window(_) => self.window(change, old, new),
            // How many inputs it has is its wiring.
            Op::Union { .. } => {}
        }
    }

    fn stateless(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec) {
        self.entries(change, old, new, Why::ColumnOrder);
    }

    /// A stage that remembers as a whole, and whose settings say only what is done with that.
    fn as_one(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec, settings: Why) {
        let (before, after) = (&old.hashes, &new.hashes);
        if before.state != after.state {
            change.raise(Class::Reset(new.on_change), [convert::unreadable_as_one(old, new)]);
        } else if after.state != STATELESS && before.flow != after.flow {
            let before = [self.seen_before(old), self.seen_aside(self.running, &self.before, old)];
            let after = [self.seen_after(new), self.seen_aside(self.wanted, &self.after, new)];
            change.raise(Class::Stale, reason::remembers_as_one((old, &before), (new, &after)));
        } else if before.sem != after.sem {
            change.raise(Class::Retuned, [settings]);
        }
    }

    fn window(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec) {
        self.entries(change, old, new, Why::Partial);
        // A window without columns of its own still remembers which windows are open.
        if change.class < Class::Migrated && old.hashes.state != new.hashes.state {
            match convert::frame(old, new) {
                Fate::Converts(why) => change.raise(Class::Migrated, [why]),
                Fate::Unreadable(why) => change.raise(Class::Reset(new.on_change), [why]),
            }
        }
    }

    /// Classes of all entries, and what they make of the node; `rest` is what changed where no entry did.
    fn entries(&self, change: &mut Change, old: &NodeSpec, new: &NodeSpec, rest: Why) {
        for (name, hashes) in &new.entries {
            let entry = match old.entries.get(name) {
                Some(before) => self.entry(old, new, name, before, hashes),
                None => EntryChange::new(Class::Added, vec![Why::New]),
            };
            change.entries.insert(name.clone(), entry);
        }
        for name in old.entries.keys().filter(|name| !new.entries.contains_key(*name)) {
            change.entries.insert(name.clone(), EntryChange::new(Class::Removed, vec![Why::Gone]));
        }
        let kept = change.entries.values().map(|entry| entry.class).filter(|class| *class < Class::Added).max();
        change.class = change.class.max(kept.unwrap_or(Class::Same));
        count_entries(change, old, new);
        if change.class < Class::Retuned && old.hashes.sem != new.hashes.sem {
            change.raise(Class::Retuned, [rest]);
        }
    }

    fn entry(&self, old: &NodeSpec, new: &NodeSpec, name: &Name, before: &Hashes, after: &Hashes) -> EntryChange {
        let (class, why) = if before.state != after.state {
            match convert::fate(old, new, name) {
                Fate::Converts(why) => (Class::Migrated, vec![why]),
                Fate::Unreadable(why) => (Class::Reset(new.on_change), vec![why]),
            }
        } else if after.state != STATELESS && before.flow != after.flow {
            (Class::Stale, reason::remembers((old, &self.seen_before(old)), (new, &self.seen_after(new)), name))
        } else if before.sem != after.sem {
            let rest = if new.key.slot == Slot::Decode { Why::Field } else { Why::Meaning };
            (Class::Retuned, reason::recalculated(old, new, Some(name), rest))
        } else {
            (Class::Same, vec![])
        };
        EntryChange::new(class, why)
    }

    fn seen_before(&self, node: &NodeSpec) -> Columns {
        seen(self.running, self.before.get_or_init(|| fingerprint::values(self.running)), node)
    }

    /// What a join reads of the other stream.
    fn seen_aside(&self, graph: &Graph, values: &OnceCell<Values>, node: &NodeSpec) -> Columns {
        let values = values.get_or_init(|| fingerprint::values(graph));
        node.inputs.get(1).map(|input| values.at(graph, input)).unwrap_or_default()
    }

    fn seen_after(&self, node: &NodeSpec) -> Columns {
        seen(self.wanted, self.after.get_or_init(|| fingerprint::values(self.wanted)), node)
    }

    /// Who reads predictions has the task's fate.
    fn follow_tasks(&self, changes: &mut BTreeMap<NodeKey, Change>) {
        let classes: BTreeMap<NodeKey, Class> = changes.iter().map(|(key, change)| (key.clone(), change.class)).collect();
        for (key, change) in changes.iter_mut() {
            let Some(task) = self.wanted.nodes[key].predicts_by() else { continue };
            let Some(before) = change.from.as_ref().and_then(|from| self.running.nodes[from].predicts_by()) else { continue };
            if !self.identity.same_task(before, task) {
                change.raise(Class::Retuned, [Why::PredictsBy(task.clone())]);
            }
            let fate = classes.get(&NodeKey::of_file(task, Slot::Task)).and_then(|class| followed(*class));
            if let Some(fate) = fate {
                change.raise(fate, [Why::Follows(task.clone())]);
            }
        }
    }
}

/// The columns that the entries of a node can read. A scan adds to them, so its entries see each other.
fn seen(graph: &Graph, values: &Values, node: &NodeSpec) -> Columns {
    if matches!(&node.op, NodeOp::Stage(op) if matches!(**op, Op::Scan { .. })) {
        return values.of(&node.key);
    }
    node.inputs.first().map(|input| values.at(graph, input)).unwrap_or_default()
}

/// Columns that came or went change what a stateful node remembers, and what a stateless one calculates.
fn count_entries(change: &mut Change, old: &NodeSpec, new: &NodeSpec) {
    let of = |class: Class, hashes: &BTreeMap<Name, Hashes>| -> Vec<Name> {
        let all = change.entries.iter().filter(|(_, entry)| entry.class == class);
        let remembering = all.filter(|(name, _)| hashes[*name].state != Hash::default());
        remembering.map(|(name, _)| name.clone()).collect()
    };
    let (added, removed) = (of(Class::Added, &new.entries), of(Class::Removed, &old.entries));
    if !added.is_empty() || !removed.is_empty() {
        change.raise(Class::Migrated, [Why::Entries { added, removed }]);
    } else if change.entries.values().any(|entry| entry.class >= Class::Added) {
        change.raise(Class::Retuned, [Why::OtherColumns]);
    }
}

fn added(new: &NodeSpec) -> Change {
    let entry = EntryChange::new(Class::Added, vec![Why::New]);
    Change {
        class: Class::Added,
        why: vec![Why::New],
        from: None,
        forks: None,
        rewired: false,
        reshaped: false,
        on_change: new.on_change,
        memory: Memory::Kept,
        entries: new.entries.keys().map(|name| (name.clone(), entry.clone())).collect(),
    }
}

fn connection(change: &mut Change, old: &NodeSpec, new: &NodeSpec, after: &Connection) {
    let NodeOp::Connection(before) = &old.op else { return };
    if old.hashes.state != new.hashes.state {
        change.raise(Class::Reset(OnChange::Empty), [Why::OtherEnd]);
    } else if old.hashes.sem != new.hashes.sem {
        let why = if before.keep != after.keep { Why::Keep } else { Why::FieldsRead };
        change.raise(Class::Retuned, [why]);
    }
}

/// A sink's or a serve's end: elsewhere it begins anew.
fn end(change: &mut Change, old: &NodeSpec, new: &NodeSpec, elsewhere: Why, otherwise: Why) {
    if old.hashes.state != new.hashes.state {
        change.raise(Class::Reset(OnChange::Empty), [elsewhere]);
    } else if old.hashes.sem != new.hashes.sem {
        change.raise(Class::Retuned, [otherwise]);
    }
}

/// What a task's class means for who reads its predictions.
fn followed(task: Class) -> Option<Class> {
    match task {
        Class::Shadowed => Some(Class::Shadowed),
        Class::Reset(_) => Some(Class::Reset(OnChange::Empty)),
        Class::Same | Class::Rewired | Class::Retuned | Class::Migrated | Class::Stale | Class::Added | Class::Removed => None,
    }
}

impl Change {
    pub(super) fn raise(&mut self, class: Class, why: impl IntoIterator<Item = Why>) {
        self.class = self.class.max(class);
        self.why.extend(why);
    }
}

impl EntryChange {
    pub(super) fn new(class: Class, why: Vec<Why>) -> EntryChange {
        EntryChange { class, why, memory: Memory::Kept }
    }
}
