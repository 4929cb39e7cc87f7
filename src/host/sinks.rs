//! Writes what sinks have accepted, each sink on a thread of its own: a stuck one holds up nobody but its own sources, and
//! those only when its outbox is full.
//!
//! Where a state folder is kept, rows that were handed on stay here until they stand for good: an epoch then holds whatever a
//! restart would have to write again, and no epoch ever waits for a sink.

mod standing;
mod work;
mod writer;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;

use crate::base::{Name, sync};
use crate::diag::{Code, Diagnostic};
use crate::io::{Keep, Ledger, SinkMark};
use crate::node::NodeError;
use crate::plan::{Graph, NodeOp, NodeSpec};
use crate::runtime::{Deliver, Engine, Epoch, Outbox, OutboxId, Parts, sink_name, written};
use crate::server::SinkStatus;

use super::said::Said;
use super::state::Settled;
use super::stop::{Stop, Wanted};

use work::Work;
use writer::{Shared, Writer};

/// How long and how often a sink is tried.
#[derive(Clone, Copy, Debug)]
pub struct SinkLimits {
    /// Batches between the engine and a writer; more wait in the outbox, which has a limit of its own.
    pub batches_max: usize,
    /// Before the first retry; doubled each time.
    pub backoff_first: Duration,
    pub backoff_max: Duration,
    /// Retries of one batch before its rows are given up and counted as lost.
    pub retries_max: u32,
    /// For all writers together to finish when the pipeline ends.
    pub finish_max: Duration,
    /// Rows of a file that has an end wait at most so long for others, before their segment is written.
    pub segment_age_max: Duration,
}

impl Default for SinkLimits {
    fn default() -> Self {
        Self {
            batches_max: 4,
            backoff_first: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            retries_max: 12,
            finish_max: Duration::from_secs(10),
            segment_age_max: Duration::from_secs(60),
        }
    }
}

/// The writers of all outboxes. Lives on the engine's thread and never waits there, but for [`Sinks::finish`].
pub struct Sinks {
    writers: BTreeMap<OutboxId, Writer>,
    /// Writers without an outbox that still have something to write.
    closing: Vec<Writer>,
    limits: SinkLimits,
    stop: Stop,
    said: SyncSender<Said>,
    /// Where a state folder is kept: every row is to be written exactly once.
    ledger: Option<Arc<dyn Ledger>>,
}

/// Writers that a wanted graph needs, open and not used yet, by sink.
pub type Ready = BTreeMap<Name, Box<dyn Deliver>>;

/// Changes of a sink's columns that its writer may be behind.
const HEIRS_MAX: usize = 64;

impl Sinks {
    pub fn new(limits: SinkLimits, stop: Stop, said: SyncSender<Said>, ledger: Option<Arc<dyn Ledger>>) -> Sinks {
        Sinks { writers: BTreeMap::new(), closing: Vec::new(), limits, stop, said, ledger }
    }

    fn open(&self, parts: &dyn Parts, spec: &NodeSpec, mark: SinkMark) -> Result<Box<dyn Deliver>, NodeError> {
        let keep = self.ledger.as_ref().map(|ledger| Keep { mark, ledger: ledger.clone() });
        parts.deliver(spec, keep.as_ref())
    }

    /// Opens what `wanted` writes to and nobody writes to yet.
    pub fn prepare(&self, engine: &Engine, wanted: &Graph, parts: &dyn Parts) -> Result<Ready, Vec<Diagnostic>> {
        let (mut ready, mut wrong) = (Ready::new(), Vec::new());
        for (key, spec) in &wanted.nodes {
            let NodeOp::Accept(accept) = &spec.op else { continue };
            let writes = |outbox: &&Outbox| outbox.connector == accept.connector;
            let writer = engine.outboxes().find(writes).and_then(|outbox| self.writers.get(&outbox.id));
            match writer.map(|writer| (writer.schema == written(spec), writer.heirs().len())) {
                Some((true, _)) => continue,
                Some((false, HEIRS_MAX..)) => {
                    wrong.push(cannot_write(spec, &too_far_behind(), wanted));
                    continue;
                }
                Some((false, _)) | None => {}
            }
            match self.open(parts, spec, SinkMark::default()) {
                Ok(writer) => _ = ready.insert(sink_name(key), writer),
                Err(error) => wrong.push(cannot_write(spec, &error, wanted)),
            }
        }
        if wrong.is_empty() { Ok(ready) } else { Err(wrong) }
    }

    /// After a change of the graph, or a restart: every outbox has its writer.
    pub fn take_up(&mut self, engine: &Engine, mut ready: Ready, parts: &dyn Parts) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        for outbox in engine.outboxes() {
            if self.writers.get(&outbox.id).is_some_and(|writer| writer.schema == written(&outbox.spec)) {
                continue;
            }
            let opened = ready.remove(&outbox.sink).map_or_else(|| self.open(parts, &outbox.spec, outbox.mark.clone()), Ok);
            wrong.extend(self.take_up_one(outbox, opened).err().map(|error| (outbox, error)));
        }
        for outbox in engine.retired().filter(|outbox| outbox.waiting() > 0) {
            if !self.writers.contains_key(&outbox.id) {
                let opened = self.open(parts, &outbox.spec, outbox.mark.clone());
                wrong.extend(self.take_up_one(outbox, opened).err().map(|error| (outbox, error)));
            }
        }
        wrong.into_iter().map(|(outbox, error)| cannot_write(&outbox.spec, &error, engine.graph())).collect()
    }

    fn take_up_one(&mut self, outbox: &Outbox, opened: Result<Box<dyn Deliver>, NodeError>) -> Result<(), NodeError> {
        self.place(outbox, opened?).map_err(no_thread)
    }

    /// As the first writer of an outbox, or as the next one.
    fn place(&mut self, outbox: &Outbox, deliver: Box<dyn Deliver>) -> io::Result<()> {
        let schema = written(&outbox.spec);
        match self.writers.get_mut(&outbox.id) {
            Some(writer) => {
                writer.schema = schema.clone();
                writer.heirs().push_back((schema, deliver));
            }
            None => {
                let writer = self.start(outbox, schema, deliver)?;
                self.writers.insert(outbox.id, writer);
            }
        }
        Ok(())
    }

    fn start(&self, outbox: &Outbox, schema: SchemaRef, mut deliver: Box<dyn Deliver>) -> io::Result<Writer> {
        let (to, batches) = sync_channel(self.limits.batches_max);
        let (end, ended) = sync_channel(1);
        let settled = outbox.accepted - outbox.waiting() as u64;
        let mark = deliver.exact().and_then(|exact| exact.mark().ok()).unwrap_or_default();
        let shared = Arc::new(Shared::new(settled, mark));
        let work = Work {
            sink: outbox.sink.clone(),
            outbox: outbox.id.0,
            schema: schema.clone(),
            deliver,
            behind: Vec::new(),
            shared: shared.clone(),
            limits: self.limits,
            next: settled,
            not_before: None,
            stop: self.stop.clone(),
            said: self.said.clone(),
        };
        let run = move || {
            work.run(&batches);
            let _ = end.send(());
        };
        std::thread::Builder::new().name(format!("sink {}", outbox.sink)).spawn(run)?;
        Ok(Writer::new(to, schema, shared, ended, outbox, self.ledger.is_some()))
    }

    /// Hands on what fits. True if something moved.
    pub fn pump(&mut self, engine: &mut Engine) -> bool {
        let mut moved = false;
        for outbox in engine.outboxes_mut() {
            if let Some(writer) = self.writers.get_mut(&outbox.id) {
                moved |= writer.pump(outbox);
            }
        }
        self.close_retired(engine);
        moved
    }

    /// A writer whose outbox is gone writes what it has and ends. Where rows are kept, the outbox is gone only when an epoch
    /// says that all of them stand.
    fn close_retired(&mut self, engine: &mut Engine) {
        let keeps = self.ledger.is_some();
        for outbox in engine.retired().filter(|outbox| outbox.waiting() == 0) {
            if let Some(writer) = self.writers.get_mut(&outbox.id) {
                writer.close();
            }
        }
        let stands = |outbox: &Outbox| self.writers.get(&outbox.id).is_none_or(|writer| writer.committed >= outbox.accepted);
        engine.forget_retired(|outbox| !keeps || stands(outbox));
        if self.writers.len() > engine.outboxes_mut().count() {
            let live: Vec<OutboxId> = engine.outboxes_mut().map(|outbox| outbox.id).collect();
            let gone: Vec<OutboxId> = self.writers.keys().filter(|id| !live.contains(id)).copied().collect();
            self.closing.extend(gone.iter().filter_map(|id| self.writers.remove(id)));
        }
        self.closing.iter_mut().for_each(Writer::close);
        self.closing.retain(|writer| writer.is_open() || !writer.has_ended());
    }

    /// Into an epoch that has just been taken: what writers have and does not stand for good yet, and what does.
    pub fn save(&self, epoch: &mut Epoch) -> Vec<Settled> {
        for saved in &mut epoch.outboxes {
            if let Some(writer) = self.writers.get(&saved.id) {
                writer.save(saved);
            }
        }
        epoch.outboxes.iter().map(|saved| Settled { id: saved.id, settled: saved.settled, mark: saved.mark.clone() }).collect()
    }

    /// An epoch that says so is committed.
    pub fn committed(&mut self, sinks: &[Settled]) {
        for settled in sinks {
            if let Some(writer) = self.writers.get_mut(&settled.id) {
                writer.committed = settled.settled;
            }
        }
    }

    /// Does something stand for good that the last committed epoch does not say?
    pub fn has_news(&self) -> bool {
        self.writers.values().any(Writer::has_news)
    }

    pub fn statuses(&self, engine: &Engine) -> Vec<SinkStatus> {
        engine.outboxes().map(|outbox| self.status(outbox)).collect()
    }

    fn status(&self, outbox: &Outbox) -> SinkStatus {
        let Some(writer) = self.writers.get(&outbox.id) else {
            let (name, waiting) = (outbox.sink.to_string(), outbox.waiting() as u64);
            return SinkStatus { name, waiting, trouble: Some("it is not open".into()), ..SinkStatus::default() };
        };
        let shared = &writer.shared;
        let delivered = writer.before + shared.delivered.load(Relaxed);
        let lost = shared.lost.load(Relaxed) + outbox.lost;
        SinkStatus {
            name: outbox.sink.to_string(),
            accepted: outbox.accepted,
            delivered,
            waiting: outbox.accepted.saturating_sub(delivered + lost),
            lost,
            muted: outbox.muted,
            retries: shared.retries.load(Relaxed),
            trouble: shared.trouble(),
        }
    }

    /// Writes all that was accepted, as long as the limit allows. How many rows remain unwritten.
    pub fn finish(&mut self, engine: &mut Engine) -> u64 {
        let until = Instant::now() + self.limits.finish_max;
        let pause = Duration::from_millis(1);
        while self.stop.wanted() < Wanted::Hurry && Instant::now() < until && !self.is_drained(engine) {
            if !self.pump(engine) {
                self.stop.wait(pause, Wanted::Hurry);
            }
        }
        self.writers.values_mut().chain(&mut self.closing).for_each(Writer::end);
        for writer in self.writers.values().chain(&self.closing) {
            let left = until.saturating_duration_since(Instant::now());
            writer.wait(if self.stop.wanted() < Wanted::Hurry { left } else { Duration::ZERO });
        }
        let waiting: u64 = engine.outboxes_mut().map(|outbox| outbox.waiting() as u64).sum();
        self.writers.values().chain(&self.closing).map(Writer::unwritten).sum::<u64>() + waiting
    }

    fn is_drained(&self, engine: &mut Engine) -> bool {
        let empty = engine.outboxes_mut().all(|outbox| outbox.waiting() == 0);
        empty && self.writers.values().chain(&self.closing).all(|writer| writer.holds() == 0)
    }
}

fn too_far_behind() -> NodeError {
    NodeError::new(Code::R0006, format!("it is {HEIRS_MAX} changes of its columns behind; let it catch up first"))
}

fn cannot_write(spec: &NodeSpec, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = error.diagnostic(&format!("the sink `{}` cannot be opened", spec.key.decl));
    match graph.spans.get(&spec.key) {
        Some(span) if found.span().is_none() => found.at(*span, ""),
        Some(_) | None => found,
    }
}

fn no_thread(error: io::Error) -> NodeError {
    NodeError::new(Code::R0951, format!("the system gives no thread for it: {error}"))
}
