//! A forecast of a path: one model for each step, each learned for its own distance (the direct strategy; Ben Taieb et al., Expert
//! Systems with Applications 39, 2012), so that no step is fed with the mistakes of another.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray, RecordBatch};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};

use crate::node::Predictions;

use super::{Control, FitError, FitRequest, Fitted};

/// The models of the steps before the last, which learn from the same rows and settings; each from rows of which its own later
/// value is known.
pub fn fit_before(request: &FitRequest, control: &Control) -> Result<Vec<Fitted>, FitError> {
    let fit = |target: &ArrayRef| {
        let known = |row: &usize| is_known(target, *row);
        let rows: Vec<usize> = request.rows.iter().copied().filter(known).collect();
        FitRequest { target, before: &[], per: None, rows: &rows, ..*request }.fit(control)
    };
    request.before.iter().map(fit).collect()
}

/// Is it there, and a number?
fn is_known(target: &ArrayRef, row: usize) -> bool {
    target.is_valid(row) && target.as_primitive_opt::<Float64Type>().is_none_or(|target| target.value(row).is_finite())
}

impl Fitted {
    /// The models of all steps, the last one's last; of everything but a path it alone.
    pub fn steps(&self) -> impl Iterator<Item = &Fitted> {
        self.before.iter().chain([self])
    }

    /// A list of values for each row, one for each step.
    pub(super) fn answer_path(&self, rows: &RecordBatch) -> Predictions {
        let steps: Vec<Float64Array> = self.steps().map(|step| step.numbers(rows)).collect();
        let is_whole = |row: usize| steps.iter().all(|step| step.is_valid(row));
        let valid: Vec<bool> = (0..rows.num_rows()).map(is_whole).collect();
        let lengths = valid.iter().map(|valid| if *valid { steps.len() } else { 0 });
        let whole = (0..rows.num_rows()).filter(|row| valid[*row]);
        let values: Float64Array =
            whole.flat_map(|row| steps.iter().map(move |step| step.value(row))).collect::<Vec<_>>().into();
        let field = Arc::new(Field::new_list_field(DataType::Float64, true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Predictions {
            values: Arc::new(ListArray::new(field, offsets, Arc::new(values), Some(NullBuffer::from(valid)))),
            scores: None,
        }
    }

    /// Null where there is no answer.
    fn numbers(&self, rows: &RecordBatch) -> Float64Array {
        let (scores, usable) = self.scores(rows);
        let answered = self.target.answer(&scores, usable.as_deref()).values;
        let numbers = cast(&answered, &DataType::Float64).expect("a step is a number");
        numbers.as_primitive::<Float64Type>().clone()
    }
}
