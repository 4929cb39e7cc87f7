//! `window session gap D`: rows of one key belong together while less than D lies between them.
//!
//! A session ends D after its last row, and fires at the ordinal at which the watermark gets there. Its rows wait as they came
//! in, so another aggregate or another gap is of all rows that still wait. A row between two sessions makes them one. A row is
//! late if by then, before itself, a session of it alone would have fired, and it stands near no other that is open.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::OwnedRow;
use datafusion::logical_expr::EmitTo;

use crate::base::{Duration, Time};
use crate::ir::{self, Outlet, WindowShape};
use crate::node::{self, Batch, Clock, Migration, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::cell;
use super::super::error::{failed, ill_formed, too_many, unreadable};
use super::super::keys::Keys;
use super::super::progress::Progress;
use super::super::seen::{Seen, Side};
use super::super::table::{FORMAT, expect_state, table};
use super::incomplete::Incomplete;
use super::output::Fired;
use super::pane::Results;
use super::saved::{CLOCK, load_clock, save_clock};
use super::{Parts, op};

/// How many rows wait in open sessions.
const ROWS_MAX: usize = 1_000_000;

/// The state: the rows of open sessions, and how far the watermark has got.
pub(super) struct SessionWindow {
    parts: Parts,
    side: Side,
    schema: SchemaRef,
    /// In microseconds.
    gap: i64,
    /// By key and start.
    open: BTreeMap<OwnedRow, BTreeMap<i64, Session>>,
    /// Of every open session: end, key, start.
    due: BTreeSet<(i64, OwnedRow, i64)>,
    rows: usize,
    watermark: Time,
}

/// Rows in the order of their ordinals.
struct Session {
    last: i64,
    rows: Vec<Seen>,
}

/// A session that has ended.
struct Ended {
    key: OwnedRow,
    start: i64,
    end: i64,
    at: Ordinal,
    rows: Vec<Seen>,
}

/// What becomes of a row.
enum Fate {
    In,
    Late,
    Keyless,
    Timeless,
}

const ROWS: &str = "rows";

impl SessionWindow {
    pub fn build(spec: &NodeSpec, input: &ir::Schema, gap: Duration) -> Result<SessionWindow, NodeError> {
        if input.time.is_none() || gap.0 <= 0 {
            return Err(ill_formed(format!("{} is a window of sessions over rows without a time", spec.key)));
        }
        let columns = input.columns.iter().map(|column| column.name.clone());
        Ok(SessionWindow {
            side: Side::new(&op(spec)?.by, input, columns)?,
            parts: Parts::build(spec, input)?,
            schema: node::schema(input),
            gap: gap.0,
            open: BTreeMap::new(),
            due: BTreeSet::new(),
            rows: 0,
            watermark: Time::MIN,
        })
    }

    /// Rows in order, and what ends in between.
    fn advance(&mut self, rows: Vec<Seen>, progress: &Progress) -> (Vec<Fate>, Vec<Ended>) {
        let (mut fates, mut ended) = (Vec::with_capacity(rows.len()), Vec::new());
        for seen in rows {
            self.let_go(Some(seen.ordinal), progress, &mut ended);
            fates.push(self.take(seen, progress));
        }
        self.let_go(None, progress, &mut ended);
        (fates, ended)
    }

    fn take(&mut self, seen: Seen, progress: &Progress) -> Fate {
        let Some(key) = seen.key.clone() else { return Fate::Keyless };
        let Some(time) = seen.time else { return Fate::Timeless };
        let is_over = time.saturating_add(self.gap) <= progress.before(seen.ordinal).0;
        let near = self.near(&key, time);
        if is_over && near.is_empty() {
            return Fate::Late;
        }
        self.join(key, time, &near, seen);
        Fate::In
    }

    /// The starts of the open sessions that a row at this time belongs to.
    fn near(&self, key: &OwnedRow, time: i64) -> Vec<i64> {
        let near = |start: i64, session: &Session| {
            start.saturating_sub(self.gap) < time && time < session.last.saturating_add(self.gap)
        };
        let open = self.open.get(key).into_iter().flatten();
        open.filter(|(start, session)| near(**start, session)).map(|(start, _)| *start).collect()
    }

    /// One session of the row and those that it stands near.
    fn join(&mut self, key: OwnedRow, time: i64, near: &[i64], seen: Seen) {
        let sessions = self.open.entry(key.clone()).or_default();
        let (mut first, mut last, mut rows) = (time, time, Vec::new());
        for start in near {
            let Some(session) = sessions.remove(start) else { continue };
            self.due.remove(&(session.last.saturating_add(self.gap), key.clone(), *start));
            (first, last) = (first.min(*start), last.max(session.last));
            rows.extend(session.rows);
        }
        if near.len() > 1 {
            rows.sort_by_key(|row: &Seen| row.ordinal);
        }
        rows.push(seen);
        self.due.insert((last.saturating_add(self.gap), key, first));
        sessions.insert(first, Session { last, rows });
        self.rows += 1;
    }

    /// What ends before the row at `before` is seen; without one, by the end of the batch.
    fn let_go(&mut self, before: Option<Ordinal>, progress: &Progress, ended: &mut Vec<Ended>) {
        while let Some((end, ..)) = self.due.first() {
            let Some(at) = progress.passes(Time(*end)) else { return };
            if before.is_some_and(|before| at >= before) {
                return;
            }
            ended.extend(self.close(at));
        }
    }

    /// The session that ends first.
    fn close(&mut self, at: Ordinal) -> Option<Ended> {
        let (end, key, start) = self.due.pop_first()?;
        let sessions = self.open.get_mut(&key)?;
        let session = sessions.remove(&start)?;
        if sessions.is_empty() {
            self.open.remove(&key);
        }
        self.rows -= session.rows.len();
        Some(Ended { key, start, end, at, rows: session.rows })
    }

    fn sent(&self, ended: Vec<Ended>, upto: Ordinal, clock: Clock, out: &mut Out) -> Result<(), NodeError> {
        let mut keys = Keys::new(self.parts.by.types())?;
        let mut fired = Fired::default();
        if !ended.is_empty() {
            let columns = self.side.key_columns(ended.iter().map(|session| &session.key))?;
            let ids = keys.ids(&columns, ended.len())?;
            let slots = self.slots(&ended)?;
            let windows = ended.iter().map(|session| (Time(session.start), Time(session.end)));
            fired.push_rows(Results { keys: ids, slots }, windows, ended.iter().map(|session| session.at));
        }
        out.send(self.parts.output.batch(fired, &keys, &Incomplete::default(), upto, clock)?);
        Ok(())
    }

    /// What the aggregates make of the rows of each session.
    fn slots(&self, ended: &[Ended]) -> Result<Vec<ArrayRef>, NodeError> {
        let aggregates = &self.parts.aggregates;
        let inputs = aggregates.read(&self.table_of(ended)?)?;
        let sizes = ended.iter().enumerate();
        let groups: Vec<usize> = sizes.flat_map(|(nth, session)| std::iter::repeat_n(nth, session.rows.len())).collect();
        let mut slots = Vec::new();
        for (call, mut accumulator) in aggregates.calls.iter().zip(aggregates.accumulators()?) {
            call.update(accumulator.as_mut(), &inputs, &groups, ended.len())?;
            slots.push(call.result(accumulator.evaluate(EmitTo::All).map_err(failed)?)?);
        }
        Ok(slots)
    }

    /// The rows of these sessions as they came in, one session after the other.
    fn table_of(&self, ended: &[Ended]) -> Result<RecordBatch, NodeError> {
        let rows: Vec<&Seen> = ended.iter().flat_map(|session| &session.rows).collect();
        let column = |(nth, (_, ty)): (usize, &(crate::base::Name, arrow::datatypes::DataType))| {
            cell::column(rows.iter().map(|seen| &seen.cells[nth]), ty)
        };
        let columns = self.side.columns().iter().enumerate().map(column).collect::<Result<_, _>>()?;
        table(&self.schema, columns, rows.len())
    }

    /// All rows that wait, in the order in which they came.
    fn waiting(&self) -> Vec<&Seen> {
        let sessions = self.open.values().flat_map(BTreeMap::values);
        let mut rows: Vec<&Seen> = sessions.flat_map(|session| &session.rows).collect();
        rows.sort_by(|a, b| (a.ordinal, &a.key).cmp(&(b.ordinal, &b.key)));
        rows
    }

    /// Sessions of these rows, none of which is late.
    fn divide(&mut self, rows: Vec<Seen>) -> Result<(), NodeError> {
        (self.open, self.due, self.rows) = Default::default();
        for seen in rows {
            let (Some(key), Some(time)) = (seen.key.clone(), seen.time) else {
                return Err(unreadable("a saved row has no time"));
            };
            let near = self.near(&key, time);
            self.join(key, time, &near, seen);
        }
        Ok(())
    }
}

impl Node for SessionWindow {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let progress = Progress::of(&batch.clock, batch.upto);
        let (fates, ended) = self.advance(self.side.rows(&batch)?, &progress);
        if self.rows > ROWS_MAX {
            return Err(too_many("rows in open sessions", ROWS_MAX));
        }
        let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
        let late = count(|fate| matches!(fate, Fate::Late));
        out.absorbed(count(|fate| matches!(fate, Fate::In)));
        out.dropped("late", late);
        out.dropped("null key", count(|fate| matches!(fate, Fate::Keyless)));
        out.dropped("no time", count(|fate| matches!(fate, Fate::Timeless)));
        if late > 0 {
            let mask: BooleanArray = fates.iter().map(|fate| Some(matches!(fate, Fate::Late))).collect();
            out.send_aside(Outlet::Late, batch.filter(&mask).map_err(failed)?);
        }
        self.watermark = self.watermark.max(batch.clock.after());
        self.sent(ended, batch.upto, batch.clock, out)
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let ended: Vec<Ended> = std::iter::from_fn(|| self.close(at)).collect();
        self.sent(ended, at, Clock::still(self.watermark), out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.parts.spec.hashes.state);
        state.tables.insert(ROWS.into(), self.side.save(self.waiting().into_iter())?);
        state.tables.insert(CLOCK.into(), save_clock(self.watermark)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.parts.spec.hashes.state)?;
        let saved = |name: &str| state.tables.get(name).ok_or_else(|| unreadable(format!("it has no table `{name}`")));
        self.watermark = load_clock(saved(CLOCK)?)?;
        let rows = self.side.load(saved(ROWS)?)?;
        self.divide(rows)
    }

    /// Rows are what they were, whatever is made of them.
    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        let Migration { before: _, running, anew: _, rebuilt } = migration;
        self.load(rebuilt.unwrap_or(running))
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for SessionWindow {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if spec.hashes.state != self.parts.spec.hashes.state {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        let WindowShape::Session { gap } = op(spec)?.shape else {
            return Err(ill_formed(format!("{} has no sessions", spec.key)));
        };
        self.parts = Parts::build(spec, &self.parts.input)?;
        if gap.0 != self.gap {
            let rows = self.waiting().into_iter().cloned().collect();
            self.gap = gap.0;
            self.divide(rows)?;
        }
        Ok(())
    }
}
