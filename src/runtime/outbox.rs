//! Between a sink in the graph and whoever writes: rows that were accepted and wait to be delivered.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::io::SinkMark;
use crate::ir::Connector;
use crate::plan::{NodeKey, NodeOp, NodeSpec, Slot};

use super::epoch::SavedOutbox;
use super::pass::Accept;

/// No source of the same task is read while an outbox holds more rows than this, where the settings do not say otherwise. What
/// is under way then still gets in, so a stuck sink holds up its own sources and never a change of the graph.
pub const OUTBOX_ROWS_MAX: usize = 65_536;

/// Which outbox: a sink that is connected elsewhere gets another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutboxId(pub u64);

#[derive(Debug)]
pub struct Outbox {
    pub id: OutboxId,
    pub sink: Name,
    pub connector: Connector,
    /// Of the sink as it was last.
    pub spec: NodeSpec,
    /// What had been written for good when the process began.
    pub mark: SinkMark,
    waiting: VecDeque<RecordBatch>,
    rows: usize,
    /// Rows, since the sink was declared: `accepted = taken + lost + waiting`.
    pub accepted: u64,
    pub taken: u64,
    /// Rows that could not be written, because the sink failed.
    pub lost: u64,
    /// Rows before this number stand already: what is made of them again is counted and not written.
    skip: u64,
    /// Rows of a recording that warms up what runs live: counted, not written.
    pub muted: u64,
}

/// What a sink is called; what keeps the rows of a source is called after it.
pub fn sink_name(key: &NodeKey) -> Name {
    match key.slot {
        Slot::Keep => key.to_string().into(),
        Slot::Connection | Slot::Decode | Slot::Gate | Slot::Stage { .. } | Slot::Task | Slot::Accept | Slot::Serve => {
            key.decl.clone()
        }
    }
}

impl Outbox {
    pub fn new(id: OutboxId, spec: NodeSpec, connector: Connector) -> Outbox {
        let (sink, mark, waiting) = (sink_name(&spec.key), SinkMark::default(), VecDeque::new());
        Outbox { id, sink, connector, spec, mark, waiting, rows: 0, accepted: 0, taken: 0, lost: 0, skip: 0, muted: 0 }
    }

    /// As if everything that was taken were written for good; whoever takes rows knows better.
    pub fn save(&self, retired: bool) -> SavedOutbox {
        SavedOutbox {
            id: self.id,
            sink: self.sink.clone(),
            retired,
            spec: self.spec.clone(),
            accepted: self.accepted,
            lost: self.lost,
            muted: self.muted,
            settled: self.accepted - self.rows as u64,
            mark: self.mark.clone(),
            skip: 0,
            rows: self.waiting.iter().cloned().collect(),
        }
    }

    /// Rows that are not settled wait again.
    pub fn restore(saved: SavedOutbox) -> Outbox {
        let SavedOutbox { id, sink, retired: _, spec, accepted, lost, muted, settled, mark, skip, rows } = saved;
        let connector = match &spec.op {
            NodeOp::Accept(accept) => accept.connector.clone(),
            NodeOp::Connection(_)
            | NodeOp::Decode(_)
            | NodeOp::Gate(_)
            | NodeOp::Stage(_)
            | NodeOp::Task(_)
            | NodeOp::Serve(_) => unreachable!("an outbox is a sink's"),
        };
        let columns = Accept::new(&spec);
        let waiting: VecDeque<RecordBatch> = rows.iter().map(|rows| columns.refitted(rows)).collect();
        let rows = waiting.iter().map(RecordBatch::num_rows).sum();
        Outbox { id, sink, connector, spec, mark, waiting, rows, accepted, taken: settled - lost, lost, skip, muted }
    }

    pub fn put(&mut self, rows: RecordBatch, muted: bool) {
        if muted {
            self.muted += rows.num_rows() as u64;
            return;
        }
        let stand = self.skip.saturating_sub(self.accepted).min(rows.num_rows() as u64);
        self.accepted += rows.num_rows() as u64;
        self.taken += stand;
        let rows = rows.slice(stand as usize, rows.num_rows() - stand as usize);
        if rows.num_rows() > 0 {
            self.rows += rows.num_rows();
            self.waiting.push_back(rows);
        }
    }

    /// What comes from here on has not been there before.
    pub fn skip_no_more(&mut self) {
        self.skip = 0;
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

    /// Does it hold more rows than this?
    pub fn is_full(&self, rows_max: usize) -> bool {
        self.rows > rows_max
    }

    pub fn balances(&self) -> bool {
        self.accepted == self.taken + self.lost + self.rows as u64
    }
}
