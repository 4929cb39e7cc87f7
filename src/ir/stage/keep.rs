//! Stages that let rows pass or not by which rows have passed before.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name};

/// `limit`, `sample`, `dedupe`, `throttle`: drops rows and changes none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeepOp {
    /// Each key on its own; empty where all rows are counted together.
    pub by: Vec<Name>,
    pub rule: KeepRule,
}

/// Which rows pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum KeepRule {
    /// `limit n`: the first n rows, and none after them.
    First { rows: u64 },
    /// `sample 1%`: this share of the rows, in 0..1, chosen by the number of the row alone.
    Share { share: f64 },
    /// `dedupe by K within D`: a row unless one of its key has passed at most D before or after its own time.
    Once { within: Duration },
    /// `throttle n per D by K`: a row unless n of its key have passed less than D before or after its own time.
    Rate { rows: u64, per: Duration },
}
