//! Sources whose rows are known beforehand and come when a test lets them, readable again from any position or not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use mliot::base::{Duration, Name, Time};
use mliot::io::{Draw, InputPosition, Keep, Position};
use mliot::ir;
use mliot::node::{Batch, Clock, Node, NodeError, Ordinal, Ordinals};
use mliot::plan::{NodeOp, NodeSpec};
use mliot::runtime::{
    Again, Deliver, Drawn, Feed, FeedCounts, Head, Kept, Log, Parts, Record, Row, Side, SourceSpec, to_table,
};

use super::super::program::Pipe;

/// The rows of one end of a source, and how many of them have come.
#[derive(Clone)]
pub struct Script {
    rows: RecordBatch,
    pub come: Arc<AtomicUsize>,
    /// Does it end behind its last row?
    ends: bool,
    rereads: bool,
}

impl Script {
    pub fn recorded(rows: &[Row]) -> Script {
        let script = Script::live(rows, true);
        script.come.store(rows.len(), SeqCst);
        Script { ends: true, ..script }
    }

    pub fn live(rows: &[Row], rereads: bool) -> Script {
        let rows = to_table(&Pipe::new().columns(), rows).expect("rows of the bench are well formed");
        Script { rows, come: Arc::default(), ends: false, rereads }
    }

    /// As a process finds it that begins later: everything has come that is to be read again.
    pub fn later(&self) -> Script {
        Script { come: Arc::new(AtomicUsize::new(self.come.load(SeqCst))), ..self.clone() }
    }

    pub fn more(&self, rows: usize) {
        let most = self.rows.num_rows();
        let _ = self.come.fetch_update(SeqCst, SeqCst, |come| Some((come + rows).min(most)));
    }
}

/// Parts of the bench: real nodes, scripted sources.
#[derive(Clone, Default)]
pub struct Scripts(pub BTreeMap<(Name, &'static str), Script>);

pub fn word(side: Side) -> &'static str {
    match side {
        Side::Recorded => "recorded",
        Side::Live => "live",
    }
}

impl Scripts {
    pub fn later(&self) -> Scripts {
        Scripts(self.0.iter().map(|(key, script)| (key.clone(), script.later())).collect())
    }

    pub fn live(&self, source: &str) -> &Script {
        &self.0[&(source.into(), "live")]
    }
}

impl Parts for Scripts {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        mliot::ops::build(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        ir::Schema::default()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let Some(script) = self.0.get(&(source.name().clone(), word(side))) else { return Ok(None) };
        let NodeOp::Gate(gate) = &source.gate.op else { unreachable!("a gate") };
        let mut reading = Reading {
            script: script.clone(),
            at: 0,
            lateness: gate.limits.lateness,
            clock: Time::MIN,
            counts: FeedCounts::default(),
        };
        if let Some(position) = from {
            reading.at = position.rows as usize;
            reading.clock = position.watermark;
        }
        Ok(Some(Box::new(reading)))
    }
}

struct Reading {
    script: Script,
    at: usize,
    lateness: Duration,
    clock: Time,
    counts: FeedCounts,
}

impl Reading {
    fn time(&self, row: usize) -> Time {
        Time(self.script.rows.column(0).as_primitive::<TimestampMicrosecondType>().value(row))
    }

    fn drawn(&mut self, rows: RecordBatch, first: Ordinal) -> Drawn {
        let count = rows.num_rows();
        let time = rows.column(0).as_primitive::<TimestampMicrosecondType>().values().clone();
        let before = self.clock;
        let newest = time.iter().max().map_or(before, |newest| Time(*newest) - self.lateness);
        self.clock = before.max(newest);
        let clock = Clock::Gate { base: first, before, after: self.clock, lateness: self.lateness, time };
        let FeedCounts { connection, decode, gate } = &mut self.counts;
        for counts in [connection, decode, gate] {
            counts.input += count as u64;
            counts.passed += count as u64;
            counts.output += count as u64;
        }
        let rows = Batch { rows, ordinals: Ordinals::Range(first), upto: first.plus(count), clock };
        Drawn { rows, bad: None, read: Time(7) }
    }
}

impl Feed for Reading {
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(match self.at < self.script.come.load(SeqCst) {
            true => Head::Row(Some(self.time(self.at))),
            false if self.script.ends => Head::Ended,
            false => Head::Waiting,
        })
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let most = rows_max.min(self.script.come.load(SeqCst) - self.at);
        let due = |row: &usize| until.is_none_or(|until| self.time(self.at + row) <= until);
        let rows = (0..most).take_while(due).count();
        let slice = self.script.rows.slice(self.at, rows);
        self.at += rows;
        Ok(self.drawn(slice, first))
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        if let NodeOp::Gate(gate) = &source.gate.op {
            self.lateness = gate.limits.lateness;
        }
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        self.counts.clone()
    }

    fn position(&self) -> Option<Position> {
        let (rows, watermark) = (self.at as u64, self.clock);
        Some(Position { rows, records: rows, newest: watermark, watermark, input: InputPosition::Stream { records: rows } })
    }

    fn follow(&mut self, before: &Position) {
        self.clock = before.watermark;
    }

    fn again(&mut self) -> Option<&mut dyn Again> {
        Some(self)
    }
}

impl Again for Reading {
    fn rereads(&self) -> bool {
        self.script.rereads
    }

    fn redo(&mut self, draw: &Draw, first: Ordinal) -> Result<Drawn, NodeError> {
        let own = self.script.rows.slice(self.at, draw.rows as usize);
        self.at += draw.rows as usize;
        let rows = match &draw.kept {
            Some(kept) => kept.rows.clone(),
            None if self.script.rereads => own,
            None => panic!("the log keeps the rows of a source that cannot read them again"),
        };
        Ok(self.drawn(rows, first))
    }

    fn acknowledge(&mut self, _: &Position) {}
}

/// A log in memory.
#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<Vec<Record>>>);

impl Memory {
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn from(&self, at: usize) -> Vec<Record> {
        self.0.lock().unwrap()[at..].to_vec()
    }
}

impl Log for Memory {
    fn append(&mut self, record: Record) {
        self.0.lock().unwrap().push(record);
    }

    fn confirm(&mut self) -> Result<(), NodeError> {
        Ok(())
    }
}

/// A log on a disk that is full.
pub struct Full;

impl Log for Full {
    fn append(&mut self, _: Record) {}

    fn confirm(&mut self) -> Result<(), NodeError> {
        Err(NodeError::new(mliot::diag::Code::R0104, "the disk is full"))
    }
}
