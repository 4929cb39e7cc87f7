//! The cut: a prepared change takes the place of what runs, between two ordinals.
//!
//! Because a round is carried all the way to the sinks before the next one enters, nothing is under way when a cut comes: rows
//! below the ordinal X saw the old graph on all their paths, rows from X on see the new one. What can still fail, moving state
//! and changing meanings in place, is done first and undone by the old parameters; from then on nothing can fail.

mod in_place;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::node::{self, Assignment, Message, Migration, NodeError, Ordinal, Predictor, State};
use crate::plan::{Change, Class, Diff, Graph, NodeKey, NodeOp, NodeSpec};

use super::audit::placed;
use super::engine::Engine;
use super::event::{CutEvent, Event, NodeEvent};
use super::feed::{Finished, Parts, SourceSpec};
use super::guard::guarded;
use super::layout::{components, origin};
use super::prepare::{Prepared, Rebuild, Way, prepare_with};
use super::record::{CutRecord, Record, Wanted};
use super::sequencer::Source;
use super::slot::{Pace, Slot};
use super::task::Task;

/// What was done.
#[derive(Clone, Debug)]
pub struct Cut {
    pub event: CutEvent,
    pub diff: Diff,
    /// Nodes that were not left as they stood: that is what the pause grows with, and not the graph.
    pub touched: usize,
}

/// The old graph runs on as if nothing had been tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Aborted {
    pub why: Diagnostic,
}

/// What has been changed in place so far, and how it was.
#[derive(Default)]
struct Undo {
    nodes: Vec<(NodeKey, Arc<NodeSpec>)>,
    feeds: Vec<Name>,
}

impl Engine {
    /// A running graph. The start is a change of the empty graph.
    pub fn start(settings: super::Settings, graph: &Graph, parts: &dyn Parts) -> Result<Engine, Vec<Diagnostic>> {
        let mut engine = Engine::empty(settings);
        engine.apply(graph, parts)?;
        Ok(engine)
    }

    /// Changes the running graph into `wanted` at the next ordinal. If anything is wrong the old graph runs on untouched.
    /// What can be rebuilt is rebuilt in one go.
    pub fn apply(&mut self, wanted: &Graph, parts: &dyn Parts) -> Result<Cut, Vec<Diagnostic>> {
        self.apply_with(wanted, parts, Rebuild::Now)
    }

    /// The same, with what was rebuilt beside the running graph.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply).
    pub fn apply_with(&mut self, wanted: &Graph, parts: &dyn Parts, rebuild: Rebuild) -> Result<Cut, Vec<Diagnostic>> {
        let prepared = prepare_with(self, wanted, parts, rebuild)?;
        prepared.cut(self).map_err(|aborted| vec![aborted.why])
    }

    /// From the next ordinal on this model answers for the task; none answers with null.
    pub fn assign(&mut self, task: &Name, model: Option<Arc<dyn Predictor>>) {
        let at = self.next();
        let version = model.as_ref().map(|model| model.version().to_owned());
        let assignment = self.assignments.entry(task.clone()).or_default();
        assignment.pieces.retain(|(from, _)| *from < at);
        assignment.pieces.push((at, model));
        self.hand_out(task);
        self.note(|| Record::Assigned { task: task.clone(), at, version: version.clone() });
        self.events.put(Event::Assigned { task: task.clone(), at, version });
    }

    /// Of the model that answers for the next row.
    pub fn version(&self, task: &Name) -> Option<&str> {
        self.assignments.get(task)?.at(self.next()).map(|model| model.version())
    }

    /// Who predicts which row of the whole recording, known before it is read (a replay's second pass).
    pub fn assign_all(&mut self, task: &Name, assignment: Assignment) {
        self.assignments.insert(task.clone(), assignment);
        self.hand_out(task);
    }

    pub(super) fn hand_out(&mut self, task: &Name) {
        let Some(assignment) = self.assignments.get(task) else { return };
        let slots = self.tasks.iter_mut().flat_map(|part| part.slots_mut());
        for slot in slots.filter(|slot| slot.spec.predicts_by() == Some(task)) {
            if let Some(predicts) = slot.node.predicts() {
                predicts.assign(assignment.clone());
            }
        }
    }
}

impl Prepared {
    /// Switches at the next ordinal. On an error the old graph runs on, its parameters put back.
    pub fn cut(mut self, engine: &mut Engine) -> Result<Cut, Aborted> {
        if self.generation != engine.generation {
            return Err(Aborted { why: overtaken() });
        }
        let begun = Instant::now();
        engine.carry();
        let rebuilt = engine.catch_up(&mut self.backfill, None);
        let mut undo = Undo::default();
        if let Err(why) = self.transfer(engine, &rebuilt, &mut undo) {
            undo.back(engine);
            return Err(Aborted { why });
        }
        let at = engine.next();
        if let Err(error) = self.confirm(engine, at) {
            undo.back(engine);
            return Err(Aborted { why: not_durable(&error) });
        }
        let touched = self.ways.len();
        let nodes = if self.stays { self.in_place(engine, at) } else { self.switch(engine, at) };
        engine.carry();
        let entries = std::mem::take(&mut self.entries);
        let event = CutEvent { at, nodes, entries, pause_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX) };
        engine.events.put(Event::Cut(event.clone()));
        Ok(Cut { event, diff: self.diff, touched })
    }

    /// The change stands in the log before it takes place: a restart makes it again at the same ordinal. Without that line the
    /// old graph runs on.
    fn confirm(&mut self, engine: &mut Engine, at: Ordinal) -> Result<(), NodeError> {
        let Some(log) = &mut engine.log else { return Ok(()) };
        let ends = self.sources.iter().flat_map(|(name, ends)| ends.positions().map(move |end| (name, end)));
        let opened = ends.map(|(name, (side, position))| (name.clone(), side, position)).collect();
        let wanted = Wanted::Changed(std::mem::take(&mut self.patch));
        log.append(Record::Cut(Box::new(CutRecord { at, wanted, opened, not_rebuilt: self.not_rebuilt.clone() })));
        log.confirm()
    }

    /// What can still fail.
    fn transfer(&mut self, engine: &mut Engine, rebuilt: &BTreeMap<NodeKey, State>, undo: &mut Undo) -> Result<(), Diagnostic> {
        // Before anything is retuned: a copy begins with what its original remembers by the old meaning.
        for (key, way) in &mut self.ways {
            let Way::Fork(new, original) = way else { continue };
            let Some(slot) = engine.slot_mut(original) else { continue };
            slot.node.save().and_then(|state| new.load(state)).map_err(|error| cannot_switch(key, &error, &self.graph))?;
        }
        for (key, way) in &mut self.ways {
            let Way::Rebuild(new) = way else { continue };
            let state =
                rebuilt.get(key).cloned().ok_or_else(|| NodeError::new(Code::R0002, "it could not be rebuilt any more"));
            state.and_then(|state| new.load(state)).map_err(|error| cannot_switch(key, &error, &self.graph))?;
        }
        for (key, way) in &mut self.ways {
            let Some(slot) = self.diff.nodes[key].from.as_ref().and_then(|old| engine.slot_mut(old)) else { continue };
            let failed = |error| cannot_switch(key, &error, &self.graph);
            match way {
                Way::Keep | Way::Fresh(_) | Way::Fork(..) | Way::Rebuild(_) => {}
                Way::Migrate { node, anew, rebuilt: again } => {
                    let (before, anew) = (slot.spec.clone(), anew.clone());
                    let rebuilt = again.then(|| rebuilt.get(key).cloned()).flatten();
                    let migrate = || {
                        let running = slot.node.save()?;
                        node.migrate(Migration { before, running, anew, rebuilt })
                    };
                    migrate().map_err(failed)?;
                }
                Way::Carry(new) => slot.node.save().and_then(|state| new.load(state)).map_err(failed)?,
                Way::Retune => {
                    let Some(retune) = slot.node.retune() else { continue };
                    guarded(|| retune.to(&self.graph.nodes[key])).map_err(failed)?;
                    undo.nodes.push((slot.key.clone(), slot.spec.clone()));
                }
            }
        }
        for (name, ends) in self.sources.iter().filter(|(_, ends)| ends.retune) {
            let spec = SourceSpec::of(&self.graph, name).expect("a source that is kept has its three nodes");
            let was = ends.was.as_ref().unwrap_or(name);
            let now = engine.sequencer.feed_mut(was).filter(|_| ends.now.is_none());
            let live = engine.live.get_mut(was).filter(|_| ends.live.is_none());
            undo.feeds.push(was.clone());
            for feed in now.into_iter().chain(live) {
                guarded(|| feed.retune(&spec)).map_err(|error| cannot_switch(&spec.gate.key, &error, &self.graph))?;
            }
        }
        Ok(())
    }

    /// Puts everything in its place. Nothing here can fail.
    fn switch(&mut self, engine: &mut Engine, at: Ordinal) -> Vec<NodeEvent> {
        let mut old: BTreeMap<NodeKey, Slot> = BTreeMap::new();
        for task in std::mem::take(&mut engine.tasks) {
            old.extend(task.into_slots().into_iter().map(|slot| (slot.key.clone(), slot)));
        }
        let paces = self.paces(&old);
        let renames = self.renames();
        let mut events = Vec::new();
        let mut slots: BTreeMap<NodeKey, Slot> = BTreeMap::new();
        let parts = components(&self.graph);
        let keys: BTreeSet<NodeKey> = parts.iter().flatten().cloned().collect();
        for key in keys {
            let change = &self.diff.nodes[&key];
            let before = change.from.as_ref().and_then(|old_key| old.remove(old_key));
            let Some(way) = self.ways.remove(&key) else {
                let slot = before.expect("only a running node is left as it stands");
                events.push(told::left(&slot));
                slots.insert(key, slot);
                continue;
            };
            let (mut slot, event) = self.place(&key, change, way, before, at);
            if let Some(pace) = paces.get(&key) {
                slot.keep_pace(pace);
            }
            if slot.failed.is_none() {
                engine.failed.remove(&key);
            }
            slots.insert(key, slot);
            events.push(event);
        }
        old.values_mut().for_each(|slot| engine.resting.put(slot, at));
        // Also where a hidden copy has taken the place of what was removed: in an epoch states stand by their names.
        engine.resting.forget(&self.graph);
        events.extend(old.into_values().map(|slot| told::removed(slot, at)));
        slots.values_mut().for_each(|slot| slot.rewire(&renames));
        engine.open_outboxes(&self.graph, &renames);
        self.reopen(&mut slots);
        tell_ends(&mut slots, at);
        let mut task = |keys: Vec<NodeKey>| Task::new(keys.iter().filter_map(|key| slots.remove(key)).collect());
        engine.tasks = parts.into_iter().map(&mut task).collect();
        self.open_sources(engine);
        std::mem::swap(&mut engine.graph, &mut self.graph);
        engine.generation += 1;
        self.unassign(engine);
        let tasks: Vec<Name> = engine.assignments.keys().cloned().collect();
        tasks.iter().for_each(|task| engine.hand_out(task));
        events
    }

    /// Of what hidden copies begin from.
    fn paces(&self, old: &BTreeMap<NodeKey, Slot>) -> BTreeMap<NodeKey, Pace> {
        let forks = self.ways.iter().filter_map(|(key, way)| match way {
            Way::Fork(_, original) => Some((key.clone(), old.get(original)?.pace())),
            Way::Keep | Way::Retune | Way::Carry(_) | Way::Migrate { .. } | Way::Rebuild(_) | Way::Fresh(_) => None,
        });
        forks.collect()
    }

    fn renames(&self) -> BTreeMap<NodeKey, NodeKey> {
        self.diff.moved().map(|(from, to)| (from.clone(), to.clone())).collect()
    }

    /// A source that is read from elsewhere goes on, even if it had ended, and so does all that reads it.
    fn reopen(&self, slots: &mut BTreeMap<NodeKey, Slot>) {
        let elsewhere = self.sources.iter().filter(|(_, ends)| ends.now.is_some()).map(|(name, _)| name);
        for gate in elsewhere.map(|name| NodeKey::of_file(name, crate::plan::Slot::Gate)) {
            slots.get_mut(&gate).into_iter().for_each(|slot| slot.reopen(|_| true));
        }
        for key in self.graph.order() {
            let Some(mut slot) = slots.remove(key) else { continue };
            if !matches!(slot.spec.op, NodeOp::Gate(_)) {
                slot.reopen(|from| slots.get(&origin(from).node).is_some_and(|from| from.ended_at().is_none()));
            }
            slots.insert(key.clone(), slot);
        }
    }

    fn open_sources(&mut self, engine: &mut Engine) {
        let mut sources = engine.sequencer.take_sources();
        let mut live = std::mem::take(&mut engine.live);
        for (name, ends) in std::mem::take(&mut self.sources) {
            let Some(spec) = SourceSpec::of(&self.graph, &name) else { continue };
            let schema = node::schema(&spec.gate.schema);
            let was = ends.was.as_ref().unwrap_or(&name);
            let source = match (sources.remove(was), ends.now) {
                (Some(source), Some(feed)) => source.with(feed, ends.side, schema),
                (Some(source), None) => source.shaped(schema),
                (None, feed) => Source::new(feed.unwrap_or_else(|| Box::new(Finished::default())), ends.side, schema),
            };
            engine.sequencer.put(name.clone(), source);
            if let Some(feed) = ends.live.or_else(|| live.remove(was)) {
                engine.live.insert(name, feed);
            }
        }
        engine.sequencer.go_on(engine.live.keys().cloned().collect::<Vec<_>>());
    }

    /// A model is never fed by other feature definitions than those it was trained with, be they the file's or a shadow's.
    /// What ran before stands in `self` by now.
    fn unassign(&self, engine: &mut Engine) {
        let before = &self.graph;
        let stranger = |change: &Change| match change.class {
            Class::Shadowed | Class::Reset(_) | Class::Stale => true,
            Class::Same | Class::Rewired | Class::Retuned | Class::Migrated | Class::Added | Class::Removed => false,
        };
        let tasks = self.diff.nodes.iter().filter(|(_, change)| stranger(change));
        let tasks: Vec<Name> = tasks.filter_map(|(key, _)| task_of(&engine.graph.nodes[key]).cloned()).collect();
        let flow = |graph: &Graph, task: &Name| graph.door(task).map(|door| door.hashes.flow);
        let changed = tasks.into_iter().filter(|task| flow(before, task) != flow(&engine.graph, task));
        for task in changed.collect::<Vec<_>>() {
            if engine.assignments.get(&task).is_some_and(|assignment| assignment.at(engine.next()).is_some()) {
                engine.assign(&task, None);
            }
        }
    }
}

/// The task whose model's inputs the node defines: its own, or the one that it asks.
fn task_of(spec: &NodeSpec) -> Option<&Name> {
    match &spec.op {
        NodeOp::Task(learn) => Some(&learn.task.name),
        NodeOp::Stage(_)
        | NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => spec.predicts_by(),
    }
}

/// Who newly reads a node that has ended is told so, here and now: what it lets go stands at this ordinal.
fn tell_ends(slots: &mut BTreeMap<NodeKey, Slot>, at: Ordinal) {
    let ended: BTreeSet<NodeKey> =
        slots.iter().filter(|(_, slot)| slot.ended_at().is_some()).map(|(key, _)| key.clone()).collect();
    for slot in slots.values_mut().filter(|slot| !matches!(slot.spec.op, NodeOp::Gate(_))) {
        for edge in slot.inputs.iter_mut().filter(|edge| edge.ended().is_none() && edge.is_idle()) {
            if ended.contains(&origin(&edge.from).node) {
                edge.push(Message::End { at });
            }
        }
    }
}

impl Undo {
    /// The old parameters are the way back.
    fn back(self, engine: &mut Engine) {
        for (key, spec) in self.nodes.into_iter().rev() {
            let Some(slot) = engine.slot_mut(&key) else { continue };
            let back = slot.node.retune().map_or(Ok(()), |retune| retune.to(&spec));
            if let Err(error) = back {
                slot.failed = Some(error);
            }
        }
        let graph = engine.graph.clone();
        for name in self.feeds {
            let Some(spec) = SourceSpec::of(&graph, &name) else { continue };
            let feeds = engine.sequencer.feed_mut(&name).into_iter().chain(engine.live.get_mut(&name));
            let failed = feeds.map(|feed| feed.retune(&spec)).find_map(Result::err);
            if let Some(error) = failed {
                engine.source_failed(&name, error);
            }
        }
    }
}

fn not_durable(error: &NodeError) -> Diagnostic {
    error.diagnostic("the change could not be written down, so nothing was changed")
}

fn overtaken() -> Diagnostic {
    Diagnostic::new(Code::R0006, "another change came first; this one was prepared for a graph that no longer runs")
        .help("save the file again")
}

fn cannot_switch(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = Diagnostic::new(Code::R0006, format!("`{key}` could not be changed while running: {error}"));
    placed(found, key, graph).help("nothing was changed; the old version runs on")
}
