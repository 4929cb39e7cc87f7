//! The one message that carries data and progress.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;

use super::{Clock, Ordinal, Ordinals};

/// Rows, possibly none, together with the span of ordinals that they cover and the clock over that span. A batch whose rows
/// are all dropped still travels on: it says that everything before `upto` has been seen.
#[derive(Clone, Debug)]
pub struct Batch {
    pub rows: RecordBatch,
    /// Of each row; all are below `upto`.
    pub ordinals: Ordinals,
    /// The first ordinal that the batch does not cover.
    pub upto: Ordinal,
    pub clock: Clock,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same span with other columns, row for row.
    pub fn with_rows(self, rows: RecordBatch) -> Batch {
        debug_assert_eq!(rows.num_rows(), self.rows.num_rows());
        Batch { rows, ..self }
    }

    /// Only the rows that `mask` keeps; the span and its clock stay whole.
    pub fn filter(&self, mask: &BooleanArray) -> Result<Batch, ArrowError> {
        Ok(Batch {
            rows: filter_record_batch(&self.rows, mask)?,
            ordinals: self.ordinals.filter(mask),
            upto: self.upto,
            clock: self.clock.clone(),
        })
    }

    /// What lies before `at`, and the rest. Together they say exactly what the whole says.
    pub fn split(&self, at: Ordinal) -> (Batch, Batch) {
        let cut = self.ordinals.before(at, self.len());
        let (early, late) = self.clock.split(at, self.upto);
        let part = |from: usize, rows: usize, upto: Ordinal, clock: Clock| Batch {
            rows: self.rows.slice(from, rows),
            ordinals: self.ordinals.slice(from, rows),
            upto,
            clock,
        };
        (part(0, cut, at.min(self.upto), early), part(cut, self.len() - cut, self.upto, late))
    }
}
