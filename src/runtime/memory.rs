//! A source in memory: rows are given by hand, with their columns and time as behind a gate. For `test` blocks and for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::TimestampMicrosecondType;

use crate::base::{Duration, Name, Time};
use crate::diag::Code;
use crate::io::Position;
use crate::node::{Batch, Clock, NodeError, Ordinal, Ordinals};
use crate::plan::{NodeOp, NodeSpec};

use super::feed::{Drawn, Feed, FeedCounts, Head, SourceSpec};

/// Rows that wait to be read, and whether more may come. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct Rows(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    batches: VecDeque<RecordBatch>,
    closed: bool,
}

impl Rows {
    /// More rows, in the gate's schema.
    pub fn give(&self, rows: RecordBatch) {
        if rows.num_rows() > 0 {
            self.queue().batches.push_back(rows);
        }
    }

    /// No more will come.
    pub fn close(&self) {
        self.queue().closed = true;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads [`Rows`].
#[derive(Debug)]
pub struct MemoryFeed {
    rows: Rows,
    time: Option<Name>,
    lateness: Duration,
    /// The watermark.
    clock: Time,
    counts: FeedCounts,
}

impl MemoryFeed {
    pub fn new(rows: Rows, gate: &NodeSpec) -> MemoryFeed {
        let (time, lateness) = (gate.schema.time.clone(), lateness(gate));
        MemoryFeed { rows, time, lateness, clock: Time::MIN, counts: FeedCounts::default() }
    }

    fn times(&self, rows: &RecordBatch) -> Result<Option<ScalarBuffer<i64>>, NodeError> {
        let Some(name) = &self.time else { return Ok(None) };
        let column = rows.column_by_name(name).filter(|column| column.null_count() == 0);
        let times = column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        times.map(|times| Some(times.values().clone())).ok_or_else(|| no_time(name))
    }

    /// The span of these rows, and the clock over it.
    fn span(&mut self, rows: RecordBatch, first: Ordinal) -> Result<Batch, NodeError> {
        let upto = first.plus(rows.num_rows());
        let clock = match self.times(&rows)? {
            None => Clock::None,
            Some(time) => {
                let newest = time.iter().max().map_or(self.clock, |newest| Time(*newest) - self.lateness);
                let before = self.clock;
                self.clock = before.max(newest);
                Clock::Gate { base: first, before, after: self.clock, lateness: self.lateness, time }
            }
        };
        Ok(Batch { rows, ordinals: Ordinals::Range(first), upto, clock })
    }
}

impl Feed for MemoryFeed {
    fn head(&mut self) -> Result<Head, NodeError> {
        let queue = self.rows.queue();
        let Some(rows) = queue.batches.front() else {
            return Ok(if queue.closed { Head::Ended } else { Head::Waiting });
        };
        Ok(Head::Row(self.times(&rows.slice(0, 1))?.map(|time| Time(time[0]))))
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let mut queue = self.rows.queue();
        let Some(front) = queue.batches.pop_front() else {
            drop(queue);
            return Err(NodeError::new(Code::R0001, "a source in memory was read while it had nothing"));
        };
        let times = self.times(&front)?;
        let in_time = |until: Time| times.as_ref().map(|times| times.iter().take_while(|time| Time(**time) <= until).count());
        let most = until.and_then(in_time).unwrap_or(usize::MAX).min(rows_max).min(front.num_rows());
        if most < front.num_rows() {
            queue.batches.push_front(front.slice(most, front.num_rows() - most));
        }
        drop(queue);
        let FeedCounts { connection, decode, gate } = &mut self.counts;
        for counts in [connection, decode, gate] {
            counts.input += most as u64;
            counts.passed += most as u64;
            counts.output += most as u64;
        }
        Ok(Drawn { rows: self.span(front.slice(0, most), first)?, bad: None, read: Time::MIN })
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        self.time = source.gate.schema.time.clone();
        self.lateness = lateness(source.gate);
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        self.counts.clone()
    }

    fn position(&self) -> Option<Position> {
        None
    }

    fn follow(&mut self, _: &Position) {}
}

fn lateness(gate: &NodeSpec) -> Duration {
    match &gate.op {
        NodeOp::Gate(gate) => gate.limits.lateness,
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Stage(_)
        | NodeOp::Task(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => Duration::ZERO,
    }
}

fn no_time(name: &str) -> NodeError {
    NodeError::new(Code::R0001, format!("a row given in memory has no time in its column `{name}`"))
}
