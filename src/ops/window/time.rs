//! Windows in time: tumbling and hopping.
//!
//! A window fires at the ordinal at which the watermark passes its end, whether or not the row that moved it has come this
//! far; a row is late if by then, before itself, the last of its windows had fired.

mod lateness;
mod migrate;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch, cast::AsArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use crate::base::{Duration, Time};
use crate::ir::{self, Outlet};
use crate::node::{Batch, Clock, Migration, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{failed, ill_formed, too_many, unreadable};
use super::super::keys::{Id, Keys, NO_KEY};
use super::super::table::{FORMAT, column_named, expect_state};
use super::aggregate::{Aggregates, Inputs};
use super::incomplete::Incomplete;
use super::output::Fired;
use super::pane::{Pane, Results};
use super::place::Shape;
use super::saved::{CLOCK, PANES, load_clock, load_panes, save_clock, save_panes};
use super::watermark::Walk;
use super::{GROUPS_MAX, KEPT_BACK, Parts};
use lateness::{Lateness, Near};

/// The state: open panes by their start, and how far windows have fired.
pub(super) struct TimeWindow {
    parts: Parts,
    shape: Shape,
    keys: Keys,
    panes: BTreeMap<i64, Pane>,
    /// Of a summary of all rows so far: what its windows that have fired have come to.
    total: Option<Pane>,
    /// Windows that end here or before have fired; the watermark as far as it is known.
    fired: Time,
    incomplete: Incomplete,
    /// Groups in all panes.
    open: usize,
    /// Keys are looked through for unused ones when there are this many.
    tidy_at: usize,
    scratch: Vec<usize>,
}

/// Rows of a batch that count, each with its pane, in order.
struct Kept {
    rows: Vec<u32>,
    panes: Vec<i64>,
    ids: Vec<Id>,
    inputs: Inputs,
    ordinals: Option<ScalarBuffer<u64>>,
}

/// What becomes of the rows of a batch.
#[derive(Default)]
struct Verdicts {
    rows: Vec<u32>,
    panes: Vec<i64>,
    late: Vec<u32>,
    keyless: usize,
    timeless: usize,
    between: usize,
}

const TIDY_AT_LEAST: usize = 4_096;

/// Where the sum of all rows so far stands among the panes of a state.
const TOTAL: i64 = i64::MIN;

impl TimeWindow {
    pub fn build(spec: &NodeSpec, input: &ir::Schema, size: Duration, every: Duration) -> Result<TimeWindow, NodeError> {
        if input.time.is_none() {
            return Err(ill_formed(format!("{} is a window in time over rows without one", spec.key)));
        }
        let parts = Parts::build(spec, input)?;
        let keys = Keys::new(parts.by.types())?;
        let shape = Shape::new(size, every)?;
        let (panes, scratch, incomplete) = (BTreeMap::new(), Vec::new(), Incomplete::default());
        Ok(TimeWindow {
            parts,
            shape,
            keys,
            panes,
            total: None,
            fired: Time::MIN,
            incomplete,
            open: 0,
            tidy_at: TIDY_AT_LEAST,
            scratch,
        })
    }

    /// Each window is of all rows up to its end.
    pub fn cumulative(spec: &NodeSpec, input: &ir::Schema, every: Duration) -> Result<TimeWindow, NodeError> {
        let window = TimeWindow::build(spec, input, every, every)?;
        let total = Some(Pane::new(&window.parts.aggregates)?);
        Ok(TimeWindow { total, ..window })
    }

    fn take(&mut self, mut panes: BTreeMap<i64, Pane>, keys: Keys, fired: Time, incomplete: Incomplete) {
        // A sum of all is kept beside the panes, as the one before all others.
        if let Some(total) = &mut self.total
            && let Some(saved) = panes.remove(&TOTAL)
        {
            *total = saved;
        }
        self.open = panes.values().map(|pane| pane.keys.len()).sum();
        (self.panes, self.keys, self.fired, self.incomplete) = (panes, keys, fired, incomplete);
        self.close();
    }

    fn times(&self, rows: &RecordBatch) -> Result<Int64Array, NodeError> {
        let name = self.parts.input.time.as_deref().unwrap_or_default();
        let whole = cast(column_named(rows, name)?, &DataType::Int64).map_err(failed)?;
        Ok(whole.as_primitive::<Int64Type>().clone())
    }

    fn judge(&self, batch: &Batch, ids: &[Id], times: &Int64Array) -> Verdicts {
        let mut verdicts =
            Verdicts { rows: Vec::with_capacity(ids.len()), panes: Vec::with_capacity(ids.len()), ..Verdicts::default() };
        let mut lateness = Lateness::new(batch, self.fired);
        let mut near = Near::new(self.shape);
        for (row, id) in ids.iter().enumerate() {
            if *id == NO_KEY {
                verdicts.keyless += 1;
            } else if times.is_null(row) {
                verdicts.timeless += 1;
            } else {
                let place = near.place(times.value(row));
                match place.last_end {
                    None => verdicts.between += 1,
                    Some(end) if lateness.is_late(row, Time(end)) => verdicts.late.push(row as u32),
                    Some(_) => {
                        verdicts.rows.push(row as u32);
                        verdicts.panes.push(place.pane);
                    }
                }
            }
        }
        verdicts
    }

    /// Folds the kept rows `from..to` into their panes.
    fn absorb(&mut self, kept: &Kept, from: usize, to: usize) -> Result<(), NodeError> {
        let heads: Vec<i64> = kept.panes[from..to].chunk_by(|a, b| a == b).map(|run| run[0]).collect();
        if heads.len() > 2 * heads.iter().collect::<BTreeSet<_>>().len() {
            return self.absorb_scattered(kept, from, to);
        }
        let mut at = from;
        for run in kept.panes[from..to].chunk_by(|a, b| a == b) {
            let inputs = kept.inputs.slice(at, run.len());
            self.fold(run[0], &inputs, kept.ids[at..at + run.len()].iter().copied())?;
            at += run.len();
        }
        Ok(())
    }

    /// Rows jump between panes: each pane's are gathered, in their order.
    fn absorb_scattered(&mut self, kept: &Kept, from: usize, to: usize) -> Result<(), NodeError> {
        let mut by_pane: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for at in from..to {
            by_pane.entry(kept.panes[at]).or_default().push(at as u32);
        }
        for (pane, rows) in by_pane {
            let inputs = kept.inputs.take(&rows)?;
            self.fold(pane, &inputs, rows.iter().map(|at| kept.ids[*at as usize]))?;
        }
        Ok(())
    }

    fn fold(&mut self, pane: i64, inputs: &Inputs, ids: impl Iterator<Item = Id>) -> Result<(), NodeError> {
        let aggregates = &self.parts.aggregates;
        let pane = match self.panes.entry(pane) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert(Pane::new(aggregates)?),
        };
        self.open += pane.update(aggregates, inputs, ids, &mut self.scratch)?;
        if self.open > GROUPS_MAX { Err(too_many("open groups of a window", GROUPS_MAX)) } else { Ok(()) }
    }

    /// Ends of windows, rising, that may fire by `limit`: of the open panes and of those that `more` rows open.
    fn due(&self, limit: Time, more: &[i64]) -> Vec<i64> {
        let coming: BTreeSet<i64> = more.chunk_by(|a, b| a == b).map(|run| run[0]).collect();
        self.shape.due(self.fired.0, limit.0, |from| {
            let open = self.panes.range(from..).next().map(|(start, _)| *start);
            open.into_iter().chain(coming.range(from..).next().copied()).min()
        })
    }

    fn fire(&mut self, end: i64, at: Ordinal, fired: &mut Fired) -> Result<(), NodeError> {
        let start = end.saturating_sub(self.shape.size);
        if self.incomplete.holds_back(start) {
            fired.kept_back += self.keep_back(start, end);
            return Ok(());
        }
        let Parts { aggregates, .. } = &self.parts;
        let results = if self.shape.tumbles() {
            let Some(pane) = self.panes.remove(&start) else { return Ok(()) };
            self.open -= pane.keys.len();
            match &mut self.total {
                Some(total) => so_far(total, pane, aggregates, &self.keys, &mut self.scratch)?,
                None => pane.finish(aggregates, &self.keys)?,
            }
        } else {
            let mut window = Pane::new(aggregates)?;
            for (_, pane) in self.panes.range_mut(start..end) {
                window.merge(pane, aggregates, &mut self.scratch)?;
            }
            window.finish(aggregates, &self.keys)?
        };
        fired.push(results, (Time(start), Time(end)), at);
        Ok(())
    }

    /// How many keys the window would have had.
    fn keep_back(&mut self, start: i64, end: i64) -> usize {
        let keys: BTreeSet<Id> = self.panes.range(start..end).flat_map(|(_, pane)| pane.keys.iter().copied()).collect();
        if self.shape.tumbles() {
            self.open -= self.panes.remove(&start).map_or(0, |pane| pane.keys.len());
        }
        keys.len()
    }

    /// Rows and firings in the order of their ordinals. Where every row has one window, that order cannot be seen: no row
    /// that comes after a firing is in its window, or it would be late.
    fn advance(&mut self, kept: &Kept, batch: &Batch, fired: &mut Fired) -> Result<(), NodeError> {
        let after = batch.clock.after();
        let mut walk = Walk::new(&batch.clock, batch.upto);
        let mut done = 0;
        if self.shape.tumbles() {
            self.absorb(kept, 0, kept.rows.len())?;
            done = kept.rows.len();
        }
        for end in self.due(after, &kept.panes[done..]) {
            let at = walk.passes(Time(end));
            let reached = kept.ordinals.as_ref().map_or(done, |ordinals| ordinals.partition_point(|ordinal| *ordinal <= at.0));
            self.absorb(kept, done, reached.max(done))?;
            done = reached.max(done);
            self.fire(end, at, fired)?;
        }
        self.absorb(kept, done, kept.rows.len())?;
        self.fired = self.fired.max(after);
        self.close();
        Ok(())
    }

    /// Drops panes of which all windows have fired.
    fn close(&mut self) {
        let (shape, fired) = (self.shape, self.fired);
        while let Some(first) = self.panes.first_entry()
            && shape.ends(*first.key()).next_back().is_none_or(|end| Time(end) <= fired)
        {
            self.open -= first.remove().keys.len();
        }
        self.incomplete.forget(fired.0, shape.size);
    }

    /// Forgets keys that no open pane holds, once they are most of all.
    fn tidy(&mut self) -> Result<(), NodeError> {
        if self.keys.len() < self.tidy_at {
            return Ok(());
        }
        let mut used: Vec<bool> = vec![false; self.keys.len()];
        let panes = self.panes.values().chain(&self.total);
        panes.flat_map(|pane| &pane.keys).for_each(|key| used[*key as usize] = true);
        let kept: Vec<Id> = (0..used.len()).filter(|key| used[*key]).map(|key| key as Id).collect();
        self.tidy_at = TIDY_AT_LEAST.max(2 * kept.len());
        let mut to = vec![NO_KEY; used.len()];
        kept.iter().enumerate().for_each(|(new, old)| to[*old as usize] = new as Id);
        self.keys.keep(&kept)?;
        self.panes.values_mut().chain(&mut self.total).for_each(|pane| pane.renumber(&to));
        Ok(())
    }
}

/// Takes a pane into what has been so far, and gives what that is now for the keys of the pane.
fn so_far(
    total: &mut Pane,
    mut pane: Pane,
    aggregates: &Aggregates,
    keys: &Keys,
    scratch: &mut Vec<usize>,
) -> Result<Results, NodeError> {
    total.merge(&mut pane, aggregates, scratch)?;
    if total.keys.len() > GROUPS_MAX {
        return Err(too_many("keys in a summary", GROUPS_MAX));
    }
    let mut copy = Pane::new(aggregates)?;
    copy.merge(total, aggregates, scratch)?;
    let fresh: BTreeSet<Id> = pane.keys.into_iter().collect();
    copy.finish(aggregates, keys)?.only(|key| fresh.contains(&key))
}

impl Kept {
    /// Ordinals are looked up only where rows and firings interleave.
    fn new(window: &TimeWindow, batch: &Batch, verdicts: &mut Verdicts, ids: &[Id]) -> Result<Kept, NodeError> {
        let all = window.parts.aggregates.read(&batch.rows)?;
        let (rows, panes) = (std::mem::take(&mut verdicts.rows), std::mem::take(&mut verdicts.panes));
        let whole = rows.len() == batch.len();
        let ordinals = (!window.shape.tumbles()).then(|| {
            let column = batch.ordinals.to_column(batch.len());
            rows.iter().map(|row| column[*row as usize]).collect()
        });
        let inputs = if whole { all } else { all.take(&rows)? };
        Ok(Kept { ids: rows.iter().map(|row| ids[*row as usize]).collect(), rows, panes, inputs, ordinals })
    }
}

impl Node for TimeWindow {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let ids = self.keys.ids(&self.parts.by.read(&batch.rows)?, batch.len())?;
        let times = self.times(&batch.rows)?;
        // What had ended before it began is not its to tell.
        if self.fired == Time::MIN && self.panes.is_empty() {
            self.fired = batch.clock.start();
        }
        let mut verdicts = self.judge(&batch, &ids, &times);
        let kept = Kept::new(self, &batch, &mut verdicts, &ids)?;
        let mut fired = Fired::default();
        out.absorbed(kept.rows.len());
        // What is known of windows that fire now may be forgotten with them.
        let incomplete = self.incomplete.clone();
        self.advance(&kept, &batch, &mut fired)?;
        out.dropped("late", verdicts.late.len());
        out.dropped("null key", verdicts.keyless);
        out.dropped("no time", verdicts.timeless);
        out.dropped("between windows", verdicts.between);
        if !verdicts.late.is_empty() {
            let mut late = vec![false; batch.len()];
            verdicts.late.iter().for_each(|row| late[*row as usize] = true);
            out.send_aside(Outlet::Late, batch.filter(&BooleanArray::from(late)).map_err(failed)?);
        }
        out.noted(KEPT_BACK, fired.kept_back);
        out.send(self.parts.output.batch(fired, &self.keys, &incomplete, batch.upto, batch.clock)?);
        self.tidy()
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let mut fired = Fired::default();
        let clock = Clock::still(self.fired);
        for end in self.due(Time::MAX, &[]) {
            self.fire(end, at, &mut fired)?;
            // Where its input goes on again, these stay closed.
            self.fired = Time(end);
        }
        let incomplete = self.incomplete.clone();
        self.close();
        out.noted(KEPT_BACK, fired.kept_back);
        out.send(self.parts.output.batch(fired, &self.keys, &incomplete, at, clock)?);
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.parts.spec.hashes.state);
        let total = self.total.iter_mut().filter(|total| !total.keys.is_empty()).map(|total| (TOTAL, total));
        let panes = total.chain(self.panes.iter_mut().map(|(start, pane)| (*start, pane)));
        let panes = save_panes(panes, &self.parts.by, &self.keys, &self.parts.aggregates)?;
        state.tables.insert(PANES.into(), panes);
        state.tables.insert(CLOCK.into(), save_clock(self.fired)?);
        self.incomplete.save(&mut state)?;
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.parts.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        let mut keys = Keys::new(self.parts.by.types())?;
        let panes = load_panes(saved(PANES)?, &self.parts.by, &mut keys, &self.parts.aggregates)?;
        let fired = load_clock(saved(CLOCK)?)?;
        let incomplete = Incomplete::load(&state)?;
        self.take(panes.into_iter().collect(), keys, fired, incomplete);
        Ok(())
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        self.take_over(&migration)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for TimeWindow {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        // What stays out of frozen panes would be thawed by accumulators of the old meaning.
        self.panes.values_mut().chain(&mut self.total).try_for_each(|pane| pane.states().map(|_| ()))?;
        self.parts = self.parts.retuned(spec)?;
        Ok(())
    }
}
