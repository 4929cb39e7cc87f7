//! A task: a connected part of the graph, stepped in turn on one thread.
//!
//! Its nodes stand in topological order, so one pass over them carries what entered all the way to the ends: between two
//! passes nothing is under way but what a merge still waits for, and since every source's frontier moves when any source
//! draws, that is nothing too. This is what makes a cut simple. Chains are a layout and no identity: each node keeps its own
//! books and tap, and a change of the graph moves slots between tasks whole.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::ir::Outlet;
use crate::node::{Batch, Message, NodeError, Ordinal, Port};
use crate::plan::{NodeKey, NodeOp};

use super::layout::origin;
use super::slot::{Acted, Slot};

pub struct Task {
    slots: Vec<Slot>,
    /// By slot: who reads which outlet of it.
    routes: Vec<Vec<Route>>,
    /// Sources by declaration, to the slot of their gate.
    gates: BTreeMap<Name, usize>,
    /// Where each slot is. Slots are changed where they stand, and their keys are not.
    places: BTreeMap<NodeKey, usize>,
    /// What sinks have accepted, until the engine takes it.
    accepted: Vec<(NodeKey, Batch)>,
}

#[derive(Clone, Copy, Debug)]
struct Route {
    outlet: Outlet,
    to: usize,
    port: Port,
}

/// How many messages may be acted on in one step, over all nodes.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub messages: usize,
}

impl Budget {
    pub const ALL: Budget = Budget { messages: usize::MAX };
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The budget ended first; step again.
    Worked,
    /// Nothing left to act on.
    Idle,
}

impl Task {
    /// `slots` are in topological order, each with its inputs laid.
    pub fn new(slots: Vec<Slot>) -> Task {
        let is_gate = |slot: &Slot| matches!(slot.spec.op, NodeOp::Gate(_));
        let places: BTreeMap<NodeKey, usize> = slots.iter().enumerate().map(|(at, slot)| (slot.key.clone(), at)).collect();
        let mut routes = vec![Vec::new(); slots.len()];
        // A gate is fed from outside.
        for (to, slot) in slots.iter().enumerate().filter(|(_, slot)| !is_gate(slot)) {
            for (port, edge) in slot.inputs.iter().enumerate() {
                if let Some(from) = places.get(&origin(&edge.from).node) {
                    routes[*from].push(Route { outlet: edge.from.outlet, to, port });
                }
            }
        }
        let gates = slots.iter().enumerate().filter(|(_, slot)| is_gate(slot));
        let gates = gates.map(|(at, slot)| (slot.key.decl.clone(), at)).collect();
        Task { slots, routes, gates, places, accepted: Vec::new() }
    }

    pub fn into_slots(self) -> Vec<Slot> {
        self.slots
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    pub fn slot_mut(&mut self, key: &NodeKey) -> Option<&mut Slot> {
        self.slots.get_mut(*self.places.get(key)?)
    }

    /// The sources whose rows enter here.
    pub fn sources(&self) -> impl Iterator<Item = &Name> {
        self.gates.keys()
    }

    pub fn has_source(&self, source: &Name) -> bool {
        self.gates.contains_key(source)
    }

    /// Lets rows, time or the end of a source in; `bad` is what could not be read on the way.
    pub fn push(&mut self, source: &Name, message: Message, bad: Option<Batch>) {
        let Some(gate) = self.gates.get(source).copied() else { return };
        match (bad, &message) {
            (Some(bad), _) => self.route(gate, Outlet::Bad, Message::Batch(bad)),
            (None, Message::End { at }) => self.route(gate, Outlet::Bad, Message::End { at: *at }),
            (None, Message::Batch(batch)) => self.silence(gate, Outlet::Bad, batch.upto),
        }
        self.slots[gate].inputs[0].push(message);
    }

    /// Acts until nothing is left or the budget is spent.
    pub fn step(&mut self, budget: Budget) -> Step {
        let mut left = budget.messages;
        loop {
            let before = left;
            for at in 0..self.slots.len() {
                self.step_slot(at, &mut left);
            }
            match (left, before == left) {
                (0, _) => return Step::Worked,
                (_, true) => return Step::Idle,
                (_, false) => {}
            }
        }
    }

    /// The clocks of nodes go on to their ceilings, from above to below.
    pub fn rise(&mut self) {
        for at in 0..self.slots.len() {
            self.step_slot(at, &mut { usize::MAX });
            let sent = self.slots[at].rise();
            self.send(at, sent);
        }
    }

    fn step_slot(&mut self, at: usize, left: &mut usize) {
        while *left > 0 && self.has_room(at) {
            let Acted::Sent(sent) = self.slots[at].act() else { return };
            *left -= 1;
            self.send(at, sent);
        }
    }

    fn has_room(&self, at: usize) -> bool {
        self.routes[at].iter().all(|route| self.slots[route.to].inputs[route.port].has_room())
    }

    fn send(&mut self, at: usize, sent: Vec<(Outlet, Message)>) {
        let mut said = [false; 3];
        let mut upto = None;
        for (outlet, message) in sent {
            said[outlet as usize] = true;
            if let Message::Batch(batch) = &message {
                upto = upto.max(Some(batch.upto));
            }
            self.route(at, outlet, message);
        }
        if let Some(upto) = upto {
            for outlet in [Outlet::Bad, Outlet::Late].into_iter().filter(|outlet| !said[*outlet as usize]) {
                self.silence(at, outlet, upto);
            }
        }
    }

    /// An outlet beside the rows that has sent nothing lets time pass, where somebody reads it.
    fn silence(&mut self, at: usize, outlet: Outlet, upto: Ordinal) {
        if self.routes[at].iter().any(|route| route.outlet == outlet)
            && let Some(message) = self.slots[at].silence(upto)
        {
            self.route(at, outlet, message);
        }
    }

    fn route(&mut self, at: usize, outlet: Outlet, message: Message) {
        if let Message::Batch(batch) = &message {
            let slot = &mut self.slots[at];
            slot.taps.iter_mut().for_each(|tap| tap.see(outlet, batch));
            if matches!(slot.spec.op, NodeOp::Accept(_)) {
                self.accepted.push((slot.key.clone(), batch.clone()));
            }
        }
        let mut routes = self.routes[at].iter().filter(|route| route.outlet == outlet).peekable();
        while let Some(route) = routes.next() {
            let edge = &mut self.slots[route.to].inputs[route.port];
            if routes.peek().is_none() {
                return edge.push(message);
            }
            edge.push(message.clone());
        }
    }

    /// What sinks have accepted since the last call, in order.
    pub fn take_accepted(&mut self) -> Vec<(NodeKey, Batch)> {
        std::mem::take(&mut self.accepted)
    }

    /// Nodes that have failed, with why.
    pub fn failures(&self) -> impl Iterator<Item = (&NodeKey, &NodeError)> {
        self.slots.iter().filter_map(|slot| Some((&slot.key, slot.failed.as_ref()?)))
    }

    /// Rows under way on all edges.
    pub fn in_flight(&self) -> u64 {
        self.slots.iter().flat_map(|slot| &slot.inputs).map(|edge| edge.in_flight()).sum()
    }
}

/// Who reads what of a task that is not this one's; for messages.
impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.slots.iter().map(|slot| slot.key.to_string())).finish()
    }
}
