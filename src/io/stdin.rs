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
use super::csv::{Begins, Signs};
use super::error::{IoError, reading_stopped};
use super::gate::Arrival;
use super::journal::Records;
use super::lines::{LINE_BYTES_MAX, read_line};
use super::msgpack::JsonLines;
use super::place::{Mode, Place};
use super::records::Ignored;
use super::spec::Spec;
use super::stream::{Stream, signs};

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
        let (signs, input) = (signs(format), as_lines(format, input));
        thread::spawn(move || gather(input, signs, |chunk| sender.send(chunk).is_ok()));
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
pub(super) fn gather(input: impl Read, signs: Option<Signs>, mut hand_on: impl FnMut(Result<Records, String>) -> bool) {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    // Lines of a record that has not ended stand in `open`.
    let (mut chunk, mut line, mut open) = (Records::default(), Vec::new(), Vec::new());
    loop {
        let over = match read_line(&mut input, &mut line) {
            Ok(more) => !more,
            Err(error) => {
                hand_on(Err(error.to_string()));
                return;
            }
        };
        open.extend_from_slice(&line);
        take_whole(&mut chunk, &mut open, signs, over);
        let more = input.buffer().contains(&b'\n') && chunk.len() < BLOCK_ROWS;
        if !over && (chunk.is_empty() || more) && chunk.text.len() <= LINE_BYTES_MAX {
            continue;
        }
        let handed_on = chunk.is_empty() || hand_on(Ok(std::mem::take(&mut chunk)));
        if over || !handed_on {
            return;
        }
    }
}

/// The records at the beginning of `open` that have ended, without blank ones. Without signs every line is one; a line in
/// which a quote is not closed is one, too.
fn take_whole(chunk: &mut Records, open: &mut Vec<u8>, signs: Option<Signs>, over: bool) {
    while !open.is_empty() {
        let bytes = match signs.map(|signs| signs.first(open, over)) {
            None => open.len(),
            Some(Begins::Record(bytes) | Begins::Unclosed(bytes)) => bytes,
            Some(Begins::More) => return,
        };
        let record: Vec<u8> = open.drain(..bytes).collect();
        if !record.trim_ascii().is_empty() {
            chunk.push(&record);
        }
    }
}

/// Only formats of lines can be read from a stream.
pub(super) fn check_format(format: &FileFormat) -> Result<(), IoError> {
    if format.grows() || *format == FileFormat::Msgpack {
        return Ok(());
    }
    Err(IoError::new(Code::E0715, format!("the standard input cannot be read as `{}`", format.word()))
        .help("write `stdin(format: csv)`, `stdin(format: jsonl)` or `stdin(format: msgpack)`"))
}

/// The input as lines, one record or a part of one in each.
pub(super) fn as_lines(format: &FileFormat, input: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    match format {
        FileFormat::Msgpack => Box::new(JsonLines::over(BufReader::with_capacity(BUFFER_BYTES, input))),
        FileFormat::Csv(_)
        | FileFormat::Jsonl
        | FileFormat::Json
        | FileFormat::Parquet
        | FileFormat::Arrow
        | FileFormat::Wav
        | FileFormat::Images
        | FileFormat::Idx { .. } => Box::new(input),
    }
}

#[cfg(test)]
mod tests;
