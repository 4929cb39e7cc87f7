//! Can old rows be paired with new ones by their ordinals?
//!
//! Row by row they can: a `where` drops some on one side only, and those have no counterpart. Behind a window or a union
//! several rows may have one ordinal; they stand in the same order on both sides as long as both have the same windows and
//! unions, and nothing in what changed drops rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{self, Op};
use crate::plan::{Graph, Input, NodeKey, NodeOp, NodeSpec, Slot};

use super::{Copying, NotKept};

impl Copying<'_> {
    /// `old` in the running graph, `new` in the wanted one.
    pub(super) fn pairs(&mut self, old: &Input, new: &Input) -> Result<(), NotKept> {
        if old.outlet != new.outlet {
            return Err(NotKept::Rows);
        }
        let (before, after) = (above(self.running, &old.node), above(self.wanted, &new.node));
        let mut shaping: BTreeMap<NodeKey, &NodeSpec> = BTreeMap::new();
        let mut known: BTreeSet<NodeKey> = BTreeSet::new();
        let (mut drops, mut shapes) = (false, false);
        for spec in &before {
            let same = self.same(&spec.key);
            drops |= same.is_none() && drops_rows(spec);
            shapes |= same.is_none() && shape(spec).is_some();
            if shape(spec).is_some() {
                shaping.insert(self.counterpart(spec), spec);
            }
            known.extend(same);
        }
        let fresh = || after.iter().filter(|spec| !known.contains(&spec.key));
        drops |= fresh().any(|spec| drops_rows(spec));
        shapes |= fresh().any(|spec| shape(spec).is_some());
        let shaped: BTreeMap<NodeKey, &NodeSpec> =
            after.iter().filter(|spec| shape(spec).is_some()).map(|spec| (spec.key.clone(), *spec)).collect();
        let alike = shaping.len() == shaped.len()
            && shaping.iter().all(|(key, old)| shaped.get(key).is_some_and(|new| shape(old) == shape(new)));
        let sources = |specs: &[&NodeSpec]| -> BTreeSet<NodeKey> {
            specs.iter().filter(|spec| spec.key.slot == Slot::Gate).map(|spec| spec.key.clone()).collect()
        };
        let from: BTreeSet<NodeKey> =
            sources(&before).iter().filter_map(|gate| self.onward.get(gate).map(|key| (*key).clone())).collect();
        let pairs = alike && from == sources(&after) && !(drops && shapes);
        pairs.then_some(()).ok_or(NotKept::Rows)
    }

    fn counterpart(&self, spec: &NodeSpec) -> NodeKey {
        let file = NodeKey::of_file(&spec.key.decl, spec.key.slot.clone());
        self.onward.get(&spec.key).or_else(|| self.onward.get(&file)).map_or(file.clone(), |key| (*key).clone())
    }
}

/// A node and all before it.
fn above<'a>(graph: &'a Graph, key: &NodeKey) -> Vec<&'a NodeSpec> {
    let (mut found, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![key.clone()]);
    while let Some(spec) = next.pop().and_then(|key| graph.nodes.get(&key)) {
        if seen.insert(&spec.key) {
            found.push(spec);
            // What a `predict` reads beside its rows is a model's, and shapes none of them.
            let inputs = if spec.predicts_by().is_some() { &spec.inputs[..1.min(spec.inputs.len())] } else { &spec.inputs };
            next.extend(inputs.iter().map(|input| input.node.clone()));
        }
    }
    found
}

/// What decides which rows a window or union makes of those that come in.
#[derive(PartialEq)]
enum Shape<'a> {
    Window(&'a ir::WindowShape, bool, &'a [crate::base::Name]),
    Union(usize),
    Unnest(&'a crate::base::Name),
    Join(&'a ir::JoinOp),
    Rank(&'a ir::RankOp),
    Resample(&'a ir::ResampleOp),
}

fn shape(spec: &NodeSpec) -> Option<Shape<'_>> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    match &**op {
        Op::Window(window) => Some(Shape::Window(&window.shape, window.partial, &window.by)),
        Op::Union { with: _ } => Some(Shape::Union(spec.inputs.len())),
        Op::Unnest { column } => Some(Shape::Unnest(column)),
        Op::Rank(rank) => Some(Shape::Rank(rank)),
        Op::Resample(resample) => Some(Shape::Resample(resample)),
        Op::Join(join) if matches!(join.kind, ir::JoinKind::Interval { .. }) => Some(Shape::Join(join)),
        Op::Where { .. }
        | Op::Set { .. }
        | Op::Project { .. }
        | Op::Scan { .. }
        | Op::Predict(_)
        | Op::Fill { .. }
        | Op::Keep(_)
        | Op::Join(_) => None,
    }
}

fn drops_rows(spec: &NodeSpec) -> bool {
    let NodeOp::Stage(op) = &spec.op else { return false };
    match &**op {
        Op::Where { .. } | Op::Keep(_) => true,
        Op::Join(join) => join.required,
        Op::Set { .. }
        | Op::Project { .. }
        | Op::Scan { .. }
        | Op::Window(_)
        | Op::Union { .. }
        | Op::Predict(_)
        | Op::Fill { .. }
        | Op::Unnest { .. }
        | Op::Rank(_)
        | Op::Resample(_) => false,
    }
}
