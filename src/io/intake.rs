//! The three nodes of one source as one value: rows come in, are decoded, get their event time and draw ordinals.

mod draw;
mod input;
mod position;
mod redo;

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::ir;
use crate::node::{Batch, Ordinal};
use crate::plan::{Connection, Decode, Gate};

use super::block::{Aside, At, Block, SourceCounts, bad_rows};
use super::error::IoError;
use super::gate::{Progress, without_ahead};
use super::place::{Mode, Place};
use super::records::Ignored;
use super::spec::Spec;

pub use draw::{Draw, Kept};
use input::{Input, Step};
pub use position::{InputPosition, Position};

/// One source in one of its two lives, not yet tied to a clock or a task: whoever steps it asks what is pending and takes it.
pub struct Intake {
    spec: Arc<Spec>,
    connection: Connection,
    place: Place,
    input: Input,
    /// Read and not yet taken, from this row on.
    ready: Option<(Block, usize)>,
    /// When that was read, by the clock of the place.
    read: Time,
    /// What stood aside in a block whose rows were redone, and belongs to draws that are still to come.
    carried: Aside,
    /// Where the input is to go on, once it is asked: behind rows that were redone without it.
    stands: Option<InputPosition>,
    progress: Progress,
    rows: u64,
    records: u64,
    counts: SourceCounts,
    /// Are draws told by their records? So they are where rows may be read differently from when they were drawn.
    by_records: bool,
}

/// Which of a source's two ends is opened, and where.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub mode: Mode,
    /// Behind this position; without one, from its beginning.
    pub from: Option<&'a Position>,
}

/// What is there to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Rows, the first of which has this event time; without one under `time none`, and where only bad records or a
    /// watermark that moved by silence are to be taken.
    Rows { next: Option<Time> },
    /// Nothing now; ask again at this time of the place's clock at the latest.
    Idle { until: Option<Time> },
    /// Nothing any more.
    End,
}

/// What was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Rows of the source's schema with the ordinals from the given one on. Without rows it may still cover one ordinal, at
    /// which silence moved the watermark.
    pub batch: Batch,
    /// Records that could not be read, in columns `reason`, `raw` and `origin`, all text.
    pub bad: Option<RecordBatch>,
    /// Of this batch alone.
    pub counts: SourceCounts,
    /// When its rows were read, by the clock of the place.
    pub read: Time,
}

impl Intake {
    /// Finds and opens what the source reads in this mode, from its beginning or behind a position. Everything that can be known without reading to the end is said
    /// here: files that are missing, of another format, without a declared column, or empty.
    pub fn open(
        source: &Name,
        connection: &Connection,
        decode: &Decode,
        gate: &Gate,
        schema: &ir::Schema,
        place: &Place,
        end: End,
    ) -> Result<Intake, Diagnostic> {
        let End { mode, from } = end;
        let open = || {
            let spec = Arc::new(Spec::new(source, mode, decode, gate, schema)?);
            let input = Input::open(&spec, connection, place)?;
            let mut intake = Intake::at_its_beginning(spec, connection, place, input);
            match from {
                Some(position) => intake.resume(position)?,
                None => intake.check_first()?,
            }
            Ok(intake)
        };
        open().map_err(IoError::diagnostic)
    }

    /// Reads once more, beside the source that runs, from a position of it on; only for draws that are made again.
    pub fn again(
        source: &Name,
        connection: &Connection,
        decode: &Decode,
        gate: &Gate,
        schema: &ir::Schema,
        place: &Place,
        end: (Mode, &Position),
    ) -> Result<Intake, Diagnostic> {
        let (mode, from) = end;
        let open = || {
            let spec = Arc::new(Spec::new(source, mode, decode, gate, schema)?);
            let input = Input::again(&spec, connection, place)?;
            let by_records = matches!(input, Input::Received(_));
            let mut intake = Intake { by_records, ..Intake::at_its_beginning(spec, connection, place, input) };
            intake.resume(from)?;
            Ok(intake)
        };
        open().map_err(IoError::diagnostic)
    }

    fn at_its_beginning(spec: Arc<Spec>, connection: &Connection, place: &Place, input: Input) -> Intake {
        Intake {
            spec,
            connection: connection.clone(),
            place: place.clone(),
            input,
            ready: None,
            read: Time::MIN,
            carried: Aside::default(),
            stands: None,
            progress: Progress::start(),
            rows: 0,
            records: 0,
            counts: SourceCounts::default(),
            by_records: false,
        }
    }

    /// A recording is read up to its first rows, so that it fails here or not at all for want of them. Where rows are kept,
    /// there may be none yet.
    fn check_first(&mut self) -> Result<(), IoError> {
        if self.spec.mode == Mode::Recorded && matches!(self.fill()?, Step::End) && self.connection.keep.is_none() {
            return Err(self.input.empty(&self.spec));
        }
        Ok(())
    }

    pub fn pending(&mut self) -> Result<Pending, IoError> {
        Ok(match self.fill()? {
            Step::Ready => Pending::Rows { next: self.next_time() },
            Step::End => Pending::End,
            Step::Wait(until) => match self.idle_from() {
                Some(at) if at <= self.place.now.now() => Pending::Rows { next: None },
                idle => Pending::Idle { until: until.into_iter().chain(idle).min() },
            },
        })
    }

    /// At most `max_rows` rows, none later than `until`, up to the first that is; fewer where a block ends. Draws their
    /// ordinals from `first` on: the next ordinal is the batch's `upto`. May be called when nothing is pending.
    pub fn take(&mut self, max_rows: usize, until: Option<Time>, first: Ordinal) -> Result<Taken, IoError> {
        match self.fill()? {
            Step::Ready => self.take_rows(max_rows, until, first),
            Step::Wait(_) | Step::End => Ok(self.take_silence(first)),
        }
    }

    fn take_rows(&mut self, max_rows: usize, until: Option<Time>, first: Ordinal) -> Result<Taken, IoError> {
        let Some((block, from)) = &mut self.ready else { unreachable!("the block is ready") };
        let due = match (&block.time, until) {
            (Some(time), Some(until)) => time[*from..].iter().take_while(|at| Time(**at) <= until).count(),
            (Some(_), None) | (None, _) => block.len() - *from,
        };
        let rows = due.min(max_rows);
        let aside = if rows > 0 || *from == block.len() { std::mem::take(&mut block.aside) } else { Aside::default() };
        let piece = block.rows.slice(*from, rows);
        let time = block.time.as_ref().map(|time| time.slice(*from, rows));
        let at: Vec<At> = block.at[*from..*from + rows].to_vec();
        *from += rows;
        if *from == block.len() && block.aside.is_empty() {
            self.ready = None;
        }
        self.input.delivered(&at, &aside);
        self.rows += rows as u64;
        self.records += (rows + aside.places().count()) as u64;
        self.progress.arrived = self.place.now.now();
        let batch = self.progress.draw(piece, time, first, self.spec.limits.lateness);
        let counts = SourceCounts::of(rows, &aside);
        self.counts.add(&counts);
        Ok(Taken { batch, bad: bad_rows(&aside.bad), counts, read: self.read })
    }

    fn take_silence(&mut self, first: Ordinal) -> Taken {
        let rows = RecordBatch::new_empty(self.spec.whole.clone());
        let (now, lateness) = (self.place.now.now(), self.spec.limits.lateness);
        let to = self.spec.limits.idle.and_then(|idle| self.progress.idle(now, idle, lateness));
        let batch = match to {
            Some(to) => self.progress.move_on(rows, to, first, lateness),
            None => {
                let time = self.spec.time_at.map(|_| Vec::new().into());
                self.progress.draw(rows, time, first, lateness)
            }
        };
        Taken { batch, bad: None, counts: SourceCounts::default(), read: now }
    }

    /// Has something ready to be taken, unless there is nothing.
    fn fill(&mut self) -> Result<Step, IoError> {
        if self.ready.is_some() {
            return Ok(Step::Ready);
        }
        if let Some(stands) = self.stands.take() {
            self.input.resume(&stands)?;
        }
        let (step, block) = self.input.next(&self.place)?;
        if let Some(block) = block {
            let mut block = self.admitted(block)?;
            let behind = std::mem::replace(&mut block.aside, std::mem::take(&mut self.carried));
            block.aside.append(behind);
            (self.ready, self.read) = (Some((block, 0)), self.place.now.now());
        }
        Ok(step)
    }

    fn admitted(&self, block: Block) -> Result<Block, IoError> {
        without_ahead(&self.spec, block, self.place.now.now(), &self.spec.source)
    }

    fn next_time(&self) -> Option<Time> {
        let (block, from) = self.ready.as_ref()?;
        block.time.as_ref()?.get(*from).copied().map(Time)
    }

    /// When silence moves the watermark next.
    fn idle_from(&self) -> Option<Time> {
        self.progress.idle_from(self.spec.limits.idle?, self.spec.limits.lateness)
    }

    /// New meanings of decode and gate for the rows that are still to come; what was taken stays taken, and the connection
    /// stays where it is. On an error the intake is as before.
    pub fn retune(&mut self, decode: &Decode, gate: &Gate, schema: &ir::Schema) -> Result<(), Diagnostic> {
        let mut retune = || {
            let spec = Arc::new(Spec::new(&self.spec.source, self.spec.mode, decode, gate, schema)?);
            let again = self.input.retune(&spec, &self.connection, &self.place)?;
            self.spec = spec;
            self.ready = again.map(|block| self.admitted(block)).transpose()?.map(|block| (block, 0));
            Ok(())
        };
        retune().map_err(IoError::diagnostic)
    }

    /// How far it was taken: resuming another intake of the same source here gives the rest, and nothing twice.
    pub fn position(&self) -> Position {
        let Progress { watermark, newest, .. } = self.progress;
        Position {
            rows: self.rows,
            records: self.records,
            newest,
            watermark,
            input: self.stands.clone().unwrap_or_else(|| self.input.position()),
        }
    }

    /// Goes on behind `position`.
    pub fn resume(&mut self, position: &Position) -> Result<(), IoError> {
        self.ready = None;
        self.follow(position);
        self.input.resume(&position.input)?;
        (self.rows, self.records) = (position.rows, position.records);
        Ok(())
    }

    /// Takes over event time and row numbers from the recording of the same source, where a live source goes on.
    pub fn follow(&mut self, recorded: &Position) {
        let Position { newest, watermark, records, rows: _, input } = recorded;
        self.progress = Progress { newest: *newest, watermark: *watermark, arrived: self.place.now.now() };
        self.input.follow(*records);
        self.input.go_on_behind(input);
    }

    /// What its owner should know and has not been told: a journal that is full or damaged, a file that cannot be followed.
    pub fn take_notes(&mut self) -> Vec<Diagnostic> {
        self.input.take_notes()
    }

    /// Of everything taken so far.
    pub fn counts(&self) -> &SourceCounts {
        &self.counts
    }

    /// Fields that the data has and no column reads, in the files that were read to their end.
    pub fn ignored(&self) -> Ignored {
        self.input.ignored()
    }

    /// What should be said once, in sentences: files that are not part of the recording.
    pub fn notes(&self) -> Vec<String> {
        self.input.notes()
    }

    /// Rows taken so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

#[cfg(test)]
mod tests;
