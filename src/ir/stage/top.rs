//! `top n by E within D`.

use serde::{Deserialize, Serialize};

use crate::base::Duration;
use crate::ir::Expr;

/// Of each stretch of this length, aligned to 1970, the rows for which `by` is greatest; earlier ones first where it is equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopOp {
    pub count: u64,
    pub by: Expr,
    pub within: Duration,
}
