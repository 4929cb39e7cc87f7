//! What is written down of one draw, so that it can be made again after a restart.

use std::fmt;

use arrow::array::RecordBatch;

use crate::base::Time;
use crate::io::place::Now;

use super::InputPosition;

/// One draw of a source that stands where it stood before it: exactly these rows come again, with the same event times.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    pub rows: u64,
    /// Records that could not be read, which came with the rows.
    pub bad: u64,
    /// When they were read, by the clock of the place: rows that carry their arrival carry the same one again.
    pub read: Time,
    /// Without rows: where silence moved the watermark to.
    pub silence: Option<Time>,
    /// The rows themselves, of a source that cannot read them again.
    pub kept: Option<Kept>,
}

/// Rows as they were drawn, in the schema of the gate, and beside them what could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub rows: RecordBatch,
    pub bad: Option<RecordBatch>,
    /// Where the input stands behind them.
    pub stands: Option<InputPosition>,
}

/// A clock that stands while a draw is made again.
#[derive(Clone, Copy)]
pub(super) struct Held(pub Time);

impl Now for Held {
    fn now(&self) -> Time {
        self.0
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held at {}", self.0)
    }
}
