//! Rows from the standard input, as they come.
//!
//! A thread of its own gathers whole records and hands them over in a bounded queue, so that asking whether there is one never
//! waits. In a live run the records go through a journal (see `received`); here they cannot be read again: a position tells
//! how many were taken, and a restart goes on with what comes next.

use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use crate::base::Time;
use crate::diag::Code;
use crate::ir::FileFormat;

use super::block::{Aside, At, BLOCK_ROWS, Block};
use super::error::{IoError, reading_stopped};
use super::gate::Arrival;
use super::journal::Records;
use super::lines::{LINE_BYTES_MAX, read_line};
use super::place::{Mode, Place};
use super::records::Ignored;
use super::spec::Spec;
use super::stream::{Stream, quote};

/// Chunks of records that wait to be taken; then the writer at the other end waits.
const CHUNKS_MAX: usize = 16;

/// Bytes of the input that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// An open stream of text.
pub(super) struct Stdin {
    mode: Mode,
    stream: Stream,
    chunks: Receiver<Result<Records, String>>,
    /// Read and perhaps not wholly taken, with the number of its last row.
    last: Option<Records>,
    last_row: Option<u64>,
    /// Records of earlier streams of the source.
    rows_before: u64,
    /// Records that were read, and rows that were taken.
    rows: u64,
    taken: u64,
    /// What stood aside of records before it was taken.
    aside: u64,
    over: bool,
}

impl Stdin {
    pub fn open(spec: &Arc<Spec>, format: &FileFormat) -> Result<Stdin, IoError> {
        Stdin::over(spec, format, std::io::stdin())
    }

    pub fn over(spec: &Arc<Spec>, format: &FileFormat, input: impl Read + Send + 'static) -> Result<Stdin, IoError> {
        check_format(format)?;
        let (sender, chunks) = sync_channel(CHUNKS_MAX);
        let quote = quote(format);
        thread::spawn(move || gather(input, quote, |chunk| sender.send(chunk).is_ok()));
        let (mode, stream) = (spec.mode, Stream::new(spec, format, "stdin"));
        Ok(Stdin { mode, stream, chunks, last: None, last_row: None, rows_before: 0, rows: 0, taken: 0, aside: 0, over: false })
    }

    /// What has come; of a recording, what comes next, however long that takes.
    pub fn next(&mut self, place: &Place) -> Result<Option<Block>, IoError> {
        (self.taken, self.last) = (self.rows, None);
        while !self.over {
            let Some(chunk) = self.receive()? else { return Ok(None) };
            let chunk = self.without_header(chunk)?;
            if chunk.is_empty() {
                continue;
            }
            self.rows += chunk.len() as u64;
            let block = self.decode(&chunk, place.now.now()).map(Some);
            self.last = Some(chunk);
            return block;
        }
        Ok(None)
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    fn receive(&mut self) -> Result<Option<Records>, IoError> {
        let received = match self.mode {
            Mode::Recorded => self.chunks.recv().map_err(|_| TryRecvError::Disconnected),
            Mode::Live => self.chunks.try_recv(),
        };
        match received {
            Ok(Ok(chunk)) => Ok(Some(chunk)),
            Ok(Err(error)) => Err(reading_stopped("stdin".as_ref(), error)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => {
                self.over = true;
                Ok(None)
            }
        }
    }

    /// The first record tells which field is which.
    fn without_header(&mut self, chunk: Records) -> Result<Records, IoError> {
        if self.stream.is_headed() || chunk.is_empty() {
            return Ok(chunk);
        }
        self.stream.head(chunk.get(0))?;
        Ok(if self.stream.has_header() { without_first(&chunk) } else { chunk })
    }

    /// The records of the last chunk that were not taken.
    fn decode(&mut self, chunk: &Records, now: Time) -> Result<Block, IoError> {
        let first = self.rows - chunk.len() as u64;
        let line = first + 1 + u64::from(self.stream.has_header());
        let from = self.taken.saturating_sub(first) as usize;
        self.stream.records(chunk, from, first, |nth| line + nth as u64)?;
        let mut block = self.stream.finish(self.rows_before, |_| Arrival::All(now))?;
        block.aside.forget_before(self.aside);
        self.last_row = block.at.last().map(|at| at.row);
        Ok(block)
    }

    /// What stands aside of a block is taken with its first rows.
    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        let newest = at.last().map(|at| at.row);
        self.taken = if newest == self.last_row { self.rows } else { newest.map_or(self.taken, |row| row + 1) };
        if aside.places().next().is_some() {
            self.aside = self.rows;
        }
    }

    /// Records taken.
    pub fn position(&self) -> u64 {
        self.rows_before + self.taken
    }

    /// Counts rows from here on.
    pub fn follow(&mut self, records: u64) {
        self.rows_before = records;
    }

    /// What was read and not taken is decoded anew.
    pub fn retune(&mut self, spec: &Arc<Spec>, place: &Place) -> Result<Option<Block>, IoError> {
        self.stream = self.stream.retuned(spec, vec![])?;
        let Some(chunk) = self.last.take().filter(|_| self.taken < self.rows) else { return Ok(None) };
        let block = self.decode(&chunk, place.now.now())?;
        self.last = Some(chunk);
        Ok((!block.has_nothing()).then_some(block))
    }

    pub fn ignored(&self) -> Ignored {
        self.stream.ignored()
    }
}

pub(super) fn without_first(records: &Records) -> Records {
    let mut out = Records::default();
    (1..records.len()).for_each(|nth| out.push(records.get(nth)));
    out
}

/// Hands on whole records until the input ends or nobody wants them: one by one while they trickle, many at once when they
/// pour. After an error nothing more comes.
pub(super) fn gather(input: impl Read, quote: Option<u8>, mut hand_on: impl FnMut(Result<Records, String>) -> bool) {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let (mut chunk, mut line, mut open) = (Records::default(), Vec::new(), false);
    loop {
        match read_line(&mut input, &mut line) {
            Ok(true) => {}
            Ok(false) => {
                let rest = chunk.text.len() > chunk.ends.last().copied().unwrap_or(0) as usize;
                chunk.ends.extend(rest.then_some(chunk.text.len() as u32));
                let _ = chunk.is_empty() || hand_on(Ok(chunk));
                return;
            }
            Err(error) => {
                hand_on(Err(error.to_string()));
                return;
            }
        }
        // A line break between quotes belongs to the record.
        open ^= quote.is_some_and(|quote| line.iter().filter(|byte| **byte == quote).count() % 2 == 1);
        let blank = !open && line.trim_ascii().is_empty();
        if !blank {
            chunk.text.extend_from_slice(&line);
        }
        if !open && !blank {
            chunk.ends.push(chunk.text.len() as u32);
        }
        let more = input.buffer().contains(&b'\n') && chunk.len() < BLOCK_ROWS;
        if (chunk.is_empty() || more || open) && chunk.text.len() <= LINE_BYTES_MAX {
            continue;
        }
        if open {
            hand_on(Err("a quote is opened and not closed".to_owned()));
            return;
        }
        if !hand_on(Ok(std::mem::take(&mut chunk))) {
            return;
        }
    }
}

/// Only formats of lines can be read from a stream.
pub(super) fn check_format(format: &FileFormat) -> Result<(), IoError> {
    let name = match format {
        FileFormat::Csv(_) | FileFormat::Jsonl => return Ok(()),
        FileFormat::Json => "json",
        FileFormat::Parquet => "parquet",
        FileFormat::Arrow => "arrow",
    };
    Err(IoError::new(Code::E0715, format!("the standard input cannot be read as `{name}`"))
        .help("write `stdin(format: csv)` or `stdin(format: jsonl)`"))
}

#[cfg(test)]
mod tests;
