//! `join S on K within D`: a row for each pair of equal keys whose times are at most D apart.
//!
//! A row waits until the watermark has left its time more than D behind, so that nothing that is not late can still be its
//! partner; then one of port 0 that has found none goes on alone. What leaves has the time of the row of port 0, so the
//! watermark behind the stage is as far back. A pair has the ordinal of its later row, a row alone that of the row that moved
//! the watermark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::row::OwnedRow;

use crate::base::{Duration, Time};
use crate::ir;
use crate::node::{self, Batch, Clock, Node, NodeError, Ordinal, Ordinals, Out, Port, State};
use crate::plan::NodeSpec;

use super::super::cell::{self, Cell};
use super::super::error::{too_many, unreadable};
use super::super::progress::Progress;
use super::super::seen::{Seen, Side, whole};
use super::super::table::{FORMAT, column_named, expect_state, table};
use super::{ROWS_MAX, op};

/// The state: the rows that wait, in the order in which they came, and how far the watermark has got.
pub(super) struct Interval {
    spec: NodeSpec,
    schema: SchemaRef,
    left: Side,
    right: Side,
    /// In microseconds: how long after its own time a row is needed.
    reach: i64,
    required: bool,
    waiting: BTreeMap<u64, Waiting>,
    by_key: BTreeMap<OwnedRow, BTreeSet<u64>>,
    /// When each waiting row is over.
    due: BTreeSet<(i64, u64)>,
    /// The number of the next row.
    next: u64,
    reached: Time,
    pending: Vec<Seen>,
}

#[derive(Clone, Debug)]
struct Waiting {
    seen: Seen,
    of_left: bool,
    matched: bool,
}

/// Rows that come out, in order.
#[derive(Default)]
struct Made {
    rows: Vec<Pair>,
    alone: usize,
}

/// A row of port 0 with its partner, if it has one.
struct Pair {
    at: Ordinal,
    left: Arc<[Cell]>,
    right: Option<Arc<[Cell]>>,
}

const LEFT: &str = "left";
const RIGHT: &str = "right";
const CLOCK: &str = "clock";
const MATCHED: &str = "@matched";
const NTH: &str = "@nth";

impl Interval {
    pub fn build(spec: &NodeSpec, left: &ir::Schema, right: &ir::Schema, within: Duration) -> Result<Interval, NodeError> {
        let join = op(spec)?;
        let of_left = Side::new(&join.on, left, left.columns.iter().map(|column| column.name.clone()))?;
        let of_right = Side::new(&join.on, right, join.take.iter().map(|taken| taken.from.clone()))?;
        Ok(Interval {
            spec: spec.clone(),
            schema: node::schema(&spec.schema),
            left: of_left,
            right: of_right,
            reach: within.0.saturating_add(1),
            required: join.required,
            waiting: BTreeMap::new(),
            by_key: BTreeMap::new(),
            due: BTreeSet::new(),
            next: 0,
            reached: Time::MIN,
            pending: Vec::new(),
        })
    }

    /// Rows of both sides in the order of their ordinals, port 0 first, and what is over in between.
    fn advance(&mut self, left: Vec<Seen>, progress: &Progress) -> Result<Made, NodeError> {
        let mut made = Made::default();
        let mut right = std::mem::take(&mut self.pending).into_iter().peekable();
        for row in left {
            while let Some(seen) = right.next_if(|seen| seen.ordinal < row.ordinal) {
                self.take(seen, false, progress, &mut made);
            }
            self.take(row, true, progress, &mut made);
        }
        right.for_each(|seen| self.take(seen, false, progress, &mut made));
        self.let_go(None, progress, &mut made);
        if self.waiting.len() > ROWS_MAX { Err(too_many("rows that wait in a join", ROWS_MAX)) } else { Ok(made) }
    }

    fn take(&mut self, seen: Seen, of_left: bool, progress: &Progress, made: &mut Made) {
        self.let_go(Some(seen.ordinal), progress, made);
        let (Some(key), Some(time)) = (seen.key.clone(), seen.time) else {
            if of_left {
                self.alone(&seen, seen.ordinal, made);
            }
            return;
        };
        let matched = self.pair(&key, &seen, of_left, made);
        let over = time.saturating_add(self.reach);
        if over > progress.before(seen.ordinal).0 {
            self.wait(key, over, Waiting { seen, of_left, matched });
        } else if of_left && !matched {
            self.alone(&seen, seen.ordinal, made);
        }
    }

    /// With all that waits on the other side; whether there was one.
    fn pair(&mut self, key: &OwnedRow, seen: &Seen, of_left: bool, made: &mut Made) -> bool {
        let mut matched = false;
        for nth in self.by_key.get(key).into_iter().flatten() {
            let other = self.waiting.get_mut(nth).expect("what stands by its key waits");
            let apart = other.seen.time.zip(seen.time).map(|(one, other)| one.abs_diff(other));
            if other.of_left == of_left || apart.is_none_or(|apart| apart >= self.reach.unsigned_abs()) {
                continue;
            }
            (matched, other.matched) = (true, true);
            let (left, right) = if of_left { (seen, &other.seen) } else { (&other.seen, seen) };
            made.rows.push(Pair { at: seen.ordinal, left: Arc::clone(&left.cells), right: Some(Arc::clone(&right.cells)) });
        }
        matched
    }

    fn wait(&mut self, key: OwnedRow, over: i64, waiting: Waiting) {
        self.by_key.entry(key).or_default().insert(self.next);
        self.due.insert((over, self.next));
        self.waiting.insert(self.next, waiting);
        self.next += 1;
    }

    /// What is over before the row at `before` is seen; without one, by the end of the batch.
    fn let_go(&mut self, before: Option<Ordinal>, progress: &Progress, made: &mut Made) {
        while let Some((over, nth)) = self.due.first().copied() {
            let Some(at) = progress.passes(Time(over)) else { return };
            if before.is_some_and(|before| at >= before) {
                return;
            }
            self.finish(over, nth, at, made);
        }
    }

    fn finish(&mut self, over: i64, nth: u64, at: Ordinal, made: &mut Made) {
        self.due.remove(&(over, nth));
        let Some(Waiting { seen, of_left, matched }) = self.waiting.remove(&nth) else { return };
        if let Some(key) = &seen.key
            && let Some(all) = self.by_key.get_mut(key)
        {
            all.remove(&nth);
            if all.is_empty() {
                self.by_key.remove(key);
            }
        }
        if of_left && !matched {
            self.alone(&seen, at, made);
        }
    }

    fn alone(&self, seen: &Seen, at: Ordinal, made: &mut Made) {
        if self.required {
            made.alone += 1;
        } else {
            made.rows.push(Pair { at, left: Arc::clone(&seen.cells), right: None });
        }
    }

    fn sent(&self, made: Made, upto: Ordinal, clock: Clock, out: &mut Out) -> Result<(), NodeError> {
        let column = |nth: usize, ty: &DataType| {
            let of_left = self.left.columns().len();
            let cell = |pair: &Pair| match nth.checked_sub(of_left) {
                None => pair.left[nth].clone(),
                Some(at) => pair.right.as_ref().map_or(Cell::Null, |cells| cells[at].clone()),
            };
            let cells: Vec<Cell> = made.rows.iter().map(cell).collect();
            cell::column(cells.iter(), ty)
        };
        let types = self.schema.fields().iter().map(|field| field.data_type());
        let columns = types.enumerate().map(|(nth, ty)| column(nth, ty)).collect::<Result<Vec<ArrayRef>, _>>()?;
        let rows = table(&self.schema, columns, made.rows.len())?;
        let ordinals = Ordinals::Column(made.rows.iter().map(|pair| pair.at.0).collect());
        out.noted("no partner", made.alone);
        out.send(Batch { rows, ordinals, upto, clock: clock.behind(Duration(self.reach)) });
        Ok(())
    }

    fn of_side(&self, of_left: bool) -> impl Iterator<Item = (&u64, &Waiting)> + Clone {
        self.waiting.iter().filter(move |(_, waiting)| waiting.of_left == of_left)
    }

    fn save_side(&self, side: &Side, of_left: bool) -> Result<RecordBatch, NodeError> {
        let rows = side.save(self.of_side(of_left).map(|(_, waiting)| &waiting.seen))?;
        let matched: BooleanArray = self.of_side(of_left).map(|(_, waiting)| Some(waiting.matched)).collect();
        // Of their numbers only the order means something.
        let numbers: Vec<u64> = self.waiting.keys().copied().collect();
        let rank = |nth: &u64| numbers.binary_search(nth).ok().and_then(|rank| i64::try_from(rank).ok());
        let nth: Int64Array = self.of_side(of_left).map(|(nth, _)| rank(nth)).collect();
        let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.extend([Field::new(MATCHED, DataType::Boolean, true), Field::new(NTH, DataType::Int64, true)]);
        let more: [ArrayRef; 2] = [Arc::new(matched), Arc::new(nth)];
        let columns = rows.columns().iter().cloned().chain(more).collect();
        table(&Arc::new(Schema::new(fields)), columns, rows.num_rows())
    }

    fn load_side(side: &Side, saved: &RecordBatch, of_left: bool) -> Result<Vec<(i64, Waiting)>, NodeError> {
        let matched =
            column_named(saved, MATCHED)?.as_boolean_opt().ok_or_else(|| unreadable("it does not say who has partners"))?;
        let nth = whole(saved, NTH)?;
        let rows = side.load(saved)?.into_iter().enumerate();
        Ok(rows.map(|(row, seen)| (nth.value(row), Waiting { seen, of_left, matched: matched.value(row) })).collect())
    }
}

impl Node for Interval {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        out.absorbed(batch.len());
        if port > 0 {
            self.pending.extend(self.right.rows(&batch)?);
            return Ok(());
        }
        let progress = Progress::of(&batch.clock, batch.upto);
        let made = self.advance(self.left.rows(&batch)?, &progress)?;
        self.reached = self.reached.max(batch.clock.after());
        self.sent(made, batch.upto, batch.clock, out)
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let mut made = Made::default();
        while let Some((over, nth)) = self.due.first().copied() {
            self.finish(over, nth, at, &mut made);
        }
        self.sent(made, at, Clock::still(self.reached), out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        state.tables.insert(LEFT.into(), self.save_side(&self.left, true)?);
        state.tables.insert(RIGHT.into(), self.save_side(&self.right, false)?);
        let schema = Arc::new(Schema::new(vec![Field::new(CLOCK, DataType::Int64, true)]));
        state.tables.insert(CLOCK.into(), table(&schema, vec![Arc::new(Int64Array::from(vec![self.reached.0]))], 1)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        let clock = whole(saved(CLOCK)?, CLOCK)?;
        self.reached = clock.values().first().map(|time| Time(*time)).ok_or_else(|| unreadable("its watermark is no time"))?;
        let mut rows = Interval::load_side(&self.left, saved(LEFT)?, true)?;
        rows.extend(Interval::load_side(&self.right, saved(RIGHT)?, false)?);
        rows.sort_by_key(|(nth, _)| *nth);
        (self.waiting, self.by_key, self.due, self.next) = Default::default();
        for (_, waiting) in rows {
            let (Some(key), Some(time)) = (waiting.seen.key.clone(), waiting.seen.time) else {
                return Err(unreadable("a saved row has no time"));
            };
            self.wait(key, time.saturating_add(self.reach), waiting);
        }
        Ok(())
    }
}
