//! A source in memory: rows are given by hand, with their columns and time as behind a gate. For `test` blocks and for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::TimestampMicrosecondType;

use crate::base::{Duration, Name, Time};
use crate::diag::Code;
use crate::io::{InputPosition, Position};
use crate::node::{Batch, Clock, NodeError, Ordinal, Ordinals};
use crate::plan::{NodeOp, NodeSpec};

use super::feed::{Drawn, Feed, FeedCounts, Head, SourceSpec};

/// Rows that wait to be read, and whether more may come. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct Rows(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    /// Not read yet; where rows are kept, all that there have been.
    batches: Vec<RecordBatch>,
    read: Place,
    kept: bool,
    closed: bool,
}

/// How far a queue has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    batch: usize,
    row: usize,
    /// Of all batches.
    rows: u64,
}

impl Rows {
    /// Rows that stay when they have been read, so that they can be read again.
    pub fn kept() -> Rows {
        let rows = Rows::default();
        rows.queue().kept = true;
        rows
    }

    /// More rows, in the gate's schema.
    pub fn give(&self, rows: RecordBatch) {
        if rows.num_rows() > 0 {
            self.queue().batches.push(rows);
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

impl Queue {
    /// What stands at a place: the rest of a batch.
    fn at(&self, place: Place) -> Option<RecordBatch> {
        let batch = self.batches.get(place.batch)?;
        Some(batch.slice(place.row, batch.num_rows() - place.row))
    }

    fn behind(&self, place: Place, rows: usize) -> Place {
        let whole = place.row + rows == self.batches[place.batch].num_rows();
        let rows_read = place.rows + rows as u64;
        match whole {
            true => Place { batch: place.batch + 1, row: 0, rows: rows_read },
            false => Place { row: place.row + rows, rows: rows_read, ..place },
        }
    }

    /// Reads on, for all who read in turn.
    fn read_on(&mut self, rows: usize) {
        self.read = self.behind(self.read, rows);
        if !self.kept {
            self.batches.drain(..self.read.batch);
            self.read.batch = 0;
        }
    }
}

/// Reads [`Rows`].
#[derive(Debug)]
pub struct MemoryFeed {
    rows: Rows,
    /// Where it stands by itself; none where it takes its turn with all others.
    own: Option<Place>,
    time: Option<Name>,
    lateness: Duration,
    /// The watermark.
    clock: Time,
    counts: FeedCounts,
}

impl MemoryFeed {
    pub fn new(rows: Rows, gate: &NodeSpec) -> MemoryFeed {
        let (time, lateness) = (gate.schema.time.clone(), lateness(gate));
        MemoryFeed { rows, own: None, time, lateness, clock: Time::MIN, counts: FeedCounts::default() }
    }

    /// Reads kept rows once more from their beginning; none where they are not kept.
    pub fn again(rows: Rows, gate: &NodeSpec) -> Option<MemoryFeed> {
        let kept = rows.queue().kept;
        kept.then(|| MemoryFeed { own: Some(Place::default()), ..MemoryFeed::new(rows, gate) })
    }

    fn place(&self, queue: &Queue) -> Place {
        self.own.unwrap_or(queue.read)
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
        let Some(rows) = queue.at(self.place(&queue)) else {
            return Ok(if queue.closed { Head::Ended } else { Head::Waiting });
        };
        Ok(Head::Row(self.times(&rows.slice(0, 1))?.map(|time| Time(time[0]))))
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let queue = self.rows.queue();
        let place = self.place(&queue);
        let Some(front) = queue.at(place) else {
            drop(queue);
            return Err(NodeError::new(Code::R0001, "a source in memory was read while it had nothing"));
        };
        let times = self.times(&front)?;
        let in_time = |until: Time| times.as_ref().map(|times| times.iter().take_while(|time| Time(**time) <= until).count());
        let most = until.and_then(in_time).unwrap_or(usize::MAX).min(rows_max).min(front.num_rows());
        let own = self.own.map(|place| queue.behind(place, most));
        drop(queue);
        match own {
            Some(place) => self.own = Some(place),
            None => self.rows.queue().read_on(most),
        }
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
        let rows = self.place(&self.rows.queue()).rows;
        let input = InputPosition::Stream { records: rows };
        Some(Position { rows, records: rows, newest: Time::MIN, watermark: self.clock, input })
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
