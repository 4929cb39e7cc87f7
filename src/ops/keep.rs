//! `limit`, `sample`, `dedupe`, `throttle`: which rows pass, by those that have passed before.

mod count;
mod recent;

use crate::ir::{self, KeepRule};
use crate::node::{Node, NodeError};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;

pub(super) fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Box<dyn Node>, NodeError> {
    match op(spec)?.rule {
        KeepRule::First { .. } | KeepRule::Share { .. } => Ok(Box::new(count::Counting::build(spec)?)),
        KeepRule::Once { .. } | KeepRule::Rate { .. } => Ok(Box::new(recent::Recent::build(spec, input)?)),
    }
}

fn op(spec: &NodeSpec) -> Result<&ir::KeepOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Keep(keep) = &**op => Ok(keep),
        _ => Err(ill_formed(format!("{} keeps no rows", spec.key))),
    }
}

/// The same stage with other settings, or an error where what it remembers would have another shape.
fn expect_shape_of(old: &NodeSpec, new: &NodeSpec) -> Result<(), NodeError> {
    if old.hashes.state == new.hashes.state {
        return Ok(());
    }
    Err(ill_formed(format!("the state of {} has another shape now", new.key)))
}
