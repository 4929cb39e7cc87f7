//! A source that cannot rewind, read from its journal: what clients post, and the standard input of a live run.

mod pump;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::ir::{FileFormat, HttpConnector};

use super::block::{Aside, At, BLOCK_ROWS, Bad, BadAt, Block};
use super::error::IoError;
use super::gate::Arrival;
use super::inlet::Inlet;
use super::journal::{Found, Frame, Journal, Reader, damaged};
use super::live::Live;
use super::place::Place;
use super::records::Ignored;
use super::resources::Lease;
use super::spec::Spec;
use super::stdin::{as_lines, check_format};
use super::stream::{Stream, signs};

pub(in crate::io) use pump::Pump;

/// Findings that wait to be told.
const NOTES_MAX: usize = 16;

/// The rows of a journal, in the order in which they came.
pub(super) struct Received {
    stream: Stream,
    journal: Lease<Journal>,
    feeder: Feeder,
    /// How far this one has taken its records, where it reads beside the one that runs.
    own: Option<u64>,
    /// Opened with the first look: until then another version of the source may still be reading.
    reader: Option<Reader>,
    /// The sequence number of the record that has row number 0.
    base: u64,
    rows_before: u64,
    /// Read and perhaps not wholly taken, with the number of its last row.
    last: Option<Last>,
    last_row: Option<u64>,
    /// A frame under another header than those before it.
    held: Option<Frame>,
    /// What stood aside of records before this sequence number was taken.
    aside: u64,
    notes: VecDeque<Diagnostic>,
}

/// Frames that make one block.
#[derive(Default)]
struct Last {
    frames: Vec<Frame>,
    /// Records that cannot be read any more, as one bad row a gap.
    lost: Vec<Bad>,
    /// The sequence number behind all of them.
    next: u64,
}

/// Who puts records into the journal.
enum Feeder {
    Http(Arc<Inlet>),
    Stdin(Arc<Pump>),
    /// Somebody else: this one reads once more what has been there.
    Other,
}

impl Received {
    /// Takes what clients post at this place.
    pub fn http(spec: &Arc<Spec>, at: &HttpConnector, live: &Live, place: &Place) -> Result<Received, IoError> {
        let journal = live.journals.lease(&spec.source)?;
        let mut stream = Stream::new(spec, &FileFormat::Jsonl, at.path.as_deref().unwrap_or_default());
        stream.head(b"")?;
        let inlet = Arc::new(Inlet::new(spec, journal.clone(), place.now.clone()));
        live.inlets().open(at, &inlet);
        Ok(Received::new(stream, journal, Feeder::Http(inlet)))
    }

    /// Takes what comes through the standard input.
    pub fn stdin(spec: &Arc<Spec>, format: &FileFormat, live: &Live, place: &Place) -> Result<Received, IoError> {
        Received::over(spec, format, live, place, std::io::stdin())
    }

    fn over(
        spec: &Arc<Spec>,
        format: &FileFormat,
        live: &Live,
        place: &Place,
        input: impl std::io::Read + Send + 'static,
    ) -> Result<Received, IoError> {
        check_format(format)?;
        let journal = live.journals.lease(&spec.source)?;
        let stream = Stream::new(spec, format, "stdin");
        let (fed, now, header) = (journal.clone(), place.now.clone(), stream.has_header());
        let pump = live.pump(&spec.source, || Pump::start(as_lines(format, input), signs(format), header, fed, now))?;
        Ok(Received::new(stream, journal, Feeder::Stdin(pump)))
    }

    /// Reads what the journal still has, beside the running source and without a trace.
    pub fn again(spec: &Arc<Spec>, format: &FileFormat, name: &str, live: &Live) -> Result<Received, IoError> {
        let journal = live.journals.lease(&spec.source)?;
        let mut stream = Stream::new(spec, format, name);
        if !stream.has_header() {
            stream.head(b"")?;
        }
        let own = Some(journal.earliest());
        Ok(Received { own, ..Received::new(stream, journal, Feeder::Other) })
    }

    fn new(stream: Stream, journal: Lease<Journal>, feeder: Feeder) -> Received {
        Received {
            stream,
            journal,
            feeder,
            own: None,
            reader: None,
            base: 0,
            rows_before: 0,
            last: None,
            last_row: None,
            held: None,
            aside: 0,
            notes: VecDeque::new(),
        }
    }

    /// The one that runs keeps its place in the journal, so that another version of the source goes on from there.
    fn taken(&self) -> u64 {
        self.own.unwrap_or_else(|| self.journal.taken())
    }

    fn set_taken(&mut self, upto: u64) {
        match &mut self.own {
            Some(own) => *own = upto,
            None => self.journal.set_taken(upto),
        }
    }

    /// What has come since; asked only when all of the last block was taken.
    pub fn next(&mut self) -> Result<Option<Block>, IoError> {
        if let Some(last) = self.last.take() {
            self.set_taken(last.next);
        }
        if let Feeder::Stdin(pump) = &self.feeder {
            pump.check()?;
        }
        let Some(last) = self.read()? else { return Ok(None) };
        let block = self.decode(&last);
        self.last = Some(last);
        // Nothing that was not told already may be left of records that are read again.
        block.map(|block| (!block.has_nothing()).then_some(block))
    }

    /// Frames under one header, about as many records as a block has.
    fn read(&mut self) -> Result<Option<Last>, IoError> {
        if self.reader.is_none() {
            self.base = self.taken();
            self.reader = Some(self.journal.reader(self.base));
        }
        let (mut last, mut rows) = (Last::default(), 0);
        while rows < BLOCK_ROWS {
            let found = match (self.held.take(), &mut self.reader) {
                (Some(frame), _) => Some(Found::Frame(frame)),
                (None, Some(reader)) => reader.next()?,
                (None, None) => None,
            };
            match found {
                Some(Found::Frame(frame)) if last.frames.first().is_some_and(|first| first.header != frame.header) => {
                    self.held = Some(frame);
                    break;
                }
                Some(Found::Frame(frame)) => {
                    rows += frame.records.len();
                    last.next = frame.span().end;
                    last.frames.push(frame);
                }
                Some(Found::Lost { records, .. }) if records.is_empty() => {}
                Some(Found::Lost { records, place }) => {
                    last.next = records.end;
                    last.lost.push(self.lost(&records, &place));
                }
                None => break,
            }
        }
        Ok((last.next > 0).then_some(last))
    }

    /// One bad row stands for all that are lost; a finding says how many.
    fn lost(&mut self, records: &std::ops::Range<u64>, place: &str) -> Bad {
        let found = damaged(&self.stream.spec().source, records, place);
        let at = At { file: 0, row: records.start.saturating_sub(self.base) };
        let reason = found.message.clone();
        if self.notes.len() < NOTES_MAX {
            self.notes.push_back(found);
        }
        Bad::new(at, BadAt::Decode, reason, b"", format!("{}:{}", self.stream.name(), records.start + 1))
    }

    /// The records of these frames that were not taken.
    fn decode(&mut self, last: &Last) -> Result<Block, IoError> {
        let taken = self.taken();
        if let Some(first) = last.frames.first() {
            self.stream.head(&first.header)?;
        }
        for frame in &last.frames {
            let from = taken.clamp(frame.first, frame.span().end) - frame.first;
            let line = |nth: usize| frame.first + nth as u64 + 1;
            self.stream.records(&frame.records, from as usize, frame.first - self.base, line)?;
        }
        let base = self.base;
        let mut block = match last.frames.is_empty() {
            true => Block::empty(self.stream.spec()),
            false => self.stream.finish(self.rows_before, |at| arrivals(at, base, &last.frames))?,
        };
        block.aside.bad.extend(last.lost.iter().cloned());
        block.aside.forget_before(self.aside.saturating_sub(base));
        self.last_row = block.at.last().map(|at| at.row);
        Ok(block)
    }

    /// What stands aside of a block is taken with its first rows.
    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        let Some(next) = self.last.as_ref().map(|last| last.next) else { return };
        let newest = at.last().map(|at| at.row);
        match newest {
            _ if newest == self.last_row => self.set_taken(next),
            Some(row) => self.set_taken(self.base + row + 1),
            None => {}
        }
        if aside.places().next().is_some() {
            self.aside = self.aside.max(next);
        }
    }

    /// The sequence number of the next row, and the one before which nothing that stands aside is told again.
    pub fn position(&self) -> (u64, u64) {
        let taken = self.taken();
        (taken, self.aside.max(taken))
    }

    ///
    /// # Errors
    /// Where what is to be read once more is not kept any longer.
    pub fn resume(&mut self, sequence: u64, aside: u64) -> Result<(), IoError> {
        if self.own.is_some() && sequence < self.journal.earliest() {
            return Err(not_kept_so_long(&self.stream.spec().source));
        }
        if self.reader.is_some() {
            self.rows_before += self.taken() - self.base;
        }
        self.set_taken(sequence);
        (self.reader, self.last, self.held, self.aside) = (None, None, None, aside);
        Ok(())
    }

    /// Counts rows from here on.
    pub fn follow(&mut self, records: u64) {
        self.rows_before = records;
    }

    /// Records before this sequence number will not be asked for again. Where that cannot be written down they stay, and more is
    /// read again than must be.
    pub fn acknowledge(&mut self, sequence: u64) {
        if self.own.is_some() {
            return;
        }
        if let Err(error) = self.journal.trim(sequence)
            && self.notes.len() < NOTES_MAX
        {
            self.notes.push_back(error.diagnostic());
        }
    }

    /// What was read and not taken is decoded anew.
    pub fn retune(&mut self, spec: &Arc<Spec>) -> Result<Option<Block>, IoError> {
        self.stream = self.stream.retuned(spec, vec![])?;
        if let Feeder::Http(inlet) = &self.feeder {
            inlet.retune(spec);
        }
        let Some(last) = self.last.take() else { return Ok(None) };
        let block = self.decode(&last)?;
        self.last = Some(last);
        Ok((!block.has_nothing()).then_some(block))
    }

    /// The standard input has an end; what is posted has none.
    pub fn is_over(&self) -> bool {
        match &self.feeder {
            Feeder::Http(_) | Feeder::Other => false,
            Feeder::Stdin(pump) => pump.is_over() && self.held.is_none() && self.taken() >= self.journal.next(),
        }
    }

    pub fn ignored(&self) -> Ignored {
        self.stream.ignored()
    }

    pub fn take_notes(&mut self) -> Vec<Diagnostic> {
        let mut notes: Vec<Diagnostic> = self.notes.drain(..).collect();
        notes.extend(self.journal.take_notes());
        notes
    }
}

fn not_kept_so_long(source: &Name) -> IoError {
    IoError::new(Code::R0105, format!("the journal of `{source}` does not reach back so far any more"))
}

/// When each of these rows came.
fn arrivals(at: &[At], base: u64, frames: &[Frame]) -> Arrival {
    let mut frames = frames.iter().peekable();
    let mut arrived = |at: &At| {
        while frames.peek().is_some_and(|frame| frame.span().end <= base + at.row) {
            frames.next();
        }
        frames.peek().map_or(Time(0), |frame| frame.arrived).0
    };
    Arrival::Each(at.iter().map(&mut arrived).collect())
}

#[cfg(test)]
mod tests;
