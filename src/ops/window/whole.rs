//! `window whole`: one window per key, which closes when the recording ends.

use arrow::array::RecordBatch;

use crate::base::Time;
use crate::ir;
use crate::node::{Batch, Clock, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{too_many, unreadable};
use super::super::keys::{Id, Keys, NO_KEY};
use super::super::table::{FORMAT, expect_state};
use super::output::Fired;
use super::pane::Pane;
use super::saved::{CLOCK, load_clock, load_panes, save_clock, save_panes};
use super::{GROUPS_MAX, Parts};

/// The state: one pane.
pub(super) struct WholeWindow {
    parts: Parts,
    keys: Keys,
    pane: Pane,
    /// The watermark as far as it is known, for the last batch.
    watermark: Time,
    scratch: Vec<usize>,
}

const PANES: &str = "panes";

impl WholeWindow {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<WholeWindow, NodeError> {
        let parts = Parts::build(spec, input)?;
        let keys = Keys::new(parts.by.types())?;
        let pane = Pane::new(&parts.aggregates)?;
        Ok(WholeWindow { parts, keys, pane, watermark: Time::MIN, scratch: Vec::new() })
    }

    fn absorb(&mut self, rows: &RecordBatch, ids: &[Id]) -> Result<usize, NodeError> {
        let kept: Vec<u32> = (0..ids.len() as u32).filter(|row| ids[*row as usize] != NO_KEY).collect();
        let inputs = self.parts.aggregates.read(rows)?;
        let inputs = if kept.len() == ids.len() { inputs } else { inputs.take(&kept)? };
        let ids = kept.iter().map(|row| ids[*row as usize]);
        self.pane.update(&self.parts.aggregates, &inputs, ids, &mut self.scratch)?;
        if self.pane.keys.len() > GROUPS_MAX { Err(too_many("open groups of a window", GROUPS_MAX)) } else { Ok(kept.len()) }
    }
}

impl Node for WholeWindow {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let ids = self.keys.ids(&self.parts.by.read(&batch.rows)?, batch.len())?;
        let absorbed = self.absorb(&batch.rows, &ids)?;
        out.absorbed(absorbed);
        out.dropped("null key", batch.len() - absorbed);
        self.watermark = batch.clock.after();
        out.send(self.parts.output.batch(Fired::default(), &self.keys, batch.upto, batch.clock)?);
        Ok(())
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let pane = std::mem::replace(&mut self.pane, Pane::new(&self.parts.aggregates)?);
        let mut fired = Fired::default();
        fired.push(pane.finish(&self.parts.aggregates, &self.keys)?, (Time::MIN, Time::MAX), at);
        out.send(self.parts.output.batch(fired, &self.keys, at, Clock::still(self.watermark))?);
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.parts.spec.hashes.state);
        let pane = std::iter::once((0, &mut self.pane));
        state.tables.insert(CLOCK.into(), save_clock(self.watermark)?);
        state.tables.insert(PANES.into(), save_panes(pane, &self.parts.by, &self.keys, &self.parts.aggregates)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.parts.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        self.watermark = load_clock(saved(CLOCK)?)?;
        let mut keys = Keys::new(self.parts.by.types())?;
        let loaded = load_panes(saved(PANES)?, &self.parts.by, &mut keys, &self.parts.aggregates)?.pop();
        self.pane = loaded.map_or_else(|| Pane::new(&self.parts.aggregates), |(_, pane)| Ok(pane))?;
        self.keys = keys;
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for WholeWindow {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.pane.states()?;
        self.parts = self.parts.retuned(spec)?;
        Ok(())
    }
}
