//! The outboxes of a running graph: one a sink, and those of former sinks until their rows are taken.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::ir;
use crate::plan::{Graph, NodeKey, NodeOp, NodeSpec};

use super::dead::DeadLetter;
use super::engine::{Engine, Life};
use super::outbox::{Outbox, OutboxId, sink_name};

impl Engine {
    /// Of the sinks that run.
    pub fn outboxes(&self) -> impl Iterator<Item = &Outbox> {
        self.outboxes.values()
    }

    /// Of the sinks that run, and of former ones that still hold rows.
    pub fn outboxes_mut(&mut self) -> impl Iterator<Item = &mut Outbox> {
        self.retired.iter_mut().chain(self.outboxes.values_mut())
    }

    /// Former writers' marks count no more: from here on everything is new.
    pub fn skip_no_more(&mut self) {
        self.outboxes_mut().for_each(Outbox::skip_no_more);
    }

    pub fn outbox(&self, sink: &Name) -> Option<&Outbox> {
        self.outboxes.values().find(|outbox| outbox.sink == *sink)
    }

    pub fn outbox_mut(&mut self, sink: &Name) -> Option<&mut Outbox> {
        self.outboxes.values_mut().find(|outbox| outbox.sink == *sink)
    }

    /// Of former sinks that may still hold rows.
    pub fn retired(&self) -> impl Iterator<Item = &Outbox> {
        self.retired.iter()
    }

    pub(super) fn retire(&mut self, outbox: Outbox) {
        self.retired.push(outbox);
    }

    /// Forgets former outboxes whose rows have been taken and, as `done` says, are accounted for.
    pub fn forget_retired(&mut self, mut done: impl FnMut(&Outbox) -> bool) {
        self.retired.retain(|outbox| outbox.waiting() > 0 || !done(outbox));
    }

    /// One outbox a sink. A sink that is renamed keeps its own; one that is connected elsewhere leaves the old one to be
    /// emptied where it was to go.
    pub(super) fn open_outboxes(&mut self, wanted: &Graph, renames: &BTreeMap<NodeKey, NodeKey>) {
        let mut old = std::mem::take(&mut self.outboxes);
        for (from, to) in renames {
            if let Some(mut outbox) = old.remove(from) {
                outbox.sink = sink_name(to);
                old.insert(to.clone(), outbox);
            }
        }
        for (key, spec) in &wanted.nodes {
            let NodeOp::Accept(accept) = &spec.op else { continue };
            // What comes in anew of a recording is in it already.
            if accept.keeps && self.settings.life == Life::Replay {
                continue;
            }
            let kept = old.remove(key).and_then(|outbox| self.keep_or_retire(outbox, &accept.connector));
            let mut outbox = kept.unwrap_or_else(|| self.new_outbox(spec, accept.connector.clone()));
            outbox.spec = spec.clone();
            self.outboxes.insert(key.clone(), outbox);
        }
        self.retired.extend(old.into_values());
    }

    fn keep_or_retire(&mut self, outbox: Outbox, connector: &ir::Connector) -> Option<Outbox> {
        if outbox.connector == *connector {
            return Some(outbox);
        }
        self.retired.push(outbox);
        None
    }

    fn new_outbox(&mut self, spec: &NodeSpec, connector: ir::Connector) -> Outbox {
        self.next_outbox += 1;
        Outbox::new(OutboxId(self.next_outbox), spec.clone(), connector)
    }

    pub(super) fn restore_dead_letter(&mut self, dead: DeadLetter) {
        self.dead = dead;
    }
}
