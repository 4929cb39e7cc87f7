//! Rows from the standard input, as they come.
//!
//! A thread of its own gathers whole records and hands them over in a bounded queue, so that asking whether there is one never
//! waits. Nothing can be read again: a position tells how many records were taken, and a restart goes on with what comes next.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::base::Time;
use crate::diag::Code;
use crate::ir::{CsvOptions, FileFormat};

use super::block::{Aside, At, BLOCK_ROWS, Block};
use super::csv::{Begins, CsvDecoder, Layout, Signs, records_of};
use super::error::{IoError, reading_stopped};
use super::gate::{self, Arrival};
use super::json::JsonDecoder;
use super::lines::{LINE_BYTES_MAX, read_line};
use super::path::Found;
use super::place::{Mode, Place};
use super::records::Ignored;
use super::sheet::{Decoded, FileAt, Sheet};
use super::spec::Spec;

/// Chunks of records that wait to be taken; then the writer at the other end waits.
const CHUNKS_MAX: usize = 16;

/// An open stream of text.
pub(super) struct Stdin {
    spec: Arc<Spec>,
    format: FileFormat,
    chunks: Receiver<Result<Chunk, String>>,
    file: FileAt,
    decoder: Option<Decoder>,
    /// The records of the header, kept for a decoder of another meaning.
    header: Option<Vec<u8>>,
    /// Read and not wholly taken.
    last: Option<Chunk>,
    /// Records that were read, and those that were taken.
    rows: u64,
    taken: u64,
    over: bool,
}

/// Whole records that follow each other.
#[derive(Clone, Debug, Default)]
struct Chunk {
    text: Vec<u8>,
    /// Where each record ends.
    ends: Vec<usize>,
    /// By number of the record: the line as it was, where a quote in it is not closed. In the text it has none.
    unclosed: BTreeMap<usize, Vec<u8>>,
}

enum Decoder {
    Csv(CsvDecoder),
    Json(JsonDecoder),
}

impl Stdin {
    pub fn open(spec: &Arc<Spec>, format: &FileFormat) -> Result<Stdin, IoError> {
        Stdin::over(spec, format, std::io::stdin())
    }

    pub fn over(spec: &Arc<Spec>, format: &FileFormat, input: impl Read + Send + 'static) -> Result<Stdin, IoError> {
        let signs = match format {
            FileFormat::Csv(CsvOptions { separator: Some(separator), quote, .. }) => {
                Some(Signs { quote: *quote as u8, separator: *separator as u8 })
            }
            FileFormat::Csv(_) | FileFormat::Jsonl => None,
            FileFormat::Json | FileFormat::Parquet | FileFormat::Arrow => return Err(no_stream(format)),
        };
        let (sender, chunks) = sync_channel(CHUNKS_MAX);
        thread::spawn(move || gather(BufReader::new(input), signs, &sender));
        let found = Found { path: "stdin".into(), name: "stdin".into(), values: vec![] };
        let file = FileAt { found, index: 0, rows_before: 0, fixed: vec![] };
        let (spec, format) = (spec.clone(), format.clone());
        Ok(Stdin { spec, format, chunks, file, decoder: None, header: None, last: None, rows: 0, taken: 0, over: false })
    }

    /// What has come; of a recording, what comes next, however long that takes.
    pub fn next(&mut self, place: &Place) -> Result<Option<Block>, IoError> {
        while !self.over {
            let Some(chunk) = self.receive()? else { return Ok(None) };
            let chunk = self.without_header(chunk)?;
            if chunk.ends.is_empty() {
                continue;
            }
            let first = self.rows;
            self.rows += chunk.ends.len() as u64;
            self.last = Some(chunk);
            return self.decode(first, place.now.now()).map(Some);
        }
        Ok(None)
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    fn receive(&mut self) -> Result<Option<Chunk>, IoError> {
        let received = match self.spec.mode {
            Mode::Recorded => self.chunks.recv().map_err(|_| TryRecvError::Disconnected),
            Mode::Live => self.chunks.try_recv(),
        };
        match received {
            Ok(Ok(chunk)) => Ok(Some(chunk)),
            Ok(Err(error)) => Err(reading_stopped(&self.file.found.path, error)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => {
                self.over = true;
                Ok(None)
            }
        }
    }

    /// The first record tells which field is which.
    fn without_header(&mut self, mut chunk: Chunk) -> Result<Chunk, IoError> {
        if self.decoder.is_some() {
            return Ok(chunk);
        }
        let first = chunk.text[..chunk.ends[0]].to_vec();
        let has_header = matches!(&self.format, FileFormat::Csv(options) if options.header);
        self.header = Some(first);
        self.decoder = Some(self.decoder_for(&self.spec)?);
        if has_header {
            let end = chunk.ends.remove(0);
            chunk.text.drain(..end);
            chunk.ends.iter_mut().for_each(|at| *at -= end);
            chunk.unclosed = chunk.unclosed.into_iter().filter(|(nth, _)| *nth > 0).map(|(nth, raw)| (nth - 1, raw)).collect();
        }
        Ok(chunk)
    }

    fn decoder_for(&self, spec: &Arc<Spec>) -> Result<Decoder, IoError> {
        let FileFormat::Csv(options) = &self.format else { return Ok(Decoder::Json(JsonDecoder::new(spec, &self.file)?)) };
        let first = records_of(self.header.as_deref().unwrap_or_default(), options)?;
        let layout = Layout::of(spec, "stdin", options, first.first())?;
        Ok(Decoder::Csv(CsvDecoder::new(spec, &self.file, options, layout)))
    }

    /// The records of the last chunk from `first` on that were not taken.
    fn decode(&mut self, first: u64, now: Time) -> Result<Block, IoError> {
        let (Some(chunk), Some(decoder)) = (&self.last, &mut self.decoder) else { unreachable!("a chunk was read") };
        let done = self.taken.saturating_sub(first) as usize;
        let header = u64::from(matches!(&self.format, FileFormat::Csv(options) if options.header));
        let line = |row: usize| first + row as u64 + 1 + header;
        match (&mut *decoder, &self.format) {
            (Decoder::Csv(decoder), FileFormat::Csv(options)) => {
                for (row, record) in records_of(&chunk.text, options)?.iter().enumerate().skip(done) {
                    match chunk.unclosed.get(&row) {
                        Some(raw) => decoder.unclosed(raw.clone(), first + row as u64, line(row)),
                        None => decoder.decode(record, first + row as u64, line(row)),
                    }
                }
            }
            (Decoder::Json(decoder), _) => {
                for row in done..chunk.ends.len() {
                    decoder.decode(chunk.record(row), first + row as u64, line(row));
                }
            }
            (Decoder::Csv(_), _) => unreachable!("a decoder is of its format"),
        }
        let decoded: Decoded = decoder.sheet().finish()?;
        let arrival = Arrival::All(now);
        gate::timed(&self.spec, decoded, &gate::From { name: "stdin", rows_before: self.file.rows_before, arrival })
    }

    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        let newest = at.iter().copied().chain(aside.places()).map(|at| at.row + 1).max();
        self.taken = self.taken.max(newest.unwrap_or(0));
    }

    /// Records taken.
    pub fn position(&self) -> u64 {
        self.file.rows_before + self.taken
    }

    /// Counts rows from here on.
    pub fn follow(&mut self, records: u64) {
        self.file.rows_before = records;
    }

    /// What was read and not taken is decoded anew.
    pub fn retune(&mut self, spec: &Arc<Spec>, place: &Place) -> Result<Option<Block>, IoError> {
        let decoder = if self.decoder.is_some() { Some(self.decoder_for(spec)?) } else { None };
        (self.spec, self.decoder) = (spec.clone(), decoder);
        if self.taken == self.rows || self.last.is_none() {
            return Ok(None);
        }
        let first = self.rows - self.last.as_ref().map_or(0, |chunk| chunk.ends.len() as u64);
        self.decode(first, place.now.now()).map(Some)
    }

    pub fn ignored(&self) -> Ignored {
        match &self.decoder {
            Some(Decoder::Csv(decoder)) => decoder.ignored().clone(),
            Some(Decoder::Json(decoder)) => decoder.ignored().clone(),
            None => Ignored::default(),
        }
    }
}

impl Decoder {
    fn sheet(&mut self) -> &mut Sheet {
        match self {
            Decoder::Csv(decoder) => &mut decoder.sheet,
            Decoder::Json(decoder) => &mut decoder.sheet,
        }
    }
}

impl Chunk {
    /// The records at the beginning of `open` that have ended, without blank ones. Without signs every line is one.
    fn take_from(&mut self, open: &mut Vec<u8>, signs: Option<Signs>, over: bool) {
        while !open.is_empty() {
            let (bytes, unclosed) = match signs.map(|signs| (signs, signs.first(open, over))) {
                None => (open.len(), None),
                Some((_, Begins::Record(bytes))) => (bytes, None),
                Some((signs, Begins::Unclosed(bytes))) => (bytes, Some(signs.mend(&mut open[..bytes]))),
                Some((_, Begins::More)) => return,
            };
            let record: Vec<u8> = open.drain(..bytes).collect();
            if record.trim_ascii().is_empty() && unclosed.is_none() {
                continue;
            }
            self.unclosed.extend(unclosed.map(|line| (self.ends.len(), line)));
            self.text.extend(record);
            self.ends.push(self.text.len());
        }
    }

    fn record(&self, nth: usize) -> &[u8] {
        let from = if nth == 0 { 0 } else { self.ends[nth - 1] };
        &self.text[from..self.ends[nth]]
    }
}

/// Sends whole records until the input or the receiver ends: one by one while they trickle, many at once when they pour.
fn gather(mut input: BufReader<impl Read>, signs: Option<Signs>, sender: &SyncSender<Result<Chunk, String>>) {
    // Lines of a record that has not ended stand in `open`.
    let (mut chunk, mut line, mut open) = (Chunk::default(), Vec::new(), Vec::new());
    loop {
        let over = match read_line(&mut input, &mut line) {
            Ok(more) => !more,
            Err(error) => {
                let _ = sender.send(Err(error.to_string()));
                return;
            }
        };
        open.extend_from_slice(&line);
        chunk.take_from(&mut open, signs, over);
        let more = input.buffer().contains(&b'\n') && chunk.ends.len() < BLOCK_ROWS;
        if !over && (chunk.ends.is_empty() || more) && chunk.text.len() <= LINE_BYTES_MAX {
            continue;
        }
        let sent = chunk.ends.is_empty() || sender.send(Ok(std::mem::take(&mut chunk))).is_ok();
        if over || !sent {
            return;
        }
    }
}

fn no_stream(format: &FileFormat) -> IoError {
    let name = match format {
        FileFormat::Csv(_) => "csv",
        FileFormat::Jsonl => "jsonl",
        FileFormat::Json => "json",
        FileFormat::Parquet => "parquet",
        FileFormat::Arrow => "arrow",
    };
    IoError::new(Code::E0715, format!("the standard input cannot be read as `{name}`"))
        .help("write `stdin(format: csv)` or `stdin(format: jsonl)`")
}

#[cfg(test)]
mod tests;
