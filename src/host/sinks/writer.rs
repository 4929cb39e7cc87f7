//! The engine's end of a writer: a bounded channel to its thread, and what was handed on and does not stand for good yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::io::SinkMark;
use crate::runtime::{Deliver, Outbox, SavedOutbox};

use super::standing::{Standing, Stands};

/// Writers that take over at the first batch with their columns. Rows from before the change still go to the old one.
type Heirs = VecDeque<(SchemaRef, Box<dyn Deliver>)>;

/// What a writer's thread tells, and what waits for it.
pub struct Shared {
    pub delivered: AtomicU64,
    pub lost: AtomicU64,
    pub retries: AtomicU64,
    trouble: Mutex<Option<String>>,
    heirs: Mutex<Heirs>,
    standing: Stands,
}

impl Shared {
    pub fn new(settled: u64, mark: SinkMark) -> Shared {
        Shared {
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            trouble: Mutex::default(),
            heirs: Mutex::default(),
            standing: Stands::at(settled, mark),
        }
    }

    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// What was said before.
    pub fn set_trouble(&self, trouble: Option<String>) -> Option<String> {
        std::mem::replace(&mut *lock(&self.trouble), trouble)
    }

    pub fn heirs(&self) -> MutexGuard<'_, Heirs> {
        lock(&self.heirs)
    }

    pub fn standing(&self) -> Standing {
        self.standing.get()
    }

    pub fn settled(&self) -> u64 {
        self.standing.settled()
    }

    pub fn stand(&self, standing: Standing) {
        self.standing.set(standing);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Writer {
    to: Option<SyncSender<RecordBatch>>,
    /// Taken from the outbox while the channel was full.
    held: Option<RecordBatch>,
    /// Handed on and not settled yet, oldest first, each with the number of its last row; only where rows are kept.
    sent: VecDeque<(u64, RecordBatch)>,
    keeps: bool,
    /// The number of the next row that is handed on.
    next: u64,
    /// The columns of what is accepted now.
    pub schema: SchemaRef,
    pub shared: Arc<Shared>,
    ended: Receiver<()>,
    /// Delivered by writers of former processes.
    pub before: u64,
    /// How many rows the last committed epoch says to be settled.
    pub committed: u64,
}

impl Writer {
    pub fn new(
        to: SyncSender<RecordBatch>,
        schema: SchemaRef,
        shared: Arc<Shared>,
        ended: Receiver<()>,
        outbox: &Outbox,
        keeps: bool,
    ) -> Writer {
        let next = outbox.accepted - outbox.waiting() as u64;
        Writer {
            to: Some(to),
            held: None,
            sent: VecDeque::new(),
            keeps,
            next,
            schema,
            shared,
            ended,
            before: outbox.taken,
            committed: next,
        }
    }

    pub fn heirs(&self) -> MutexGuard<'_, Heirs> {
        self.shared.heirs()
    }

    pub fn pump(&mut self, outbox: &mut Outbox) -> bool {
        let mut moved = false;
        while let Some(rows) = self.held.take().or_else(|| outbox.take()) {
            if !self.hand_on(rows) {
                return moved;
            }
            moved = true;
        }
        if !self.sent.is_empty() {
            self.forget_settled();
        }
        moved
    }

    /// False if the channel is full, or the writer has ended by itself.
    fn hand_on(&mut self, rows: RecordBatch) -> bool {
        let Some(to) = &self.to else {
            self.held = Some(rows);
            return false;
        };
        let kept = self.keeps.then(|| rows.clone());
        let count = rows.num_rows() as u64;
        match to.try_send(rows) {
            Ok(()) => {
                self.next += count;
                self.sent.extend(kept.map(|rows| (self.next, rows)));
                true
            }
            Err(TrySendError::Full(rows) | TrySendError::Disconnected(rows)) => {
                self.held = Some(rows);
                false
            }
        }
    }

    fn forget_settled(&mut self) {
        let settled = self.shared.settled();
        while self.sent.front().is_some_and(|(last, _)| *last <= settled) {
            self.sent.pop_front();
        }
    }

    /// What it has taken from the outbox and does not stand for good goes back into the saved outbox.
    pub fn save(&self, saved: &mut SavedOutbox) {
        let Standing { settled, lost, mark } = self.shared.standing();
        let unsettled = self.sent.iter().filter(|(last, _)| *last > settled).map(|(_, rows)| rows.clone());
        saved.put_back(unsettled.chain(self.held.clone()).collect());
        saved.give_up(lost);
        saved.mark = mark;
    }

    pub fn has_news(&self) -> bool {
        self.shared.settled() > self.committed
    }

    /// No more than what it has: its thread ends when that is written.
    pub fn close(&mut self) {
        if let Some(rows) = self.held.take()
            && !self.hand_on(rows)
        {
            return;
        }
        self.to = None;
    }

    /// The same, whatever it still holds.
    pub fn end(&mut self) {
        self.to = None;
    }

    pub fn is_open(&self) -> bool {
        self.to.is_some()
    }

    pub fn has_ended(&self) -> bool {
        self.ended.try_recv() != Err(TryRecvError::Empty)
    }

    pub fn wait(&self, most: Duration) {
        let _ = self.ended.recv_timeout(most);
    }

    /// Rows that wait here for room in the channel.
    pub fn holds(&self) -> u64 {
        self.held.as_ref().map_or(0, |rows| rows.num_rows() as u64)
    }

    /// Given up, or not in a file yet.
    pub fn unwritten(&self) -> u64 {
        let open = if self.keeps { self.next.saturating_sub(self.shared.settled()) } else { 0 };
        self.holds() + self.shared.lost.load(Relaxed) + open
    }
}
