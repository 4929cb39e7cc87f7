//! `union`: rows of several streams as one. Whoever steps the node merges them by ordinal; here their columns are aligned.

use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, Node, NodeError, Ordinal, Out, Port, State};
use crate::plan::NodeSpec;

use super::error::ill_formed;
use super::table::{FORMAT, expect_state, table};

/// Has no state.
pub(super) struct Union {
    spec: NodeSpec,
    schema: SchemaRef,
    /// By port: where each output column stands in the input.
    places: Vec<Vec<usize>>,
}

impl Union {
    pub fn build(spec: &NodeSpec, input: &[ir::Schema]) -> Result<Union, NodeError> {
        let places = input.iter().map(|port| places(&spec.schema, port)).collect::<Result<_, _>>()?;
        Ok(Union { schema: node::schema(&spec.schema), places, spec: spec.clone() })
    }
}

fn places(output: &ir::Schema, input: &ir::Schema) -> Result<Vec<usize>, NodeError> {
    let place = |column: &ir::Column| {
        let found = input.columns.iter().position(|other| other.name == column.name);
        let same = found.filter(|at| node::data_type(&input.columns[*at].ty) == node::data_type(&column.ty));
        same.ok_or_else(|| ill_formed(format!("an input of `union` has no column `{}: {}`", column.name, column.ty)))
    };
    output.columns.iter().map(place).collect()
}

impl Node for Union {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let places = self.places.get(port).ok_or_else(|| ill_formed(format!("`union` has no port {port}")))?;
        let columns = places.iter().map(|at| batch.rows.column(*at).clone()).collect();
        let rows = table(&self.schema, columns, batch.len())?;
        out.passed(batch.len());
        out.send(batch.with_rows(rows));
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(FORMAT, self.spec.hashes.state))
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)
    }
}
