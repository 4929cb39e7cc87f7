//! `set`: adds columns, each of which sees those before it.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::error::ill_formed;
use super::expr::{Expression, Scope};
use super::table::{FORMAT, expect_state, widened};

/// Has no state.
pub(super) struct Set {
    spec: NodeSpec,
    input: ir::Schema,
    steps: Vec<Step>,
}

/// One column, and the schema once it is there.
struct Step {
    value: Expression,
    schema: SchemaRef,
}

impl Set {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Set, NodeError> {
        Ok(Set { steps: steps(spec, input)?, spec: spec.clone(), input: input.clone() })
    }

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

impl Node for Set {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let rows = self.widen(&batch.rows)?;
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

impl Retune for Set {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.steps = steps(spec, &self.input)?;
        self.spec = spec.clone();
        Ok(())
    }
}
