//! The sources of a test: in memory, filled by hand or from the recording.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::io::{Keep, Position};
use crate::ir::{self, TimeSpec, Value};
use crate::node::{Node, NodeError, Ordinal};
use crate::plan::{Graph, NodeOp, NodeSpec};

use super::super::feed::{Deliver, Feed, Head, Parts, Side, SourceSpec, sources};
use super::super::memory::{MemoryFeed, Rows};
use super::super::rows::{Row, to_table};

/// Rows read from a recording at a time.
const READ_ROWS_MAX: usize = 8_192;

/// The same parts, but with sources and sinks in memory.
pub struct Memory<'a> {
    parts: &'a dyn Parts,
    sources: BTreeMap<Name, Rows>,
    /// Sources that an edit brings in.
    later: RefCell<BTreeMap<Name, Rows>>,
    recordings: BTreeMap<Name, Recording>,
    /// Rows given so far, by source: row numbers and `every` count them.
    given: BTreeMap<Name, u64>,
}

/// A recording, and how many of its rows have been read.
struct Recording {
    feed: Box<dyn Feed>,
    read: u64,
}

impl<'a> Memory<'a> {
    pub fn new(graph: &Graph, parts: &'a dyn Parts) -> Memory<'a> {
        let sources = sources(graph).into_iter().map(|name| (name, Rows::kept())).collect();
        Memory { parts, sources, later: RefCell::default(), recordings: BTreeMap::new(), given: BTreeMap::new() }
    }

    fn rows(&self, source: &Name) -> Rows {
        match self.sources.get(source) {
            Some(rows) => rows.clone(),
            None => self.later.borrow_mut().entry(source.clone()).or_insert_with(Rows::kept).clone(),
        }
    }

    /// No source gets anything more.
    pub fn close(&self) {
        self.sources.values().chain(self.later.borrow().values()).for_each(Rows::close);
    }

    pub fn give(&mut self, graph: &Graph, source: &Name, rows: &[Row]) -> Result<(), NodeError> {
        let spec = SourceSpec::of(graph, source).ok_or_else(|| unknown(source))?;
        let given = self.given.entry(source.clone()).or_default();
        let timed = rows.iter().enumerate().map(|(nth, row)| with_time(&spec, row, *given + nth as u64));
        let rows = timed.collect::<Result<Vec<_>, _>>()?;
        *given += rows.len() as u64;
        self.rows(source).give(to_table(&spec.gate.schema, &rows)?);
        Ok(())
    }

    /// Rows `from..=to` of the recording, counted from 1.
    pub fn give_recorded(&mut self, graph: &Graph, source: &Name, from: u64, to: u64) -> Result<(), NodeError> {
        let spec = SourceSpec::of(graph, source).ok_or_else(|| unknown(source))?;
        let mut recording = match self.recordings.remove(source).filter(|recording| recording.read < from) {
            Some(recording) => recording,
            None => {
                let feed = self.parts.feed(&spec, Side::Recorded, None)?;
                Recording { feed: feed.ok_or_else(|| no_recording(source))?, read: 0 }
            }
        };
        let rows = self.rows(source);
        while recording.read < to {
            if recording.feed.head()? == Head::Ended {
                return Err(too_short(source, recording.read, to));
            }
            let before = recording.read;
            let most = (if before + 1 < from { from - 1 - before } else { to - before }).min(READ_ROWS_MAX as u64);
            let drawn = recording.feed.take(most as usize, None, Ordinal(before))?;
            recording.read += drawn.rows.len() as u64;
            if before + 1 >= from {
                rows.give(drawn.rows.rows);
            }
        }
        self.recordings.insert(source.clone(), recording);
        Ok(())
    }
}

impl Parts for Memory<'_> {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.parts.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.parts.bad()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(super::super::Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, side: Side, _: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        match side {
            Side::Recorded => Ok(Some(Box::new(MemoryFeed::new(self.rows(source.name()), source.gate)))),
            Side::Live => Ok(None),
        }
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let again = (side == Side::Recorded).then(|| MemoryFeed::again(self.rows(source.name()), source.gate)).flatten();
        Ok(again.map(|feed| Box::new(feed) as Box<dyn Feed>))
    }
}

/// The row with its event time, where that is no column of its own.
fn with_time(source: &SourceSpec, row: &Row, nth: u64) -> Result<Row, NodeError> {
    let mut row = row.clone();
    let NodeOp::Gate(gate) = &source.gate.op else { return Ok(row) };
    let hidden = source.gate.schema.time.clone().filter(|name| !row.contains_key(name));
    let nth = i64::try_from(nth).unwrap_or(i64::MAX);
    let time = match (&gate.time, &hidden) {
        (TimeSpec::None, _) | (_, None) => return Ok(row),
        (TimeSpec::Every { every, from }, Some(_)) => Time(from.0.saturating_add(every.0.saturating_mul(nth))),
        // Rows arrive one microsecond after the other, since time is virtual.
        (TimeSpec::Arrival, Some(_)) => Time(nth),
        (TimeSpec::Column { .. }, Some(name)) => return Err(no_time(source.name(), name)),
    };
    row.extend(hidden.map(|name| (name, Value::Time(time))));
    Ok(row)
}

fn unknown(source: &Name) -> NodeError {
    NodeError::new(Code::R0001, format!("no source is called `{source}`"))
}

fn no_recording(source: &Name) -> NodeError {
    NodeError::new(Code::R0005, format!("the source `{source}` has no recording to take rows from"))
}

fn too_short(source: &Name, read: u64, to: u64) -> NodeError {
    NodeError::new(Code::R0005, format!("the recording of `{source}` has {read} rows, and row {to} was asked for"))
}

fn no_time(source: &Name, column: &Name) -> NodeError {
    let message = format!("rows of `{source}` have a calculated time; give it as `{column}`, or give rows from the recording");
    NodeError::new(Code::E0199, message)
}
