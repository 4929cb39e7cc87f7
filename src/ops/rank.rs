//! `top n by E within D` and `sort by K within D`: of each stretch of time the rows that rank first, or all of them in order, when
//! it is over.
//!
//! Rows keep their own time, so the watermark behind the stage is D back. A row that comes when its stretch is over is late and
//! dropped; one that has no rank (null) or no time stands among no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, cast::AsArray};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};

use crate::base::{Duration, Name, Time};
use crate::ir::{self, RankOp, RankRule};
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
pub(super) struct Rank {
    spec: NodeSpec,
    input: ir::Schema,
    schema: SchemaRef,
    side: Side,
    order: Order,
    /// In microseconds.
    within: i64,
    /// By the end of the stretch; the best first.
    open: BTreeMap<i64, Vec<Ranked>>,
    waiting: usize,
    watermark: Time,
}

struct Ranked {
    place: Place,
    seen: Seen,
}

/// Where a row stands among the others of its stretch.
#[derive(Clone, PartialEq, PartialOrd)]
enum Place {
    /// Its rank with the sign turned: the greatest first.
    Rank(f64),
    /// What it is sorted by, such that the bytes are in the order of the values.
    Row(OwnedRow),
}

/// How places are found, and how many rows are kept.
enum Order {
    Best { by: Expression, count: usize },
    Rising { by: Vec<Name>, converter: RowConverter },
}

impl Order {
    fn compile(rule: &RankRule, input: &ir::Schema) -> Result<Order, NodeError> {
        match rule {
            RankRule::Best { count, by } => {
                let by = Expression::compile(by, &Scope::of(input))?;
                Ok(Order::Best { by, count: usize::try_from(*count).unwrap_or(usize::MAX) })
            }
            RankRule::Rising { by } => {
                let field = |name: &Name| {
                    let column = input.get(name).ok_or_else(|| ill_formed(format!("no column `{name}` comes in")))?;
                    let null_last = SortOptions { descending: false, nulls_first: false };
                    Ok(SortField::new_with_options(node::data_type(&column.ty), null_last))
                };
                let fields = by.iter().map(field).collect::<Result<Vec<_>, NodeError>>()?;
                Ok(Order::Rising { by: by.clone(), converter: RowConverter::new(fields).map_err(failed)? })
            }
        }
    }

    fn count(&self) -> usize {
        match self {
            Order::Best { by: _, count } => *count,
            Order::Rising { .. } => usize::MAX,
        }
    }

    /// Of rows as they come in. None where a row has no place.
    fn places(&self, rows: &RecordBatch) -> Result<Vec<Option<Place>>, NodeError> {
        match self {
            Order::Best { by, count: _ } => {
                let ranks = cast(&by.evaluate(rows)?, &DataType::Float64).map_err(failed)?;
                let ranks = ranks.as_primitive::<Float64Type>();
                Ok(ranks.iter().map(|rank| rank.filter(|rank| !rank.is_nan()).map(|rank| Place::Rank(-rank))).collect())
            }
            Order::Rising { by, converter } => {
                let columns = by.iter().map(|name| column_named(rows, name).cloned()).collect::<Result<Vec<_>, _>>()?;
                let places = converter.convert_columns(&columns).map_err(failed)?;
                Ok(places.iter().map(|row| Some(Place::Row(row.owned()))).collect())
            }
        }
    }

    /// Of the rows of a saved table, which are these. Ranks are what they were when the rows came.
    fn saved(&self, table: &RecordBatch, rows: &RecordBatch) -> Result<Vec<Option<Place>>, NodeError> {
        match self {
            Order::Best { .. } => {
                let ranks = column_named(table, RANK)?.as_primitive_opt::<Float64Type>();
                let ranks = ranks.ok_or_else(|| unreadable("its ranks are no numbers"))?;
                Ok(ranks.iter().map(|rank| rank.map(|rank| Place::Rank(-rank))).collect())
            }
            Order::Rising { .. } => self.places(rows),
        }
    }
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

fn op(spec: &NodeSpec) -> Result<&RankOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Rank(rank) = &**op => Ok(rank),
        _ => Err(ill_formed(format!("{} ranks nothing", spec.key))),
    }
}

impl Rank {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Rank, NodeError> {
        let RankOp { rule, within } = op(spec)?;
        if input.time.is_none() || within.0 <= 0 {
            return Err(ill_formed(format!("{} ranks rows of a time, and they have none", spec.key)));
        }
        Ok(Rank {
            side: Side::new(&[], input, input.columns.iter().map(|column| column.name.clone()))?,
            order: Order::compile(rule, input)?,
            schema: node::schema(&spec.schema),
            within: within.0,
            spec: spec.clone(),
            input: input.clone(),
            open: BTreeMap::new(),
            waiting: 0,
            watermark: Time::MIN,
        })
    }

    /// Rows in order, and the stretches that are over in between.
    fn advance(&mut self, batch: &Batch) -> Result<(Came, Vec<(Ordinal, Seen)>), NodeError> {
        let progress = Progress::of(&batch.clock, batch.upto);
        let places = self.order.places(&batch.rows)?;
        let (mut came, mut over) = (Came::default(), Vec::new());
        for (place, seen) in places.into_iter().zip(self.side.rows(batch)?) {
            came.surpassed += self.let_go(Some(seen.ordinal), &progress, &mut over);
            let (Some(place), Some(time)) = (place, seen.time) else {
                came.nowhere += 1;
                continue;
            };
            let end = self.end_of(time);
            if end <= progress.before(seen.ordinal).0 {
                came.late += 1;
            } else {
                came.kept += 1;
                came.surpassed += self.rank(end, Ranked { place, seen });
            }
        }
        came.surpassed += self.let_go(None, &progress, &mut over);
        if self.waiting > ROWS_MAX { Err(too_many("rows that wait to be ranked", ROWS_MAX)) } else { Ok((came, over)) }
    }

    /// Puts a row in its place; how many fall out behind the last one that is kept.
    fn rank(&mut self, end: i64, ranked: Ranked) -> usize {
        let rows = self.open.entry(end).or_default();
        let nth = rows.partition_point(|other| other.place <= ranked.place);
        rows.insert(nth, ranked);
        let surpassed = rows.len().saturating_sub(self.order.count());
        rows.truncate(self.order.count());
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
            surpassed += rows.len().saturating_sub(self.order.count());
            over.extend(rows.into_iter().take(self.order.count()).map(|ranked| (at, ranked.seen)));
        }
        surpassed
    }

    /// Rows as they came in.
    fn table_of<'a>(&self, rows: impl ExactSizeIterator<Item = &'a Seen> + Clone) -> Result<RecordBatch, NodeError> {
        let count = rows.len();
        let column = |(nth, (_, ty)): (usize, &(Name, DataType))| cell::column(rows.clone().map(|seen| &seen.cells[nth]), ty);
        let columns = self.side.columns().iter().enumerate().map(column).collect::<Result<Vec<ArrayRef>, _>>()?;
        table(&self.schema, columns, count)
    }

    fn sent(&self, over: &[(Ordinal, Seen)], upto: Ordinal, clock: Clock, out: &mut Out) -> Result<(), NodeError> {
        let rows = self.table_of(over.iter().map(|(_, seen)| seen))?;
        let ordinals = Ordinals::Column(over.iter().map(|(at, _)| at.0).collect());
        out.send(Batch { rows, ordinals, upto, clock: clock.behind(Duration(self.within)) });
        Ok(())
    }
}

impl Node for Rank {
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
        let open = std::mem::take(&mut self.open).into_values().flat_map(|rows| rows.into_iter().take(self.order.count()));
        let over: Vec<(Ordinal, Seen)> = open.map(|ranked| (at, ranked.seen)).collect();
        self.waiting = 0;
        self.sent(&over, at, Clock::still(self.watermark), out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let all = || self.open.values().flatten();
        let rows = self.side.save(all().map(|ranked| &ranked.seen))?;
        let rank = |place: &Place| if let Place::Rank(rank) = place { Some(-rank) } else { None };
        let ranks: Float64Array = all().map(|ranked| rank(&ranked.place)).collect();
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
        let rows = self.side.load(saved(ROWS)?)?;
        let places = self.order.saved(saved(ROWS)?, &self.table_of(rows.iter())?)?;
        let mut ranked: Vec<(Option<Place>, Seen)> = places.into_iter().zip(rows).collect();
        ranked.sort_by_key(|(_, seen)| seen.ordinal);
        (self.open, self.waiting) = (BTreeMap::new(), 0);
        for (place, seen) in ranked {
            let time = seen.time.ok_or_else(|| unreadable("a saved row has no time"))?;
            let place = place.ok_or_else(|| unreadable("a saved row has no rank"))?;
            // There may be more than are kept now.
            let rows = self.open.entry(self.end_of(time)).or_default();
            let nth = rows.partition_point(|other| other.place <= place);
            rows.insert(nth, Ranked { place, seen });
            self.waiting += 1;
        }
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Rank {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if spec.hashes.state != self.spec.hashes.state {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        let order = Order::compile(&op(spec)?.rule, &self.input)?;
        let waiting = self.save()?;
        let former = std::mem::replace(&mut self.order, order);
        let loaded = self.load(waiting);
        match &loaded {
            Ok(()) => self.spec = spec.clone(),
            Err(_) => self.order = former,
        }
        loaded
    }
}
