//! `resample every D by K fill …`: rows at equal steps of time.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name};

/// One row at each multiple of `every` since 1970, for each key, from its first row on; after `within` without a row of the
/// key there are none until it comes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResampleOp {
    pub every: Duration,
    pub by: Vec<Name>,
    pub fill: Filling,
    /// The longest gap between two rows that is filled.
    pub within: Duration,
}

/// What stands where the row of a step is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filling {
    /// On the line between the rows around it, for numbers with a fraction; of other columns the last value.
    Linear,
    /// What the last row had.
    Last,
    /// Null, where no row came since the step before.
    Null,
}

impl Filling {
    /// As the language writes it.
    pub fn word(self) -> &'static str {
        match self {
            Filling::Linear => "linear",
            Filling::Last => "last",
            Filling::Null => "null",
        }
    }
}
