//! Comma separated values and their many relatives.

mod blank;
mod layout;
mod quotes;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use crate::diag::Code;
use crate::ir::{CsvOptions, Origin};

use super::error::{IoError, reading_stopped};
use super::open::{self, Bytes, bytes_from};
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt, Sheet};
use super::spec::Spec;

use blank::BlankReader;
pub(super) use layout::Layout;
use quotes::Mended;
pub(super) use quotes::{Begins, Signs};

/// An open file of separated values.
pub(super) struct CsvFile {
    path: PathBuf,
    lines: Lines,
    decoder: CsvDecoder,
    record: ByteRecord,
    packed: bool,
    block_rows: u64,
    /// What the reader's own byte and line counts begin at.
    base: Mark,
    row: u64,
}

/// Records to columns, wherever the records come from.
pub(super) struct CsvDecoder {
    pub sheet: Sheet,
    layout: Layout,
    separator: u8,
    ignored: Ignored,
}

/// Records, split at a sign or at blanks.
enum Lines {
    Signs(csv::Reader<Mended<Bytes>>),
    Blanks(BlankReader<Bytes>),
}

impl CsvFile {
    pub fn open(spec: &Arc<Spec>, file: &FileAt, options: &CsvOptions, from: Option<Mark>) -> Result<CsvFile, IoError> {
        let path = &file.found.path;
        let mut lines = Lines::new(open::of(&file.found)?, options)?;
        let mut record = ByteRecord::new();
        let has_first = lines.next(&mut record).map_err(|error| reading_stopped(path, error))?;
        let layout = Layout::of(spec, &file.found.name, options, has_first.then_some(&record))?;
        let decoder = CsvDecoder::new(spec, file, options, layout);
        let packed = open::is_packed(&file.found);
        let mut base = Mark { line: 1, ..Mark::default() };
        // Without a header the first record is a row, so the file is read from its beginning again.
        if let Some(Mark { byte: Some(byte), .. }) = from {
            lines = Lines::new(bytes_from(path, byte)?, options)?;
            base = from.unwrap_or_default();
        } else if !options.header {
            lines = Lines::new(open::of(&file.found)?, options)?;
        }
        let block_rows = spec.block_rows() as u64;
        let mut out = CsvFile { path: path.clone(), lines, decoder, record, packed, block_rows, base, row: base.row };
        if let Some(mark) = from {
            out.pass_over(mark.row)?;
        }
        Ok(out)
    }

    fn pass_over(&mut self, row: u64) -> Result<(), IoError> {
        while self.row < row && self.next()? {
            self.row += 1;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<bool, IoError> {
        self.lines.next(&mut self.record).map_err(|error| reading_stopped(&self.path, error))
    }
}

impl Records for CsvFile {
    fn read(&mut self) -> Result<Option<Decoded>, IoError> {
        let start = self.row;
        while self.row - start < self.block_rows && self.next()? {
            let line = self.base.line - 1 + self.record.position().map_or(0, csv::Position::line);
            match self.lines.unclosed(&self.record) {
                Some(raw) => self.decoder.unclosed(raw, self.row, line),
                None => self.decoder.decode(&self.record, self.row, line),
            }
            self.row += 1;
        }
        if self.row == start { Ok(None) } else { self.decoder.sheet.finish().map(Some) }
    }

    fn mark(&self) -> Mark {
        let (byte, line) = self.lines.position();
        let byte = (!self.packed).then(|| self.base.byte.unwrap_or(0) + byte);
        Mark { row: self.row, byte, line: self.base.line - 1 + line }
    }

    fn ignored(&self) -> &Ignored {
        &self.decoder.ignored
    }

    fn absent(&self) -> &[String] {
        &self.decoder.layout.absent
    }
}

impl CsvDecoder {
    pub fn new(spec: &Arc<Spec>, file: &FileAt, options: &CsvOptions, layout: Layout) -> CsvDecoder {
        let sheet = Sheet::new(spec, file, options.decimal as u8, |origin| layout.has(origin));
        let mut ignored = Ignored::default();
        layout.unread.iter().for_each(|name| ignored.name(name));
        CsvDecoder { sheet, separator: options.separator.map_or(b' ', |sign| sign as u8), ignored, layout }
    }

    pub fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// A line in which a quote is opened and not closed.
    pub fn unclosed(&mut self, raw: Vec<u8>, row: u64, line: u64) {
        self.sheet.bad(row, "a quote is opened and not closed".to_owned(), || (raw, line));
    }

    /// One record, whether it fits or not.
    pub fn decode(&mut self, record: &ByteRecord, row: u64, line: u64) {
        let raw = || (record.iter().collect::<Vec<_>>().join(&[self.separator][..]), line);
        if record.iter().all(<[u8]>::is_empty) {
            return self.sheet.empty(row);
        }
        if let Some(reason) = self.layout.misfit(record) {
            return self.sheet.bad(row, reason, raw);
        }
        let mut why = None;
        for (builder, at) in self.sheet.builders.iter_mut().zip(&self.layout.fields) {
            let field = record.get(*at).unwrap_or_default();
            if let Err(reason) = builder.append_text(field) {
                why.get_or_insert(reason);
            }
        }
        self.ignored.fields += record.len().saturating_sub(self.layout.fields.len() + self.layout.index) as u64;
        self.sheet.end(row, why, raw);
    }
}

impl Lines {
    fn new(bytes: Bytes, options: &CsvOptions) -> Result<Lines, IoError> {
        let Some(separator) = options.separator else {
            return Ok(Lines::Blanks(BlankReader::new(bytes, ascii(options.quote)?)));
        };
        let signs = signs(options, separator)?;
        Ok(Lines::Signs(reader(Mended::new(bytes, signs), signs)))
    }

    fn next(&mut self, record: &mut ByteRecord) -> Result<bool, String> {
        match self {
            Lines::Signs(reader) => reader.read_byte_record(record).map_err(|error| error.to_string()),
            Lines::Blanks(reader) => reader.next(record).map_err(|error| error.to_string()),
        }
    }

    /// The whole line instead of this record, the last one that was read, if one of its quotes is not closed.
    fn unclosed(&mut self, record: &ByteRecord) -> Option<Vec<u8>> {
        match self {
            Lines::Signs(reader) => {
                let from = record.position().map_or(0, csv::Position::byte);
                let to = reader.position().byte();
                reader.get_mut().unclosed(from, to)
            }
            // A field between blanks ends with its line.
            Lines::Blanks(_) => None,
        }
    }

    /// Byte and line of the next record, the line from 1.
    fn position(&self) -> (u64, u64) {
        match self {
            Lines::Signs(reader) => (reader.position().byte(), reader.position().line()),
            Lines::Blanks(reader) => reader.position(),
        }
    }
}

fn reader<R: Read>(bytes: R, signs: Signs) -> csv::Reader<R> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(signs.separator).quote(signs.quote);
    builder.from_reader(bytes)
}

fn signs(options: &CsvOptions, separator: char) -> Result<Signs, IoError> {
    Ok(Signs { quote: ascii(options.quote)?, separator: ascii(separator)? })
}

/// Records of a piece of text that ends with a record, and in which every quote is closed.
pub(super) fn records_of(text: &[u8], options: &CsvOptions) -> Result<Vec<ByteRecord>, IoError> {
    let mut records = Vec::new();
    let mut record = ByteRecord::new();
    match options.separator {
        None => {
            let mut reader = BlankReader::new(text, ascii(options.quote)?);
            while reader.next(&mut record).unwrap_or(false) {
                records.push(record.clone());
            }
        }
        Some(separator) => {
            let mut reader = reader(text, signs(options, separator)?);
            while reader.read_byte_record(&mut record).unwrap_or(false) {
                records.push(record.clone());
            }
        }
    }
    Ok(records)
}

/// A sign that is one byte in every encoding.
fn ascii(sign: char) -> Result<u8, IoError> {
    u8::try_from(sign).ok().filter(u8::is_ascii).ok_or_else(|| {
        IoError::new(Code::E0715, format!("{sign:?} cannot separate or quote fields"))
            .help("take a sign such as `;` or a tab, \"\\t\"")
    })
}

impl Layout {
    fn has(&self, origin: &Origin) -> bool {
        self.found.contains(origin)
    }
}
