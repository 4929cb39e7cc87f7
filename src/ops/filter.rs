//! `where`: keeps the rows for which a condition is true.

use crate::ir;
use crate::node::{Batch, NodeError, Out};
use crate::plan::{NodeOp, NodeSpec};

use super::error::{failed, ill_formed};
use super::expr::{Expression, Scope};
use super::stateless::Meaning;

pub(super) struct Filter {
    predicate: Expression,
}

impl Meaning for Filter {
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Filter, NodeError> {
        match &spec.op {
            NodeOp::Stage(op) if let ir::Op::Where { predicate } = &**op => {
                Ok(Filter { predicate: Expression::compile(predicate, &Scope::of(input))? })
            }
            _ => Err(ill_formed(format!("{} is no `where`", spec.key))),
        }
    }

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let mask = self.predicate.mask(&batch.rows)?;
        let kept = mask.true_count();
        out.passed(kept);
        out.dropped("where", batch.len() - kept);
        out.send(if kept == batch.len() { batch } else { batch.filter(&mask).map_err(failed)? });
        Ok(())
    }
}
