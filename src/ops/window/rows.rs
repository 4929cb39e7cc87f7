//! Windows of a number of rows per key; each fires at the ordinal of the row that completes it.

mod migrate;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array, cast::AsArray};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use datafusion::logical_expr::EmitTo;

use crate::base::Time;
use crate::ir;
use crate::node::{Batch, Clock, Migration, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{failed, ill_formed, too_many, unreadable};
use super::super::keys::{Id, Keys, NO_KEY};
use super::super::table::{FORMAT, column_named, expect_state, table};
use super::aggregate::Inputs;
use super::incomplete::Incomplete;
use super::output::Fired;
use super::pane::Results;
use super::queue::{At, Queue, Store};
use super::saved::{CLOCK, load_clock, save_clock};
use super::{Parts, op};

/// How many rows wait in one stage.
const HELD_MAX: usize = 10_000_000;

/// Complete windows are calculated together until they have this many rows.
const GATHER_MAX: usize = 65_536;

/// The state: the rows that wait, and per key where it stands.
pub(super) struct RowWindow {
    parts: Parts,
    size: usize,
    every: usize,
    keys: Keys,
    queues: Vec<Queue>,
    store: Store,
    /// The watermark as far as it is known, for the last batch.
    watermark: Time,
}

/// Windows that are complete and not yet calculated.
#[derive(Default)]
struct Complete {
    keys: Vec<Id>,
    ordinals: Vec<Ordinal>,
    sizes: Vec<usize>,
    rows: Vec<At>,
}

const KEYS: &str = "keys";
const ROWS: &str = "rows";
const READ: &str = "@read";
const SKIP: &str = "@skip";
const FRESH: &str = "@fresh";

impl RowWindow {
    pub fn build(spec: &NodeSpec, input: &ir::Schema, size: u64, every: u64) -> Result<RowWindow, NodeError> {
        if size == 0 || every == 0 {
            return Err(ill_formed("a window has at least one row, and so has its step"));
        }
        if size > HELD_MAX as u64 {
            return Err(too_many("rows in one window", HELD_MAX));
        }
        let parts = Parts::build(spec, input)?;
        let keys = Keys::new(parts.by.types())?;
        let every = usize::try_from(every).unwrap_or(usize::MAX);
        let (queues, store) = (Vec::new(), Store::default());
        Ok(RowWindow { parts, size: size as usize, every, keys, queues, store, watermark: Time::MIN })
    }

    fn take(&mut self, batch: &Batch, ids: &[Id], fired: &mut Fired, out: &mut Out) -> Result<(), NodeError> {
        let chunk = self.store.push(self.parts.aggregates.read(&batch.rows)?);
        self.queues.resize_with(self.keys.len(), Queue::default);
        let (mut complete, mut keyless, mut between) = (Complete::default(), 0, 0);
        for (row, id) in ids.iter().enumerate() {
            if *id == NO_KEY {
                keyless += 1;
            } else if !self.queue(*id, (chunk, row as u32)) {
                between += 1;
            } else if self.queues[*id as usize].rows.len() == self.size {
                self.complete(*id, row, &mut complete);
                if complete.rows.len() >= GATHER_MAX {
                    self.calculate(std::mem::take(&mut complete), batch, fired)?;
                }
            }
        }
        self.calculate(complete, batch, fired)?;
        out.absorbed(ids.len() - keyless - between);
        out.dropped("null key", keyless);
        out.dropped("between windows", between);
        if self.store.live() > HELD_MAX { Err(too_many("rows waiting in windows", HELD_MAX)) } else { Ok(()) }
    }

    /// False where the row falls between windows.
    fn queue(&mut self, id: Id, at: At) -> bool {
        let queue = &mut self.queues[id as usize];
        if queue.skip > 0 {
            queue.skip -= 1;
            return false;
        }
        queue.rows.push_back(at);
        queue.fresh += 1;
        self.store.hold(at);
        true
    }

    fn complete(&mut self, id: Id, row: usize, complete: &mut Complete) {
        let queue = &mut self.queues[id as usize];
        complete.keys.push(id);
        // The row for now; its ordinal is looked up when all are known.
        complete.ordinals.push(Ordinal(row as u64));
        complete.sizes.push(queue.rows.len());
        complete.rows.extend(&queue.rows);
        queue.fresh = 0;
        queue.skip = self.every.saturating_sub(self.size) as u64;
        for at in queue.rows.drain(..self.every.min(self.size)) {
            self.store.release(at);
        }
    }

    fn calculate(&mut self, mut complete: Complete, batch: &Batch, fired: &mut Fired) -> Result<(), NodeError> {
        if complete.keys.is_empty() {
            return Ok(());
        }
        let ordinals = batch.ordinals.to_column(batch.len());
        complete.ordinals.iter_mut().for_each(|at| *at = Ordinal(ordinals[at.0 as usize]));
        self.finish(complete, fired)
    }

    fn finish(&self, complete: Complete, fired: &mut Fired) -> Result<(), NodeError> {
        let inputs = self.store.gather(&complete.rows)?;
        let windows = complete.keys.len();
        let sizes = complete.sizes.iter().enumerate();
        let groups: Vec<usize> = sizes.flat_map(|(window, size)| std::iter::repeat_n(window, *size)).collect();
        let mut slots = Vec::new();
        for (call, mut accumulator) in self.parts.aggregates.calls.iter().zip(self.parts.aggregates.accumulators()?) {
            call.update(accumulator.as_mut(), &inputs, &groups, windows)?;
            slots.push(call.result(accumulator.evaluate(EmitTo::All).map_err(failed)?)?);
        }
        let nowhere = std::iter::repeat_n((Time::MIN, Time::MAX), windows);
        fired.push_rows(Results { keys: complete.keys, slots }, nowhere, complete.ordinals.into_iter());
        Ok(())
    }

    /// Windows that have begun and have a row that no complete one had, in the order of keys and starts.
    fn incomplete(&self, at: Ordinal) -> Complete {
        let mut ids: Vec<Id> = (0..self.queues.len() as Id).filter(|id| self.queues[*id as usize].fresh > 0).collect();
        ids.sort_unstable_by(|a, b| self.keys.compare(*a, *b));
        let mut complete = Complete::default();
        for id in ids {
            let rows = &self.queues[id as usize].rows;
            for start in (0..rows.len()).step_by(self.every) {
                complete.keys.push(id);
                complete.ordinals.push(at);
                complete.sizes.push(rows.len() - start);
                complete.rows.extend(rows.range(start..));
            }
        }
        complete
    }

    fn keys_table(&self) -> Result<RecordBatch, NodeError> {
        let keys = self.keys.len();
        let mut fields = self.key_fields();
        fields.extend([SKIP, FRESH].map(|name| Field::new(name, DataType::UInt64, true)));
        let mut columns = self.keys.columns(0..keys as Id)?;
        let each = |of: fn(&Queue) -> u64| -> ArrayRef {
            Arc::new((0..keys).map(|id| Some(self.queues.get(id).map_or(0, of))).collect::<UInt64Array>())
        };
        columns.extend([each(|queue| queue.skip), each(|queue| queue.fresh)]);
        table(&Arc::new(Schema::new(fields)), columns, keys)
    }

    /// Key by key, each key's rows in order.
    fn rows_table(&self) -> Result<RecordBatch, NodeError> {
        let rows: Vec<At> = self.queues.iter().flat_map(|queue| queue.rows.iter().copied()).collect();
        let ids = self.queues.iter().enumerate().flat_map(|(id, queue)| std::iter::repeat_n(id as Id, queue.rows.len()));
        let mut fields = self.key_fields();
        fields.extend(self.read_fields());
        let mut columns = self.keys.columns(ids)?;
        match rows.is_empty() {
            true => columns.extend(self.parts.aggregates.read_types().iter().map(arrow::array::new_empty_array)),
            false => columns.extend(self.store.gather(&rows)?.columns),
        }
        table(&Arc::new(Schema::new(fields)), columns, rows.len())
    }

    fn key_fields(&self) -> Vec<Field> {
        let by = &self.parts.by;
        by.names().iter().zip(by.types()).map(|(name, ty)| Field::new(name.as_str(), ty, true)).collect()
    }

    fn read_fields(&self) -> Vec<Field> {
        let types = self.parts.aggregates.read_types();
        types.into_iter().enumerate().map(|(nth, ty)| Field::new(format!("{READ}{nth}"), ty, true)).collect()
    }

    fn load_keys(&mut self, saved: &RecordBatch) -> Result<(), NodeError> {
        self.keys = Keys::new(self.parts.by.types())?;
        self.keys.ids(&self.key_columns(saved)?, saved.num_rows())?;
        let number = |name: &str| {
            let column = column_named(saved, name)?.as_primitive_opt::<UInt64Type>().cloned();
            column.ok_or_else(|| unreadable(format!("`{name}` is no number")))
        };
        let (skip, fresh) = (number(SKIP)?, number(FRESH)?);
        let queue = |row: usize| Queue { skip: skip.value(row), fresh: fresh.value(row), ..Queue::default() };
        self.queues = (0..saved.num_rows()).map(queue).collect();
        Ok(())
    }

    fn load_rows(&mut self, saved: &RecordBatch) -> Result<(), NodeError> {
        let ids = self.keys.ids(&self.key_columns(saved)?, saved.num_rows())?;
        let fields = self.read_fields();
        let columns = fields.iter().map(|field| column_named(saved, field.name()).cloned()).collect::<Result<_, _>>()?;
        let inputs = Inputs { columns, rows: saved.num_rows() };
        self.store = Store::default();
        let chunk = self.store.push(inputs);
        for (row, id) in ids.iter().enumerate() {
            let queue = self.queues.get_mut(*id as usize).ok_or_else(|| unreadable("a saved row has an unknown key"))?;
            queue.rows.push_back((chunk, row as u32));
            self.store.hold((chunk, row as u32));
        }
        Ok(())
    }

    fn key_columns(&self, saved: &RecordBatch) -> Result<Vec<ArrayRef>, NodeError> {
        self.parts.by.names().iter().map(|name| column_named(saved, name).cloned()).collect()
    }
}

fn table_of<'a>(state: &'a State, name: &str) -> Result<&'a RecordBatch, NodeError> {
    state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")))
}

impl Node for RowWindow {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let ids = self.keys.ids(&self.parts.by.read(&batch.rows)?, batch.len())?;
        let mut fired = Fired::default();
        self.take(&batch, &ids, &mut fired, out)?;
        self.store.tidy(&mut self.queues)?;
        self.watermark = batch.clock.after();
        out.send(self.parts.output.batch(fired, &self.keys, &Incomplete::default(), batch.upto, batch.clock)?);
        Ok(())
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let mut fired = Fired::default();
        if op(&self.parts.spec)?.partial {
            let incomplete = self.incomplete(at);
            if !incomplete.keys.is_empty() {
                self.finish(incomplete, &mut fired)?;
            }
        } else {
            let left: u64 = self.queues.iter().map(|queue| queue.fresh).sum();
            out.noted("in windows that stayed incomplete", left as usize);
        }
        self.queues.clear();
        self.store = Store::default();
        let clock = Clock::still(self.watermark);
        out.send(self.parts.output.batch(fired, &self.keys, &Incomplete::default(), at, clock)?);
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.parts.spec.hashes.state);
        state.tables.insert(KEYS.into(), self.keys_table()?);
        state.tables.insert(ROWS.into(), self.rows_table()?);
        state.tables.insert(CLOCK.into(), save_clock(self.watermark)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.parts.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        self.watermark = load_clock(saved(CLOCK)?)?;
        self.load_keys(saved(KEYS)?)?;
        self.load_rows(saved(ROWS)?)
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        self.take_over(&migration)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for RowWindow {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        self.parts = self.parts.retuned(spec)?;
        Ok(())
    }
}
