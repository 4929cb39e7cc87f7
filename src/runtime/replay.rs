//! A recording from its beginning to its end, in virtual time.
//!
//! Learning takes several passes over the same recording: first only what the tasks learn from is run, and each task's
//! collected table comes out; then, with models that somebody has trained on them, everything. A task whose features are
//! predictions of another comes after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use arrow::array::RecordBatch;

use crate::base::Name;
use crate::diag::Diagnostic;
use crate::node::{Assignment, NodeError, State};
use crate::plan::{Graph, NodeKey, NodeOp, NodeSpec};

use super::dead::DeadLetter;
use super::engine::{Engine, Progress, Settings};
use super::event::Event;
use super::feed::{Deliver, Parts};
use super::outbox::OutboxId;
use super::report::{EdgeReport, NodeReport, SinkReport};

/// Between two calls of the progress callback, in rows.
const PROGRESS_ROWS: u64 = 65_536;

/// How far a replay has got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    pub rows: u64,
    pub seconds: f64,
}

/// What a replay leaves.
#[derive(Debug)]
pub struct Replayed {
    pub rows: u64,
    pub seconds: f64,
    pub nodes: Vec<NodeReport>,
    pub edges: Vec<EdgeReport>,
    pub sinks: Vec<SinkReport>,
    /// The first records of each source that could not be read.
    pub dead_letter: DeadLetter,
    pub events: Vec<Event>,
    /// Failures at run time; empty if all went well.
    pub findings: Vec<Diagnostic>,
    /// What each task has collected.
    pub collected: BTreeMap<Name, State>,
}

/// What a replay is told besides its graph.
pub struct Replay<'a> {
    pub parts: &'a dyn Parts,
    pub settings: Settings,
    /// Who predicts which row, by task.
    pub assignments: BTreeMap<Name, Assignment>,
    /// Called now and then; false stops the replay as if the recordings ended there.
    pub progress: &'a mut dyn FnMut(Status) -> bool,
}

impl Replayed {
    pub fn rows_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.rows as f64 / self.seconds } else { 0.0 }
    }
}

/// Runs the whole graph over its recordings, with its sinks written.
///
/// # Errors
/// What keeps it from starting. What fails on the way is among the findings.
pub fn replay(graph: &Graph, replay: Replay) -> Result<Replayed, Vec<Diagnostic>> {
    let begun = Instant::now();
    let mut sinks = Sinks::open(graph, replay.parts)?;
    let mut engine = Engine::start(replay.settings, graph, replay.parts)?;
    for (task, assignment) in &replay.assignments {
        engine.assign_all(task, assignment.clone());
    }
    let (mut rows, mut told) = (0, 0);
    loop {
        match engine.step() {
            Progress::Rows(more) => rows += more as u64,
            Progress::Waiting => std::thread::yield_now(),
            Progress::Blocked => {}
            Progress::Ended => break,
        }
        sinks.deliver(&mut engine);
        if rows - told >= PROGRESS_ROWS {
            told = rows;
            if !(replay.progress)(Status { rows, seconds: begun.elapsed().as_secs_f64() }) {
                break;
            }
        }
    }
    sinks.deliver(&mut engine);
    sinks.finish(&mut engine);
    let collected = collected(&mut engine);
    let seconds = begun.elapsed().as_secs_f64();
    (replay.progress)(Status { rows, seconds });
    Ok(Replayed {
        rows,
        seconds,
        nodes: engine.node_reports(),
        edges: engine.edge_reports(),
        sinks: engine.sink_reports(),
        dead_letter: engine.dead_letter().clone(),
        events: engine.take_events(),
        findings: engine.take_findings(),
        collected,
    })
}

/// Runs only what these tasks learn from, and gives each one's collected table.
pub fn collect(graph: &Graph, tasks: &BTreeSet<Name>, run: Replay) -> Result<Replayed, Vec<Diagnostic>> {
    replay(&upstream(graph, tasks), run)
}

/// The part of a graph that ends in these tasks.
pub fn upstream(graph: &Graph, tasks: &BTreeSet<Name>) -> Graph {
    let is_wanted = |spec: &NodeSpec| matches!(&spec.op, NodeOp::Task(learn) if tasks.contains(&learn.task.name));
    let ends: Vec<NodeKey> = graph.nodes.values().filter(|spec| is_wanted(spec)).map(|spec| spec.key.clone()).collect();
    graph.part(&ends)
}

/// The tasks in groups: each learns from rows that hold predictions of earlier groups only.
pub fn learning_order(graph: &Graph) -> Vec<BTreeSet<Name>> {
    let all: BTreeSet<Name> = graph.nodes.values().filter_map(|spec| learned(spec).cloned()).collect();
    let needs: BTreeMap<Name, BTreeSet<Name>> =
        all.iter().map(|task| (task.clone(), predictions_before(graph, task))).collect();
    let (mut out, mut done): (Vec<BTreeSet<Name>>, BTreeSet<Name>) = (Vec::new(), BTreeSet::new());
    while done.len() < all.len() {
        let ready =
            |task: &&Name| !done.contains(*task) && needs[*task].iter().all(|need| done.contains(need) || !all.contains(need));
        let group: BTreeSet<Name> = all.iter().filter(ready).cloned().collect();
        if group.is_empty() {
            // A circle, which the checker has refused; together is as good as any order.
            out.push(all.difference(&done).cloned().collect());
            return out;
        }
        done.extend(group.iter().cloned());
        out.push(group);
    }
    out
}

fn predictions_before(graph: &Graph, task: &Name) -> BTreeSet<Name> {
    let before = upstream(graph, &[task.clone()].into());
    before.nodes.values().filter_map(|spec| spec.predicts_by().cloned()).collect()
}

fn learned(spec: &NodeSpec) -> Option<&Name> {
    match &spec.op {
        NodeOp::Task(learn) => Some(&learn.task.name),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => None,
    }
}

/// The tables of all tasks. A node that cannot save is reported like any other failure.
fn collected(engine: &mut Engine) -> BTreeMap<Name, State> {
    let tasks: Vec<(NodeKey, Name)> =
        engine.slots().filter_map(|slot| Some((slot.key.clone(), learned(&slot.spec)?.clone()))).collect();
    let mut out = BTreeMap::new();
    for (key, task) in tasks {
        let saved = engine.slot_mut(&key).map(|slot| slot.node.save());
        match saved {
            Some(Ok(state)) => _ = out.insert(task, state),
            Some(Err(error)) => engine.node_failed(&key, &error),
            None => {}
        }
    }
    out
}

/// The writers of all sinks.
struct Sinks {
    writers: BTreeMap<Name, Box<dyn Deliver>>,
    failed: BTreeSet<OutboxId>,
}

impl Sinks {
    fn open(graph: &Graph, parts: &dyn Parts) -> Result<Sinks, Vec<Diagnostic>> {
        let mut writers = BTreeMap::new();
        let mut wrong = Vec::new();
        let is_written = |spec: &&NodeSpec| matches!(&spec.op, NodeOp::Accept(accept) if !accept.keeps);
        for spec in graph.nodes.values().filter(is_written) {
            match parts.deliver(spec, None) {
                Ok(writer) => _ = writers.insert(spec.key.decl.clone(), writer),
                Err(error) => wrong.push(cannot_write(&spec.key, &error, graph)),
            }
        }
        if wrong.is_empty() { Ok(Sinks { writers, failed: BTreeSet::new() }) } else { Err(wrong) }
    }

    /// Everything that waits is written. A sink that fails once is given nothing more; its rows are counted as lost.
    fn deliver(&mut self, engine: &mut Engine) {
        let mut failures = Vec::new();
        for outbox in engine.outboxes_mut().filter(|outbox| !self.failed.contains(&outbox.id)) {
            let Some(writer) = self.writers.get_mut(&outbox.sink) else { continue };
            while let Some(rows) = outbox.take() {
                if let Err(error) = writer.deliver(&rows) {
                    outbox.failed(rows.num_rows());
                    failures.push((outbox.id, outbox.sink.clone(), error));
                    break;
                }
            }
        }
        for (id, sink, error) in failures {
            self.failed.insert(id);
            engine.sink_failed(&sink, &error);
        }
        for id in &self.failed {
            engine.outboxes_mut().filter(|outbox| outbox.id == *id).for_each(|outbox| outbox.drop_waiting());
        }
    }

    fn finish(&mut self, engine: &mut Engine) {
        for (sink, writer) in &mut self.writers {
            if let Err(error) = writer.finish() {
                engine.sink_failed(sink, &error);
            }
        }
    }
}

fn cannot_write(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = error.diagnostic(&format!("the sink `{}` cannot be opened", key.decl));
    super::audit::placed(found, key, graph)
}

/// All rows of one sink, kept in memory. For tests, and for who wants the rows themselves.
#[derive(Clone, Debug, Default)]
pub struct Kept(std::sync::Arc<std::sync::Mutex<Vec<RecordBatch>>>);

impl Kept {
    pub fn rows(&self) -> Vec<RecordBatch> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Deliver for Kept {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), NodeError> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(rows.clone());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), NodeError> {
        Ok(())
    }
}
