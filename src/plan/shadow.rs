//! A model's own feature definitions, kept running beside those of the file until another model takes its place (a shadow).
//!
//! The hidden copies begin at the first stage that is not the same any more and end at the task's door and at each of its
//! `predict` stages, whose second input they are: rows and passing columns come from the file's own stages, features from the
//! copies, paired by ordinal. A copy of the task's node, which is never stepped, says which features the model reads.

mod needs;
mod pairs;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Hash, Name, Span};
use crate::ir;

use super::diff::{Change, Class};
use super::fingerprint::learn::forms;
use super::{Graph, Hashes, Input, Label, Learn, NodeKey, NodeOp, NodeSpec, Owner, Slot, diff};

use needs::Needs;

/// Why the old features cannot live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// Other rows come to the task: none of them has the old features.
    Rows,
    /// The source does not have the columns any more that they are made of.
    Source,
    /// They are predictions of another task, whose features changed as well.
    Predictions,
    /// The task answers in another form, or is new.
    Answer,
}

/// `wanted`, and beside it the features that the model `version` of `task` was trained with, as they run now. If a shadow of
/// the task runs already it stays, whichever version it belongs to. None if no new row has the old features.
pub fn shadow(running: &Graph, wanted: &Graph, task: &Name, version: &Name) -> Option<Graph> {
    let changes = diff(running, wanted).nodes;
    keep(running, wanted, &changes, task, version).ok()
}

pub(super) fn keep(
    running: &Graph,
    wanted: &Graph,
    changes: &BTreeMap<NodeKey, Change>,
    task: &Name,
    version: &Name,
) -> Result<Graph, NotKept> {
    let (Some(old), Some(new)) = (running.door(task), wanted.nodes.get(&NodeKey::of_file(task, Slot::Task))) else {
        return Err(NotKept::Answer);
    };
    let (NodeOp::Task(before), NodeOp::Task(after)) = (&old.op, &new.op) else { return Err(NotKept::Answer) };
    if forms(before).answer != forms(after).answer {
        return Err(NotKept::Answer);
    }
    let owner = match &old.key.owner {
        Owner::File | Owner::Former { .. } => Owner::Model { task: task.clone(), version: version.clone() },
        model @ Owner::Model { .. } => model.clone(),
    };
    let onward = changes.iter().filter_map(|(key, change)| Some((change.from.as_ref()?, key))).collect();
    let (same, made) = (BTreeMap::new(), BTreeMap::new());
    let mut copying = Copying { running, wanted, changes, onward, owner, same, made, needs: None };
    match copying.all(task, old, before, new) {
        // Columns are gone: perhaps none of those that count.
        Err(NotKept::Source) => copying.only_needed(task, old, before, new),
        kept => kept,
    }
}

impl Graph {
    /// The task's node as its model knows it: of a shadow where there is one, else the file's own.
    pub fn door(&self, task: &Name) -> Option<&NodeSpec> {
        let tasks = self.nodes.range(NodeKey::of_file(task, Slot::Task)..);
        let own = tasks.take_while(|(key, _)| key.decl == *task && key.slot == Slot::Task);
        own.map(|(_, spec)| spec).last()
    }

    pub fn is_shadowed(&self, task: &Name) -> bool {
        self.door(task).is_some_and(|door| !door.key.is_of_file())
    }

    /// As the file has it: the same without any hidden nodes.
    pub fn of_file(&self) -> Graph {
        let hidden = self.nodes.keys().filter_map(|key| match &key.owner {
            Owner::File | Owner::Former { .. } => None,
            Owner::Model { task, version: _ } => Some(task.clone()),
        });
        let tasks: BTreeSet<Name> = hidden.collect();
        tasks.iter().fold(self.without_former(), |graph, task| graph.without_shadow(task))
    }

    /// The same without the task's hidden nodes.
    pub fn without_shadow(&self, task: &Name) -> Graph {
        let mut bare = self.clone();
        bare.nodes.retain(|key, _| !is_owned_by(&key.owner, task));
        let features = bare.door(task).map(features_of).unwrap_or_default();
        for spec in bare.nodes.values_mut().filter(|spec| spec.predicts_by() == Some(task)) {
            spec.inputs.truncate(1);
            read_features(spec, &features);
        }
        bare
    }
}

fn is_owned_by(owner: &Owner, task: &Name) -> bool {
    match owner {
        Owner::File | Owner::Former { .. } => false,
        Owner::Model { task: own, version: _ } => own == task,
    }
}

fn features_of(door: &NodeSpec) -> Vec<Name> {
    match &door.op {
        NodeOp::Task(learn) => features(learn),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => Vec::new(),
    }
}

fn features(learn: &Learn) -> Vec<Name> {
    learn.task.door().map(|column| column.name.clone()).collect()
}

/// A `predict` that reads these features, and whatever inputs it has by now.
fn read_features(spec: &mut NodeSpec, features: &[Name]) {
    if let NodeOp::Stage(op) = &mut spec.op
        && let ir::Op::Predict(predict) = &mut **op
    {
        predict.features = features.to_vec();
    }
    rewire(spec);
}

fn rewire(spec: &mut NodeSpec) {
    let wire = Hash::of(&spec.inputs);
    spec.hashes.wire = wire;
    spec.entries.values_mut().for_each(|entry| entry.wire = wire);
}

struct Copying<'a> {
    running: &'a Graph,
    wanted: &'a Graph,
    changes: &'a BTreeMap<NodeKey, Change>,
    /// Running to wanted.
    onward: BTreeMap<&'a NodeKey, &'a NodeKey>,
    owner: Owner,
    /// Running nodes whose rows are still the same, with the wanted node that they come out of; and those that are not.
    same: BTreeMap<NodeKey, Option<NodeKey>>,
    /// The copies.
    made: BTreeMap<NodeKey, NodeSpec>,
    /// What has to come out of every running node, where copies bring no more than that.
    needs: Option<Needs>,
}

impl<'a> Copying<'a> {
    fn all(&mut self, task: &Name, old: &NodeSpec, before: &Learn, new: &NodeSpec) -> Result<Graph, NotKept> {
        let (running, wanted) = (self.running, self.wanted);
        let door = old.inputs.first().ok_or(NotKept::Answer)?;
        let end = self.read(door)?;
        let mut ends = vec![(door.clone(), new.inputs.first().cloned().ok_or(NotKept::Answer)?)];
        let mut graph = wanted.clone();
        for spec in wanted.nodes.values().filter(|spec| spec.key.is_of_file() && spec.predicts_by() == Some(task)) {
            let was = self.changes[&spec.key].from.as_ref().map(|from| &running.nodes[from]);
            let was = was.filter(|was| was.predicts_by() == Some(task));
            if was.is_some_and(|was| ahead(was) != ahead(spec)) {
                return Err(NotKept::Answer);
            }
            let from = was.and_then(|was| was.inputs.last()).unwrap_or(door);
            let input = self.read(from)?;
            ends.push((from.clone(), spec.inputs.first().cloned().ok_or(NotKept::Answer)?));
            let spec = graph.nodes.get_mut(&spec.key).expect("it was found there");
            spec.inputs.push(input);
            read_features(spec, &features(before));
        }
        ends.iter().try_for_each(|(from, to)| self.pairs(from, to))?;
        graph.nodes.append(&mut self.made);
        let key = NodeKey { owner: self.owner.clone(), ..NodeKey::of_file(task, Slot::Task) };
        let mut copy = NodeSpec { key: key.clone(), inputs: vec![end], ..old.clone() };
        rewire(&mut copy);
        graph.nodes.insert(key, copy);
        Ok(graph)
    }

    /// The same with no more columns than the old features are made of.
    fn only_needed(&mut self, task: &Name, old: &NodeSpec, before: &Learn, new: &NodeSpec) -> Result<Graph, NotKept> {
        let running = self.running;
        let predicts = running.nodes.values().filter(|spec| spec.predicts_by() == Some(task));
        let ends: Vec<Input> = old.inputs.iter().chain(predicts.filter_map(|spec| spec.inputs.last())).cloned().collect();
        self.made.clear();
        self.needs = Some(self.needs(&ends, &features(before)));
        self.all(task, old, before, new)
    }

    /// Where the rows of a running outlet come out of in the new graph.
    fn read(&mut self, input: &Input) -> Result<Input, NotKept> {
        if let Some(node) = self.same(&input.node) {
            return Ok(Input { node, outlet: input.outlet });
        }
        match &input.node.slot {
            Slot::Stage { .. } => self.copy(input),
            Slot::Gate if input.outlet == ir::Outlet::Rows => {
                let gate = self.running.nodes.get(&input.node).ok_or(NotKept::Source)?;
                self.narrow(&input.node, &self.needed(gate))
            }
            Slot::Connection | Slot::Decode | Slot::Gate | Slot::Keep | Slot::Task | Slot::Accept | Slot::Serve => {
                Err(NotKept::Source)
            }
        }
    }

    fn copy(&mut self, input: &Input) -> Result<Input, NotKept> {
        let spec = self.running.nodes.get(&input.node).ok_or(NotKept::Source)?;
        let key = NodeKey { owner: self.owner.clone(), ..spec.key.clone() };
        let out = Input { node: key.clone(), outlet: input.outlet };
        if self.made.contains_key(&key) {
            return Ok(out);
        }
        let above = spec.inputs.first().ok_or(NotKept::Source)?;
        if above.node.slot == Slot::Gate && above.node.decl == key.decl {
            return self.narrow(&above.node, &self.needed(spec));
        }
        if spec.predicts_by().is_some() {
            return Err(NotKept::Predictions);
        }
        let inputs: Vec<Input> = spec.inputs.iter().map(|input| self.read(input)).collect::<Result<_, _>>()?;
        let mut copy = NodeSpec { key: key.clone(), inputs, ..spec.clone() };
        if let Some(wanted) = self.needs.as_ref().and_then(|needs| needs.get(&spec.key)) {
            let input = copy.inputs.first().map(|input| self.columns(input)).unwrap_or_default();
            copy = needs::pruned(copy, &input, wanted);
        }
        rewire(&mut copy);
        self.made.insert(key, copy);
        Ok(out)
    }

    /// The columns that come out of a running node, of those that have to.
    fn needed(&self, spec: &NodeSpec) -> ir::Schema {
        let mut schema = spec.schema.clone();
        if let Some(wanted) = self.needs.as_ref().and_then(|needs| needs.get(&spec.key)) {
            schema.columns.retain(|column| wanted.contains(&column.name));
        }
        schema
    }

    /// The columns at an outlet of the new graph.
    fn columns(&self, input: &Input) -> ir::Schema {
        let Some(spec) = self.made.get(&input.node).or_else(|| self.wanted.nodes.get(&input.node)) else {
            return ir::Schema::default();
        };
        match (input.outlet, spec.inputs.first()) {
            (ir::Outlet::Late, Some(above)) => self.columns(above),
            (ir::Outlet::Late, None) | (ir::Outlet::Rows | ir::Outlet::Bad, _) => spec.schema.clone(),
        }
    }

    /// The columns that a source had, of those that it has now.
    fn narrow(&mut self, gate: &NodeKey, columns: &ir::Schema) -> Result<Input, NotKept> {
        let now = self.gate_now(gate, columns).ok_or(NotKept::Source)?;
        let input = Input { node: now.key.clone(), outlet: ir::Outlet::Rows };
        if now.schema == *columns {
            return Ok(input);
        }
        let narrowed = narrowed(&self.owner, input, columns, &now.key.decl);
        let out = Input { node: narrowed.key.clone(), outlet: ir::Outlet::Rows };
        self.made.insert(narrowed.key.clone(), narrowed);
        Ok(out)
    }

    /// The source's gate in the new graph, if its rows have the same time and these columns with the same meaning.
    fn gate_now(&self, gate: &NodeKey, columns: &ir::Schema) -> Option<&'a NodeSpec> {
        let now = self.wanted.nodes.get(*self.onward.get(gate)?)?;
        let decode = |graph: &'a Graph, gate: &NodeKey| graph.nodes.get(&graph.nodes.get(gate)?.inputs.first()?.node);
        let (before, after) = (decode(self.running, gate)?, decode(self.wanted, &now.key)?);
        let as_before = |column: &ir::Column| {
            let sem = |spec: &NodeSpec| spec.entries.get(&column.name).map(|entry| entry.sem);
            sem(before) == sem(after) && now.schema.get(&column.name).is_some_and(|new| new.ty == column.ty)
        };
        let timed = self.changes[&now.key].class <= Class::Retuned && now.schema.time == columns.time;
        (timed && columns.columns.iter().all(as_before)).then_some(now)
    }

    /// The wanted node out of which the same rows come as out of a running one, with nothing changed on their way.
    fn same(&mut self, key: &NodeKey) -> Option<NodeKey> {
        if let Some(known) = self.same.get(key) {
            return known.clone();
        }
        let found = self.find_same(key);
        self.same.insert(key.clone(), found.clone());
        found
    }

    fn find_same(&mut self, key: &NodeKey) -> Option<NodeKey> {
        let (old, now) = (self.running.nodes.get(key)?, *self.onward.get(key)?);
        let change = &self.changes[now];
        let unchanged = match key.slot {
            Slot::Gate => change.class <= Class::Retuned && self.decode_is_same(old),
            Slot::Decode => change.class <= Class::Rewired,
            Slot::Connection => true,
            Slot::Stage { .. } | Slot::Keep | Slot::Task | Slot::Accept | Slot::Serve => {
                change.class == Class::Same && !change.rewired
            }
        };
        let is_stage = matches!(key.slot, Slot::Stage { .. });
        let same =
            unchanged && !change.reshaped && (!is_stage || old.inputs.iter().all(|input| self.same(&input.node).is_some()));
        same.then(|| now.clone())
    }

    fn decode_is_same(&mut self, gate: &NodeSpec) -> bool {
        gate.inputs.iter().all(|input| self.same(&input.node).is_some())
    }
}

/// A hidden `select` behind a gate.
fn narrowed(owner: &Owner, from: Input, columns: &ir::Schema, source: &Name) -> NodeSpec {
    let entry = |column: &ir::Column| {
        let value = ir::Expr {
            kind: ir::ExprKind::Column(column.name.clone()),
            ty: column.ty.clone(),
            nullable: column.nullable,
            span: Span::default(),
        };
        ir::Entry { name: column.name.clone(), value, span: Span::default() }
    };
    let names: BTreeSet<&Name> = columns.columns.iter().map(|column| &column.name).collect();
    let slot = Slot::Stage { kind: ir::StageKind::Select, label: Label::Nth(0) };
    let mut spec = NodeSpec {
        key: NodeKey { decl: source.clone(), slot, owner: owner.clone() },
        op: NodeOp::Stage(Box::new(ir::Op::Project { entries: columns.columns.iter().map(entry).collect() })),
        inputs: vec![from],
        schema: columns.clone(),
        on_change: ir::OnChange::Empty,
        hashes: Hashes { sem: Hash::of(&("narrowed", names)), ..Hashes::default() },
        entries: BTreeMap::new(),
    };
    rewire(&mut spec);
    spec
}

fn ahead(spec: &NodeSpec) -> Option<crate::base::Duration> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    op.predict()?.ahead
}
