//! `resample every D by K fill …`: rows at equal steps of time.
//!
//! Rows wait until the watermark has passed their time, and are then taken in the order of their times. What stands at a step
//! comes from the rows around it. The step itself is told as soon as it is known: with `linear` when the next row of its key has
//! been taken, else when the watermark has passed it. A key without a row for the longest gap is forgotten, so what is kept is
//! bounded by the rows that wait and one row for each key that goes on.

mod grid;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::base::{Duration, Name, Time};
use crate::ir::{self, Filling, ResampleOp};
use crate::node::{self, Batch, Clock, Node, NodeError, Ordinal, Ordinals, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::cell::{self, Cell};
use super::error::{ill_formed, too_many, unreadable};
use super::progress::Progress;
use super::seen::{Seen, Side, whole};
use super::table::{FORMAT, expect_state, table};

use grid::{Grid, Step};

/// How many rows wait for the watermark.
const ROWS_MAX: usize = 1_000_000;
/// How many keys go on at a time.
const KEYS_MAX: usize = 1_000_000;

pub(super) struct Resample {
    spec: NodeSpec,
    schema: SchemaRef,
    side: Side,
    /// Which of the columns is the time, and which are on a line between two rows.
    time: usize,
    lines: Vec<usize>,
    grid: Grid,
    /// By time and ordinal.
    waiting: BTreeMap<(i64, u64), Seen>,
    watermark: Time,
}

/// What became of the rows of a batch.
#[derive(Default)]
struct Came {
    kept: usize,
    late: usize,
    keyless: usize,
    timeless: usize,
}

/// A row that comes out.
struct Told {
    at: Ordinal,
    cells: Vec<Cell>,
}

const ROWS: &str = "rows";
const LAST: &str = "last";
const DONE: &str = "@done";
const CLOCK: &str = "clock";

fn op(spec: &NodeSpec) -> Result<&ResampleOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Resample(resample) = &**op => Ok(resample),
        _ => Err(ill_formed(format!("{} resamples nothing", spec.key))),
    }
}

impl Resample {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Resample, NodeError> {
        let op = op(spec)?;
        let time = input.columns.iter().position(|column| Some(&column.name) == input.time.as_ref());
        let Some(time) = time.filter(|_| op.every.0 > 0 && op.within >= op.every) else {
            return Err(ill_formed(format!("{} resamples rows of a time, and they have none", spec.key)));
        };
        let is_on_a_line = |column: &ir::Column| matches!(column.ty, ir::Type::Float(_)) && !op.by.contains(&column.name);
        let numbered = input.columns.iter().enumerate();
        Ok(Resample {
            side: Side::new(&op.by, input, input.columns.iter().map(|column| column.name.clone()))?,
            schema: node::schema(&spec.schema),
            lines: numbered.filter(|(_, column)| is_on_a_line(column)).map(|(nth, _)| nth).collect(),
            time,
            grid: Grid::new(op),
            spec: spec.clone(),
            waiting: BTreeMap::new(),
            watermark: Time::MIN,
        })
    }

    /// Rows in order, and the steps that are known in between.
    fn advance(&mut self, batch: &Batch) -> Result<(Came, Vec<Told>), NodeError> {
        let progress = Progress::of(&batch.clock, batch.upto);
        let (mut came, mut told) = (Came::default(), Vec::new());
        for seen in self.side.rows(batch)? {
            self.go_on(Some(seen.ordinal), &progress, &mut told);
            match seen.time {
                None => came.timeless += 1,
                Some(_) if seen.key.is_none() => came.keyless += 1,
                Some(time) if time < progress.before(seen.ordinal).0 => came.late += 1,
                Some(time) => {
                    came.kept += 1;
                    self.waiting.insert((time, seen.ordinal.0), seen);
                }
            }
        }
        self.go_on(None, &progress, &mut told);
        if self.waiting.len() > ROWS_MAX {
            return Err(too_many("rows that wait to be resampled", ROWS_MAX));
        }
        if self.grid.keys() > KEYS_MAX {
            return Err(too_many("keys that are resampled", KEYS_MAX));
        }
        Ok((came, told))
    }

    /// What the watermark has passed before the row at `before` is seen; without one, by the end of the batch.
    fn go_on(&mut self, before: Option<Ordinal>, progress: &Progress, told: &mut Vec<Told>) {
        while let Some(next) = self.next() {
            let Some(at) = progress.passes(Time(next.saturating_add(1))) else { return };
            if before.is_some_and(|before| at >= before) {
                return;
            }
            self.happen(at, told);
        }
    }

    /// The time of what happens first.
    fn next(&self) -> Option<i64> {
        let row = self.waiting.first_key_value().map(|((time, _), _)| *time);
        row.into_iter().chain(self.grid.next()).min()
    }

    /// A row that waits comes before a step of the same time.
    fn happen(&mut self, at: Ordinal, told: &mut Vec<Told>) {
        let row = self.waiting.first_key_value().map(|((time, _), _)| *time);
        let steps = match (row, self.grid.next()) {
            (Some(time), step) if step.is_none_or(|step| time <= step) => {
                let seen = self.waiting.pop_first().map(|(_, seen)| seen).filter(|seen| !self.is_surpassed(time, seen));
                seen.map(|seen| self.grid.take(time, seen)).unwrap_or_default()
            }
            (_, Some(_)) => self.grid.pass(),
            (_, None) => vec![],
        };
        told.extend(steps.into_iter().map(|step| Told { at, cells: self.cells(&step) }));
    }

    /// Of several rows of a key at one time the last counts.
    fn is_surpassed(&self, time: i64, seen: &Seen) -> bool {
        self.waiting.range((time, 0)..=(time, u64::MAX)).any(|(_, other)| other.key == seen.key)
    }

    /// A row at a step.
    fn cells(&self, step: &Step) -> Vec<Cell> {
        let Step { at, from, to, is_known } = step;
        let mut cells: Vec<Cell> = from.cells.to_vec();
        if let Some((to, share)) = to {
            for nth in &self.lines {
                let ends = from.cells[*nth].as_f64().zip(to.cells[*nth].as_f64());
                let between = ends.map(|(a, b)| a + (b - a) * share).filter(|value| !value.is_nan());
                cells[*nth] = between.map_or(Cell::Null, Cell::Float);
            }
        }
        if !is_known {
            let keys = &self.grid.by;
            let filled = self.side.columns().iter().zip(&mut cells).filter(|((name, _), _)| !keys.contains(name));
            filled.for_each(|(_, cell)| *cell = Cell::Null);
        }
        cells[self.time] = Cell::Int(*at);
        cells
    }

    fn sent(&self, told: Vec<Told>, upto: Ordinal, clock: Clock, out: &mut Out) -> Result<(), NodeError> {
        let column = |(nth, (_, ty)): (usize, &(Name, DataType))| cell::column(told.iter().map(|row| &row.cells[nth]), ty);
        let columns = self.side.columns().iter().enumerate().map(column).collect::<Result<Vec<ArrayRef>, _>>()?;
        let rows = table(&self.schema, columns, told.len())?;
        let ordinals = Ordinals::Column(told.iter().map(|row| row.at.0).collect());
        out.send(Batch { rows, ordinals, upto, clock: self.behind(clock) });
        Ok(())
    }

    /// A step on a line is told when the row behind it is known, which is at most the longest gap later.
    fn behind(&self, clock: Clock) -> Clock {
        match self.grid.fill {
            Filling::Linear => clock.behind(Duration(self.grid.within)),
            Filling::Last | Filling::Null => clock,
        }
    }

    fn save_last(&self) -> Result<RecordBatch, NodeError> {
        let last: Vec<(&Seen, i64)> = self.grid.last().collect();
        let rows = self.side.save(last.iter().map(|(seen, _)| *seen))?;
        let done: Int64Array = last.iter().map(|(_, done)| Some(*done)).collect();
        let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.push(Field::new(DONE, DataType::Int64, false));
        let columns = rows.columns().iter().cloned().chain([Arc::new(done) as ArrayRef]).collect();
        table(&Arc::new(Schema::new(fields)), columns, last.len())
    }
}

impl Node for Resample {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let (came, told) = self.advance(&batch)?;
        out.absorbed(came.kept);
        out.dropped("late", came.late);
        out.dropped("null key", came.keyless);
        out.dropped("no time", came.timeless);
        self.watermark = self.watermark.max(batch.clock.after());
        self.sent(told, batch.upto, batch.clock, out)
    }

    /// As far as rows have come; nothing is known of later steps.
    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let newest = self.waiting.last_key_value().map_or(self.watermark.0, |((time, _), _)| *time);
        let mut told = Vec::new();
        while self.next().is_some_and(|next| next <= newest) {
            self.happen(at, &mut told);
        }
        self.sent(told, at, Clock::still(self.watermark), out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        state.tables.insert(ROWS.into(), self.side.save(self.waiting.values())?);
        state.tables.insert(LAST.into(), self.save_last()?);
        state.tables.insert(CLOCK.into(), super::window::save_clock(self.watermark)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        let watermark = super::window::load_clock(saved(CLOCK)?)?;
        let timed = |seen: Seen| Ok((seen.time.ok_or_else(|| unreadable("a saved row has no time"))?, seen));
        let waiting = self.side.load(saved(ROWS)?)?.into_iter().map(timed).collect::<Result<Vec<_>, NodeError>>()?;
        let last = self.side.load(saved(LAST)?)?.into_iter().map(timed).collect::<Result<Vec<_>, NodeError>>()?;
        let done = whole(saved(LAST)?, DONE)?;
        self.watermark = watermark;
        self.waiting = waiting.into_iter().map(|(time, seen)| ((time, seen.ordinal.0), seen)).collect();
        self.grid = Grid::new(op(&self.spec)?);
        for (nth, (time, seen)) in last.into_iter().enumerate() {
            self.grid.put(time, seen, done.value(nth));
        }
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Resample {
    /// Steps that have been told stay told; from there on they are the new ones.
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if spec.hashes.state != self.spec.hashes.state {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        let mut grid = Grid::new(op(spec)?);
        for (seen, done) in self.grid.last() {
            grid.put(seen.time.unwrap_or(done), seen.clone(), done);
        }
        (self.grid, self.spec) = (grid, spec.clone());
        self.schema = node::schema(&spec.schema);
        Ok(())
    }
}
