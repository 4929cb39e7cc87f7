//! Declarations that go on under another name: said so by `was`, or recognised when exactly one that is gone and one that is
//! new have equal meaning and inputs.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Hash, Name};
use crate::ir::Outlet;
use crate::plan::{Graph, NodeKey, NodeSpec, Slot};

use super::identity::{Decl, Space, declaration, declarations};

/// Running declarations to their new names, and whether the file says so itself.
pub(super) type Renamed = BTreeMap<Decl, (Name, bool)>;

pub(super) fn renamed(running: &Graph, wanted: &Graph) -> Renamed {
    let (before, after) = (declarations(running), declarations(wanted));
    let mut found = declared(wanted, &before, &after);
    // A recognised rename makes inputs equal further down, so it goes on until nothing new is found.
    while recognise(running, wanted, &before, &after, &mut found) {}
    found
}

fn declared(wanted: &Graph, before: &BTreeSet<Decl>, after: &BTreeSet<Decl>) -> Renamed {
    let mut found = Renamed::new();
    for (new, old) in &wanted.was {
        let (old, new) = ((Space::Rows, old.clone()), (Space::Rows, new.clone()));
        let is_rename = before.contains(&old) && !after.contains(&old) && after.contains(&new) && !before.contains(&new);
        if is_rename {
            found.entry(old).or_insert((new.1, true));
        }
    }
    found
}

/// One round; did it find anything?
fn recognise(running: &Graph, wanted: &Graph, before: &BTreeSet<Decl>, after: &BTreeSet<Decl>, found: &mut Renamed) -> bool {
    let taken: BTreeSet<Decl> = found.iter().map(|((space, _), (new, _))| (*space, new.clone())).collect();
    let gone = before.iter().filter(|decl| !after.contains(*decl) && !found.contains_key(*decl));
    let new = after.iter().filter(|decl| !before.contains(*decl) && !taken.contains(*decl));
    let gone = by_meaning(running, gone, &|decl| today(decl, found));
    let new = by_meaning(wanted, new, &|decl| decl.1);
    let mut pairs = Vec::new();
    for (meaning, gone) in &gone {
        if let ([from], Some([to])) = (gone.as_slice(), new.get(meaning).map(Vec::as_slice)) {
            pairs.push(((*from).clone(), to.1.clone()));
        }
    }
    let any = !pairs.is_empty();
    found.extend(pairs.into_iter().map(|(from, to)| (from, (to, false))));
    any
}

fn today(decl: Decl, found: &Renamed) -> Name {
    found.get(&decl).map_or(decl.1, |(new, _)| new.clone())
}

fn by_meaning<'a>(
    graph: &Graph,
    decls: impl Iterator<Item = &'a Decl>,
    name: &dyn Fn(Decl) -> Name,
) -> BTreeMap<Hash, Vec<&'a Decl>> {
    let mut groups: BTreeMap<Hash, Vec<&Decl>> = BTreeMap::new();
    for decl in decls {
        groups.entry(meaning(graph, decl, name)).or_default().push(decl);
    }
    groups
}

/// What a declaration means and reads, without its own name. `serve` is named after its task and says nothing about it.
fn meaning(graph: &Graph, decl: &Decl, name: &dyn Fn(Decl) -> Name) -> Hash {
    let stages = graph.stages(&decl.1);
    let place = |key: &NodeKey| stages.iter().position(|stage| *stage == key);
    let mut nodes = graph.of_declaration(&decl.1);
    nodes.retain(|node| declaration(&node.key) == *decl && node.key.slot != Slot::Serve);
    nodes.sort_by_key(|node| (place(&node.key), node.key.clone()));
    let parts: Vec<_> = nodes.iter().map(|node| (kind(&node.key.slot), node.hashes.sem, reads(node, name))).collect();
    Hash::of(&parts)
}

fn kind(slot: &Slot) -> &'static str {
    match slot {
        Slot::Connection => "connection",
        Slot::Decode => "decode",
        Slot::Gate => "gate",
        Slot::Stage { kind, label: _ } => kind.word(),
        Slot::Task => "task",
        Slot::Accept => "accept",
        Slot::Keep => "keep",
        Slot::Serve => "serve",
    }
}

/// Other declarations that a node reads, under their names of today.
fn reads(node: &NodeSpec, name: &dyn Fn(Decl) -> Name) -> Vec<(Name, Outlet)> {
    let own = declaration(&node.key);
    let inputs = node.inputs.iter().map(|input| (declaration(&input.node), input.outlet)).filter(|(decl, _)| *decl != own);
    let mut all: Vec<(Name, Outlet)> = inputs.map(|(decl, outlet)| (name(decl), outlet)).collect();
    all.extend(node.predicts_by().map(|task| (name((Space::Tasks, task.clone())), Outlet::Rows)));
    all
}
