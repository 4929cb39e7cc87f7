//! The running graph: its tasks, its sources, and what its sinks have accepted.
//!
//! The engine is stepped and never waits: replay, tests and the live shell step the same one. A step lets sources draw one
//! round and carries it all the way to the sinks' outboxes, so between two steps nothing is under way, and a change of the
//! graph (see `cut`) stands exactly between two ordinals.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::node::{Assignment, Message, NodeError, Ordinal};
use crate::plan::{Graph, NodeKey};

use super::audit::{self, Audit};
use super::dead::{self, DeadLetter};
use super::event::{Event, EventLog};
use super::feed::{Feed, FeedCounts};
use super::outbox::{OUTBOX_ROWS_MAX, Outbox};
use super::record::{Log, Record};
use super::resting::Resting;
use super::sequencer::{Entered, Order, Round, RoundLimits, Sequencer};
use super::slot::Slot;
use super::task::{Budget, Task};
use super::trace::Tracing;

/// Findings that wait to be read; there is one a node at most between two changes of the graph.
pub const FINDINGS_MAX: usize = 1_024;

/// Fixed for the life of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Largest batch, in rows.
    pub batch_rows_max: usize,
    /// How many rows may wait for a sink, in rows, before its sources wait for it.
    pub outbox_rows_max: usize,
    pub life: Life,
    /// No row later than this is read from recordings.
    pub until: Option<Time>,
}

/// Which of its lives the text leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Recordings only, to their end.
    Replay,
    /// Recordings first, with mute sinks; then what comes live.
    Run,
}

impl Default for Settings {
    fn default() -> Self {
        Self { batch_rows_max: 8_192, outbox_rows_max: OUTBOX_ROWS_MAX, life: Life::Replay, until: None }
    }
}

pub struct Engine {
    pub(super) settings: Settings,
    pub(super) graph: Graph,
    pub(super) tasks: Vec<Task>,
    pub(super) sequencer: Sequencer,
    /// Live ends that are open and wait until the recordings have been read.
    pub(super) live: BTreeMap<Name, Box<dyn Feed>>,
    /// Do live sources take turns by the times of their rows? So they do where rows are read once more.
    pub(super) by_time: bool,
    /// What removed nodes remembered, for a while.
    pub(super) resting: Resting,
    pub(super) outboxes: BTreeMap<NodeKey, Outbox>,
    /// Where what happens is written down, if it is.
    pub(super) log: Option<Box<dyn Log>>,
    /// Of sinks that are gone or connected elsewhere, until their rows are taken.
    pub(super) retired: Vec<Outbox>,
    pub(super) next_outbox: u64,
    /// Counts changes of the graph.
    pub(super) generation: u64,
    /// By task: who predicts which row.
    pub(super) assignments: BTreeMap<Name, Assignment>,
    pub(super) events: EventLog,
    pub(super) phase: Phase,
    pub(super) failed: BTreeSet<NodeKey>,
    findings: Vec<Diagnostic>,
    audit: Audit,
    pub(super) dead: DeadLetter,
    pub(super) tracing: Tracing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Recorded,
    Live,
}

/// What a step brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many rows entered (none if only time went on or a source ended).
    Rows(usize),
    /// Nothing has come.
    Waiting,
    /// An outbox is full; its sources wait.
    Blocked,
    /// All sources have ended.
    Ended,
}

impl Engine {
    /// Runs nothing yet. Starting is a change of this into the wanted graph.
    pub fn empty(settings: Settings) -> Engine {
        Engine {
            settings,
            graph: Graph::default(),
            tasks: Vec::new(),
            sequencer: Sequencer::default(),
            live: BTreeMap::new(),
            by_time: false,
            resting: Resting::default(),
            outboxes: BTreeMap::new(),
            log: None,
            retired: Vec::new(),
            next_outbox: 0,
            generation: 0,
            assignments: BTreeMap::new(),
            events: EventLog::default(),
            phase: Phase::Recorded,
            failed: BTreeSet::new(),
            findings: Vec::new(),
            audit: Audit::default(),
            dead: DeadLetter::new(),
            tracing: Tracing::default(),
        }
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The first records of each source that could not be read.
    pub fn dead_letter(&self) -> &DeadLetter {
        &self.dead
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Counts changes of the graph.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The ordinal of the next row that enters.
    pub fn next(&self) -> Ordinal {
        self.sequencer.next()
    }

    /// Lets one round in and carries it to the sinks.
    pub fn step(&mut self) -> Progress {
        self.step_until(None)
    }

    /// The same, but nothing with the ordinal `stop` or a later one: the place of a cut may lie inside a batch.
    pub fn step_until(&mut self, stop: Option<Ordinal>) -> Progress {
        if self.sequencer.all_ended() && !self.go_live() {
            return Progress::Ended;
        }
        let (order, blocked) = (self.order(), self.blocked());
        // The order of a recording does not depend on who has to wait.
        if !blocked.is_empty() && order == Order::Recorded {
            return Progress::Blocked;
        }
        let limits = RoundLimits { rows_max: self.settings.batch_rows_max, stop, until: self.settings.until };
        let begins = self.next();
        let round = self.sequencer.round(order, limits, |source| !blocked.contains(source));
        self.note_sources();
        let Some(round) = round else {
            return if blocked.is_empty() { Progress::Waiting } else { Progress::Blocked };
        };
        let rows = round.rows;
        self.note(|| Record::Round(round.record()));
        match self.part(round, begins) {
            Ok(parted) => self.let_in_parted(parted),
            Err(round) => {
                self.let_in(round);
                self.carry();
            }
        }
        Progress::Rows(rows)
    }

    /// What sources say stands at their declarations.
    fn note_sources(&mut self) {
        for (source, note) in self.sequencer.take_notes() {
            let key = NodeKey::of_file(&source, crate::plan::Slot::Connection);
            self.find(audit::placed(note, &key, &self.graph));
        }
    }

    /// Everything that happens from here on is written down, in order.
    pub fn keep(&mut self, log: Box<dyn Log>) {
        self.log = Some(log);
    }

    /// Clocks of these sources that stand lower move there, without a row.
    pub(super) fn let_time_go_on(&mut self, clocks: &BTreeMap<Name, Time>) {
        if let Some(round) = self.sequencer.silence(clocks) {
            self.let_in(round);
            self.carry();
        }
    }

    pub(super) fn note(&mut self, record: impl FnOnce() -> Record) {
        if let Some(log) = &mut self.log {
            log.append(record());
        }
    }

    fn order(&self) -> Order {
        match self.phase {
            Phase::Recorded => Order::Recorded,
            Phase::Live if self.by_time => Order::Recorded,
            Phase::Live => Order::Arrival,
        }
    }

    /// Sources that have to wait, because a sink that their rows reach is not delivered fast enough.
    fn blocked(&self) -> BTreeSet<Name> {
        let most = self.settings.outbox_rows_max;
        let full: BTreeSet<&NodeKey> =
            self.outboxes.iter().filter(|(_, outbox)| outbox.is_full(most)).map(|(key, _)| key).collect();
        if full.is_empty() {
            return BTreeSet::new();
        }
        let tasks = self.tasks.iter().filter(|task| task.slots().iter().any(|slot| full.contains(&slot.key)));
        tasks.flat_map(|task| task.sources().cloned()).collect()
    }

    pub(super) fn let_in(&mut self, round: Round) {
        let Round { upto, drawn, ended, failed, draws: _, rows: _ } = round;
        for (source, error) in failed {
            self.source_failed(&source, error);
        }
        for (source, Entered { rows, bad }) in drawn {
            if let Some(bad) = &bad {
                dead::note(&mut self.dead, &source, &bad.rows);
            }
            if let Some(task) = self.task_of(&source) {
                task.push(&source, Message::Batch(rows), bad);
            }
        }
        for source in ended {
            self.end_source(source, upto);
        }
    }

    /// A source that goes on live has not ended; its windows stay open.
    fn end_source(&mut self, source: Name, at: Ordinal) {
        if self.live.contains_key(&source) {
            return;
        }
        if let Some(task) = self.task_of(&source) {
            task.push(&source, Message::End { at }, None);
        }
        self.events.put(Event::SourceEnded { source, at });
    }

    fn task_of(&mut self, source: &Name) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.has_source(source))
    }

    /// Steps all tasks until nothing is under way, and checks the books.
    pub(super) fn carry(&mut self) {
        let muted = self.settings.life == Life::Run && self.phase == Phase::Recorded;
        for task in &mut self.tasks {
            task.step(Budget::ALL);
            for (key, batch) in task.take_accepted() {
                if let Some(outbox) = self.outboxes.get_mut(&key) {
                    outbox.put(batch.rows, muted);
                }
            }
        }
        self.note_failures();
        self.check_books();
    }

    fn note_failures(&mut self) {
        let failures = self.tasks.iter().flat_map(Task::failures).filter(|(key, _)| !self.failed.contains(*key));
        let failures: Vec<(NodeKey, NodeError)> = failures.map(|(key, error)| (key.clone(), error.clone())).collect();
        for (key, error) in failures {
            self.find(audit::node_failed(&key, &error, &self.graph));
            self.put_failure(key.to_string(), error);
            self.failed.insert(key);
        }
    }

    pub(super) fn source_failed(&mut self, source: &Name, error: NodeError) {
        let key = NodeKey::of_file(source, crate::plan::Slot::Connection);
        self.find(audit::node_failed(&key, &error, &self.graph));
        self.put_failure(source.to_string(), error);
    }

    /// A sink's writer failed, outside of the graph.
    pub fn sink_failed(&mut self, sink: &Name, error: &NodeError) {
        self.node_failed(&NodeKey::of_file(sink, crate::plan::Slot::Accept), error);
    }

    /// Reports a failure of a node that happened outside of a step.
    pub fn node_failed(&mut self, key: &NodeKey, error: &NodeError) {
        self.find(audit::node_failed(key, error, &self.graph));
        self.put_failure(key.to_string(), error.clone());
    }

    fn put_failure(&mut self, name: String, error: NodeError) {
        let NodeError { code, message, help: _, span: _ } = error;
        let at = self.next();
        self.events.put(Event::Failed { name, at, code: code.to_string(), message });
    }

    fn check_books(&mut self) {
        let mut found = Vec::new();
        for slot in self.tasks.iter().flat_map(Task::slots) {
            found.extend(self.audit.slot(slot, &self.graph));
        }
        for (key, outbox) in &self.outboxes {
            found.extend(self.audit.outbox(key, outbox, &self.graph));
        }
        found.into_iter().for_each(|finding| self.find(finding));
    }

    pub(super) fn find(&mut self, finding: Diagnostic) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// The recordings have ended: live ends take over, where there are any.
    pub(super) fn go_live(&mut self) -> bool {
        if self.settings.life == Life::Replay || self.phase == Phase::Live {
            return false;
        }
        self.phase = Phase::Live;
        let at = self.next();
        self.events.put(Event::WentLive { at });
        self.note(|| Record::WentLive { at });
        let live = std::mem::take(&mut self.live);
        self.sequencer.go_on([]);
        let any = !live.is_empty();
        for (name, feed) in live {
            self.sequencer.switch(&name, feed);
        }
        any
    }

    /// What went wrong since the last call; empty as long as all is well.
    pub fn take_findings(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.findings)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.take()
    }

    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.tasks.iter().flat_map(Task::slots)
    }

    pub fn slot_mut(&mut self, key: &NodeKey) -> Option<&mut Slot> {
        self.tasks.iter_mut().find_map(|task| task.slot_mut(key))
    }

    /// Of one source, since it was declared.
    pub fn source_counts(&self, source: &Name) -> FeedCounts {
        self.sequencer.counts(source)
    }

    /// Rows on edges. Between steps this is nothing unless something is wrong.
    pub fn in_flight(&self) -> u64 {
        self.tasks.iter().map(Task::in_flight).sum()
    }
}
