//! The last of a source's three nodes: gives rows their event time, refuses those without one, and draws ordinals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;

use crate::base::{Duration, Time};
use crate::ir::{Origin, TimeSpec};
use crate::node::{Batch, Clock, Ordinal, Ordinals};

use super::block::{Aside, At, Bad, BadAt, Block};
use super::error::{IoError, arrow_refuses};
use super::expr;
use super::place::Mode;
use super::sheet::Decoded;
use super::spec::Spec;

/// When rows came in.
pub(super) enum Arrival {
    /// A recording does not say; its arrival columns follow the event time.
    Unknown,
    All(Time),
    Each(ScalarBuffer<i64>),
}

/// Where decoded rows come from.
pub(super) struct From<'a> {
    /// As people know it.
    pub name: &'a str,
    /// Records of the recording before this file.
    pub rows_before: u64,
    pub arrival: Arrival,
}

/// Decoded rows with their event time, without those that have none.
pub(super) fn timed(spec: &Spec, decoded: Decoded, from: &From<'_>) -> Result<Block, IoError> {
    let Decoded { mut rows, at, aside } = decoded;
    if let Some(arrived) = from.arrival.column(at.len()) {
        rows = with_arrival(spec, &rows, &arrived)?;
    }
    let Some(time) = event_time(spec, &rows, &at, from)? else {
        return Ok(Block { rows, time: None, at, aside });
    };
    let time = time.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC");
    let block = Untimed { rows, time, at, aside }.without_timeless(spec, from)?;
    block.whole(spec, matches!(from.arrival, Arrival::Unknown))
}

/// None under `time none`.
fn event_time(spec: &Spec, rows: &RecordBatch, at: &[At], from: &From<'_>) -> Result<Option<ArrayRef>, IoError> {
    let micros = |values: Vec<i64>| Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC")) as ArrayRef;
    Ok(Some(match &spec.time {
        TimeSpec::None => return Ok(None),
        TimeSpec::Column { expr, .. } => expr::evaluate(expr, rows, &[])?,
        TimeSpec::Every { every, from: start } => {
            let nth = |at: &At| start.0.saturating_add(every.0.saturating_mul((from.rows_before + at.row) as i64));
            micros(at.iter().map(nth).collect())
        }
        TimeSpec::Arrival => match from.arrival.column(at.len()) {
            Some(arrived) => arrived,
            None => micros(vec![0; at.len()]),
        },
    }))
}

impl Arrival {
    fn column(&self, rows: usize) -> Option<ArrayRef> {
        let values = match self {
            Arrival::Unknown => return None,
            Arrival::All(at) => vec![at.0; rows].into(),
            Arrival::Each(times) => times.clone(),
        };
        Some(Arc::new(TimestampMicrosecondArray::new(values, None).with_timezone("UTC")))
    }
}

fn with_arrival(spec: &Spec, rows: &RecordBatch, arrived: &ArrayRef) -> Result<RecordBatch, IoError> {
    let column = |(nth, column): (usize, &crate::ir::SourceColumn)| match column.origin {
        Origin::Arrival => arrived.clone(),
        _ => rows.column(nth).clone(),
    };
    let columns = spec.columns.iter().enumerate().map(column).collect();
    RecordBatch::try_new(spec.declared.clone(), columns).map_err(arrow_refuses)
}

/// Rows beside their event times, some of which may be missing.
struct Untimed {
    rows: RecordBatch,
    time: TimestampMicrosecondArray,
    at: Vec<At>,
    aside: Aside,
}

impl Untimed {
    fn without_timeless(self, spec: &Spec, from: &From<'_>) -> Result<Untimed, IoError> {
        if self.time.null_count() == 0 {
            return Ok(self);
        }
        let column = spec.time_column().map(|name| format!("`{name}`")).unwrap_or_else(|| "its time".into());
        let missing = BooleanArray::from_iter((0..self.time.len()).map(|row| Some(self.time.is_null(row))));
        let refused =
            Refused { rows: missing, word: "no time", reason: format!("the row has no event time: {column} is null") };
        self.without(refused, from)
    }

    fn without(mut self, refused: Refused, from: &From<'_>) -> Result<Untimed, IoError> {
        for row in refused.rows.values().set_indices() {
            self.aside.bad.push(refused.bad(&self.rows, row, self.at[row], from));
        }
        let kept = arrow::compute::not(&refused.rows).map_err(arrow_refuses)?;
        let time = arrow::compute::filter(&self.time, &kept).map_err(arrow_refuses)?;
        self.rows = filter_record_batch(&self.rows, &kept).map_err(arrow_refuses)?;
        self.time = time.as_primitive::<TimestampMicrosecondType>().clone();
        let mut row = 0;
        self.at.retain(|_| {
            row += 1;
            kept.value(row - 1)
        });
        Ok(self)
    }

    /// With the source's whole schema.
    fn whole(self, spec: &Spec, recorded: bool) -> Result<Block, IoError> {
        let time: ArrayRef = Arc::new(self.time.clone());
        let rows = if recorded { with_arrival(spec, &self.rows, &time)? } else { self.rows };
        let mut columns = rows.columns().to_vec();
        if columns.len() < spec.whole.fields().len() {
            columns.push(time);
        }
        let rows = RecordBatch::try_new(spec.whole.clone(), columns).map_err(arrow_refuses)?;
        Ok(Block { rows, time: Some(self.time.values().clone()), at: self.at, aside: self.aside })
    }
}

/// Rows that the gate does not let in.
struct Refused {
    rows: BooleanArray,
    word: &'static str,
    reason: String,
}

impl Refused {
    fn bad(&self, rows: &RecordBatch, row: usize, at: At, from: &From<'_>) -> Bad {
        let origin = format!("{}, row {}", from.name, at.row + 1);
        Bad::new(at, BadAt::Gate(self.word), self.reason.clone(), shown(rows, row).as_bytes(), origin)
    }
}

/// `at=2026-01-01T00:00:00Z, co2=450`.
fn shown(rows: &RecordBatch, row: usize) -> String {
    let schema = rows.schema();
    let value = |nth: usize| array_value_to_string(rows.column(nth), row).unwrap_or_default();
    let fields = schema.fields().iter().enumerate().map(|(nth, field)| format!("{}={}", field.name(), value(nth)));
    fields.collect::<Vec<_>>().join(", ")
}

/// Rows further ahead of now than the source allows go aside; a recording has no now.
pub(super) fn without_ahead(spec: &Spec, block: Block, now: Time, name: &str) -> Result<Block, IoError> {
    let (Some(ahead), Some(time), Mode::Live) = (spec.limits.ahead, &block.time, spec.mode) else { return Ok(block) };
    let latest = (now + ahead).0;
    if time.iter().all(|at| *at <= latest) {
        return Ok(block);
    }
    let rows = BooleanArray::from_iter(time.iter().map(|at| Some(*at > latest)));
    let refused = Refused { rows, word: "ahead", reason: format!("the row is more than {ahead} ahead of now, {now}") };
    let time = TimestampMicrosecondArray::new(time.clone(), None).with_timezone("UTC");
    let from = From { name, rows_before: 0, arrival: Arrival::Unknown };
    let kept = Untimed { rows: block.rows, time, at: block.at, aside: block.aside }.without(refused, &from)?;
    Ok(Block { rows: kept.rows, time: Some(kept.time.values().clone()), at: kept.at, aside: kept.aside })
}

/// Silence moves the watermark in steps of this part of `idle`, so that a quiet source does not wake anyone all the time.
const IDLE_STEPS: i64 = 4;
const IDLE_STEP_MIN: Duration = Duration(1_000);

/// How far a source has got: what the clock of its batches begins from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Progress {
    pub watermark: Time,
    /// Newest event time seen.
    pub newest: Time,
    /// When the last row came, by the clock of the place.
    pub arrived: Time,
}

impl Progress {
    pub fn start() -> Progress {
        Progress { watermark: Time::MIN, newest: Time::MIN, arrived: Time::MIN }
    }

    /// Rows of a block, with the ordinals from `first` on.
    pub fn draw(&mut self, rows: RecordBatch, time: Option<ScalarBuffer<i64>>, first: Ordinal, lateness: Duration) -> Batch {
        let upto = first.plus(rows.num_rows());
        let Some(time) = time else {
            return Batch { rows, ordinals: Ordinals::Range(first), upto, clock: Clock::None };
        };
        // A lateness that has become shorter counts from the first row on, however many come with it.
        let before = match self.newest {
            Time::MIN => self.watermark,
            newest => self.watermark.max(newest - lateness),
        };
        self.watermark = before;
        if let Some(newest) = time.iter().max() {
            self.newest = self.newest.max(Time(*newest));
            self.watermark = self.watermark.max(self.newest - lateness);
        }
        let clock = Clock::Gate { base: first, before, after: self.watermark, lateness, time };
        Batch { rows, ordinals: Ordinals::Range(first), upto, clock }
    }

    /// What the watermark is once the source has been silent so long: event time is taken to have gone on since the last
    /// row as the clock has, less `idle`. None while that brings it no step further.
    pub fn idle(&self, now: Time, idle: Duration, lateness: Duration) -> Option<Time> {
        let due = self.idle_from(idle, lateness)?;
        (due <= now).then(|| self.newest - lateness + (now - self.arrived) + Duration(-idle.0))
    }

    /// When the clock says that silence moves the watermark by its next step.
    pub fn idle_from(&self, idle: Duration, lateness: Duration) -> Option<Time> {
        if self.newest == Time::MIN {
            return None;
        }
        let behind = self.watermark - (self.newest - lateness);
        Some(self.arrived + idle + behind + Duration((idle.0 / IDLE_STEPS).max(IDLE_STEP_MIN.0)))
    }

    /// An empty batch that takes one ordinal and moves the watermark.
    pub fn move_on(&mut self, rows: RecordBatch, to: Time, first: Ordinal, lateness: Duration) -> Batch {
        let before = std::mem::replace(&mut self.watermark, to);
        let clock = Clock::Gate { base: first, before, after: to, lateness, time: Vec::new().into() };
        Batch { rows, ordinals: Ordinals::Range(first), upto: first.plus(1), clock }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;

    use super::*;

    /// The watermark before the first row, after times of before and under a shorter lateness.
    fn start_of(times: &[i64]) -> Time {
        let empty = || RecordBatch::new_empty(Arc::new(Schema::empty()));
        let mut progress = Progress::start();
        progress.draw(empty(), Some(vec![100, 90].into()), Ordinal(0), Duration(50));
        progress.draw(empty(), Some(times.to_vec().into()), Ordinal(2), Duration(10)).clock.start()
    }

    #[test]
    fn a_shorter_lateness_counts_from_its_first_row_on_whatever_comes_with_it() {
        assert_eq!([start_of(&[85]), start_of(&[85, 120, 95]), start_of(&[])], [Time(90); 3]);
    }
}
