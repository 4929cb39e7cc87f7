//! A node in its place: its inputs, its books, its tap, and whether it has failed.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::base::Time;
use crate::diag::Code;
use crate::ir::Outlet;
use crate::node::{self, Batch, Clock, Counts, Message, Node, NodeError, Ordinal, Out, Port};
use crate::plan::{Change, Class, Input, Memory, NodeKey, NodeOp, NodeSpec};

use super::clocks;
use super::edge::Edge;
use super::epoch::{SavedEdge, SavedSlot};
use super::event::Fate;
use super::merge::{self, Merged, Next, OrderedMerge};
use super::prepare::Way;
use super::tap::Tap;

/// Moves between tasks as a whole when the layout changes; nothing in it is rebuilt then.
pub struct Slot {
    pub key: NodeKey,
    pub spec: Arc<NodeSpec>,
    pub node: Box<dyn Node>,
    /// One per input of the spec, in order.
    pub inputs: Vec<Edge>,
    pub counts: Counts,
    /// Of whoever looks; they stay with the name.
    pub(super) taps: Vec<Tap>,
    /// A failed node drops what reaches it, counted, and lets time pass: what does not depend on it runs on.
    pub failed: Option<NodeError>,
    /// The ordinal from which on it has run.
    pub since: Ordinal,
    schema: SchemaRef,
    /// Of the rows at its first port.
    input: SchemaRef,
    merge: OrderedMerge,
    /// How far its clock has got; rows that come from elsewhere after a change never take it back.
    floor: Time,
    /// Beside a running node of which it is to remember the same: how far that one's clock has got, which it does not pass.
    ceiling: Time,
    /// Has that one not ended yet? Then the end of what this one reads is not its own.
    kept_open: bool,
    /// Up to which ordinal it has seen everything.
    upto: Ordinal,
    /// Of its bad and late rows, for messages without any.
    aside: Option<SchemaRef>,
    ended: bool,
}

/// How far a node has got.
pub(super) struct Pace {
    floor: Time,
    upto: Ordinal,
    merge: OrderedMerge,
    failed: Option<NodeError>,
}

/// How far a running node has got, for one that is to remember the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub clock: Time,
    /// Has it not ended?
    pub open: bool,
}

/// What came of one step.
pub enum Acted {
    /// Nothing to act on.
    Idle,
    /// These leave it, in order.
    Sent(Vec<(Outlet, Message)>),
}

impl Slot {
    /// `input` is the schema of its first port.
    pub fn new(spec: Arc<NodeSpec>, input: SchemaRef, node: Box<dyn Node>, since: Ordinal) -> Slot {
        Slot {
            key: spec.key.clone(),
            schema: node::schema(&spec.schema),
            node,
            inputs: spec.inputs.iter().cloned().map(Edge::new).collect(),
            input,
            counts: Counts::default(),
            taps: Vec::new(),
            failed: None,
            since,
            merge: OrderedMerge::default(),
            floor: Time::MIN,
            ceiling: Time::MAX,
            kept_open: false,
            upto: since,
            aside: None,
            ended: false,
            spec,
        }
    }

    /// The node's new meaning; its state, books and clock stay.
    pub fn become_spec(&mut self, spec: Arc<NodeSpec>, input: SchemaRef) {
        self.input = input;
        self.aside = None;
        self.key = spec.key.clone();
        self.schema = node::schema(&spec.schema);
        self.spec = spec;
    }

    /// Puts another node in, or leaves the one that is there; books, clock and tap stay with the name. What has failed is
    /// whole again only if it was changed.
    pub(super) fn take_way(&mut self, way: Way, change: &Change, at: Ordinal) -> Fate {
        if !matches!(way, Way::Keep) {
            self.failed = None;
        }
        match way {
            Way::Keep => match change.class {
                Class::Same => Fate::Kept,
                Class::Rewired => Fate::Rewired,
                // A gate: how its rows are read changes at the edge, the node stays.
                Class::Retuned
                | Class::Migrated
                | Class::Stale
                | Class::Shadowed
                | Class::Reset(_)
                | Class::Added
                | Class::Removed => Fate::Retuned,
            },
            Way::Retune => Fate::Retuned,
            Way::Migrate { node, .. } if matches!(change.memory, Memory::Empty(_)) => {
                self.node = node;
                self.since = at;
                Fate::Reset
            }
            Way::Carry(node) | Way::Migrate { node, .. } | Way::Fork(node, _) => {
                self.node = node;
                Fate::Carried
            }
            Way::Rebuild(node) => {
                self.node = node;
                Fate::Rebuilt
            }
            Way::Fresh(node) => {
                self.node = node;
                self.since = at;
                Fate::Reset
            }
        }
    }

    /// How far its clock has got.
    pub(super) fn floor(&self) -> Time {
        self.floor
    }

    /// The columns of the rows at its first port.
    pub(super) fn input(&self) -> &SchemaRef {
        &self.input
    }

    /// How far its clock has got, for a copy that goes on from there.
    pub(super) fn pace(&self) -> Pace {
        Pace { floor: self.floor, upto: self.upto, merge: self.merge, failed: self.failed.clone() }
    }

    pub(super) fn keep_pace(&mut self, pace: &Pace) {
        (self.floor, self.upto, self.merge) = (pace.floor, pace.upto, pace.merge);
        self.failed = pace.failed.clone();
    }

    /// Its place and books; its state is the node's own.
    pub(super) fn save(&self) -> SavedSlot {
        SavedSlot {
            key: self.key.clone(),
            counts: (&self.counts).into(),
            since: self.since,
            floor: self.floor,
            upto: self.upto,
            merge: self.merge.reached(),
            aside: self.aside.is_some(),
            ended: self.ended,
            failed: self.failed.as_ref().map(Into::into),
            edges: self.inputs.iter().map(Edge::save).collect(),
        }
    }

    /// `schemas` are those of its inputs.
    pub(super) fn restore(&mut self, saved: &SavedSlot, schemas: &[SchemaRef]) {
        let SavedSlot { key: _, counts, since, floor, upto, merge, aside, ended, failed, edges } = saved;
        (self.counts, self.since, self.floor, self.upto) = (counts.into(), *since, *floor, *upto);
        (self.merge, self.ended, self.failed) = (OrderedMerge::from(*merge), *ended, failed.as_ref().map(Into::into));
        self.aside = aside.then(|| self.input.clone());
        // A merge may read one node at two ports, and each of them has books of its own.
        let mut saved: Vec<&SavedEdge> = edges.iter().collect();
        for (edge, schema) in self.inputs.iter_mut().zip(schemas) {
            if let Some(at) = saved.iter().position(|saved| saved.from == edge.from) {
                edge.restore(saved.remove(at), schema);
            }
        }
    }

    /// Inputs that stay keep their books and what is under way; the others begin. Who has ended has let go of everything, and
    /// is told nothing more by an input that has ended too: it is reopened if one goes on.
    pub fn rewire(&mut self, renames: &BTreeMap<NodeKey, NodeKey>) {
        let ended = self.ended_at();
        let mut old = mem::take(&mut self.inputs);
        for edge in &mut old {
            if let Some(new) = renames.get(&edge.from.node) {
                edge.from.node = new.clone();
            }
        }
        for wanted in &self.spec.inputs {
            let kept = old.iter().position(|edge| edge.from == *wanted).map(|at| old.remove(at));
            self.inputs.push(kept.unwrap_or_else(|| Edge::begin(wanted.clone(), ended)));
        }
        self.ended &= self.inputs.iter().all(|edge| edge.ended().is_some());
    }

    /// Inputs that go on again have not ended.
    pub(super) fn reopen(&mut self, goes_on: impl Fn(&Input) -> bool) {
        for edge in self.inputs.iter_mut().filter(|edge| goes_on(&edge.from)) {
            edge.reopen();
            self.ended = false;
        }
    }

    /// Where all that it reads has ended, if it has.
    pub fn ended_at(&self) -> Option<Ordinal> {
        self.inputs.iter().filter_map(Edge::ended).max().filter(|_| self.ended)
    }

    /// Acts on one message, or on one span of all inputs.
    pub fn act(&mut self) -> Acted {
        match self.inputs.len() {
            0 => Acted::Idle,
            1 => match self.inputs[0].pop() {
                None => Acted::Idle,
                Some(Message::Batch(batch)) => self.on_batches(vec![(0, batch)]),
                Some(Message::End { at }) => self.on_end(at),
            },
            _ => match self.merge.next(&mut self.inputs) {
                Next::Wait => Acted::Idle,
                Next::End(_) if self.ended || self.kept_open => Acted::Idle,
                Next::End(at) => self.on_end(at),
                Next::Span(merged) => self.on_merged(merged),
            },
        }
    }

    fn on_merged(&mut self, merged: Merged) -> Acted {
        if matches!(&self.spec.op, NodeOp::Stage(op) if op.pairs_inputs()) {
            return self.on_paired(merged);
        }
        let (rows, upto, clock) = (merged.rows(), merged.upto, merged.clock.clone());
        match merged.gather(&self.input) {
            Ok(batches) => self.on_batches(batches),
            Err(error) => {
                self.failed.get_or_insert(NodeError::new(Code::R0001, error.to_string()));
                self.counts.input += rows as u64;
                *self.counts.dropped.entry("failed").or_default() += rows as u64;
                self.on_batches(vec![(0, merge::nothing(&self.input, upto, clock))])
            }
        }
    }

    /// Features come in beside the rows that they belong to, and before them; what leaves is the rows.
    fn on_paired(&mut self, merged: Merged) -> Acted {
        let Merged { parts, upto, clock } = merged;
        let clock = clocks::raised(clock, self.floor);
        let (rows, features): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(port, _)| *port == 0);
        self.aside.get_or_insert_with(|| self.input.clone());
        let mut sent = Vec::new();
        // What time lets go by itself comes before any row of the span, from whichever side.
        self.jump(clock.start(), &mut sent);
        for (port, batch) in features {
            self.on_batch(port, Batch { upto, clock: clock.clone(), ..batch }, &mut sent);
        }
        let mut rows: Vec<(Port, Batch)> =
            rows.into_iter().map(|(_, batch)| (0, Batch { upto, clock: clock.clone(), ..batch })).collect();
        if rows.is_empty() {
            rows.push((0, merge::nothing(&self.input, upto, clock)));
        }
        match self.on_batches(rows) {
            Acted::Sent(more) => sent.extend(more),
            Acted::Idle => {}
        }
        Acted::Sent(sent)
    }

    fn on_batches(&mut self, batches: Vec<(Port, Batch)>) -> Acted {
        let mut sent = Vec::new();
        for (port, batch) in batches {
            let clock = clocks::raised(clocks::held(batch.clock, self.ceiling), self.floor);
            self.jump(clock.start(), &mut sent);
            self.floor = self.floor.max(clock.after());
            self.upto = batch.upto;
            self.on_batch(port, Batch { clock, ..batch }, &mut sent);
        }
        Acted::Sent(sent)
    }

    /// Between two spans a clock may jump: an input of a merge ended that had held it back, or a change of the graph took such
    /// an input away. Then time goes on where the last span ended, whatever the size of the next.
    fn jump(&mut self, to: Time, sent: &mut Vec<(Outlet, Message)>) {
        if to > self.floor {
            let clock = Clock::Steps { before: self.floor, after: to, at: [].into() };
            self.floor = to;
            self.on_batch(0, merge::nothing(&self.input, self.upto, clock), sent);
        }
    }

    /// Where it stands; none if nothing has come to it yet, so that it begins where what it reads stands.
    pub(super) fn stand(&self) -> Option<Stand> {
        let has_seen = self.floor > Time::MIN || self.upto > self.since;
        has_seen.then_some(Stand { clock: self.floor, open: !self.ended })
    }

    /// It gets no further than there until it is told otherwise.
    pub(super) fn hold(&mut self, stand: Stand) {
        (self.ceiling, self.kept_open) = (stand.clock, stand.open);
    }

    /// It gets there, without a row.
    pub(super) fn rise(&mut self) -> Vec<(Outlet, Message)> {
        let mut sent = Vec::new();
        if self.ceiling == Time::MAX || self.ended {
            return sent;
        }
        self.jump(self.ceiling, &mut sent);
        let ends: Option<Vec<Ordinal>> = self.inputs.iter().map(Edge::ended).collect();
        if let Some(at) = ends.and_then(|ends| ends.into_iter().max()).filter(|_| !self.kept_open)
            && let Acted::Sent(more) = self.on_end(at)
        {
            sent.extend(more);
        }
        sent
    }

    fn on_batch(&mut self, port: Port, batch: Batch, sent: &mut Vec<(Outlet, Message)>) {
        let rows = batch.len();
        self.counts.input += rows as u64;
        if self.aside.is_none() {
            self.aside = Some(batch.rows.schema());
        }
        let (upto, clock) = (batch.upto, batch.clock.clone());
        let mut out = Out::default();
        let result = match &self.failed {
            Some(_) => Err(None),
            None => self.node.batch(port, batch, &mut out).map_err(Some),
        };
        if let Err(error) = result {
            self.failed = self.failed.take().or(error);
            out = Out::default();
            out.dropped("failed", rows);
            if self.has_rows_outlet() {
                out.send(merge::nothing(&self.schema, upto, clock));
            }
        }
        self.counts.add(&out.counts);
        sent.extend(out.batches.into_iter().map(|(outlet, batch)| (outlet, Message::Batch(batch))));
    }

    /// An empty message for an outlet beside the rows that has sent nothing.
    pub fn silence(&self, upto: Ordinal) -> Option<Message> {
        let schema = self.aside.as_ref()?;
        Some(Message::Batch(merge::nothing(schema, upto, Clock::still(self.floor))))
    }

    fn on_end(&mut self, at: Ordinal) -> Acted {
        if self.kept_open {
            return Acted::Sent(Vec::new());
        }
        self.ended = true;
        let mut out = Out::default();
        if self.failed.is_none()
            && let Err(error) = self.node.end(at, &mut out)
        {
            self.failed = Some(error);
        }
        self.counts.add(&out.counts);
        // Time stands where it stood, also where windows were let go that had not come to their ends; and behind a stage that
        // lets rows go later than their time it stands as much further back.
        let stands = |clock: Clock| match clock {
            Clock::None => Clock::None,
            Clock::Gate { .. } | Clock::Steps { .. } => Clock::still(clock.after().min(self.floor)),
        };
        let still = |batch: Batch| Batch { clock: stands(batch.clock), ..batch };
        let rows = out.batches.into_iter().map(|(outlet, batch)| (outlet, Message::Batch(still(batch))));
        let ends = [Outlet::Rows, Outlet::Bad, Outlet::Late].map(|outlet| (outlet, Message::End { at }));
        Acted::Sent(rows.chain(ends).collect())
    }

    fn has_rows_outlet(&self) -> bool {
        match self.spec.op {
            NodeOp::Task(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => false,
            NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Stage(_) => true,
        }
    }
}
