//! Between a sink in the graph and whoever writes: rows that were accepted and wait to be delivered.

use std::collections::VecDeque;

use arrow::array::RecordBatch;

use crate::base::Name;
use crate::ir::Connector;

/// No source of the same task is read while an outbox holds more rows than this, where the settings do not say otherwise. What
/// is under way then still gets in, so a stuck sink holds up its own sources and never a change of the graph.
pub const OUTBOX_ROWS_MAX: usize = 65_536;

/// Which outbox: a sink that is connected elsewhere gets another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub u64);

#[derive(Debug)]
pub struct Outbox {
    pub id: OutboxId,
    pub sink: Name,
    pub connector: Connector,
    waiting: VecDeque<RecordBatch>,
    rows: usize,
    /// Rows, since the sink was declared: `accepted = taken + lost + waiting`.
    pub accepted: u64,
    pub taken: u64,
    /// Rows that could not be written, because the sink failed.
    pub lost: u64,
    /// Rows of a recording that warms up what runs live: counted, not written.
    pub muted: u64,
}

impl Outbox {
    pub fn new(id: OutboxId, sink: Name, connector: Connector) -> Outbox {
        Outbox { id, sink, connector, waiting: VecDeque::new(), rows: 0, accepted: 0, taken: 0, lost: 0, muted: 0 }
    }

    pub fn put(&mut self, rows: RecordBatch, muted: bool) {
        if muted {
            self.muted += rows.num_rows() as u64;
            return;
        }
        self.accepted += rows.num_rows() as u64;
        self.rows += rows.num_rows();
        self.waiting.push_back(rows);
    }

    /// The oldest rows that wait. Whoever takes them answers for their delivery.
    pub fn take(&mut self) -> Option<RecordBatch> {
        let rows = self.waiting.pop_front()?;
        self.rows -= rows.num_rows();
        self.taken += rows.num_rows() as u64;
        Some(rows)
    }

    /// Rows that were taken and could not be written.
    pub fn failed(&mut self, rows: usize) {
        self.taken -= rows as u64;
        self.lost += rows as u64;
    }

    /// Gives up what waits, because its sink cannot be written to. Counted.
    pub fn drop_waiting(&mut self) {
        self.lost += self.rows as u64;
        self.waiting.clear();
        self.rows = 0;
    }

    pub fn waiting(&self) -> usize {
        self.rows
    }

    pub fn balances(&self) -> bool {
        self.accepted == self.taken + self.lost + self.rows as u64
    }
}
