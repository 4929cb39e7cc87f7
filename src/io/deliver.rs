//! Where rows go out: files and the standard output.
//!
//! Only visible columns are written. Times are ISO 8601 in UTC, durations numbers of seconds, enums their text, tensors,
//! signals and lists JSON arrays, bytes hexadecimal digits, null an empty field or `null`; in Parquet and Arrow files
//! columns keep their Arrow types.
//!
//! Under a replay a file is written anew. Live, lines are appended to what is there: `csv` and `jsonl` files grow with every
//! batch and hold whole lines at any moment, packed ones after every batch. `parquet`, `arrow` and `json` files have an end,
//! so they are written aside and get their name when they are finished; live they never replace a file, but take the next
//! free number (`out.parquet`, `out-2.parquet`). A path that ends in `/` is a folder of numbered files. `{column}` in a path
//! is filled from each row.

mod aside;
mod cells;
mod json;
mod mark;
mod post;
mod segments;
mod split;
mod table;
mod target;
mod text;
mod value;

use std::time::Instant;

use arrow::array::RecordBatch;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Connector, FileConnector, FileFormat, Schema};
use crate::plan::Accept;

use super::error::IoError;
use super::place::{Mode, Place, Stdout};

use aside::Aside;
pub use cells::cells;
pub use mark::{FileMark, Keep, Ledger, SinkMark, settle};
pub use segments::SEGMENT_ROWS_MAX;
use segments::Segments;
use split::Split;
use table::TableSink;
use target::Target;
use text::TextSink;

/// The outer end of a sink.
pub trait Deliver: Send {
    /// Writes these rows; the batch may have hidden columns, which are left out. After an error part of them may be written.
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError>;

    /// Nothing more will come: closes what has an end. Called once.
    fn finish(&mut self) -> Result<(), IoError>;

    /// The rows that are delivered next have these numbers, from the given one on, in the outbox of this number.
    fn stands(&mut self, outbox: u64, next: u64) {
        let _ = (outbox, next);
    }

    /// Of rows that could not be delivered in the end, so many were.
    fn part_done(&self) -> u64 {
        0
    }

    /// Of rows that were delivered, those that the receiver does not want, and why. Another try would not help.
    fn take_refused(&mut self) -> Option<(u64, String)> {
        None
    }

    /// Sinks that can say what of their rows stands for good, and go on behind it.
    fn exact(&mut self) -> Option<&mut dyn Exact> {
        None
    }
}

/// A sink that writes every row exactly once, also over a process that ends at any moment.
pub trait Exact {
    /// The last so many of the rows that were delivered are in no mark yet.
    fn open_rows(&self) -> u64;

    /// Since when the oldest of them has waited.
    fn since(&self) -> Option<Instant>;

    /// Brings them into the mark.
    fn close(&mut self) -> Result<(), IoError>;

    /// What stands for good, once this is committed.
    fn mark(&mut self) -> Result<SinkMark, IoError>;
}

/// Opens the connector of a sink of this name whose rows have this schema. With `keep` every row is written to its files exactly once, live,
/// behind what the mark says; anywhere else nothing can be taken back, and rows may come twice after a crash. A file that cannot be written is said here, unless its name
/// depends on the rows.
pub fn deliver(
    sink: &Name,
    accept: &Accept,
    schema: &Schema,
    place: &Place,
    mode: Mode,
    keep: Option<&Keep>,
) -> Result<Box<dyn Deliver>, Diagnostic> {
    if accept.keeps {
        return self::keep(&accept.connector, schema, place, keep);
    }
    let visible = Schema { columns: schema.visible().cloned().collect(), ..schema.clone() };
    match &accept.connector {
        Connector::File(file) => to_file(file, &visible, place, mode, keep).map_err(IoError::diagnostic),
        Connector::Stdout { format } => match (text::format(format, &visible), place.stdout) {
            (Some(format), Stdout::Rows) => Ok(Box::new(TextSink::stdout(format))),
            (Some(format), Stdout::Events) => Ok(Box::new(TextSink::stdout(format.into_events(sink)))),
            (None, _) => Err(no_binary_stdout().diagnostic()),
        },
        Connector::Simulate(_) => Err(cannot_write("simulate").diagnostic()),
        Connector::Stdin { .. } => Err(cannot_write("stdin").diagnostic()),
        Connector::Tail(_) => Err(cannot_write("tail").diagnostic()),
        Connector::Http(_) => Err(cannot_write("http(port: …)").diagnostic()),
        Connector::Post(to) => post::open(sink, to, &visible, place, mode, keep),
        Connector::Later { name, .. } => Err(not_yet(name).diagnostic()),
    }
}

/// Opens the file or folder in which a source keeps what comes in live. Hidden columns are kept too, so that an
/// [`Intake`](super::Intake) reads the same rows with the same event times, in the order of their arrival. `parquet`, `arrow`
/// and `json` need a folder: each time they are opened begins a new file in it. With `exact` every row is written exactly once.
pub fn keep(
    connector: &Connector,
    schema: &Schema,
    place: &Place,
    exact: Option<&Keep>,
) -> Result<Box<dyn Deliver>, Diagnostic> {
    match connector {
        Connector::File(file) if file.path.ends_with('/') || file.format.grows() => {
            to_file(file, schema, place, Mode::Live, exact).map_err(IoError::diagnostic)
        }
        Connector::File(file) => Err(needs_folder(&file.path).diagnostic()),
        Connector::Simulate(_)
        | Connector::Stdin { .. }
        | Connector::Stdout { .. }
        | Connector::Tail(_)
        | Connector::Http(_)
        | Connector::Post(_) => Err(cannot_write("keep").diagnostic()),
        Connector::Later { name, .. } => Err(not_yet(name).diagnostic()),
    }
}

fn to_file(
    file: &FileConnector,
    schema: &Schema,
    place: &Place,
    mode: Mode,
    keep: Option<&Keep>,
) -> Result<Box<dyn Deliver>, IoError> {
    match keep {
        Some(keep) if !file.format.grows() => Ok(Box::new(Segments::new(file, schema, place, keep)?)),
        Some(_) | None if file.path.contains('{') => Ok(Box::new(Split::new(file, schema, place, mode, keep)?)),
        Some(_) | None => one_file(&file.path, &file.format, schema, place, mode, keep),
    }
}

/// A sink whose path is settled.
fn one_file(
    path: &str,
    format: &FileFormat,
    schema: &Schema,
    place: &Place,
    mode: Mode,
    keep: Option<&Keep>,
) -> Result<Box<dyn Deliver>, IoError> {
    let target = Target { path: place.base.join(path), mode, taken: Vec::new() };
    let ending = match format {
        FileFormat::Csv(_) | FileFormat::Jsonl => {
            let format = text::format(format, schema).unwrap_or_else(|| unreachable!("both are text"));
            return Ok(Box::new(TextSink::file(format, &target, keep)?));
        }
        FileFormat::Json | FileFormat::Parquet | FileFormat::Arrow => format.word(),
        FileFormat::Msgpack | FileFormat::Wav | FileFormat::Images | FileFormat::Idx { .. } => {
            return Err(only_read(format));
        }
    };
    whole_file(format, schema, Aside::named(&target, ending)?)
}

/// A file that has an end.
fn whole_file(format: &FileFormat, schema: &Schema, aside: Aside) -> Result<Box<dyn Deliver>, IoError> {
    Ok(match format {
        FileFormat::Parquet => Box::new(TableSink::parquet(schema, aside)?),
        FileFormat::Json => Box::new(json::ArraySink::new(schema, aside)?),
        FileFormat::Arrow | FileFormat::Csv(_) | FileFormat::Jsonl => Box::new(TableSink::arrow(schema, aside)?),
        FileFormat::Msgpack | FileFormat::Wav | FileFormat::Images | FileFormat::Idx { .. } => return Err(only_read(format)),
    })
}

fn only_read(format: &FileFormat) -> IoError {
    IoError::new(Code::E0719, format!("files of `{}` are only read", format.word())).help("write `parquet(…)` or `jsonl(…)`")
}

fn needs_folder(path: &str) -> IoError {
    let message = format!("`{path}` has an end, so nothing can be appended to it");
    IoError::new(Code::E0719, message).help("name a folder, as in `keep parquet(\"air/\")`")
}

fn cannot_write(name: &str) -> IoError {
    IoError::new(Code::E0719, format!("nothing can be written to `{name}`")).help("write to a file or to `stdout()`")
}

fn no_binary_stdout() -> IoError {
    IoError::new(Code::E0719, "the standard output takes rows as text")
        .help("write `stdout(format: jsonl)` or `stdout(format: csv)`")
}

fn not_yet(name: &str) -> IoError {
    IoError::new(Code::E0199, format!("rows cannot be sent to `{name}` in this version"))
        .help("write to a file or to `stdout()`")
}

#[cfg(test)]
mod tests;

/// All columns as lines of CSV without a header, for tests.
#[cfg(test)]
pub(super) fn lines_of(rows: &RecordBatch) -> String {
    let mut out = Vec::new();
    for row in 0..rows.num_rows() {
        for (nth, column) in rows.columns().iter().enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            value::write(&mut out, column.as_ref(), row, value::Style::Bare);
        }
        out.push(b'\n');
    }
    String::from_utf8_lossy(&out).into_owned()
}
