//! `window whole`: one window per key, which closes when the recording ends.

use arrow::array::RecordBatch;

use crate::base::Time;
use crate::ir::{self, WindowShape};
use crate::node::{Batch, Clock, Migration, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{too_many, unreadable};
use super::super::keys::{Id, Keys, NO_KEY};
use super::super::table::{FORMAT, expect_state};
use super::incomplete::Incomplete;
use super::migrate::PaneMigration;
use super::output::Fired;
use super::pane::Pane;
use super::saved::{CLOCK, PANES, clock_of, load_clock, load_panes, save_clock, save_panes};
use super::{GROUPS_MAX, Parts, op};

/// The state: one pane.
pub(super) struct WholeWindow {
    parts: Parts,
    keys: Keys,
    pane: Pane,
    /// The watermark as far as it is known, for the last batch.
    watermark: Time,
    incomplete: Incomplete,
    scratch: Vec<usize>,
}

impl WholeWindow {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<WholeWindow, NodeError> {
        let parts = Parts::build(spec, input)?;
        let keys = Keys::new(parts.by.types())?;
        let pane = Pane::new(&parts.aggregates)?;
        Ok(WholeWindow { parts, keys, pane, watermark: Time::MIN, incomplete: Incomplete::default(), scratch: Vec::new() })
    }

    fn take(&mut self, panes: &RecordBatch) -> Result<(), NodeError> {
        let mut keys = Keys::new(self.parts.by.types())?;
        let loaded = load_panes(panes, &self.parts.by, &mut keys, &self.parts.aggregates)?.pop();
        self.pane = loaded.map_or_else(|| Pane::new(&self.parts.aggregates), |(_, pane)| Ok(pane))?;
        self.keys = keys;
        Ok(())
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
        out.send(self.parts.output.batch(Fired::default(), &self.keys, &self.incomplete, batch.upto, batch.clock)?);
        Ok(())
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let pane = std::mem::replace(&mut self.pane, Pane::new(&self.parts.aggregates)?);
        let mut fired = Fired::default();
        fired.push(pane.finish(&self.parts.aggregates, &self.keys)?, (Time::MIN, Time::MAX), at);
        let incomplete = std::mem::take(&mut self.incomplete);
        out.send(self.parts.output.batch(fired, &self.keys, &incomplete, at, Clock::still(self.watermark))?);
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.parts.spec.hashes.state);
        let pane = std::iter::once((0, &mut self.pane));
        state.tables.insert(CLOCK.into(), save_clock(self.watermark)?);
        state.tables.insert(PANES.into(), save_panes(pane, &self.parts.by, &self.keys, &self.parts.aggregates)?);
        self.incomplete.save(&mut state)?;
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.parts.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        self.watermark = load_clock(saved(CLOCK)?)?;
        self.incomplete = Incomplete::load(&state)?;
        self.take(saved(PANES)?)
    }

    /// A value that has not seen the whole recording is null.
    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        if op(&migration.before)?.shape != WindowShape::Whole {
            return Err(unreadable("it is of windows of another kind"));
        }
        let from = PaneMigration::new(&self.parts, &migration)?;
        let has_seen = from.starts()?.first().map(|_| i64::MAX);
        let (panes, incomplete) = (from.panes()?, from.incomplete(has_seen)?);
        self.watermark = clock_of(&migration.running)?;
        self.incomplete = incomplete;
        self.take(&panes)
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
