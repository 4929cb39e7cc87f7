//! The node of a task: collects the rows that it learns from.

mod columns;
mod history;
mod recent;
mod reservoir;

use crate::ir;
use crate::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::{Learn, NodeOp, NodeSpec};

use super::error::{ill_formed, unreadable};
use super::table::{FORMAT, expect_state};
use columns::Columns;
use history::History;

/// The state: one table, `history`, of the rows in ordinal order, with the columns `@ordinal`, `@time` where there is one,
/// the features, `@target`, and where the task has them `@series`, `@group`, `@weight`, `@per NAME` for each column of its key, `@hold_out`, `@start`.
pub(super) struct Collect {
    spec: NodeSpec,
    input: ir::Schema,
    columns: Columns,
    history: History,
}

/// The name of the table.
pub const HISTORY: &str = "history";

impl Collect {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Collect, NodeError> {
        let learn = learn(spec)?;
        let columns = Columns::build(&learn.task, input)?;
        let history = History::new(&learn.task, learn.policy.seed, columns.schema());
        Ok(Collect { spec: spec.clone(), input: input.clone(), columns, history })
    }
}

fn learn(spec: &NodeSpec) -> Result<&Learn, NodeError> {
    match &spec.op {
        NodeOp::Task(learn) => Ok(learn),
        _ => Err(ill_formed(format!("{} is no task", spec.key))),
    }
}

impl Node for Collect {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        out.absorbed(batch.len());
        if batch.is_empty() {
            return Ok(());
        }
        let rows = self.columns.of(&batch)?;
        let left = self.history.push(rows)?;
        out.noted("left a full history", left);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        self.history.save(&mut state.tables)?;
        self.columns.save(&mut state.tables)?;
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let history = state.tables.get(HISTORY).ok_or_else(|| unreadable("it has no history"))?;
        if history.schema() != self.columns.schema() {
            return Err(unreadable("its history has other columns"));
        }
        self.history.load(&state.tables)?;
        self.columns.load(&state.tables)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Collect {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        let mut new = Collect::build(spec, &self.input)?;
        if new.columns.schema() != self.columns.schema() {
            return Err(ill_formed(format!("{} collects other columns now", spec.key)));
        }
        let mut state = self.save()?;
        state.hash = spec.hashes.state;
        new.load(state)?;
        *self = new;
        Ok(())
    }
}
