//! Which columns of every running node the old features are made of, so that a source may lose all others.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Name;
use crate::ir::{AggregateCall, Entry, Expr, Op, Outlet, RunningCall, Schema};
use crate::plan::{Graph, Input, NodeKey, NodeOp, NodeSpec};

use super::Copying;

/// By running node, of the columns that come out of it.
pub(super) type Needs = BTreeMap<NodeKey, BTreeSet<Name>>;

impl Copying<'_> {
    /// What these outlets must bring, and so what every node above them must that would have to be copied.
    pub(super) fn needs(&mut self, ends: &[Input], features: &[Name]) -> Needs {
        let mut needs = Needs::new();
        let mut next: Vec<(Input, BTreeSet<Name>)> =
            ends.iter().map(|end| (end.clone(), features.iter().cloned().collect())).collect();
        while let Some((input, columns)) = next.pop() {
            let running = self.running;
            let Some(spec) = running.nodes.get(&input.node).filter(|spec| self.same(&spec.key).is_none()) else { continue };
            let known = needs.entry(spec.key.clone()).or_default();
            let before = known.len();
            known.extend(columns);
            known.extend(spec.schema.time.clone());
            known.extend(spec.schema.clock_by.iter().cloned());
            if known.len() > before {
                let above = if input.outlet == Outlet::Late { all(running, spec) } else { read(spec, known) };
                let of_port = |port: usize| if port == 0 { above.clone() } else { read_aside(spec).unwrap_or(above.clone()) };
                next.extend(spec.inputs.iter().enumerate().map(|(port, input)| (input.clone(), of_port(port))));
            }
        }
        needs
    }
}

/// What comes too late has every column of what the node reads.
fn all(graph: &Graph, spec: &NodeSpec) -> BTreeSet<Name> {
    let above = spec.inputs.iter().filter_map(|input| graph.nodes.get(&input.node));
    above.flat_map(|above| above.schema.columns.iter().map(|column| column.name.clone())).collect()
}

/// What a join reads of the other stream.
fn read_aside(spec: &NodeSpec) -> Option<BTreeSet<Name>> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    let Op::Join(join) = &**op else { return None };
    Some(join.on.iter().chain(join.take.iter().map(|taken| &taken.from)).cloned().collect())
}

/// What a node reads so that it can bring these columns. A stage that remembers something goes on with all that it remembers.
fn read(spec: &NodeSpec, wanted: &BTreeSet<Name>) -> BTreeSet<Name> {
    let mut read = wanted.clone();
    let NodeOp::Stage(op) = &spec.op else { return read };
    match &**op {
        Op::Where { predicate } => read.extend(predicate.columns()),
        Op::Rank(rank) => read.extend(rank.rule.columns()),
        Op::Resample(resample) => read.extend(resample.by.iter().cloned()),
        Op::Set { entries } => read = kept(entries, wanted).1,
        Op::Project { entries } => {
            read =
                entries.iter().filter(|entry| wanted.contains(&entry.name)).flat_map(|entry| entry.value.columns()).collect();
        }
        Op::Scan { by, entries } => {
            let own = |call: &RunningCall| call.args.iter().flat_map(Expr::columns).collect::<Vec<_>>();
            read.extend(by.iter().cloned());
            read.extend(entries.iter().flat_map(|entry| entry.calls.iter().flat_map(own).chain(entry.value.columns())));
            entries.iter().for_each(|entry| _ = read.remove(&entry.name));
        }
        Op::Window(window) => {
            let own = |call: &AggregateCall| {
                let filter = call.filter.iter().flat_map(Expr::columns);
                call.args.iter().flat_map(Expr::columns).chain(filter).collect::<Vec<_>>()
            };
            read = window.by.iter().cloned().collect();
            read.extend(window.entries.iter().flat_map(|entry| entry.calls.iter().flat_map(own)));
        }
        Op::Fill { entries } => {
            let filled = entries.iter().filter(|entry| wanted.contains(&entry.name));
            read.extend(filled.flat_map(|entry| entry.value.columns()));
        }
        Op::Keep(keep) => read.extend(keep.by.iter().cloned()),
        Op::Unnest { column } => _ = read.insert(column.clone()),
        Op::Join(join) => {
            join.take.iter().for_each(|taken| _ = read.remove(&taken.name));
            read.extend(join.on.iter().cloned());
        }
        Op::Union { with: _ } | Op::Predict(_) => {}
    }
    read
}

/// The entries of a `set` that bring these columns or are read by one that does, and what they all read.
fn kept(entries: &[Entry], wanted: &BTreeSet<Name>) -> (BTreeSet<Name>, BTreeSet<Name>) {
    let (mut kept, mut read) = (BTreeSet::new(), wanted.clone());
    for entry in entries.iter().rev() {
        if read.remove(&entry.name) {
            read.extend(entry.value.columns());
            kept.insert(entry.name.clone());
        }
    }
    (kept, read)
}

/// A copy that reads rows of the columns `input` and brings no others than it can make of them. What it remembers is as before.
pub(super) fn pruned(mut spec: NodeSpec, input: &Schema, wanted: &BTreeSet<Name>) -> NodeSpec {
    let NodeOp::Stage(op) = &mut spec.op else { return spec };
    let passes = |name: &Name| input.get(name).is_some();
    let columns = &mut spec.schema.columns;
    match &mut **op {
        Op::Where { .. } | Op::Predict(_) | Op::Keep(_) | Op::Unnest { .. } | Op::Rank(_) | Op::Resample(_) => {
            columns.retain(|column| passes(&column.name))
        }
        Op::Join(join) => {
            columns.retain(|column| passes(&column.name) || join.take.iter().any(|taken| taken.name == column.name));
        }
        Op::Fill { entries } => {
            entries.retain(|entry| wanted.contains(&entry.name));
            columns.retain(|column| passes(&column.name));
        }
        Op::Set { entries } => {
            let (kept, _) = kept(entries, wanted);
            entries.retain(|entry| kept.contains(&entry.name));
            columns.retain(|column| passes(&column.name) || kept.contains(&column.name));
        }
        Op::Project { entries } => {
            entries.retain(|entry| wanted.contains(&entry.name));
            columns.retain(|column| wanted.contains(&column.name));
        }
        Op::Scan { entries, .. } => {
            columns.retain(|column| passes(&column.name) || entries.iter().any(|entry| entry.name == column.name));
        }
        Op::Union { .. } => columns.retain(|column| wanted.contains(&column.name)),
        Op::Window(_) => {}
    }
    spec
}
