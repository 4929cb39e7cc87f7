//! `select`, `drop` and `rename`: exactly these columns, in this order.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::expr::{Expression, Scope};
use super::table::{FORMAT, expect_state, table};

/// Has no state.
pub(super) struct Project {
    spec: NodeSpec,
    scope: Scope,
    values: Vec<Expression>,
    schema: SchemaRef,
}

impl Project {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Project, NodeError> {
        let scope = Scope::of(input);
        Ok(Project { values: values(spec, &scope)?, schema: node::schema(&spec.schema), spec: spec.clone(), scope })
    }
}

fn values(spec: &NodeSpec, scope: &Scope) -> Result<Vec<Expression>, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Project { entries } = &**op => {
            entries.iter().map(|entry| Expression::compile(&entry.value, scope)).collect()
        }
        _ => Err(ill_formed(format!("{} selects nothing", spec.key))),
    }
}

impl Node for Project {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let columns = self.values.iter().map(|value| value.evaluate(&batch.rows)).collect::<Result<Vec<ArrayRef>, _>>()?;
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

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Project {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.values = values(spec, &self.scope)?;
        self.schema = node::schema(&spec.schema);
        self.spec = spec.clone();
        Ok(())
    }
}
