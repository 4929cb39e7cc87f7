//! Files that have an end, for a sink that writes every row exactly once: segments.
//!
//! Rows wait in memory until there are enough of them, or they have waited long enough; then each file is written whole and
//! stands aside. It gets its name when a mark that names it is committed. So a file that is there is whole and final, and what a
//! process that ended was writing is nobody's.

use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::RecordBatch;

use crate::io::error::IoError;
use crate::io::place::{Mode, Place};
use crate::ir::{FileConnector, FileFormat, Schema};

use super::aside::Aside;
use super::mark::{FileMark, Keep, SinkMark};
use super::split::Paths;
use super::target::Target;
use super::{Deliver, Exact, whole_file};

/// Rows that wait for their segment; with so many it is written.
pub const SEGMENT_ROWS_MAX: usize = 128 * 1024;

pub(super) struct Segments {
    paths: Paths,
    format: FileFormat,
    schema: Schema,
    place: Place,
    keep: Keep,
    rows: Vec<RecordBatch>,
    count: usize,
    since: Option<Instant>,
    /// Written and not committed yet, as far as is known.
    closed: Vec<FileMark>,
}

impl Segments {
    pub fn new(file: &FileConnector, schema: &Schema, place: &Place, keep: &Keep) -> Result<Segments, IoError> {
        let (format, schema, place, keep) = (file.format.clone(), schema.clone(), place.clone(), keep.clone());
        let paths = Paths::new(&file.path, &schema)?;
        let closed = keep.mark.files.clone();
        let mut sink = Segments { paths, format, schema, place, keep, rows: vec![], count: 0, since: None, closed };
        sink.check()?;
        Ok(sink)
    }

    /// A folder that cannot be written is said at the beginning, where it is known.
    fn check(&mut self) -> Result<(), IoError> {
        match self.paths.only() {
            Some(path) => self.target(&path).whole(self.format.word()).map(drop),
            None => Ok(()),
        }
    }

    fn target(&self, path: &str) -> Target {
        let taken = self.closed.iter().map(|mark| PathBuf::from(mark.path())).collect();
        Target { path: self.place.base.join(path), mode: Mode::Live, taken }
    }

    fn write(&self, path: &str, rows: &[RecordBatch]) -> Result<FileMark, IoError> {
        let (aside, mark) = Aside::held(&self.target(path), self.format.word())?;
        self.keep.ledger.begin(mark.clone()).map_err(|found| IoError::new(found.code, found.message))?;
        let mut file = whole_file(&self.format, &self.schema, aside)?;
        rows.iter().try_for_each(|rows| file.deliver(rows))?;
        file.finish()?;
        Ok(mark)
    }
}

impl Deliver for Segments {
    /// After an error nothing of the rows was taken.
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        if self.count >= SEGMENT_ROWS_MAX {
            self.close()?;
        }
        if rows.num_rows() > 0 {
            self.rows.push(rows.clone());
            self.count += rows.num_rows();
            self.since.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        self.close()
    }

    fn exact(&mut self) -> Option<&mut dyn Exact> {
        Some(self)
    }
}

impl Exact for Segments {
    fn open_rows(&self) -> u64 {
        self.count as u64
    }

    fn since(&self) -> Option<Instant> {
        self.since
    }

    /// All files of it, or none.
    fn close(&mut self) -> Result<(), IoError> {
        let mut marks = Vec::new();
        for (path, rows) in self.paths.groups(&self.rows)? {
            match self.write(&path, &rows) {
                Ok(mark) => marks.push(mark),
                Err(error) => {
                    marks.iter().for_each(|mark: &FileMark| _ = mark.undo());
                    return Err(error);
                }
            }
        }
        self.closed.append(&mut marks);
        self.rows.clear();
        (self.count, self.since) = (0, None);
        Ok(())
    }

    fn mark(&mut self) -> Result<SinkMark, IoError> {
        self.closed.retain(|mark| Path::new(mark.written()).exists());
        Ok(SinkMark { files: self.closed.clone() })
    }
}
