//! Writes what sinks have accepted, each sink on a thread of its own: a stuck one holds up nobody but its own sources, and
//! those only when its outbox is full.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::node::{self, NodeError};
use crate::plan::{Graph, NodeKey, NodeOp, NodeSpec, Slot};
use crate::runtime::{Deliver, Engine, Outbox, OutboxId, Parts};
use crate::server::SinkStatus;

use super::said::{HostEvent, Said};
use super::stop::{Stop, Wanted};

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
}

impl Default for SinkLimits {
    fn default() -> Self {
        Self {
            batches_max: 4,
            backoff_first: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            retries_max: 12,
            finish_max: Duration::from_secs(10),
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
}

struct Writer {
    to: Option<SyncSender<RecordBatch>>,
    /// Taken from the outbox while the channel was full.
    held: Option<RecordBatch>,
    /// The columns of what is accepted now.
    schema: SchemaRef,
    heirs: Heirs,
    books: Arc<Books>,
    ended: Receiver<()>,
}

/// What a writer's thread tells.
#[derive(Debug, Default)]
struct Books {
    delivered: AtomicU64,
    lost: AtomicU64,
    retries: AtomicU64,
    trouble: Mutex<Option<String>>,
}

/// Writers that a wanted graph needs, open and not used yet, by sink.
pub type Ready = BTreeMap<Name, Box<dyn Deliver>>;

/// Writers that take over at the first batch with their columns. Rows from before the change still go to the old one.
type Heirs = Arc<Mutex<VecDeque<(SchemaRef, Box<dyn Deliver>)>>>;

/// Changes of a sink's columns that its writer may be behind.
const HEIRS_MAX: usize = 64;

impl Sinks {
    pub fn new(limits: SinkLimits, stop: Stop, said: SyncSender<Said>) -> Sinks {
        Sinks { writers: BTreeMap::new(), closing: Vec::new(), limits, stop, said }
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
            match parts.deliver(spec, None) {
                Ok(writer) => _ = ready.insert(key.decl.clone(), writer),
                Err(error) => wrong.push(cannot_write(spec, &error, wanted)),
            }
        }
        if wrong.is_empty() { Ok(ready) } else { Err(wrong) }
    }

    /// After a change of the graph: every outbox has its writer.
    pub fn take_up(&mut self, engine: &Engine, mut ready: Ready, parts: &dyn Parts) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        for outbox in engine.outboxes() {
            let key = NodeKey::of_file(&outbox.sink, Slot::Accept);
            let Some(spec) = engine.graph().nodes.get(&key) else { continue };
            if self.writers.get(&outbox.id).is_some_and(|writer| writer.schema == written(spec)) {
                continue;
            }
            let opened = ready.remove(&outbox.sink).map_or_else(|| parts.deliver(spec, None), Ok);
            let placed = opened.and_then(|deliver| self.place(outbox, spec, deliver).map_err(no_thread));
            wrong.extend(placed.err().map(|error| cannot_write(spec, &error, engine.graph())));
        }
        wrong
    }

    /// As the first writer of an outbox, or as the next one.
    fn place(&mut self, outbox: &Outbox, spec: &NodeSpec, deliver: Box<dyn Deliver>) -> io::Result<()> {
        let schema = written(spec);
        match self.writers.get_mut(&outbox.id) {
            Some(writer) => {
                writer.schema = schema.clone();
                writer.heirs().push_back((schema, deliver));
            }
            None => {
                let writer = self.start(&outbox.sink, schema, deliver)?;
                self.writers.insert(outbox.id, writer);
            }
        }
        Ok(())
    }

    fn start(&self, sink: &Name, schema: SchemaRef, deliver: Box<dyn Deliver>) -> io::Result<Writer> {
        let (to, batches) = sync_channel(self.limits.batches_max);
        let (end, ended) = sync_channel(1);
        let (books, heirs) = (Arc::new(Books::default()), Heirs::default());
        let work = Work {
            sink: sink.clone(),
            schema: schema.clone(),
            deliver,
            heirs: heirs.clone(),
            books: books.clone(),
            limits: self.limits,
            stop: self.stop.clone(),
            said: self.said.clone(),
        };
        let run = move || {
            work.run(&batches);
            let _ = end.send(());
        };
        std::thread::Builder::new().name(format!("sink {sink}")).spawn(run)?;
        Ok(Writer { to: Some(to), held: None, schema, heirs, books, ended })
    }

    /// Hands on what fits. True if something moved.
    pub fn pump(&mut self, engine: &mut Engine) -> bool {
        let mut moved = false;
        for outbox in engine.outboxes_mut() {
            if let Some(writer) = self.writers.get_mut(&outbox.id) {
                moved |= writer.pump(outbox);
            }
        }
        engine.forget_retired(|_| true);
        self.close_retired(engine);
        moved
    }

    /// A writer whose outbox is gone writes what it has and ends.
    fn close_retired(&mut self, engine: &mut Engine) {
        if self.writers.len() > engine.outboxes_mut().count() {
            let live: Vec<OutboxId> = engine.outboxes_mut().map(|outbox| outbox.id).collect();
            let gone: Vec<OutboxId> = self.writers.keys().filter(|id| !live.contains(id)).copied().collect();
            self.closing.extend(gone.iter().filter_map(|id| self.writers.remove(id)));
        }
        self.closing.iter_mut().for_each(Writer::close);
        self.closing.retain(|writer| writer.to.is_some() || writer.ended.try_recv().is_err());
    }

    pub fn statuses(&self, engine: &Engine) -> Vec<SinkStatus> {
        engine.outboxes().map(|outbox| self.status(outbox)).collect()
    }

    fn status(&self, outbox: &Outbox) -> SinkStatus {
        let Some(writer) = self.writers.get(&outbox.id) else {
            let (name, waiting) = (outbox.sink.to_string(), outbox.waiting() as u64);
            return SinkStatus { name, waiting, trouble: Some("it is not open".into()), ..SinkStatus::default() };
        };
        let books = &writer.books;
        let (delivered, lost) = (books.delivered.load(Relaxed), books.lost.load(Relaxed) + outbox.lost);
        SinkStatus {
            name: outbox.sink.to_string(),
            accepted: outbox.accepted,
            delivered,
            waiting: outbox.accepted.saturating_sub(delivered + lost),
            lost,
            muted: outbox.muted,
            retries: books.retries.load(Relaxed),
            trouble: books.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Writes all that was accepted, as long as the limit allows. How many rows remain unwritten.
    pub fn finish(mut self, engine: &mut Engine) -> u64 {
        let until = Instant::now() + self.limits.finish_max;
        let pause = Duration::from_millis(1);
        while self.stop.wanted() < Wanted::Hurry && Instant::now() < until && !self.is_drained(engine) {
            if !self.pump(engine) {
                self.stop.wait(pause, Wanted::Hurry);
            }
        }
        let mut all: Vec<Writer> = self.writers.into_values().chain(self.closing).collect();
        let held: u64 = all.iter().filter_map(|writer| writer.held.as_ref()).map(|rows| rows.num_rows() as u64).sum();
        all.iter_mut().for_each(|writer| writer.to = None);
        for writer in &all {
            let left = until.saturating_duration_since(Instant::now());
            let _ = writer.ended.recv_timeout(if self.stop.wanted() < Wanted::Hurry { left } else { Duration::ZERO });
        }
        let waiting: u64 = engine.outboxes_mut().map(|outbox| outbox.waiting() as u64).sum();
        let lost: u64 = all.iter().map(|writer| writer.books.lost.load(Relaxed)).sum();
        held + waiting + lost
    }

    fn is_drained(&self, engine: &mut Engine) -> bool {
        let empty = engine.outboxes_mut().all(|outbox| outbox.waiting() == 0);
        empty && self.writers.values().chain(&self.closing).all(|writer| writer.held.is_none())
    }
}

impl Writer {
    fn heirs(&self) -> MutexGuard<'_, VecDeque<(SchemaRef, Box<dyn Deliver>)>> {
        self.heirs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pump(&mut self, outbox: &mut Outbox) -> bool {
        let mut moved = false;
        while let Some(rows) = self.held.take().or_else(|| outbox.take()) {
            if !self.hand_on(rows) {
                return moved;
            }
            moved = true;
        }
        moved
    }

    /// False if the channel is full, or the writer has ended by itself.
    fn hand_on(&mut self, rows: RecordBatch) -> bool {
        let Some(to) = &self.to else { return false };
        match to.try_send(rows) {
            Ok(()) => true,
            Err(TrySendError::Full(rows) | TrySendError::Disconnected(rows)) => {
                self.held = Some(rows);
                false
            }
        }
    }

    fn close(&mut self) {
        if let Some(rows) = self.held.take()
            && !self.hand_on(rows)
        {
            return;
        }
        self.to = None;
    }
}

/// A writer's thread.
struct Work {
    sink: Name,
    schema: SchemaRef,
    deliver: Box<dyn Deliver>,
    heirs: Heirs,
    books: Arc<Books>,
    limits: SinkLimits,
    stop: Stop,
    said: SyncSender<Said>,
}

impl Work {
    fn run(mut self, batches: &Receiver<RecordBatch>) {
        while let Ok(rows) = batches.recv() {
            self.hand_over(&rows.schema());
            self.write(&rows);
        }
        self.finish();
    }

    fn finish(&mut self) {
        if let Err(error) = self.deliver.finish() {
            self.say(HostEvent::SinkTrouble { sink: self.sink.clone(), message: error.to_string() });
        }
    }

    /// Rows with other columns are the first of a writer that waits for them.
    fn hand_over(&mut self, schema: &SchemaRef) {
        while self.schema != *schema {
            let heir = self.heirs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((columns, deliver)) = heir else { return };
            self.finish();
            (self.schema, self.deliver) = (columns, deliver);
        }
    }

    /// Until it is written, or given up.
    fn write(&mut self, rows: &RecordBatch) {
        let count = rows.num_rows() as u64;
        let mut backoff = self.limits.backoff_first;
        for retry in 0..=self.limits.retries_max {
            let error = match self.deliver.deliver(rows) {
                Ok(()) => return self.written(count),
                Err(error) => error.to_string(),
            };
            self.trouble(&error);
            if retry == self.limits.retries_max || !self.stop.wait(backoff, Wanted::Hurry) {
                return self.give_up(count, error);
            }
            self.books.retries.fetch_add(1, Relaxed);
            backoff = (backoff * 2).min(self.limits.backoff_max);
        }
    }

    fn written(&self, rows: u64) {
        self.books.delivered.fetch_add(rows, Relaxed);
        if self.books.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.say(HostEvent::SinkRecovered { sink: self.sink.clone() });
        }
    }

    fn give_up(&self, rows: u64, message: String) {
        self.books.lost.fetch_add(rows, Relaxed);
        self.say(HostEvent::SinkLost { sink: self.sink.clone(), rows, message });
    }

    /// Said once for as long as it is the same.
    fn trouble(&self, message: &str) {
        let before = self.books.trouble.lock().unwrap_or_else(PoisonError::into_inner).replace(message.to_owned());
        if before.as_deref() != Some(message) {
            self.say(HostEvent::SinkTrouble { sink: self.sink.clone(), message: message.to_owned() });
        }
    }

    /// Nothing waits for a reader of the log: the books say it too.
    fn say(&self, event: HostEvent) {
        let _ = self.said.try_send(Said::Host(event));
    }
}

/// The columns that are written: the visible ones.
fn written(spec: &NodeSpec) -> SchemaRef {
    Arc::new(Schema::new(spec.schema.visible().map(node::field).collect::<Vec<_>>()))
}

fn too_far_behind() -> NodeError {
    NodeError::new(Code::R0006, format!("it is {HEIRS_MAX} changes of its columns behind; let it catch up first"))
}

fn cannot_write(spec: &NodeSpec, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = Diagnostic::new(error.code, format!("the sink `{}` cannot be opened: {}", spec.key.decl, error.message));
    match graph.spans.get(&spec.key) {
        Some(span) => found.at(*span, ""),
        None => found,
    }
}

fn no_thread(error: io::Error) -> NodeError {
    NodeError::new(Code::R0951, format!("the system gives no thread for it: {error}"))
}
