//! `where`: keeps the rows for which a condition is true.

use crate::ir;
use crate::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::error::{failed, ill_formed};
use super::expr::{Expression, Scope};
use super::table::{FORMAT, expect_state};

/// Has no state.
pub(super) struct Filter {
    spec: NodeSpec,
    scope: Scope,
    predicate: Expression,
}

impl Filter {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Filter, NodeError> {
        let scope = Scope::of(input);
        Ok(Filter { predicate: predicate(spec, &scope)?, spec: spec.clone(), scope })
    }
}

fn predicate(spec: &NodeSpec, scope: &Scope) -> Result<Expression, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Where { predicate } = &**op => Expression::compile(predicate, scope),
        _ => Err(ill_formed(format!("{} is no `where`", spec.key))),
    }
}

impl Node for Filter {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let mask = self.predicate.mask(&batch.rows)?;
        let kept = mask.true_count();
        out.passed(kept);
        out.dropped("where", batch.len() - kept);
        out.send(if kept == batch.len() { batch } else { batch.filter(&mask).map_err(failed)? });
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

impl Retune for Filter {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.predicate = predicate(spec, &self.scope)?;
        self.spec = spec.clone();
        Ok(())
    }
}
