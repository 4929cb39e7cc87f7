//! A path with `{column}`: one sink per value.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::io::place::{Mode, Place};
use crate::ir::{FileConnector, FileFormat, Schema};

use super::mark::{FileMark, Keep, SinkMark};
use super::text::columns;
use super::value::{Style, write};
use super::{Deliver, Exact, one_file};

/// Files that one sink may write to at the same time.
const FILES_MAX: usize = 512;

pub(super) struct Split {
    paths: Paths,
    format: FileFormat,
    schema: Schema,
    place: Place,
    mode: Mode,
    keep: Option<Keep>,
    open: BTreeMap<String, Box<dyn Deliver>>,
}

/// A path that is filled from each row, or one that is the same for all.
pub(super) struct Paths {
    parts: Vec<Part>,
    names: Vec<String>,
}

/// A piece of a path.
enum Part {
    Text(String),
    /// The number of a name.
    Column(usize),
}

impl Paths {
    pub fn new(path: &str, schema: &Schema) -> Result<Paths, IoError> {
        let (mut parts, mut names, mut rest) = (Vec::new(), Vec::new(), path);
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            if schema.get(name).is_none() {
                return Err(no_such_column(path, name, schema));
            }
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Column(names.len()));
            names.push(name.to_owned());
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Paths { parts, names })
    }

    /// The path, where it does not depend on the rows.
    pub fn only(&self) -> Option<String> {
        self.names.is_empty().then(|| self.path(&[]))
    }

    /// The path of one row. A value cannot leave its place in the path.
    fn path(&self, values: &[String]) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Column(nth) => safe(&values[*nth]),
        };
        self.parts.iter().map(part).collect()
    }

    /// The rows of each path, in their order.
    pub fn of(&self, rows: &RecordBatch) -> Result<Vec<(String, RecordBatch)>, IoError> {
        if let Some(path) = self.only() {
            return Ok(vec![(path, rows.clone())]);
        }
        let keys = columns(rows, &self.names)?;
        let path = |row: usize| {
            let value = |key: &&dyn arrow::array::Array| {
                let mut out = Vec::new();
                write(&mut out, *key, row, Style::Bare);
                String::from_utf8_lossy(&out).into_owned()
            };
            self.path(&keys.iter().map(value).collect::<Vec<_>>())
        };
        let paths: Vec<String> = (0..rows.num_rows()).map(path).collect();
        let each: BTreeSet<&String> = paths.iter().collect();
        let part = |one: &String| {
            let mask = BooleanArray::from_iter(paths.iter().map(|path| Some(path == one)));
            Ok((one.clone(), filter_record_batch(rows, &mask).map_err(arrow_refuses)?))
        };
        each.into_iter().map(part).collect()
    }

    /// The same over several batches.
    pub fn groups(&self, batches: &[RecordBatch]) -> Result<BTreeMap<String, Vec<RecordBatch>>, IoError> {
        let mut groups: BTreeMap<String, Vec<RecordBatch>> = BTreeMap::new();
        for batch in batches {
            for (path, rows) in self.of(batch)? {
                groups.entry(path).or_default().push(rows);
            }
        }
        Ok(groups)
    }
}

impl Split {
    pub fn new(
        file: &FileConnector,
        schema: &Schema,
        place: &Place,
        mode: Mode,
        keep: Option<&Keep>,
    ) -> Result<Split, IoError> {
        let paths = Paths::new(&file.path, schema)?;
        let (format, schema, place) = (file.format.clone(), schema.clone(), place.clone());
        // Files of before that get no row any more are in no mark from here on; one that does is begun anew in the ledger.
        let keep = keep.map(|keep| Keep { mark: SinkMark::default(), ..keep.clone() });
        Ok(Split { paths, format, schema, place, mode, keep, open: BTreeMap::new() })
    }

    fn sink(&mut self, path: &str) -> Result<&mut Box<dyn Deliver>, IoError> {
        if !self.open.contains_key(path) {
            if self.open.len() == FILES_MAX {
                return Err(too_many(path));
            }
            let sink = one_file(path, &self.format, &self.schema, &self.place, self.mode, self.keep.as_ref())?;
            self.open.insert(path.to_owned(), sink);
        }
        Ok(self.open.get_mut(path).expect("it was put there just now"))
    }
}

impl Deliver for Split {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        for (path, part) in self.paths.of(rows)? {
            self.sink(&path)?.deliver(&part)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        let results: Vec<_> = self.open.values_mut().map(|sink| sink.finish()).collect();
        results.into_iter().collect()
    }

    fn exact(&mut self) -> Option<&mut dyn Exact> {
        if self.keep.is_some() { Some(self) } else { None }
    }
}

/// Only files that grow are split while rows come, and those wait for nothing.
impl Exact for Split {
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
        let mut files: Vec<FileMark> = Vec::new();
        for sink in self.open.values_mut().filter_map(|sink| sink.exact()) {
            files.extend(sink.mark()?.files);
        }
        Ok(SinkMark { files })
    }
}

/// As part of a file name: no folders, no names that mean one.
fn safe(value: &str) -> String {
    let text: String = value.chars().map(|sign| if matches!(sign, '/' | '\\' | '\0' | ':') { '_' } else { sign }).collect();
    match text.as_str() {
        "" => "null".to_owned(),
        "." | ".." => "_".to_owned(),
        _ => text,
    }
}

fn no_such_column(path: &str, name: &str, schema: &Schema) -> IoError {
    let known: Vec<String> = schema.columns.iter().map(|column| format!("`{}`", column.name)).collect();
    IoError::new(Code::E0719, format!("`{path}` is filled from a column `{name}`, which the rows do not have"))
        .help(format!("take one of {}", known.join(", ")))
}

fn too_many(path: &str) -> IoError {
    IoError::new(Code::R0713, format!("`{path}` would be file number {} of this sink", FILES_MAX + 1))
        .help("fill the path from a column with fewer values")
}

#[cfg(test)]
pub(super) fn safe_for_tests(value: &str) -> String {
    safe(value)
}
