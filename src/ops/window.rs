//! `window`: one row per window and key.
//!
//! What an aggregate is worth is defined, so that any batch size and any restart give equal bits: the rows of one key in
//! ordinal order inside a pane, panes merged from left to right. What fires is sorted by (window end, key).

mod aggregate;
mod fold;
mod incomplete;
mod migrate;
mod output;
mod pack;
mod pane;
mod place;
mod queue;
mod rows;
mod saved;
mod session;
mod time;
mod watermark;
mod whole;

use crate::ir::{self, WindowShape};
use crate::node::{Node, NodeError};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::keys::KeyColumns;
use aggregate::Aggregates;
use output::Output;

pub(super) use aggregate::of_constants;
pub(super) use saved::{load_clock, save_clock};
pub(super) use watermark::Walk;

/// Why a window did not come: it, or all that it would say, began in the middle of it.
const KEPT_BACK: &str = "windows kept back, not being whole";

/// How many groups (a key in a window or a part of one) are open at once.
const GROUPS_MAX: usize = 1_000_000;

pub(super) fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Box<dyn Node>, NodeError> {
    match op(spec)?.shape {
        WindowShape::Time { size, every } => Ok(Box::new(time::TimeWindow::build(spec, input, size, every)?)),
        WindowShape::Cumulative { every } => Ok(Box::new(time::TimeWindow::cumulative(spec, input, every)?)),
        WindowShape::Rows { size, every } => Ok(Box::new(rows::RowWindow::build(spec, input, size, every)?)),
        WindowShape::Whole => Ok(Box::new(whole::WholeWindow::build(spec, input)?)),
        WindowShape::Session { gap } => Ok(Box::new(session::SessionWindow::build(spec, input, gap)?)),
    }
}

/// What every window has, whatever its shape.
struct Parts {
    spec: NodeSpec,
    input: ir::Schema,
    by: KeyColumns,
    aggregates: Aggregates,
    output: Output,
}

impl Parts {
    fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Parts, NodeError> {
        let op = op(spec)?;
        let by = KeyColumns::new(&op.by, input)?;
        let aggregates = output::aggregates(spec, &op.entries, input)?;
        let output = Output::build(spec, &op.entries, &by, input)?;
        Ok(Parts { spec: spec.clone(), input: input.clone(), by, aggregates, output })
    }

    /// The same window with another meaning of its entries; an error where its state would have another shape.
    fn retuned(&self, spec: &NodeSpec) -> Result<Parts, NodeError> {
        let new = Parts::build(spec, &self.input)?;
        let same = spec.hashes.state == self.spec.hashes.state
            && op(spec)?.shape == op(&self.spec)?.shape
            && new.by.names() == self.by.names()
            && new.aggregates.has_state_of(&self.aggregates);
        if same { Ok(new) } else { Err(ill_formed(format!("the state of {} has another shape now", spec.key))) }
    }
}

fn op(spec: &NodeSpec) -> Result<&ir::WindowOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Window(window) = &**op => Ok(window),
        _ => Err(ill_formed(format!("{} is no window", spec.key))),
    }
}
