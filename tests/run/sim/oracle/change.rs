//! From one plan to the next: what goes on, what is forgotten, what has ended.

use std::collections::BTreeMap;

use mliot::ir::{Op, Outlet};
use mliot::plan::{Graph, NodeKey, NodeOp, NodeSpec, Slot};

use super::super::log::{Assigned, CutLog};
use super::meaning::Meaning;
use super::{Cell, Flow, Memory, Oracle, Rested, seen};

impl Oracle {
    pub(super) fn cut(&mut self, cut: &CutLog) {
        let order: Vec<NodeKey> = cut.graph.order().into_iter().cloned().collect();
        let meaning = Meaning::of(&cut.graph, &order);
        let again = self.again(cut, &meaning);
        let mut old = std::mem::take(&mut self.cells);
        for key in &order {
            let spec = &cut.graph.nodes[key];
            let from = cut.before(key).and_then(|from| Some((old.remove(&from)?, from)));
            let change = self.change(spec, from.as_ref().map(|(_, from)| from), cut, (&meaning, &again));
            let mut cell = self.cell(spec, from, &change);
            (cell.fails_after, cell.rows) = (None, 0);
            cell.rewire(spec, cut);
            self.cells.insert(key.clone(), cell);
        }
        self.forget_model(cut, &meaning);
        self.rest(old, cut);
        self.read_on(cut);
        (self.graph, self.order, self.meaning, self.behind) = (cut.graph.clone(), order, meaning, true);
        self.reopen(cut);
        self.tell_ends(cut.at);
        self.looked_at =
            std::mem::take(&mut self.looked_at).into_iter().filter_map(|(key, rows)| Some((cut.after(&key)?, rows))).collect();
    }

    /// What is removed rests; a name that runs has a memory of its own.
    fn rest(&mut self, removed: BTreeMap<NodeKey, Cell>, cut: &CutLog) {
        let whole = removed.into_iter().filter(|(_, cell)| !cell.failed && !matches!(cell.memory, Memory::Nothing));
        for (key, cell) in whole {
            let remembers = self.meaning.entries[&key].clone();
            self.resting.insert(key, Rested { remembers, memory: cell.memory, at: cut.at });
        }
        self.resting.retain(|key, _| !cut.graph.nodes.contains_key(key));
    }

    /// Did nothing about this node change, so that what was wrong with it still is?
    pub(super) fn is_same(&self, from: &NodeKey, spec: &NodeSpec, cut: &CutLog, meaning: &Meaning) -> bool {
        let Some(old) = self.graph.nodes.get(from) else { return false };
        let schema = |graph: &Graph, node: &NodeSpec| -> Vec<_> {
            node.inputs.iter().map(|input| graph.nodes.get(&input.node).map(|node| node.schema.clone())).collect()
        };
        old.hashes.sem == spec.hashes.sem
            && old.schema == spec.schema
            && schema(&self.graph, old) == schema(&cut.graph, spec)
            && self.meaning.entries[from] == meaning.entries[&spec.key]
            && (!predicts(spec) || self.meaning.asked(&self.graph) == meaning.asked(&cut.graph))
    }

    /// A model is fed by the features that it was trained with or not at all.
    fn forget_model(&mut self, cut: &CutLog, meaning: &Meaning) {
        let (Some(old), Some(new)) = (self.meaning.asked(&self.graph), meaning.asked(&cut.graph)) else { return };
        if old == new {
            return;
        }
        let answers = self.models.iter().any(|assigned| assigned.from > cut.at && assigned.model.is_some());
        if answers || self.model(cut.at).is_some_and(|assigned| assigned.model.is_some()) {
            self.assign(Assigned { from: cut.at, model: None });
        }
    }

    /// What was connected elsewhere goes on, and so does all that reads it.
    fn reopen(&mut self, cut: &CutLog) {
        for key in self.order.clone() {
            if key.slot == Slot::Gate {
                let cell = self.cells.get_mut(&key).expect("a cell for each node");
                cell.ended &= !cut.reconnected.contains(&key.decl);
                continue;
            }
            let open: Vec<bool> = self.cells[&key].inputs.iter().map(|(from, ..)| !self.has_ended(from)).collect();
            let cell = self.cells.get_mut(&key).expect("a cell for each node");
            cell.inputs.iter_mut().zip(open).for_each(|((.., ended), open)| *ended &= !open);
            cell.ended &= cell.inputs.iter().all(|(.., ended)| *ended);
        }
    }

    /// Who newly reads what has ended has seen its end.
    fn tell_ends(&mut self, at: u64) {
        let mut flows: BTreeMap<NodeKey, Flow> = BTreeMap::new();
        for key in self.order.clone().into_iter().filter(|key| matches!(key.slot, Slot::Stage { .. } | Slot::Accept)) {
            let ended: Vec<bool> = self.cells[&key].inputs.iter().map(|(from, ..)| self.has_ended(from)).collect();
            let mut cell = self.cells.remove(&key).expect("a cell for each node");
            let clock = cell.clock.unwrap_or(i64::MIN);
            let mut out = Flow::default();
            let mut rows = Vec::new();
            for ((from, outlet, _), _) in cell.inputs.iter().zip(&ended).filter(|(_, ended)| **ended) {
                let flow = flows.get(from).cloned().unwrap_or_default();
                rows.extend(if *outlet == Outlet::Late { flow.late } else { flow.rows });
            }
            let spec = self.graph.nodes[&key].clone();
            self.act(&spec, &mut cell, rows, (clock, clock), at, &mut out);
            cell.inputs.iter_mut().zip(ended).for_each(|((.., has), ended)| *has |= ended);
            if !cell.ended && !cell.inputs.is_empty() && cell.inputs.iter().all(|(.., ended)| *ended) {
                self.end(&spec, &mut cell, &mut out);
            }
            if let Some(looked_at) = self.looked_at.get_mut(&key) {
                looked_at.extend(out.rows.iter().map(seen));
            }
            flows.insert(key.clone(), out);
            self.cells.insert(key, cell);
        }
    }

    /// What could not be read ends with its source.
    fn has_ended(&self, node: &NodeKey) -> bool {
        let gate = NodeKey::of_file(&node.decl, Slot::Gate);
        let at = if node.slot == Slot::Decode { &gate } else { node };
        self.cells.get(at).is_some_and(|cell| cell.ended)
    }
}

fn predicts(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if matches!(**op, Op::Predict(_)))
}

impl Cell {
    /// An input that stays is known to have ended, if it has. Who has ended has seen the end of all that it reads.
    fn rewire(&mut self, spec: &NodeSpec, cut: &CutLog) {
        let old = std::mem::take(&mut self.inputs);
        let inputs = spec.inputs.iter().filter(|_| spec.key.slot != Slot::Gate);
        for input in inputs {
            let was =
                old.iter().find(|(from, outlet, _)| cut.after(from).as_ref() == Some(&input.node) && *outlet == input.outlet);
            self.inputs.push((input.node.clone(), input.outlet, was.map_or(self.ended, |(.., ended)| *ended)));
        }
        self.ended &= self.inputs.iter().all(|(.., ended)| *ended);
    }
}
