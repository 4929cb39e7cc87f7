//! What an edit of a task, of its features or of its policy asks for.

use std::collections::BTreeMap;

use crate::base::{Hash, Name};
use crate::plan::fingerprint::learn::{Forms, forms};
use crate::plan::{Hashes, Learn, NodeSpec};

use super::{Change, Class, EntryChange, TaskEdit, Why};

pub(super) fn task(change: &mut Change, old: (&NodeSpec, &Learn), new: (&NodeSpec, &Learn), other_target: bool) {
    let (before, after) = (forms(old.1), forms(new.1));
    let (old, new) = (old.0, new.0);
    change.entries = features(&old.entries, &new.entries);
    if let Some(edit) = changed_features(&change.entries) {
        change.raise(Class::Shadowed, [Why::Task(edit)]);
    } else if before.features != after.features {
        change.raise(Class::Shadowed, [Why::Task(TaskEdit::FeatureOrder)]);
    }
    if before.answer != after.answer {
        change.raise(Class::Reset(new.on_change), [Why::Task(TaskEdit::Answer)]);
    } else if old.hashes.state != new.hashes.state {
        change.raise(Class::Reset(new.on_change), [Why::Version]);
    } else if other_target {
        change.raise(Class::Shadowed, [Why::Task(TaskEdit::Target)]);
    } else if before.target != after.target {
        change.raise(Class::Retuned, [Why::Task(TaskEdit::TargetName)]);
    }
    for edit in parts(&before, &after) {
        change.raise(Class::Retuned, [Why::Task(edit)]);
    }
    if change.class < Class::Retuned && old.hashes.sem != new.hashes.sem {
        change.raise(Class::Retuned, [Why::Version]);
    }
}

fn features(old: &BTreeMap<Name, Hashes>, new: &BTreeMap<Name, Hashes>) -> BTreeMap<Name, EntryChange> {
    let meaning = |hashes: &Hashes| -> (Hash, Hash) { (hashes.sem, hashes.flow) };
    let mut all = BTreeMap::new();
    for (name, hashes) in new {
        let (class, why) = match old.get(name) {
            None => (Class::Added, vec![Why::New]),
            Some(before) if meaning(before) == meaning(hashes) => (Class::Same, vec![]),
            Some(_) => (Class::Shadowed, vec![Why::Remembers(vec![name.clone()])]),
        };
        all.insert(name.clone(), EntryChange::new(class, why));
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        all.insert(name.clone(), EntryChange::new(Class::Removed, vec![Why::Gone]));
    }
    all
}

fn changed_features(entries: &BTreeMap<Name, EntryChange>) -> Option<TaskEdit> {
    let of = |class: Class| -> Vec<Name> {
        entries.iter().filter(|(_, entry)| entry.class == class).map(|(name, _)| name.clone()).collect()
    };
    let (added, removed, changed) = (of(Class::Added), of(Class::Removed), of(Class::Shadowed));
    let any = !(added.is_empty() && removed.is_empty() && changed.is_empty());
    any.then_some(TaskEdit::Features { added, removed, changed })
}

/// What an edit changes of a task and its policy, besides its features and the kind of its answer. Text that only moved
/// changes nothing.
pub fn task_edits(before: &Learn, after: &Learn) -> Vec<TaskEdit> {
    parts(&forms(before), &forms(after))
}

/// What changes neither the features nor the kind of answer.
fn parts(old: &Forms, new: &Forms) -> Vec<TaskEdit> {
    let Forms { answer: _, target: _, features: _, rows, models, choice, search, validate, acts } = old;
    let all = [
        (*rows != new.rows, TaskEdit::Rows),
        (*models != new.models, TaskEdit::Models),
        (*choice != new.choice, TaskEdit::Choice),
        (*search != new.search, TaskEdit::Search),
        (*validate != new.validate, TaskEdit::Validate),
        (*acts != new.acts, TaskEdit::Acts),
    ];
    all.into_iter().filter(|(changed, _)| *changed).map(|(_, edit)| edit).collect()
}
