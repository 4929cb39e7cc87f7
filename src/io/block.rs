//! Rows on their way from a file to the graph, with where each stood and what could not be read.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use crate::node::Counts;

use super::spec::Spec;

/// Records that are read and decoded at once. Fixed, so that what a reader gives does not depend on who asks.
pub(super) const BLOCK_ROWS: usize = 8_192;

/// Bytes of a bad record that are kept.
const RAW_BYTES_MAX: usize = 4_096;

/// The place of a record: its file, and its number in the file from 0. Ordered as the recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub file: u32,
    pub row: u64,
}

/// Decoded rows with the source's whole schema.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub rows: RecordBatch,
    /// Event times in microseconds; none under `time none`.
    pub time: Option<ScalarBuffer<i64>>,
    /// Where each row stood.
    pub at: Vec<At>,
    pub aside: Aside,
}

/// What of a stretch of records does not become rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside {
    pub bad: Vec<Bad>,
    /// Places of records without any field.
    pub empty: Vec<At>,
    /// Rows that a simulation loses on the way, by the name of the fault.
    pub lost: Vec<(&'static str, u64)>,
}

/// A record that could not be read, for the dead letter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bad {
    pub at: At,
    pub stage: BadAt,
    pub reason: String,
    pub raw: String,
    /// `file:line`, or as near as the format tells.
    pub origin: String,
}

/// Which of a source's nodes refused it, and the word that it is counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadAt {
    Decode,
    Gate(&'static str),
}

impl Bad {
    pub fn new(at: At, stage: BadAt, reason: String, raw: &[u8], origin: String) -> Bad {
        let mut text = String::from_utf8_lossy(&raw[..raw.len().min(RAW_BYTES_MAX)]).into_owned();
        if raw.len() > RAW_BYTES_MAX {
            text.push('…');
        }
        Bad { at, stage, reason, raw: text, origin }
    }
}

impl Block {
    /// Nothing, in the columns of the source.
    pub fn empty(spec: &Spec) -> Block {
        let time = spec.time_at.map(|_| Vec::new().into());
        Block { rows: RecordBatch::new_empty(spec.whole.clone()), time, at: Vec::new(), aside: Aside::default() }
    }

    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Neither rows nor anything beside them.
    pub fn has_nothing(&self) -> bool {
        self.len() == 0 && self.aside.is_empty()
    }

    /// Rows `from..from + rows`; what stands aside goes with the first row.
    pub fn slice(&self, from: usize, rows: usize) -> Block {
        Block {
            rows: self.rows.slice(from, rows),
            time: self.time.as_ref().map(|time| time.slice(from, rows)),
            at: self.at[from..from + rows].to_vec(),
            aside: if from == 0 { self.aside.clone() } else { Aside::default() },
        }
    }
}

impl Aside {
    pub fn is_empty(&self) -> bool {
        let Aside { bad, empty, lost } = self;
        bad.is_empty() && empty.is_empty() && lost.is_empty()
    }

    pub fn append(&mut self, mut other: Aside) {
        self.bad.append(&mut other.bad);
        self.empty.append(&mut other.empty);
        self.lost.append(&mut other.lost);
    }

    /// Without records before this one, which were told already.
    pub fn forget_before(&mut self, row: u64) {
        self.bad.retain(|bad| bad.at.row >= row);
        self.empty.retain(|at| at.row >= row);
    }

    /// All records in it.
    pub fn places(&self) -> impl Iterator<Item = At> {
        self.bad.iter().map(|bad| bad.at).chain(self.empty.iter().copied())
    }
}

/// What became of records at each of the three nodes of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    pub connection: Counts,
    pub decode: Counts,
    pub gate: Counts,
}

impl SourceCounts {
    pub(super) fn of(rows: usize, aside: &Aside) -> SourceCounts {
        let mut counts = SourceCounts::default();
        for (fault, lost) in &aside.lost {
            counts.connection.input += lost;
            *counts.connection.dropped.entry(fault).or_default() += lost;
        }
        let refused = |at: BadAt| aside.bad.iter().filter(|bad| bad.stage == at).count();
        drop_rows(&mut counts.decode, "bad", refused(BadAt::Decode));
        drop_rows(&mut counts.decode, "empty", aside.empty.len());
        for bad in &aside.bad {
            if let BadAt::Gate(reason) = bad.stage {
                drop_rows(&mut counts.gate, reason, 1);
            }
        }
        pass(&mut counts.gate, rows as u64);
        let timed = counts.gate.input;
        pass(&mut counts.decode, timed);
        let decoded = counts.decode.input;
        pass(&mut counts.connection, decoded);
        counts
    }

    /// Of rows that were kept when they were read, so that it is known only how many there were.
    pub(super) fn kept(rows: u64, bad: u64) -> SourceCounts {
        let mut counts = SourceCounts::default();
        drop_rows(&mut counts.decode, "bad", bad as usize);
        pass(&mut counts.gate, rows);
        pass(&mut counts.decode, rows);
        let decoded = counts.decode.input;
        pass(&mut counts.connection, decoded);
        counts
    }

    pub fn add(&mut self, other: &SourceCounts) {
        self.connection.add(&other.connection);
        self.decode.add(&other.decode);
        self.gate.add(&other.gate);
    }
}

fn drop_rows(counts: &mut Counts, reason: &'static str, rows: usize) {
    if rows > 0 {
        counts.input += rows as u64;
        *counts.dropped.entry(reason).or_default() += rows as u64;
    }
}

fn pass(counts: &mut Counts, rows: u64) {
    counts.input += rows;
    counts.passed += rows;
    counts.output += rows;
}

/// Columns `reason`, `raw` and `origin`, all text; none where nothing is bad.
pub(super) fn bad_rows(bad: &[Bad]) -> Option<RecordBatch> {
    if bad.is_empty() {
        return None;
    }
    let text = |of: fn(&Bad) -> &str| Arc::new(StringArray::from_iter_values(bad.iter().map(of))) as ArrayRef;
    let columns = vec![text(|bad| &bad.reason), text(|bad| &bad.raw), text(|bad| &bad.origin)];
    let fields: Vec<Field> = ["reason", "raw", "origin"].map(|name| Field::new(name, DataType::Utf8, false)).into();
    Some(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("three text columns of one length"))
}
