//! A recording as a set of files: which they are, in which order they stand, and which records were delivered.

mod merge;
mod progress;
mod survey;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};

use crate::base::Name;
use crate::diag::Code;
use crate::ir::{FileConnector, FileFormat, Origin};

use super::block::{Aside, At, Block};
use super::column::ColumnBuilder;
use super::columnar::ColumnarFile;
use super::csv::CsvFile;
use super::error::IoError;
use super::gate::{self, Arrival};
use super::idx::IdxFile;
use super::json::JsonFile;
use super::path::{Found, Template, natural};
use super::place::{Mode, Place};
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt};
use super::single::{Kind, SingleFile};
use super::spec::Spec;

use merge::Merge;
use progress::Done;
pub use progress::FilePosition;

/// Sentences that are kept about files of one recording.
const NOTES_MAX: usize = 100;

/// The files of one connector, read in the order of their recording.
pub(super) struct Files {
    shelf: Shelf,
    flow: Flow,
}

/// The files and what is known of them, apart from how they are read at the moment.
struct Shelf {
    spec: Arc<Spec>,
    format: FileFormat,
    files: Vec<FileAt>,
    done: Vec<Done>,
    ignored: Ignored,
    notes: Vec<String>,
    place: Place,
}

enum Flow {
    /// One after the other, rows as they stand.
    InTurn { next: usize, open: Option<Box<dyn Records>> },
    /// In the order of event time.
    ByTime(Merge),
}

impl Files {
    pub fn open(spec: &Arc<Spec>, connector: &FileConnector, place: &Place) -> Result<Files, IoError> {
        spec.check_arrival()?;
        let found = Template::parse(&whole_folder(connector))?.find(place)?;
        let mut notes = Vec::new();
        let files = in_order(spec, found, &mut notes)?;
        let done = files.iter().map(|_| Done::default()).collect();
        let (spec, format, place) = (spec.clone(), connector.format.clone(), place.clone());
        let mut shelf = Shelf { spec, format, files, done, ignored: Ignored::default(), notes, place };
        let flow = shelf.flow()?;
        Ok(Files { shelf, flow })
    }

    /// The next rows that were not delivered yet; none at the end.
    pub fn next(&mut self) -> Result<Option<Block>, IoError> {
        match &mut self.flow {
            Flow::ByTime(merge) => merge.next(&mut self.shelf),
            Flow::InTurn { next, open } => self.shelf.in_turn(next, open),
        }
    }

    /// These rows, and these records beside them, will not be read again.
    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        for stretch in at.chunk_by(|a, b| a.file == b.file && a.row + 1 == b.row) {
            let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
            self.shelf.done[first.file as usize].insert(first.row, last.row + 1);
        }
        for at in aside.places() {
            self.shelf.done[at.file as usize].insert(at.row, at.row + 1);
        }
    }

    pub fn position(&self) -> Vec<FilePosition> {
        let positions = self.shelf.files.iter().zip(&self.shelf.done);
        positions.filter(|(_, done)| done.began()).map(|(file, done)| done.position(&file.found.name)).collect()
    }

    /// Goes on behind what another reader of these files delivered. Files that are new since are read too.
    pub fn resume(&mut self, positions: &[FilePosition]) -> Result<(), IoError> {
        for (file, done) in self.shelf.files.iter().zip(&mut self.shelf.done) {
            if let Some(position) = positions.iter().find(|position| position.name == file.found.name) {
                *done = Done::from(position);
            }
        }
        self.flow = self.shelf.flow()?;
        Ok(())
    }

    /// The records that are still to come are decoded as `spec` says.
    pub fn retune(&mut self, spec: &Arc<Spec>) -> Result<(), IoError> {
        let found = self.shelf.files.iter().map(|file| file.found.clone()).collect();
        let before: Vec<FilePosition> = self.position();
        let files = in_order(spec, found, &mut Vec::new())?;
        let done = files.iter().map(|_| Done::default()).collect();
        let Shelf { format, ignored, notes, place, .. } = &self.shelf;
        let (format, ignored, notes, place) = (format.clone(), ignored.clone(), notes.clone(), place.clone());
        let shelf = Shelf { spec: spec.clone(), format, files, done, ignored, notes, place };
        let mut wanted = Files { shelf, flow: Flow::InTurn { next: 0, open: None } };
        wanted.resume(&before)?;
        *self = wanted;
        Ok(())
    }

    pub fn ignored(&self) -> &Ignored {
        &self.shelf.ignored
    }

    /// What should be said once: files that do not fit.
    pub fn notes(&self) -> &[String] {
        &self.shelf.notes
    }
}

impl Shelf {
    fn flow(&mut self) -> Result<Flow, IoError> {
        if self.spec.by_time() {
            return Ok(Flow::ByTime(survey::plan(self)?));
        }
        Ok(Flow::InTurn { next: 0, open: None })
    }

    fn in_turn(&mut self, next: &mut usize, open: &mut Option<Box<dyn Records>>) -> Result<Option<Block>, IoError> {
        let mut aside = Aside::default();
        while *next < self.files.len() {
            if self.done[*next].is_whole() {
                self.pass(*next);
                *next += 1;
                continue;
            }
            let records = match open {
                Some(records) => records,
                None => open.insert(self.open(*next)?),
            };
            match self.read(*next, records.as_mut())? {
                Some(mut block) => {
                    aside.append(std::mem::take(&mut block.aside));
                    block.aside = std::mem::take(&mut aside);
                    if block.len() > 0 {
                        return Ok(Some(block));
                    }
                    aside = block.aside;
                }
                None => {
                    *open = None;
                    self.pass(*next);
                    *next += 1;
                }
            }
        }
        if aside.is_empty() { Ok(None) } else { Ok(Some(self.nothing_but(aside))) }
    }

    /// The next file's rows are counted from the end of this one's.
    fn pass(&mut self, file: usize) {
        let rows = self.files[file].rows_before + self.done[file].rows().unwrap_or(0);
        if let Some(next) = self.files.get_mut(file + 1) {
            next.rows_before = rows;
        }
    }

    /// No rows, only what stands aside.
    fn nothing_but(&self, aside: Aside) -> Block {
        Block { aside, ..Block::empty(&self.spec) }
    }

    /// At the first record that was not delivered.
    fn open(&mut self, file: usize) -> Result<Box<dyn Records>, IoError> {
        let from = self.done[file].mark();
        let records = self.open_file(&self.spec, &self.files[file], from)?;
        self.done[file].note(records.mark());
        for note in records.absent() {
            if self.notes.len() < NOTES_MAX && !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
        Ok(records)
    }

    /// One file of any format.
    fn open_file(&self, spec: &Arc<Spec>, file: &FileAt, from: Option<Mark>) -> Result<Box<dyn Records>, IoError> {
        Ok(match &self.format {
            FileFormat::Csv(options) => Box::new(CsvFile::open(spec, file, options, from)?),
            FileFormat::Jsonl => Box::new(JsonFile::lines(spec, file, from)?),
            FileFormat::Json => Box::new(JsonFile::array(spec, file, from)?),
            FileFormat::Parquet => Box::new(ColumnarFile::parquet(spec, file, from)?),
            FileFormat::Arrow => Box::new(ColumnarFile::arrow(spec, file, from)?),
            FileFormat::Wav => Box::new(SingleFile::open(spec, file, Kind::Sound, from)?),
            FileFormat::Images => Box::new(SingleFile::open(spec, file, Kind::Picture, from)?),
            FileFormat::Idx { labels } => Box::new(IdxFile::open(spec, file, labels.as_deref(), &self.place, from)?),
            FileFormat::Msgpack => return Err(no_file(&file.found.name)),
        })
    }

    /// The next block of a file, without what was delivered already.
    fn read(&mut self, file: usize, records: &mut dyn Records) -> Result<Option<Block>, IoError> {
        let Some(mut decoded) = records.read()? else {
            self.done[file].end(records.mark().row);
            self.ignored.add(records.ignored());
            return Ok(None);
        };
        self.done[file].note(records.mark());
        self.done[file].drop_delivered(&mut decoded)?;
        self.timed(file, decoded).map(Some)
    }

    fn timed(&self, file: usize, decoded: Decoded) -> Result<Block, IoError> {
        let file = &self.files[file];
        let arrival = match self.spec.mode {
            Mode::Recorded => Arrival::Unknown,
            Mode::Live => Arrival::All(self.place.now.now()),
        };
        let from = gate::From { name: &file.found.name, rows_before: file.rows_before, arrival };
        gate::timed(&self.spec, decoded, &from)
    }
}

/// A path that ends in `/` stands for the files of its format in that folder.
fn whole_folder(connector: &FileConnector) -> String {
    let ending = match connector.format {
        FileFormat::Images | FileFormat::Idx { .. } => "*",
        _ => connector.format.word(),
    };
    if connector.path.ends_with('/') { format!("{}*.{ending}", connector.path) } else { connector.path.to_string() }
}

fn no_file(name: &str) -> IoError {
    IoError::new(Code::E0715, format!("`{name}` cannot be read as a file of `msgpack`"))
        .help("read it from the standard input: `live stdin(format: msgpack)`")
}

/// Files by their typed pattern columns, then by name; those whose patterns do not fit their columns are left out and named.
fn in_order(spec: &Spec, found: Vec<Found>, notes: &mut Vec<String>) -> Result<Vec<FileAt>, IoError> {
    let count = found.len();
    let mut files = Vec::new();
    for found in found {
        match typed(spec, &found) {
            Ok(fixed) => files.push(FileAt { found, index: 0, rows_before: 0, fixed }),
            Err(why) if notes.len() < NOTES_MAX => notes.push(format!("`{}` is not part of the recording: {why}", found.name)),
            Err(_) => {}
        }
    }
    if files.is_empty() {
        let why = notes.last().cloned().unwrap_or_default();
        return Err(IoError::new(Code::E0711, format!("none of {count} files fits the columns that its path fills: {why}"))
            .help("give the column a type that the names of the files have"));
    }
    files.sort_by(by_patterns);
    files.iter_mut().enumerate().for_each(|(nth, file)| file.index = nth as u32);
    Ok(files)
}

/// Each pattern that fills a column, as one value of its type.
pub(super) fn typed(spec: &Spec, found: &Found) -> Result<Vec<(Name, ArrayRef)>, String> {
    let mut out = Vec::new();
    for (pattern, text) in &found.values {
        let fills = |origin: &Origin| matches!(origin, Origin::Pattern(name) if name == pattern);
        if let Some(column) = spec.columns.iter().find(|column| fills(&column.origin)) {
            let mut builder = ColumnBuilder::new(column, b'.');
            builder.append_text(text.as_bytes())?;
            out.push((pattern.clone(), builder.finish()));
        }
    }
    Ok(out)
}

fn by_patterns(a: &FileAt, b: &FileAt) -> Ordering {
    let values = a.fixed.iter().zip(&b.fixed).map(|((_, a), (_, b))| by_value(a, b));
    values.fold(Ordering::Equal, Ordering::then).then_with(|| natural(&a.found.name, &b.found.name))
}

fn by_value(a: &ArrayRef, b: &ArrayRef) -> Ordering {
    if a.is_null(0) || b.is_null(0) {
        return b.is_null(0).cmp(&a.is_null(0));
    }
    match a.data_type() {
        DataType::Int64 => a.as_primitive::<Int64Type>().value(0).cmp(&b.as_primitive::<Int64Type>().value(0)),
        DataType::Float64 => a.as_primitive::<Float64Type>().value(0).total_cmp(&b.as_primitive::<Float64Type>().value(0)),
        DataType::Utf8 => natural(a.as_string::<i32>().value(0), b.as_string::<i32>().value(0)),
        DataType::Timestamp(..) => {
            let at = |array: &ArrayRef| array.as_primitive::<TimestampMicrosecondType>().value(0);
            at(a).cmp(&at(b))
        }
        _ => Ordering::Equal,
    }
}
