//! Stages of one declaration, found again after an edit.
//!
//! A stage that remembers is its kind and `id` or count; a stateless one is found by aligning the old and the new list, where
//! a mistake costs nothing. Before either, stages of equal kind and meaning belong together, so that a stage that was put
//! in front or given an `id` renames none of the others.

use crate::plan::fingerprint::STATELESS;
use crate::plan::{Graph, NodeKey, NodeSpec, Slot};

/// Running to wanted; both lists are in the order of the file.
pub(super) fn align<'a>(
    running: &'a Graph,
    old: &[&'a NodeKey],
    wanted: &'a Graph,
    new: &[&'a NodeKey],
) -> Vec<(&'a NodeKey, &'a NodeKey)> {
    let mut pairing = Pairing {
        old: old.iter().map(|key| &running.nodes[*key]).collect(),
        new: new.iter().map(|key| &wanted.nodes[*key]).collect(),
        to_new: vec![None; old.len()],
        to_old: vec![None; new.len()],
    };
    pairing.by_id();
    pairing.in_order();
    pairing.first_alike(means_the_same);
    pairing.first_alike(|old, new| old.key.slot == new.key.slot && remembers(old) && remembers(new));
    pairing.in_gaps();
    pairing.first_alike(|old, new| old.key.slot == new.key.slot);
    let pairs = pairing.to_new.iter().enumerate().filter_map(|(at, to)| Some((old[at], new[(*to)?])));
    pairs.collect()
}

struct Pairing<'a> {
    old: Vec<&'a NodeSpec>,
    new: Vec<&'a NodeSpec>,
    to_new: Vec<Option<usize>>,
    to_old: Vec<Option<usize>>,
}

impl Pairing<'_> {
    fn pair(&mut self, old: usize, new: usize) {
        self.to_new[old] = Some(new);
        self.to_old[new] = Some(old);
    }

    fn free_old(&self) -> Vec<usize> {
        (0..self.old.len()).filter(|at| self.to_new[*at].is_none()).collect()
    }

    fn free_new(&self) -> Vec<usize> {
        (0..self.new.len()).filter(|at| self.to_old[*at].is_none()).collect()
    }

    /// The author's own word for a stage goes before everything else.
    fn by_id(&mut self) {
        self.first_alike(|old, new| old.key.slot == new.key.slot && has_id(old));
    }

    fn first_alike(&mut self, alike: impl Fn(&NodeSpec, &NodeSpec) -> bool) {
        for old in self.free_old() {
            let found = self.free_new().into_iter().find(|new| alike(self.old[old], self.new[*new]));
            if let Some(new) = found {
                self.pair(old, new);
            }
        }
    }

    /// The longest common sequence of stages that mean the same.
    fn in_order(&mut self) {
        let (old, new) = (self.free_old(), self.free_new());
        let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                longest[i][j] = match means_the_same(self.old[old[i]], self.new[new[j]]) {
                    true => longest[i + 1][j + 1] + 1,
                    false => longest[i + 1][j].max(longest[i][j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            if means_the_same(self.old[old[i]], self.new[new[j]]) {
                self.pair(old[i], new[j]);
                (i, j) = (i + 1, j + 1);
            } else if longest[i + 1][j] >= longest[i][j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    /// Stateless stages of one kind between the same neighbours are one stage that was edited.
    fn in_gaps(&mut self) {
        for old in self.free_old().into_iter().filter(|at| !remembers(self.old[*at])).collect::<Vec<_>>() {
            let before = (0..old).rev().find(|at| self.to_new[*at].is_some());
            let neighbour = |new: usize| (0..new).rev().find_map(|at| self.to_old[at]);
            let fits = |new: &usize| {
                same_kind(self.old[old], self.new[*new])
                    && same_uses(self.old[old], self.new[*new])
                    && neighbour(*new) == before
            };
            if let Some(new) = self.free_new().into_iter().find(fits) {
                self.pair(old, new);
            }
        }
    }
}

fn same_kind(old: &NodeSpec, new: &NodeSpec) -> bool {
    let Slot::Stage { kind: old, .. } = old.key.slot else { return false };
    matches!(new.key.slot, Slot::Stage { kind, .. } if kind == old)
}

/// Do both stand in the same uses of transforms?
fn same_uses(old: &NodeSpec, new: &NodeSpec) -> bool {
    let (Slot::Stage { label: old, .. }, Slot::Stage { label: new, .. }) = (&old.key.slot, &new.key.slot) else { return false };
    old.uses() == new.uses()
}

fn means_the_same(old: &NodeSpec, new: &NodeSpec) -> bool {
    same_kind(old, new) && old.hashes.sem == new.hashes.sem
}

fn remembers(node: &NodeSpec) -> bool {
    node.hashes.state != STATELESS
}

fn has_id(node: &NodeSpec) -> bool {
    matches!(&node.key.slot, Slot::Stage { label, .. } if label.is_id())
}
