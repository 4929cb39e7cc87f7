//! What goes wrong in the field: to whole rows, and to single values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float64Type};

use crate::base::Duration;
use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::ir::{Fault, Simulate};

use super::Timeline;
use super::layout::Layout;
use super::random::Stream;

/// The faults of one simulation, with a stream of chance for each key.
pub(super) struct Faults {
    timeline: Timeline,
    faults: Vec<(Fault, Vec<Stream>)>,
    keys: usize,
}

/// What becomes of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub lost: Option<&'static str>,
    pub twice: bool,
    /// Microseconds by which it arrives late.
    pub late: i64,
}

impl Faults {
    pub fn new(simulate: &Simulate, timeline: Timeline, layout: &Layout) -> Result<Faults, IoError> {
        let faults = simulate.faults.iter().enumerate().map(|(nth, fault)| {
            check(fault)?;
            let stream = |key: &String| Stream::new(simulate.seed, &["fault", &nth.to_string(), key], 1);
            Ok((fault.clone(), layout.keys.iter().map(stream).collect()))
        });
        Ok(Faults { timeline, faults: faults.collect::<Result<_, IoError>>()?, keys: layout.keys.len() })
    }

    /// By how much a row may be late at most.
    pub fn latest(&self) -> Duration {
        let late = |fault: &Fault| match fault {
            Fault::Late { by, .. } => by.0,
            Fault::Drift { .. }
            | Fault::Drop { .. }
            | Fault::Duplicate { .. }
            | Fault::Spike { .. }
            | Fault::Gap { .. }
            | Fault::Delay { .. } => 0,
        };
        Duration(self.faults.iter().map(|(fault, _)| late(fault)).sum())
    }

    /// Of the rows of the ticks `from..to`, in their order.
    pub fn fates(&mut self, from: u64, to: u64) -> Vec<Fate> {
        let mut fates = vec![Fate::default(); (to - from) as usize * self.keys];
        for nth in 0..self.faults.len() {
            let fault = self.faults[nth].0.clone();
            match fault {
                Fault::Late { share, by } => self.chosen(nth, share, from, to, |row| fates[row].late += by.0),
                Fault::Drop { share } => self.chosen(nth, share, from, to, |row| fates[row].lost = Some("drop")),
                Fault::Duplicate { share } => self.chosen(nth, share, from, to, |row| fates[row].twice = true),
                Fault::Gap { length, every } => {
                    for (tick, row) in (from..to).zip(fates.chunks_mut(self.keys)) {
                        if self.in_gap(tick, length, every) {
                            row.iter_mut().for_each(|fate| fate.lost = Some("gap"));
                        }
                    }
                }
                Fault::Drift { .. } | Fault::Spike { .. } | Fault::Delay { .. } => {}
            }
        }
        fates
    }

    /// Values as the sensors tell them.
    pub fn spoil(&mut self, rows: &RecordBatch, from: u64, to: u64) -> Result<RecordBatch, IoError> {
        let mut columns = rows.columns().to_vec();
        for nth in 0..self.faults.len() {
            let fault = self.faults[nth].0.clone();
            match fault {
                Fault::Drift { column, add, times, after } => {
                    let began = |tick| self.since(tick) >= after.0;
                    let rows_hit = self.each_tick(from, to, began);
                    change(rows, &mut columns, &column, &rows_hit, |value| value * times + add)?;
                }
                Fault::Spike { column, times, share } => {
                    let mut hit = vec![false; rows.num_rows()];
                    self.chosen(nth, share, from, to, |row| hit[row] = true);
                    change(rows, &mut columns, &column, &BooleanArray::from(hit), |value| value * times)?;
                }
                Fault::Delay { column, by } => {
                    let on_its_way = |tick| {
                        self.timeline.end.is_none_or(|end| self.timeline.beat.at(tick) + by.0 > self.timeline.beat.at(end))
                    };
                    let rows_hit = self.each_tick(from, to, on_its_way);
                    let at = position(rows, &column)?;
                    let null = new_null_array(columns[at].data_type(), rows.num_rows());
                    columns[at] = zip(&rows_hit, &null, &columns[at]).map_err(arrow_refuses)?;
                }
                Fault::Late { .. } | Fault::Drop { .. } | Fault::Duplicate { .. } | Fault::Gap { .. } => {}
            }
        }
        let names = rows.schema();
        let names = names.fields().iter().map(|field| field.name().clone());
        RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, values)| (name, values, true)))
            .map_err(arrow_refuses)
    }

    /// Rows that this fault hits by chance.
    fn chosen(&mut self, nth: usize, share: f64, from: u64, to: u64, mut hit: impl FnMut(usize)) {
        let keys = self.keys;
        for (key, stream) in self.faults[nth].1.iter_mut().enumerate() {
            stream.seek(from);
            for tick in 0..(to - from) as usize {
                if stream.unit() < share {
                    hit(tick * keys + key);
                }
            }
        }
    }

    fn each_tick(&self, from: u64, to: u64, hit: impl Fn(u64) -> bool) -> BooleanArray {
        BooleanArray::from_iter((from..to).flat_map(|tick| std::iter::repeat_n(Some(hit(tick)), self.keys)))
    }

    /// Microseconds since faults began to count.
    fn since(&self, tick: u64) -> i64 {
        self.timeline.beat.at(tick) - self.timeline.beat.at(self.timeline.faults_from)
    }

    /// A gap ends its period, so that nothing begins with one.
    fn in_gap(&self, tick: u64, length: Duration, every: Duration) -> bool {
        self.since(tick).rem_euclid(every.0) >= every.0 - length.0
    }
}

fn check(fault: &Fault) -> Result<(), IoError> {
    let wrong = match fault {
        Fault::Gap { every, .. } if every.0 <= 0 => "a gap needs a period, as in `gap 10min every 1d`",
        Fault::Late { by, .. } if by.0 < 0 => "rows cannot be late by less than nothing",
        Fault::Late { .. }
        | Fault::Gap { .. }
        | Fault::Drift { .. }
        | Fault::Drop { .. }
        | Fault::Duplicate { .. }
        | Fault::Spike { .. }
        | Fault::Delay { .. } => return Ok(()),
    };
    Err(IoError::new(Code::E0718, wrong))
}

fn position(rows: &RecordBatch, column: &str) -> Result<usize, IoError> {
    rows.schema()
        .index_of(column)
        .map_err(|_| IoError::new(Code::E0718, format!("a fault is in `{column}`, which is no column")))
}

/// Numbers of the rows that are hit, changed; ints become floats, which the declared type rounds or refuses.
fn change(
    rows: &RecordBatch,
    columns: &mut [ArrayRef],
    column: &str,
    hit: &BooleanArray,
    change: impl Fn(f64) -> f64,
) -> Result<(), IoError> {
    let at = position(rows, column)?;
    let int = *columns[at].data_type() == DataType::Int64;
    let values = cast(&columns[at], &DataType::Float64)
        .map_err(|_| IoError::new(Code::E0718, format!("`{column}` holds no numbers that could drift or spike")))?;
    let values = values.as_primitive::<Float64Type>();
    let changed = values.iter().zip(hit.iter()).map(|(value, hit)| match value {
        Some(value) if hit == Some(true) && int => Some(change(value).round()),
        Some(value) if hit == Some(true) => Some(change(value)),
        other => other,
    });
    columns[at] = Arc::new(Float64Array::from_iter(changed));
    Ok(())
}
