//! What stands behind a door: whatever answers for rows.

use std::pin::Pin;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};

use crate::base::Name;

use super::Status;

/// An answer on its way. Dropping it is how a client that has gone is forgotten.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Answers for rows of a source, and says how all is going. Neither may block.
pub trait Backend: Send + Sync {
    /// `rows` has the columns of the door, in its order; the answer has one entry per row, in the same order.
    fn predict(&self, task: &Name, rows: RecordBatch) -> Answering;

    fn status(&self) -> Status;
}

/// Row for row; null where a row is not answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Of the model that answered; none if none did.
    pub version: Option<String>,
    pub values: ArrayRef,
    /// The probability of the chosen class or the score, in 0..1; none for regressions.
    pub scores: Option<Float64Array>,
    /// Why rows are null, where the same holds for all of them.
    pub reason: Option<String>,
}

/// Why there is no answer at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing has been learned yet; `why` says what it waits for.
    NoModel { why: String },
    /// The queue is full.
    Overloaded,
    /// The pipeline is ending.
    Stopping,
    /// A stage or the model failed on these rows.
    Failed { code: String, message: String },
}
