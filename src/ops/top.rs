//! `top n by E within D`: of each stretch of time the rows that rank highest, when it is over.
//!
//! Rows keep their own time, so the watermark behind the stage is D back. A row that comes when its stretch is over is late and
//! dropped; one that has no rank (null) or no time stands among no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, cast::AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};

use crate::base::{Duration, Name, Time};
use crate::ir;
use crate::node::{self, Batch, Clock, Node, NodeError, Ordinal, Ordinals, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::cell;
use super::error::{failed, ill_formed, too_many, unreadable};
use super::expr::{Expression, Scope};
use super::progress::Progress;
use super::seen::{Seen, Side};
use super::table::{FORMAT, column_named, expect_state, table};

/// How many rows wait, over all stretches that are open.
const ROWS_MAX: usize = 1_000_000;

/// The state: the best rows of every open stretch, and how far the watermark has got.
pub(super) struct Top {
    spec: NodeSpec,
    input: ir::Schema,
    schema: SchemaRef,
    side: Side,
    rank: Expression,
    count: usize,
    /// In microseconds.
    within: i64,
    /// By the end of the stretch; the best first.
    open: BTreeMap<i64, Vec<Ranked>>,
    waiting: usize,
    watermark: Time,
}

struct Ranked {
    rank: f64,
    seen: Seen,
}

/// What became of the rows of a batch.
#[derive(Default)]
struct Came {
    kept: usize,
    late: usize,
    nowhere: usize,
    surpassed: usize,
}

const ROWS: &str = "rows";
const RANK: &str = "@rank";
const CLOCK: &str = "clock";

fn op(spec: &NodeSpec) -> Result<&ir::TopOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Top(top) = &**op => Ok(top),
        _ => Err(ill_formed(format!("{} ranks nothing", spec.key))),
    }
}

impl Top {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Top, NodeError> {
        let top = op(spec)?;
        if input.time.is_none() || top.within.0 <= 0 {
            return Err(ill_formed(format!("{} ranks rows of a time, and they have none", spec.key)));
        }
        Ok(Top {
            side: Side::new(&[], input, input.columns.iter().map(|column| column.name.clone()))?,
            rank: Expression::compile(&top.by, &Scope::of(input))?,
            schema: node::schema(&spec.schema),
            count: usize::try_from(top.count).unwrap_or(usize::MAX),
            within: top.within.0,
            spec: spec.clone(),
            input: input.clone(),
            open: BTreeMap::new(),
            waiting: 0,
            watermark: Time::MIN,
        })
    }

    fn ranks(&self, rows: &RecordBatch) -> Result<Float64Array, NodeError> {
        let ranks = cast(&self.rank.evaluate(rows)?, &DataType::Float64).map_err(failed)?;
        Ok(ranks.as_primitive::<Float64Type>().clone())
    }

    /// Rows in order, and the stretches that are over in between.
    fn advance(&mut self, batch: &Batch) -> Result<(Came, Vec<(Ordinal, Seen)>), NodeError> {
        let progress = Progress::of(&batch.clock, batch.upto);
        let ranks = self.ranks(&batch.rows)?;
        let (mut came, mut over) = (Came::default(), Vec::new());
        for (row, seen) in self.side.rows(batch)?.into_iter().enumerate() {
            came.surpassed += self.let_go(Some(seen.ordinal), &progress, &mut over);
            let rank = ranks.is_valid(row).then(|| ranks.value(row)).filter(|rank| !rank.is_nan());
            let (Some(rank), Some(time)) = (rank, seen.time) else {
                came.nowhere += 1;
                continue;
            };
            let end = self.end_of(time);
            if end <= progress.before(seen.ordinal).0 {
                came.late += 1;
            } else {
                came.kept += 1;
                came.surpassed += self.rank(end, Ranked { rank, seen });
            }
        }
        came.surpassed += self.let_go(None, &progress, &mut over);
        if self.waiting > ROWS_MAX { Err(too_many("rows that wait in a `top`", ROWS_MAX)) } else { Ok((came, over)) }
    }

    /// Puts a row in its place; how many fall out behind the last one that is kept.
    fn rank(&mut self, end: i64, ranked: Ranked) -> usize {
        let rows = self.open.entry(end).or_default();
        let place = rows.partition_point(|other| other.rank >= ranked.rank);
        rows.insert(place, ranked);
        let surpassed = rows.len().saturating_sub(self.count);
        rows.truncate(self.count);
        self.waiting = self.waiting + 1 - surpassed;
        surpassed
    }

    fn end_of(&self, time: i64) -> i64 {
        time.saturating_sub(time.rem_euclid(self.within)).saturating_add(self.within)
    }

    /// What is over before the row at `before` is seen; without one, by the end of the batch. How many of it wait behind the
    /// last one that is kept, since more were kept before.
    fn let_go(&mut self, before: Option<Ordinal>, progress: &Progress, over: &mut Vec<(Ordinal, Seen)>) -> usize {
        let mut surpassed = 0;
        while let Some(first) = self.open.first_entry() {
            let Some(at) = progress.passes(Time(*first.key())) else { break };
            if before.is_some_and(|before| at >= before) {
                break;
            }
            let rows = first.remove();
            self.waiting -= rows.len();
            surpassed += rows.len().saturating_sub(self.count);
            over.extend(rows.into_iter().take(self.count).map(|ranked| (at, ranked.seen)));
        }
        surpassed
    }

    fn sent(&self, over: &[(Ordinal, Seen)], upto: Ordinal, clock: Clock, out: &mut Out) -> Result<(), NodeError> {
        let column =
            |(nth, (_, ty)): (usize, &(Name, DataType))| cell::column(over.iter().map(|(_, seen)| &seen.cells[nth]), ty);
        let columns = self.side.columns().iter().enumerate().map(column).collect::<Result<Vec<ArrayRef>, _>>()?;
        let rows = table(&self.schema, columns, over.len())?;
        let ordinals = Ordinals::Column(over.iter().map(|(at, _)| at.0).collect());
        out.send(Batch { rows, ordinals, upto, clock: clock.behind(Duration(self.within)) });
        Ok(())
    }
}

impl Node for Top {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let (came, over) = self.advance(&batch)?;
        out.absorbed(came.kept);
        out.dropped("late", came.late);
        out.dropped("no rank", came.nowhere);
        out.noted("surpassed", came.surpassed);
        self.watermark = self.watermark.max(batch.clock.after());
        self.sent(&over, batch.upto, batch.clock, out)
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let open = std::mem::take(&mut self.open).into_values().flat_map(|rows| rows.into_iter().take(self.count));
        let over: Vec<(Ordinal, Seen)> = open.map(|ranked| (at, ranked.seen)).collect();
        self.waiting = 0;
        self.sent(&over, at, Clock::still(self.watermark), out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let all = || self.open.values().flatten();
        let rows = self.side.save(all().map(|ranked| &ranked.seen))?;
        let ranks: Float64Array = all().map(|ranked| Some(ranked.rank)).collect();
        let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.push(Field::new(RANK, DataType::Float64, true));
        let columns = rows.columns().iter().cloned().chain([Arc::new(ranks) as ArrayRef]).collect();
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        state.tables.insert(ROWS.into(), table(&Arc::new(Schema::new(fields)), columns, rows.num_rows())?);
        state.tables.insert(CLOCK.into(), super::window::save_clock(self.watermark)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        self.watermark = super::window::load_clock(saved(CLOCK)?)?;
        let ranks = column_named(saved(ROWS)?, RANK)?.as_primitive_opt::<Float64Type>().cloned();
        let ranks = ranks.ok_or_else(|| unreadable("its ranks are no numbers"))?;
        (self.open, self.waiting) = (BTreeMap::new(), 0);
        for (row, seen) in self.side.load(saved(ROWS)?)?.into_iter().enumerate() {
            let time = seen.time.ok_or_else(|| unreadable("a saved row has no time"))?;
            // They stand in their order, and there may be more than are kept now.
            self.open.entry(self.end_of(time)).or_default().push(Ranked { rank: ranks.value(row), seen });
            self.waiting += 1;
        }
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Top {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if spec.hashes.state != self.spec.hashes.state {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        let top = op(spec)?;
        self.rank = Expression::compile(&top.by, &Scope::of(&self.input))?;
        self.count = usize::try_from(top.count).unwrap_or(usize::MAX);
        self.spec = spec.clone();
        Ok(())
    }
}
