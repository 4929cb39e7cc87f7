//! Stages that remember nothing: another meaning takes the place of the old one, and there is nothing to keep.

use crate::ir;
use crate::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::table::{FORMAT, expect_state};

/// What such a stage does with rows.
pub(super) trait Meaning: Sized + Send {
    /// # Errors
    /// If the specification is not one of its own, or does not fit these columns.
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Self, NodeError>;

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError>;
}

pub(super) struct Stateless<M> {
    spec: NodeSpec,
    input: ir::Schema,
    meaning: M,
}

impl<M: Meaning> Stateless<M> {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Self, NodeError> {
        Ok(Stateless { meaning: M::of(spec, input)?, spec: spec.clone(), input: input.clone() })
    }
}

impl<M: Meaning> Node for Stateless<M> {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        self.meaning.apply(batch, out)
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

impl<M: Meaning> Retune for Stateless<M> {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.meaning = M::of(spec, &self.input)?;
        self.spec = spec.clone();
        Ok(())
    }
}
