//! `set`: adds columns, each of which sees those before it.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, NodeError, Out};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::expr::{Expression, Scope};
use super::stateless::Meaning;
use super::table::widened;

pub(super) struct Set {
    steps: Vec<Step>,
}

/// One column, and the schema once it is there.
struct Step {
    value: Expression,
    schema: SchemaRef,
}

impl Meaning for Set {
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Set, NodeError> {
        Ok(Set { steps: steps(spec, input)? })
    }

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let rows = self.widen(&batch.rows)?;
        out.passed(batch.len());
        out.send(batch.with_rows(rows));
        Ok(())
    }
}

impl Set {
    fn widen(&self, rows: &RecordBatch) -> Result<RecordBatch, NodeError> {
        self.steps.iter().try_fold(rows.clone(), |rows, step| widened(&rows, &step.schema, vec![step.value.evaluate(&rows)?]))
    }
}

fn steps(spec: &NodeSpec, input: &ir::Schema) -> Result<Vec<Step>, NodeError> {
    let NodeOp::Stage(op) = &spec.op else { return Err(ill_formed(format!("{} is no stage", spec.key))) };
    let ir::Op::Set { entries } = &**op else { return Err(ill_formed(format!("{} is no `set`", spec.key))) };
    let mut scope = Scope::of(input);
    let mut steps = Vec::new();
    for entry in entries {
        let value = Expression::compile(&entry.value, &scope)?;
        scope = scope.with(&entry.name, &entry.value.ty);
        steps.push(Step { value, schema: scope.schema() });
    }
    match steps.last_mut() {
        Some(last) if last.schema == node::schema(&spec.schema) => Ok(steps),
        None => Ok(steps),
        Some(_) => Err(ill_formed(format!("{} gives other columns than its schema says", spec.key))),
    }
}
