//! `fill`: other values where columns are null, in the places of the columns.

use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, NodeError, Out};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::expr::{Expression, Scope};
use super::stateless::Meaning;
use super::table::table;

pub(super) struct Fill {
    /// With the place of the column that each fills.
    values: Vec<(usize, Expression)>,
    schema: SchemaRef,
}

impl Meaning for Fill {
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Fill, NodeError> {
        let entries = match &spec.op {
            NodeOp::Stage(op) if let ir::Op::Fill { entries } = &**op => entries,
            _ => return Err(ill_formed(format!("{} fills nothing", spec.key))),
        };
        let scope = Scope::of(input);
        let place = |entry: &ir::Entry| {
            let at = input.columns.iter().position(|column| column.name == entry.name);
            let at = at.ok_or_else(|| ill_formed(format!("no column `{}` comes in to be filled", entry.name)))?;
            Ok((at, Expression::compile(&entry.value, &scope)?))
        };
        let values = entries.iter().map(place).collect::<Result<_, NodeError>>()?;
        Ok(Fill { values, schema: node::schema(&spec.schema) })
    }

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let mut columns = batch.rows.columns().to_vec();
        for (at, value) in &self.values {
            columns[*at] = value.evaluate(&batch.rows)?;
        }
        let rows = table(&self.schema, columns, batch.len())?;
        out.passed(batch.len());
        out.send(batch.with_rows(rows));
        Ok(())
    }
}
