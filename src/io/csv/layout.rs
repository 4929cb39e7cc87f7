//! Which field of a record belongs to which column.

use csv::ByteRecord;

use crate::diag::Code;
use crate::ir::{CsvOptions, Origin, SourceColumn};

use crate::io::error::IoError;
use crate::io::spec::{Spec, absent, no_column};

/// Of one file, from its header or its first record.
pub(crate) struct Layout {
    /// Of each column that the file has, the index of its field, in declared order.
    pub fields: Vec<usize>,
    /// The origins of those columns.
    pub found: Vec<Origin>,
    /// Fields that a whole record has.
    count: usize,
    /// 1 where a running number stands in front of the fields, else 0.
    pub index: usize,
    /// Headers that no column reads.
    pub unread: Vec<String>,
    /// Nullable columns that the file does not have, each as a sentence.
    pub absent: Vec<String>,
}

impl Layout {
    /// `first` is the header, or the first row where there is no header; none in an empty file.
    pub fn of(spec: &Spec, file: &str, options: &CsvOptions, first: Option<&ByteRecord>) -> Result<Layout, IoError> {
        let Some(first) = first else { return Ok(Layout::nothing()) };
        let headers: Vec<String> = match options.header {
            true => first.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect(),
            false => Vec::new(),
        };
        // A running number may have a header of its own, which is then empty.
        let named_index = options.index && headers.first().is_some_and(String::is_empty);
        let count = first.len() + usize::from(options.header && options.index && !named_index);
        let shift = usize::from(options.index && !named_index);
        let mut layout = Layout { count, index: usize::from(options.index), ..Layout::nothing() };
        for column in &spec.columns {
            let at = match &column.origin {
                Origin::Field(name) => headers.iter().position(|header| header == name.as_str()).map(|at| at + shift),
                Origin::Position(nth) => Some((*nth as usize).saturating_sub(1) + layout.index).filter(|at| *at < count),
                Origin::Path(_) => None,
                Origin::Pattern(_) | Origin::Row | Origin::Arrival => continue,
            };
            match at {
                Some(at) => layout.bind(column, at),
                None if column.column.nullable => layout.absent.push(lacking(column, file, &headers)),
                None => return Err(missing(column, file, options, &headers, count - layout.index)),
            }
        }
        let read = |at: &usize| layout.fields.contains(&(at + shift));
        layout.unread =
            (0..headers.len()).filter(|at| !read(at) && !headers[*at].is_empty()).map(|at| headers[at].clone()).collect();
        Ok(layout)
    }

    fn nothing() -> Layout {
        Layout { fields: Vec::new(), found: Vec::new(), count: 0, index: 0, unread: Vec::new(), absent: Vec::new() }
    }

    fn bind(&mut self, column: &SourceColumn, at: usize) {
        self.fields.push(at);
        self.found.push(column.origin.clone());
    }

    /// Why the record has not the fields that it should have. Empty fields too many are trailing separators.
    pub fn misfit(&self, record: &ByteRecord) -> Option<String> {
        let too_many = || record.iter().skip(self.count).any(|field| !field.is_empty());
        if record.len() == self.count || (record.len() > self.count && !too_many()) {
            return None;
        }
        Some(format!("{} field{} instead of {}", record.len(), if record.len() == 1 { "" } else { "s" }, self.count))
    }
}

fn lacking(column: &SourceColumn, file: &str, headers: &[String]) -> String {
    match &column.origin {
        Origin::Field(name) | Origin::Path(name) => absent(column, name, file, headers),
        Origin::Position(nth) => format!("the rows of `{file}` have no field {nth}, so `{}` is null there", column.column.name),
        Origin::Pattern(_) | Origin::Row | Origin::Arrival => String::new(),
    }
}

fn missing(column: &SourceColumn, file: &str, options: &CsvOptions, headers: &[String], count: usize) -> IoError {
    match &column.origin {
        Origin::Position(nth) => {
            let message = format!("`{}` reads field {nth}, and a row of `{file}` has {count}", column.column.name);
            IoError::new(Code::E0714, message).at(column.column.span).help("count the fields from 1")
        }
        Origin::Field(name) if options.header => no_column(column, name, file, headers),
        Origin::Field(_) | Origin::Path(_) | Origin::Pattern(_) | Origin::Row | Origin::Arrival => {
            let message = format!("`{}` cannot be found in `{file}`, whose columns have no names", column.column.name);
            IoError::new(Code::E0714, message).at(column.column.span).help("write the field's position, such as `from 3`")
        }
    }
}
