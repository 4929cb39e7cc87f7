//! `select`, `drop` and `rename`: exactly these columns, in this order.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, NodeError, Out};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::expr::{Expression, Scope};
use super::stateless::Meaning;
use super::table::table;

pub(super) struct Project {
    values: Vec<Expression>,
    schema: SchemaRef,
}

impl Meaning for Project {
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Project, NodeError> {
        let scope = Scope::of(input);
        let values = match &spec.op {
            NodeOp::Stage(op) if let ir::Op::Project { entries } = &**op => {
                entries.iter().map(|entry| Expression::compile(&entry.value, &scope)).collect::<Result<_, _>>()?
            }
            _ => return Err(ill_formed(format!("{} selects nothing", spec.key))),
        };
        Ok(Project { values, schema: node::schema(&spec.schema) })
    }

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let columns = self.values.iter().map(|value| value.evaluate(&batch.rows)).collect::<Result<Vec<ArrayRef>, _>>()?;
        let rows = table(&self.schema, columns, batch.len())?;
        out.passed(batch.len());
        out.send(batch.with_rows(rows));
        Ok(())
    }
}
