//! JSON: an object a line, or one array of objects.

mod fill;
mod items;
mod wanted;

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::Code;
use crate::ir::Origin;

use super::error::{IoError, reading_stopped};
use super::lines::read_line;
use super::open::{self, Bytes, bytes_from};
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt, Sheet};
use super::spec::Spec;

pub(super) use items::Items;
use wanted::Wanted;

/// An open file of JSON records.
pub(super) struct JsonFile {
    path: PathBuf,
    bytes: Bytes,
    /// The array around the records; none where each stands on its line.
    items: Option<Items>,
    decoder: JsonDecoder,
    record: Vec<u8>,
    packed: bool,
    block_rows: u64,
    at: Mark,
}

/// Records to columns, wherever the records come from.
pub(super) struct JsonDecoder {
    pub sheet: Sheet,
    wanted: Wanted,
    seen: Vec<bool>,
    ignored: Ignored,
}

impl JsonFile {
    /// One object a line.
    pub fn lines(spec: &Arc<Spec>, file: &FileAt, from: Option<Mark>) -> Result<JsonFile, IoError> {
        let path = &file.found.path;
        let at = from.filter(|mark| mark.byte.is_some());
        let mut bytes = match at {
            Some(Mark { byte: Some(byte), .. }) => bytes_from(path, byte)?,
            Some(Mark { byte: None, .. }) | None => open::of(&file.found)?,
        };
        if at.is_none() {
            skip_mark(path, &mut bytes)?;
            check_lines(path, &file.found.name, &mut bytes)?;
        }
        JsonFile::new(spec, file, bytes, None, at)?.past(from)
    }

    /// One array of objects, or one object.
    pub fn array(spec: &Arc<Spec>, file: &FileAt, from: Option<Mark>) -> Result<JsonFile, IoError> {
        let path = &file.found.path;
        let mut bytes = open::of(&file.found)?;
        skip_mark(path, &mut bytes)?;
        let items = Items::begin(&mut bytes).map_err(|error| no_json(&file.found.name, &error))?;
        JsonFile::new(spec, file, bytes, Some(items), None)?.past(from)
    }

    fn new(spec: &Arc<Spec>, file: &FileAt, bytes: Bytes, items: Option<Items>, at: Option<Mark>) -> Result<JsonFile, IoError> {
        let decoder = JsonDecoder::new(spec, file)?;
        let path = file.found.path.clone();
        let packed = open::is_packed(&file.found) || items.is_some();
        let at = at.unwrap_or(Mark { row: 0, byte: Some(0), line: 1 });
        let block_rows = spec.block_rows() as u64;
        Ok(JsonFile { path, bytes, items, decoder, record: Vec::new(), packed, block_rows, at })
    }

    fn past(mut self, from: Option<Mark>) -> Result<JsonFile, IoError> {
        while from.is_some_and(|mark| self.at.row < mark.row) && self.next()?.is_some() {
            self.at.row += 1;
        }
        Ok(self)
    }

    /// The line on which the next record begins, and the record; none at the end.
    fn next(&mut self) -> Result<Option<u64>, IoError> {
        let stopped = |error: std::io::Error| reading_stopped(&self.path, error);
        if let Some(items) = &mut self.items {
            let there = items.next(&mut self.bytes, &mut self.record).map_err(stopped)?;
            return Ok(there.then(|| items.line()));
        }
        loop {
            if !read_line(&mut self.bytes, &mut self.record).map_err(stopped)? {
                return Ok(None);
            }
            let line = self.at.line;
            self.at.line += 1;
            self.at.byte = self.at.byte.map(|byte| byte + self.record.len() as u64);
            if !self.record.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }
}

impl Records for JsonFile {
    fn read(&mut self) -> Result<Option<Decoded>, IoError> {
        let start = self.at.row;
        while self.at.row - start < self.block_rows {
            let Some(line) = self.next()? else { break };
            self.decoder.decode(&self.record, self.at.row, line);
            self.at.row += 1;
        }
        if self.at.row == start { Ok(None) } else { self.decoder.sheet.finish().map(Some) }
    }

    fn mark(&self) -> Mark {
        Mark { byte: self.at.byte.filter(|_| !self.packed), ..self.at }
    }

    fn ignored(&self) -> &Ignored {
        &self.decoder.ignored
    }

    /// Every record has its own fields.
    fn absent(&self) -> &[String] {
        &[]
    }
}

impl JsonDecoder {
    pub fn new(spec: &Arc<Spec>, file: &FileAt) -> Result<JsonDecoder, IoError> {
        let has = |origin: &Origin| matches!(origin, Origin::Field(_) | Origin::Position(_) | Origin::Path(_));
        let sheet = Sheet::new(spec, file, b'.', has);
        let wanted = Wanted::of(spec.columns.iter().filter(|column| has(&column.origin)))?;
        let seen = vec![false; sheet.builders.len()];
        Ok(JsonDecoder { sheet, wanted, seen, ignored: Ignored::default() })
    }

    pub fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// One record, whether it fits or not.
    pub fn decode(&mut self, record: &[u8], row: u64, line: u64) {
        let why = fill::fill(record, &self.wanted, &mut self.sheet.builders, &mut self.seen, &mut self.ignored);
        self.sheet.end(row, why, || (record.trim_ascii_end().to_vec(), line));
    }
}

/// A byte-order mark is not part of the text.
fn skip_mark(path: &std::path::Path, bytes: &mut Bytes) -> Result<(), IoError> {
    let start = bytes.fill_buf().map_err(|error| reading_stopped(path, error))?;
    let skipped = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    bytes.consume(skipped);
    Ok(())
}

/// Broken lines are for the dead letter; a file whose lines all begin with something else is of another format.
fn check_lines(path: &std::path::Path, name: &str, bytes: &mut Bytes) -> Result<(), IoError> {
    let start = bytes.fill_buf().map_err(|error| reading_stopped(path, error))?;
    let mut lines =
        start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).take(16).peekable();
    let first = lines.peek().map(|line| String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned());
    match first {
        Some(first) if first == "[" => Err(an_array(name)),
        Some(first) if !lines.any(|line| line.starts_with(b"{") || line.starts_with(b"[")) => Err(no_json(name, &first)),
        Some(_) | None => Ok(()),
    }
}

fn no_json(name: &str, found: &str) -> IoError {
    let message = format!("`{name}` is declared as JSON and begins with `{}`", found.trim());
    IoError::new(Code::E0715, message).help("name the format that the file has, such as `csv(…)`")
}

fn an_array(name: &str) -> IoError {
    let message = format!("`{name}` is declared as one JSON object a line, and is one array");
    IoError::new(Code::E0715, message).help("write `json(…)` for an array of objects")
}
