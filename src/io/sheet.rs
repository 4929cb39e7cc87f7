//! Rows of a text format, gathered record by record into columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{cast, filter_record_batch, take};

use crate::ir::Origin;

use super::block::{Aside, At, Bad, BadAt};
use super::column::{ColumnBuilder, Reason};
use super::error::{IoError, arrow_refuses};
use super::path::Found;
use super::spec::Spec;

/// Where a declared column takes its values from, in one file.
#[derive(Clone, Debug)]
pub(super) enum Fill {
    /// From the records, by the builder of this number.
    Field(usize),
    /// The same for the whole file: a pattern of its path.
    Fixed(ArrayRef),
    /// The record's number in the recording, from 1.
    Row,
    /// Filled in by the gate.
    Arrival,
    /// The file does not have it.
    Null,
}

/// What a file's readers gather.
pub(super) struct Decoded {
    /// The declared columns.
    pub rows: RecordBatch,
    pub at: Vec<At>,
    pub aside: Aside,
}

/// Gathers records of one file. Usage: `begin`, then one append per builder, then `end`.
pub(super) struct Sheet {
    spec: Arc<Spec>,
    fills: Vec<Fill>,
    pub builders: Vec<ColumnBuilder>,
    /// Its number among the recording's files.
    pub file: u32,
    /// Records of the recording before this file.
    pub rows_before: u64,
    name: String,
    at: Vec<At>,
    kept: Vec<bool>,
    aside: Aside,
}

impl Sheet {
    /// `fields` says which columns the file has: those get a builder each, in the order of the declaration.
    pub fn new(spec: &Arc<Spec>, found: &FileAt, decimal: u8, has: impl Fn(&Origin) -> bool) -> Sheet {
        let mut builders = Vec::new();
        let fills = spec.columns.iter().map(|column| match &column.origin {
            origin if has(origin) => {
                builders.push(ColumnBuilder::new(column, decimal));
                Fill::Field(builders.len() - 1)
            }
            Origin::Pattern(name) => found.fixed(name).map_or(Fill::Null, Fill::Fixed),
            Origin::Row => Fill::Row,
            Origin::Arrival => Fill::Arrival,
            Origin::Field(_) | Origin::Position(_) | Origin::Path(_) => Fill::Null,
        });
        let fills = fills.collect();
        Sheet {
            spec: spec.clone(),
            fills,
            builders,
            file: found.index,
            rows_before: found.rows_before,
            name: found.found.name.to_string(),
            at: Vec::new(),
            kept: Vec::new(),
            aside: Aside::default(),
        }
    }

    /// A record whose fields were appended to every builder; `why` is the first thing wrong with it.
    pub fn end(&mut self, row: u64, why: Option<Reason>, raw: impl FnOnce() -> (Vec<u8>, u64)) {
        let at = At { file: self.file, row };
        self.at.push(at);
        self.kept.push(why.is_none());
        if let Some(reason) = why {
            self.refuse(at, reason, raw);
        }
    }

    /// A record of which no field was appended.
    pub fn bad(&mut self, row: u64, reason: Reason, raw: impl FnOnce() -> (Vec<u8>, u64)) {
        self.refuse(At { file: self.file, row }, reason, raw);
    }

    /// A record without any value.
    pub fn empty(&mut self, row: u64) {
        self.aside.empty.push(At { file: self.file, row });
    }

    fn refuse(&mut self, at: At, reason: Reason, raw: impl FnOnce() -> (Vec<u8>, u64)) {
        let (raw, line) = raw();
        self.aside.bad.push(Bad::new(at, BadAt::Decode, reason, &raw, format!("{}:{line}", self.name)));
    }

    /// Everything gathered since the last time, without the bad rows.
    pub fn finish(&mut self) -> Result<Decoded, IoError> {
        let gathered: Vec<ArrayRef> = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        let (mut at, kept) = (std::mem::take(&mut self.at), std::mem::take(&mut self.kept));
        let count = at.len();
        let columns = self.fills.iter().zip(self.spec.declared.fields()).map(|(fill, field)| match fill {
            Fill::Field(nth) => Ok(gathered[*nth].clone()),
            Fill::Fixed(one) => repeat(one, count),
            Fill::Row => {
                let numbers = at.iter().map(|at| (self.rows_before + at.row + 1) as i64);
                cast(&Int64Array::from_iter_values(numbers), field.data_type()).map_err(arrow_refuses)
            }
            Fill::Arrival => Ok(Arc::new(TimestampMicrosecondArray::from(vec![0; count]).with_timezone("UTC")) as ArrayRef),
            Fill::Null => Ok(arrow::array::new_null_array(field.data_type(), count)),
        });
        let columns = columns.collect::<Result<Vec<_>, IoError>>()?;
        let aside = std::mem::take(&mut self.aside);
        let rows = if kept.iter().all(|kept| *kept) {
            RecordBatch::try_new(self.spec.declared.clone(), columns).map_err(arrow_refuses)?
        } else {
            let mut nth = 0;
            at.retain(|_| {
                nth += 1;
                kept[nth - 1]
            });
            self.without_bad(columns, &BooleanArray::from(kept))?
        };
        Ok(Decoded { rows, at, aside })
    }

    /// Bad rows hold nulls where none may be, so the check of the schema comes after the filter.
    fn without_bad(&self, columns: Vec<ArrayRef>, kept: &BooleanArray) -> Result<RecordBatch, IoError> {
        let loose: Vec<_> =
            self.spec.declared.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let loose = RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(loose)), columns).map_err(arrow_refuses)?;
        let good = filter_record_batch(&loose, kept).map_err(arrow_refuses)?;
        RecordBatch::try_new(self.spec.declared.clone(), good.columns().to_vec()).map_err(arrow_refuses)
    }
}

/// One value, as often as there are rows.
pub(super) fn repeat(one: &ArrayRef, count: usize) -> Result<ArrayRef, IoError> {
    take(one, &UInt32Array::from(vec![0; count]), None).map_err(arrow_refuses)
}

/// A file among those of its recording.
#[derive(Clone, Debug)]
pub(super) struct FileAt {
    pub found: Found,
    pub index: u32,
    /// Records of the recording in files before it.
    pub rows_before: u64,
    /// The typed values of its patterns, one row each, by the pattern's name.
    pub fixed: Vec<(crate::base::Name, ArrayRef)>,
}

impl FileAt {
    pub fn fixed(&self, pattern: &str) -> Option<ArrayRef> {
        self.fixed.iter().find(|(name, _)| *name == *pattern).map(|(_, value)| value.clone())
    }
}
