//! A path with `{column}`: one sink per value.

use std::collections::BTreeMap;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::io::place::{Mode, Place};
use crate::ir::{FileConnector, FileFormat, Schema};

use super::text::columns;
use super::value::{Style, write};
use super::{Deliver, one_file};

/// Files that one sink may write to at the same time.
const FILES_MAX: usize = 512;

pub(super) struct Split {
    path: Vec<Part>,
    names: Vec<String>,
    format: FileFormat,
    schema: Schema,
    place: Place,
    mode: Mode,
    open: BTreeMap<String, Box<dyn Deliver>>,
}

/// A piece of a path.
enum Part {
    Text(String),
    /// The number of a name.
    Column(usize),
}

impl Split {
    pub fn new(file: &FileConnector, schema: &Schema, place: &Place, mode: Mode) -> Result<Split, IoError> {
        let (mut path, mut names, mut rest) = (Vec::new(), Vec::new(), file.path.as_str());
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            if schema.get(name).is_none() {
                return Err(no_such_column(&file.path, name, schema));
            }
            path.push(Part::Text(text.to_owned()));
            path.push(Part::Column(names.len()));
            names.push(name.to_owned());
            rest = after;
        }
        path.push(Part::Text(rest.to_owned()));
        let (format, schema, place) = (file.format.clone(), schema.clone(), place.clone());
        Ok(Split { path, names, format, schema, place, mode, open: BTreeMap::new() })
    }

    /// The path of one row. A value cannot leave its place in the path.
    fn path(&self, values: &[String]) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Column(nth) => safe(&values[*nth]),
        };
        self.path.iter().map(part).collect()
    }

    fn sink(&mut self, path: &str) -> Result<&mut Box<dyn Deliver>, IoError> {
        if !self.open.contains_key(path) {
            if self.open.len() == FILES_MAX {
                return Err(too_many(path));
            }
            let sink = one_file(path, &self.format, &self.schema, &self.place, self.mode)?;
            self.open.insert(path.to_owned(), sink);
        }
        Ok(self.open.get_mut(path).expect("it was put there just now"))
    }
}

impl Deliver for Split {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
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
        let mut each: Vec<&String> = paths.iter().collect();
        each.sort_unstable();
        each.dedup();
        for one in each {
            let mask = BooleanArray::from_iter(paths.iter().map(|path| Some(path == one)));
            let part = filter_record_batch(rows, &mask).map_err(arrow_refuses)?;
            self.sink(one)?.deliver(&part)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        let results: Vec<_> = self.open.values_mut().map(|sink| sink.finish()).collect();
        results.into_iter().collect()
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
