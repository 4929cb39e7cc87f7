//! `join`, `asof`, `lookup`: columns of rows with an equal key.
//!
//! Whoever steps such a node gives it what has come in at port 1 over a span before the rows of port 0 over the same span; the
//! node puts both into the order of their ordinals, port 0 first where two are equal. A null key matches nothing.

mod interval;
mod latest;

use arrow::array::RecordBatch;

use crate::ir::{self, JoinKind};
use crate::node::{Node, NodeError};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;

/// How many rows one stage remembers, over all keys.
const ROWS_MAX: usize = 1_000_000;

pub(super) fn build(spec: &NodeSpec, input: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
    let [left, right] = input else { return Err(ill_formed(format!("{} reads two streams", spec.key))) };
    match &op(spec)?.kind {
        JoinKind::Interval { within, .. } => Ok(Box::new(interval::Interval::build(spec, left, right, *within)?)),
        JoinKind::Asof { within, .. } => Ok(Box::new(latest::Latest::asof(spec, left, right, *within)?)),
        JoinKind::Lookup { .. } => Err(ill_formed(format!("{} has no table", spec.key))),
    }
}

/// The node of a `lookup`; `rows` are those of its table.
///
/// # Errors
/// Where two of them have one key, or a part of a key is null.
pub fn lookup(spec: &NodeSpec, input: &[ir::Schema], rows: &RecordBatch) -> Result<Box<dyn Node>, NodeError> {
    let [left] = input else { return Err(ill_formed(format!("{} reads one stream", spec.key))) };
    Ok(Box::new(latest::Latest::lookup(spec, left, rows)?))
}

fn op(spec: &NodeSpec) -> Result<&ir::JoinOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Join(join) = &**op => Ok(join),
        _ => Err(ill_formed(format!("{} is no join", spec.key))),
    }
}
