//! Floor 6: the relational nodes, as implementations of [`Node`]: one per stage of a stream, and the collector of a task.
//!
//! The only place that knows DataFusion's expressions and accumulators. A node's output is a function of its rows, their
//! ordinals and the clock, never of how they are cut into batches.

mod cell;
mod collect;
mod error;
mod example;
mod expr;
mod fill;
mod filter;
mod join;
mod keep;
mod keys;
mod predict;
mod progress;
mod project;
mod rank;
mod resample;
mod scan;
mod seen;
mod set;
mod signal;
mod stateless;
mod table;
mod union;
mod unnest;
mod window;

use crate::ir;
use crate::node::{Node, NodeError};
use crate::plan::{NodeOp, NodeSpec};

use stateless::Stateless;

pub use collect::HISTORY;
pub use example::{evaluate_aggregate, evaluate_constant, evaluate_scalar};
pub use expr::{Expression, Scope};
pub use join::lookup;

/// The node of a stage or of a task. `input` are the schemas that come in, by port.
///
/// Fails with `E0199` for what this version does not carry out, with `R0001` for a graph that does not fit together.
pub fn build(spec: &NodeSpec, input: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
    let Some(first) = input.first() else {
        return Err(error::ill_formed(format!("{} has no input", spec.key)));
    };
    match &spec.op {
        NodeOp::Stage(op) => stage(spec, op, first, input),
        NodeOp::Task(_) => Ok(Box::new(collect::Collect::build(spec, first)?)),
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => {
            Err(error::ill_formed(format!("{} is no relational node", spec.key)))
        }
    }
}

fn stage(spec: &NodeSpec, op: &ir::Op, first: &ir::Schema, input: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
    match op {
        ir::Op::Where { .. } => Ok(Box::new(Stateless::<filter::Filter>::build(spec, first)?)),
        ir::Op::Set { .. } => Ok(Box::new(Stateless::<set::Set>::build(spec, first)?)),
        ir::Op::Project { .. } => Ok(Box::new(Stateless::<project::Project>::build(spec, first)?)),
        ir::Op::Union { .. } => Ok(Box::new(union::Union::build(spec, input)?)),
        ir::Op::Scan { .. } => Ok(Box::new(scan::Scan::build(spec, first)?)),
        ir::Op::Window(_) => window::build(spec, first),
        ir::Op::Predict(_) => Ok(Box::new(predict::Predict::build(spec, input)?)),
        ir::Op::Fill { .. } => Ok(Box::new(Stateless::<fill::Fill>::build(spec, first)?)),
        ir::Op::Unnest { .. } => Ok(Box::new(Stateless::<unnest::Unnest>::build(spec, first)?)),
        ir::Op::Keep(_) => keep::build(spec, first),
        ir::Op::Join(_) => join::build(spec, input),
        ir::Op::Rank(_) => Ok(Box::new(rank::Rank::build(spec, first)?)),
        ir::Op::Resample(_) => Ok(Box::new(resample::Resample::build(spec, first)?)),
    }
}
