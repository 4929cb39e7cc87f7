//! The engine's thread: steps, hands rows to the sinks, answers requests, and takes orders between two steps. It waits for
//! nothing but the next order or the next row.

mod changing;
mod seeing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use tokio::sync::oneshot;

use crate::base::{Hash, Name, Sources, Time};
use crate::diag::Diagnostic;
use crate::ir;
use crate::node::{Ordinal, Predictor};
use crate::plan::{Graph, NodeOp};
use crate::runtime::{Asked, Askers, Engine, Parts, Phase, Progress, Reached, Rebuild, Unasked, Weighed};
use crate::server::Stage;

use super::board::{Board, Machine};
use super::keeping::Keeping;
use super::said::{HostEvent, Messages, Said};
use super::sinks::Sinks;
use super::stop::{Stop, Wanted};

pub use changing::{Applied, Collected, closure};
pub use seeing::See;

use seeing::Seers;

/// What builds nodes and opens ends, from any thread.
pub type SharedParts = Arc<dyn Parts + Send + Sync>;

/// Orders that wait for the engine, requests included; beyond them a request is refused.
pub const ORDERS_MAX: usize = 256;
/// Orders that are carried out between two steps.
const ORDERS_PER_STEP_MAX: usize = 64;
/// Between two looks at sources that have nothing.
const IDLE_WAIT: Duration = Duration::from_millis(1);
/// The same when all sources have ended.
const ENDED_WAIT: Duration = Duration::from_millis(50);
/// Between two entries on the board.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Events that wait for a slow reader.
const BACKLOG_MAX: usize = 1_024;

pub enum Order {
    /// Change the running graph.
    Apply {
        wanted: Box<Graph>,
        /// What of it has been rebuilt beside the engine.
        rebuild: Rebuild,
        /// The number of the plan, where what it changes is to be kept beside it for a while.
        probation: Option<u64>,
        /// The texts that its places are in.
        sources: Sources,
        done: SyncSender<Result<Applied, Vec<Diagnostic>>>,
    },
    /// Let the model answer, or nobody, if the task's features are still those that it was trained with, from which row on.
    /// None: they are not.
    Assign {
        task: Name,
        closure: Hash,
        model: Option<Arc<dyn Predictor>>,
        done: SyncSender<Option<Ordinal>>,
    },
    /// How far it has read.
    Reached {
        done: SyncSender<Reached>,
    },
    /// What a plan has replaced is not needed any more; the graph that runs from here on.
    Pass {
        done: SyncSender<Result<Graph, Vec<Diagnostic>>>,
    },
    /// How much that remembers, in bytes.
    WeighBeside {
        done: SyncSender<usize>,
    },
    /// What every node remembers now, and what would become of models and of names that come back.
    Weigh {
        wanted: Box<Graph>,
        done: SyncSender<Weighed>,
    },
    /// What the task's node has collected.
    Collect {
        task: Name,
        done: SyncSender<Option<Collected>>,
    },
    Ask(Ask),
    See(See),
}

pub struct Ask {
    pub task: Name,
    /// The columns of the task's door.
    pub rows: RecordBatch,
    pub reply: oneshot::Sender<Result<Asked, Unasked>>,
}

/// A graph that runs, with what writes its rows and keeps its state.
pub struct Running {
    pub engine: Engine,
    pub sinks: Sinks,
    pub keeping: Option<Keeping>,
}

pub struct Core {
    pub engine: Engine,
    pub parts: SharedParts,
    pub sinks: Sinks,
    pub orders: Receiver<Order>,
    pub board: Arc<Board>,
    pub said: SyncSender<Said>,
    pub stop: Stop,
    keeping: Option<Keeping>,
    askers: Askers,
    backlog: VecDeque<Said>,
    forgotten: u64,
    ended: bool,
    /// Of the running graph, short.
    plan: String,
    /// The texts of the running graph.
    sources: Sources,
    seers: Seers,
}

/// How a run has ended.
pub struct Ended {
    pub rows: u64,
    pub undelivered: u64,
}

impl Core {
    pub fn new(
        running: Running,
        parts: SharedParts,
        orders: Receiver<Order>,
        board: Arc<Board>,
        said: SyncSender<Said>,
        stop: Stop,
        sources: Sources,
    ) -> Core {
        let Running { engine, sinks, keeping } = running;
        let (askers, backlog, plan) = (Askers::default(), VecDeque::new(), Hash::of(engine.graph()).short());
        Core {
            engine,
            parts,
            sinks,
            orders,
            board,
            said,
            stop,
            keeping,
            askers,
            backlog,
            forgotten: 0,
            ended: false,
            plan,
            sources,
            seers: Seers::default(),
        }
    }

    /// Until somebody wants an end, or whoever gives orders is gone.
    pub fn run(mut self) -> Ended {
        let mut publish = Instant::now();
        while self.stop.wanted() == Wanted::Run {
            let progress = self.engine.step();
            self.tell_of_a_row();
            let moved = self.sinks.pump(&mut self.engine);
            self.keep();
            self.tell();
            if Instant::now() >= publish {
                self.publish();
                publish = Instant::now() + PUBLISH_EVERY;
            }
            let on = match progress {
                Progress::Rows(_) => self.orders_now(),
                Progress::Blocked if moved => self.orders_now(),
                Progress::Waiting | Progress::Blocked => self.orders_within(IDLE_WAIT),
                Progress::Ended => {
                    self.ended = true;
                    self.orders_within(ENDED_WAIT)
                }
            };
            if !on {
                break;
            }
        }
        self.finish()
    }

    /// Epochs, when it is time.
    fn keep(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        for event in keeping.look(&mut self.engine, &mut self.sinks) {
            self.put(Said::Host(event));
        }
    }

    /// What was accepted is written; orders that still wait are dropped, which their senders notice.
    fn finish(mut self) -> Ended {
        self.publish();
        let undelivered = self.sinks.finish(&mut self.engine);
        if let Some(keeping) = self.keeping.take() {
            let in_a_hurry = self.stop.wanted() == Wanted::Hurry;
            for event in keeping.finish(&mut self.engine, &mut self.sinks, in_a_hurry) {
                self.put(Said::Host(event));
            }
        }
        // What the writers have done since is in the last entry.
        self.publish();
        for event in self.engine.take_events() {
            self.backlog.push_back(Said::Engine(event));
        }
        while let Some(said) = self.backlog.pop_front() {
            if self.said.try_send(said).is_err() {
                break;
            }
        }
        Ended { rows: self.engine.next().0, undelivered }
    }

    /// False: nobody gives orders any more.
    fn orders_now(&mut self) -> bool {
        for _ in 0..ORDERS_PER_STEP_MAX {
            match self.orders.try_recv() {
                Ok(order) => self.carry_out(order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn orders_within(&mut self, wait: Duration) -> bool {
        match self.orders.recv_timeout(wait) {
            Ok(order) => {
                self.carry_out(order);
                self.orders_now()
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Whatever an order changes, taps go with their names.
    fn carry_out(&mut self, order: Order) {
        let before = self.engine.generation();
        let may_change = matches!(order, Order::Apply { .. } | Order::Assign { .. });
        if may_change {
            self.see_before_a_change();
        }
        self.obey(order);
        if before != self.engine.generation() {
            self.see_after_a_change();
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Reached { done } => {
                let _ = done.send(self.engine.reached());
            }
            Order::See(see) => self.see(see),
            Order::Weigh { wanted, done } => {
                let _ = done.send(self.engine.weigh(&wanted));
            }
            Order::WeighBeside { done } => {
                let _ = done.send(self.engine.former_bytes());
            }
            Order::Pass { done } => {
                let result = self.engine.drop_former(self.parts.as_ref());
                self.publish();
                let _ = done.send(result);
            }
            Order::Apply { wanted, rebuild, probation, sources, done } => {
                let mut result = self.apply(&wanted, rebuild, probation, sources);
                // On the board before the one who waits goes on: what is asked next is answered for the new graph. And before
                // the first row that sees it, so that what comes after the change can be told from what came before.
                self.publish();
                if let Ok(applied) = &mut result {
                    applied.waited = self.let_in_who_waited();
                }
                let _ = done.send(result);
            }
            Order::Assign { task, closure: trained, model, done } => {
                let _ = done.send(self.assign(&task, trained, model));
            }
            Order::Collect { task, done } => {
                let _ = done.send(self.collect(&task));
            }
            Order::Ask(Ask { task, rows, reply }) => {
                let asked = self.askers.ask(&mut self.engine, self.parts.as_ref(), &task, rows, now());
                let _ = reply.send(asked);
            }
        }
    }

    /// Hands on what happened. The reader is never waited for.
    fn tell(&mut self) {
        for event in self.engine.take_events() {
            self.put(Said::Engine(event));
        }
        for found in self.engine.take_findings() {
            self.find(found);
        }
        if self.forgotten > 0 && self.backlog.len() < BACKLOG_MAX {
            let events = std::mem::take(&mut self.forgotten);
            self.backlog.push_back(Said::Host(HostEvent::Forgotten { events }));
        }
        while let Some(said) = self.backlog.pop_front() {
            match self.said.try_send(said) {
                Ok(()) => {}
                Err(TrySendError::Full(said) | TrySendError::Disconnected(said)) => {
                    self.backlog.push_front(said);
                    return;
                }
            }
        }
    }

    fn find(&mut self, found: Diagnostic) {
        self.put(Said::Host(HostEvent::Finding(Messages::about(&self.sources, found))));
    }

    fn put(&mut self, said: Said) {
        if self.backlog.len() == BACKLOG_MAX {
            self.backlog.pop_front();
            self.forgotten += 1;
        }
        self.backlog.push_back(said);
    }

    fn publish(&mut self) {
        self.forget_who_is_gone();
        let sources = self.engine.source_reports(now());
        let failed = self.engine.slots().filter_map(|slot| Some((slot.key.to_string(), slot.failed.as_ref()?.to_string())));
        let machine = Machine {
            plan: self.plan.clone(),
            stage: match (self.ended, self.engine.phase()) {
                (true, _) => Stage::Ended,
                (false, Phase::Recorded) => Stage::WarmingUp,
                (false, Phase::Live) => Stage::Live,
            },
            rows_in: self.engine.next().0,
            sources,
            failed: failed.collect(),
            nodes: self.engine.node_reports(),
            edges: self.engine.edge_reports(),
            sinks: self.sinks.statuses(&self.engine),
            models: self.models(),
        };
        self.board.set_machine(machine);
    }

    /// By task: who answers, and how many rows its `predict` stages let through.
    fn models(&self) -> BTreeMap<Name, (Option<String>, u64)> {
        let mut models: BTreeMap<Name, (Option<String>, u64)> = BTreeMap::new();
        for (key, spec) in &self.engine.graph().nodes {
            if matches!(spec.op, NodeOp::Task(_)) {
                models.entry(key.decl.clone()).or_default().0 = self.engine.version(&key.decl).map(str::to_owned);
            }
        }
        for slot in self.engine.slots() {
            if let NodeOp::Stage(op) = &slot.spec.op
                && let ir::Op::Predict(predict) = &**op
            {
                models.entry(predict.task.clone()).or_default().1 += slot.counts.passed;
            }
        }
        models
    }
}

fn now() -> Time {
    Time(chrono::Utc::now().timestamp_micros())
}
