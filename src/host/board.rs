//! Where the engine's thread and the shell write down how things are, for whoever asks.

mod rates;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::base::{Name, Time};
use crate::runtime::{EdgeReport, NodeReport, SourceReport};
use crate::server::{Edits, Happened, SinkStatus, Stage, Status, TaskStatus};

use rates::Samples;

/// Things that happened and are remembered; of more the newest.
const HAPPENED_MAX: usize = 20;

/// Reading copies; nobody holds it while waiting.
#[derive(Debug)]
pub struct Board {
    pipeline: String,
    since: Instant,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    machine: Machine,
    stopping: bool,
    edits: Edits,
    last_change: Option<String>,
    differs: Option<String>,
    tasks: BTreeMap<Name, TaskNote>,
    samples: Samples,
    /// The newest first.
    lately: VecDeque<Happened>,
}

/// What the engine's thread knows.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub plan: String,
    pub stage: Stage,
    pub rows_in: u64,
    pub sources: Vec<SourceReport>,
    pub nodes: Vec<NodeReport>,
    pub edges: Vec<EdgeReport>,
    pub failed: BTreeMap<String, String>,
    pub sinks: Vec<SinkStatus>,
    /// By task: the version that answers, and how many rows it was asked for.
    pub models: BTreeMap<Name, (Option<String>, u64)>,
}

/// What the shell knows of a task.
#[derive(Clone, Debug, Default)]
pub struct TaskNote {
    pub family: Option<String>,
    pub metric: Option<(String, f64)>,
    pub served: bool,
    pub training: bool,
    pub note: Option<String>,
}

impl Board {
    pub fn new(pipeline: String) -> Board {
        Board { pipeline, since: Instant::now(), written: Mutex::default() }
    }

    pub fn set_machine(&self, machine: Machine) {
        let mut written = self.lock();
        written.samples.note(Instant::now(), machine.rows_in, &machine.nodes);
        written.machine = machine;
    }

    pub fn set_tasks(&self, tasks: BTreeMap<Name, TaskNote>) {
        self.lock().tasks = tasks;
    }

    pub fn stopping(&self) {
        self.lock().stopping = true;
    }

    pub fn edit(&self, count: impl FnOnce(&mut Edits), last_change: Option<String>) {
        let mut written = self.lock();
        count(&mut written.edits);
        written.last_change = last_change.or(written.last_change.take());
    }

    /// Something that whoever looks later wants to know. Only the first line of it is remembered.
    pub fn happened(&self, now: Time, text: &str) {
        let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty()) else { return };
        let mut written = self.lock();
        written.lately.push_front(Happened { time: now.to_string(), text: line.to_owned() });
        written.lately.truncate(HAPPENED_MAX);
    }

    /// How what runs differs from the file, if it does.
    pub fn differs(&self, how: Option<String>) {
        self.lock().differs = how;
    }

    /// Why a task has no model, in words.
    pub fn why_no_model(&self, task: &Name) -> String {
        let written = self.lock();
        match written.tasks.get(task) {
            Some(TaskNote { training: true, .. }) => "it is being trained".into(),
            Some(TaskNote { note: Some(note), .. }) => note.clone(),
            Some(_) | None if written.machine.stage == Stage::WarmingUp => "its recording is being read".into(),
            Some(_) | None => "it has not been trained".into(),
        }
    }

    pub fn status(&self) -> Status {
        let written = self.lock();
        let Machine { plan, stage, rows_in, sources, nodes, edges, failed, sinks, models } = written.machine.clone();
        let rates = written.samples.rates(Instant::now(), rows_in, &nodes);
        let task = |(name, note): (&Name, &TaskNote)| {
            let TaskNote { family, metric, served, training, note } = note.clone();
            let (version, predictions) = models.get(name).cloned().unwrap_or_default();
            TaskStatus { name: name.to_string(), version, family, metric, served, training, note, predictions }
        };
        Status {
            pipeline: self.pipeline.clone(),
            plan,
            stage: if written.stopping { Stage::Stopping } else { stage },
            uptime_s: self.since.elapsed().as_secs_f64(),
            rows_in,
            sources,
            nodes,
            edges,
            failed,
            tasks: written.tasks.iter().map(task).collect(),
            sinks,
            edits: written.edits,
            last_change: written.last_change.clone(),
            differs: written.differs.clone(),
            rates,
            lately: written.lately.iter().cloned().collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
