//! `top n by E within D` and `sort by K within D`: rows of one stretch of time in an order.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name};
use crate::ir::Expr;

/// The rows of each stretch of this length, aligned to 1970, in an order, when it is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankOp {
    pub rule: RankRule,
    pub within: Duration,
}

/// Which rows come out, and in which order; earlier ones first where it says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RankRule {
    /// So many, the greatest first; a row for which it is null is dropped.
    Best { count: u64, by: Expr },
    /// All, rising by these columns, null last.
    Rising { by: Vec<Name> },
}

impl RankRule {
    /// What the order is made of.
    pub fn columns(&self) -> Vec<Name> {
        match self {
            RankRule::Best { count: _, by } => by.columns().into_iter().collect(),
            RankRule::Rising { by } => by.clone(),
        }
    }

    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            RankRule::Best { count: _, by } => vec![by],
            RankRule::Rising { by: _ } => vec![],
        }
    }
}
