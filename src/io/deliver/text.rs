//! Lines of CSV or JSON, appended and flushed batch by batch.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::{Array, RecordBatch};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::base::Name;
use crate::diag::Code;
use crate::io::error::IoError;
use crate::io::open::{self, Packing};
use crate::ir::{CsvOptions, FileFormat, Schema};

use super::mark::{FileMark, Keep, SinkMark};
use super::target::{Target, cannot_be_written, writing_stopped};
use super::value::{Style, write};
use super::{Deliver, Exact};

/// How a row becomes a line.
pub(super) struct LineFormat {
    columns: Vec<String>,
    kind: Kind,
}

enum Kind {
    Csv(CsvOptions),
    Json,
    /// A row among other events; what stands before it.
    Event(String),
}

/// None for formats that are not made of lines.
pub(super) fn format(format: &FileFormat, schema: &Schema) -> Option<LineFormat> {
    let kind = match format {
        FileFormat::Csv(options) => Kind::Csv(options.clone()),
        FileFormat::Jsonl | FileFormat::Json => Kind::Json,
        FileFormat::Parquet
        | FileFormat::Arrow
        | FileFormat::Msgpack
        | FileFormat::Wav
        | FileFormat::Images
        | FileFormat::Idx { .. } => return None,
    };
    Some(LineFormat { columns: schema.columns.iter().map(|column| column.name.to_string()).collect(), kind })
}

impl LineFormat {
    /// The same rows as events of this sink.
    pub fn into_events(self, sink: &Name) -> LineFormat {
        let sink = serde_json::Value::from(sink.as_str());
        LineFormat { kind: Kind::Event(format!("{{\"event\":\"row\",\"sink\":{sink},\"row\":")), ..self }
    }

    /// The line of names; empty where there is none.
    fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Kind::Csv(options) = &self.kind
            && options.header
        {
            for (nth, name) in self.columns.iter().enumerate() {
                separate(&mut out, options, nth);
                field(&mut out, name.as_bytes(), options);
            }
            out.push(b'\n');
        }
        out
    }

    fn ending(&self) -> &'static str {
        match self.kind {
            Kind::Csv(_) => "csv",
            Kind::Json | Kind::Event(_) => "jsonl",
        }
    }

    /// A line per row. `first` is the number of the first row, from 1.
    pub fn lines(&self, out: &mut Vec<u8>, rows: &RecordBatch, first: u64) -> Result<(), IoError> {
        let columns = columns(rows, &self.columns)?;
        for row in 0..rows.num_rows() {
            match &self.kind {
                Kind::Csv(options) => csv_line(out, &columns, row, options, first + row as u64),
                Kind::Json => json_object(out, &self.columns, &columns, row),
                Kind::Event(before) => {
                    out.extend_from_slice(before.as_bytes());
                    json_object(out, &self.columns, &columns, row);
                    out.push(b'}');
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }
}

/// The named columns of a batch.
pub(super) fn columns<'a>(rows: &'a RecordBatch, names: &[String]) -> Result<Vec<&'a dyn Array>, IoError> {
    let find = |name: &String| match rows.column_by_name(name) {
        Some(column) => Ok(column.as_ref()),
        None => Err(IoError::new(Code::R0713, format!("the rows have no column `{name}`, which the sink writes"))),
    };
    names.iter().map(find).collect()
}

fn csv_line(out: &mut Vec<u8>, columns: &[&dyn Array], row: usize, options: &CsvOptions, number: u64) {
    if options.index {
        out.extend_from_slice(number.to_string().as_bytes());
    }
    let mut text = Vec::new();
    for (nth, column) in columns.iter().enumerate() {
        separate(out, options, nth + usize::from(options.index));
        text.clear();
        write(&mut text, *column, row, Style::Bare);
        if options.decimal != '.' && column.data_type().is_floating() {
            text.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = options.decimal as u8);
        }
        field(out, &text, options);
    }
}

fn separate(out: &mut Vec<u8>, options: &CsvOptions, nth: usize) {
    if nth > 0 {
        out.extend_from_slice(options.separator.unwrap_or(' ').encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// In quotes where it holds a sign of the format; an empty field between blanks could not be seen.
fn field(out: &mut Vec<u8>, text: &[u8], options: &CsvOptions) {
    let separator = options.separator.unwrap_or(' ');
    let is_sign =
        |byte: &u8| matches!(*byte, b'\n' | b'\r') || char::from(*byte) == separator || char::from(*byte) == options.quote;
    let blank = options.separator.is_none() && (text.is_empty() || text.iter().any(u8::is_ascii_whitespace));
    if !blank && !text.iter().any(is_sign) {
        return out.extend_from_slice(text);
    }
    let quote = options.quote as u8;
    out.push(quote);
    for byte in text {
        if *byte == quote {
            out.push(quote);
        }
        out.push(*byte);
    }
    out.push(quote);
}

/// `{"a":1,"b":"x"}`.
pub(super) fn json_object(out: &mut Vec<u8>, names: &[String], columns: &[&dyn Array], row: usize) {
    for (nth, (name, column)) in names.iter().zip(columns).enumerate() {
        out.push(if nth == 0 { b'{' } else { b',' });
        serde_json::to_writer(&mut *out, name).expect("a vector takes every byte");
        out.push(b':');
        write(out, *column, row, Style::Json);
    }
    out.extend_from_slice(if names.is_empty() { b"{}" } else { b"}" });
}

/// Writes lines to a file or to the standard output.
pub(super) struct TextSink {
    format: LineFormat,
    path: PathBuf,
    out: Writer,
    lines: Vec<u8>,
    written: u64,
    /// Still to be written before the first row.
    header: Vec<u8>,
}

enum Writer {
    Plain(BufWriter<File>),
    /// Of which every piece stands for good as soon as it is written; packed ones are packed piece by piece. `torn` is where a
    /// piece began that could not be written whole.
    Exact {
        file: File,
        packs: bool,
        torn: Option<u64>,
    },
    Gzip(Box<GzEncoder<BufWriter<File>>>),
    Stdout,
}

impl TextSink {
    pub fn file(format: LineFormat, target: &Target, keep: Option<&Keep>) -> Result<TextSink, IoError> {
        let (path, file, empty) = target.growing(format.ending(), keep.map(|keep| &keep.mark))?;
        let mut header = format.header();
        if !empty && !header.is_empty() {
            check_header(&path, &header)?;
            header.clear();
        }
        let out = match (Packing::of(&path), keep) {
            (Packing::None, Some(keep)) => exact(&path, file, false, keep)?,
            (Packing::Gzip, Some(keep)) => exact(&path, file, true, keep)?,
            (Packing::None, None) => Writer::Plain(BufWriter::new(file)),
            (Packing::Gzip, None) => Writer::Gzip(Box::new(GzEncoder::new(BufWriter::new(file), Compression::default()))),
            (Packing::Zstd, _) => {
                return Err(cannot_be_written(&path, &std::io::Error::other("zstd is only read, not written")));
            }
        };
        let mut sink = TextSink { format, path, out, lines: header, written: 0, header: Vec::new() };
        sink.flush()?;
        Ok(sink)
    }

    pub fn stdout(format: LineFormat) -> TextSink {
        let header = format.header();
        TextSink { format, path: "stdout".into(), out: Writer::Stdout, lines: Vec::new(), written: 0, header }
    }

    /// Writes what was gathered, so that a reader of the file sees whole lines.
    fn flush(&mut self) -> Result<(), IoError> {
        let lines = std::mem::take(&mut self.lines);
        let done = match &mut self.out {
            Writer::Plain(file) => file.write_all(&lines).and_then(|()| file.flush()),
            Writer::Exact { file, packs, torn } => append(file, &lines, *packs, torn),
            Writer::Gzip(file) => file.write_all(&lines).and_then(|()| file.flush()),
            Writer::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(&lines).and_then(|()| out.flush())
            }
        };
        self.lines = lines;
        self.lines.clear();
        done.map_err(|error| writing_stopped(&self.path, error))
    }
}

impl Deliver for TextSink {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.lines.append(&mut self.header);
        self.format.lines(&mut self.lines, rows, self.written + 1)?;
        self.flush()?;
        self.written += rows.num_rows() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        let done = match &mut self.out {
            Writer::Plain(file) => file.get_ref().sync_all(),
            Writer::Exact { file, .. } => file.sync_all(),
            Writer::Gzip(file) => {
                file.try_finish().and_then(|()| file.get_mut().flush()).and_then(|()| file.get_ref().get_ref().sync_all())
            }
            Writer::Stdout => Ok(()),
        };
        done.map_err(|error| writing_stopped(&self.path, error))
    }

    fn exact(&mut self) -> Option<&mut dyn Exact> {
        match self.out {
            Writer::Exact { .. } => Some(self),
            Writer::Plain(_) | Writer::Gzip(_) | Writer::Stdout => None,
        }
    }
}

impl Exact for TextSink {
    fn open_rows(&self) -> u64 {
        0
    }

    fn since(&self) -> Option<Instant> {
        None
    }

    fn close(&mut self) -> Result<(), IoError> {
        Ok(())
    }

    fn mark(&mut self) -> Result<SinkMark, IoError> {
        let Writer::Exact { file, .. } = &self.out else { return Ok(SinkMark::default()) };
        let mark = FileMark::grown(&self.path, file).map_err(|error| writing_stopped(&self.path, error))?;
        Ok(SinkMark { files: vec![mark] })
    }
}

/// What the file has before the first row is written down, unless the mark says it.
fn exact(path: &Path, file: File, packs: bool, keep: &Keep) -> Result<Writer, IoError> {
    let mark = FileMark::grown(path, &file).map_err(|error| cannot_be_written(path, &error))?;
    if !keep.mark.files.iter().any(|known| known.is_of_the_file_of(&mark)) {
        keep.ledger.begin(mark).map_err(|found| IoError::new(found.code, found.message))?;
    }
    Ok(Writer::Exact { file, packs, torn: None })
}

/// All of it, or nothing: what an earlier try has left of itself is cut off.
fn append(file: &mut File, lines: &[u8], packs: bool, torn: &mut Option<u64>) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let packed;
    let bytes = if packs {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(lines)?;
        packed = encoder.finish()?;
        packed.as_slice()
    } else {
        lines
    };
    if let Some(stands) = *torn {
        file.set_len(stands)?;
    }
    *torn = Some(file.metadata()?.len());
    file.write_all(bytes)?;
    *torn = None;
    Ok(())
}

/// Rows are not appended under headers that mean something else.
fn check_header(path: &Path, header: &[u8]) -> Result<(), IoError> {
    let mut there = Vec::new();
    open::bytes(path)?.take(header.len() as u64).read_to_end(&mut there).map_err(|error| cannot_be_written(path, &error))?;
    if there == header {
        return Ok(());
    }
    let shown = |text: &[u8]| String::from_utf8_lossy(text).lines().next().unwrap_or_default().to_owned();
    let message = format!("`{}` begins with `{}`, and the sink writes `{}`", path.display(), shown(&there), shown(header));
    Err(IoError::new(Code::E0719, message).path(path).help("take another file, or move this one away"))
}
