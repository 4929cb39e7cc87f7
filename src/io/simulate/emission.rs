//! Rows in the order in which they arrive.

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{concat_batches, take_record_batch};

use crate::diag::Code;
use crate::io::block::{At, BLOCK_ROWS};
use crate::io::error::{IoError, arrow_refuses};
use crate::io::fit::fit;
use crate::io::sheet::Decoded;
use crate::io::spec::Spec;
use crate::ir::Simulate;

use super::fault::{Fate, Faults};
use super::layout::Layout;
use super::{HELD_ROWS_MAX, Timeline};

/// Makes rows stretch by stretch and holds the late ones back.
pub(super) struct Emission {
    timeline: Timeline,
    faults: Faults,
    /// The next tick whose rows are made; everything that arrives before it is out.
    tick: u64,
    /// A tick and how many of its rows are not given, because they were delivered before a restart.
    skip: (u64, u32),
    /// Whether late rows of the ticks before the first were made.
    begun: bool,
    held: Option<(RecordBatch, Vec<Place>)>,
    /// Ticks by which a row may be late.
    latest: u64,
}

/// A made row and when it arrives. Ordered as rows arrive: late ones before those of the tick at which they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    arrives: u64,
    made: u64,
    key: u32,
    copy: bool,
    late: i64,
}

/// Rows with their places.
type Made = (RecordBatch, Vec<Place>);

/// How many rows were lost to which fault.
type Lost = Vec<(&'static str, u64)>;

/// Fitted rows, and when each arrived in microseconds.
pub(super) type Emitted = (Decoded, ScalarBuffer<i64>);

impl Emission {
    pub fn new(simulate: &Simulate, timeline: Timeline, layout: &Layout) -> Result<Emission, IoError> {
        let faults = Faults::new(simulate, timeline, layout)?;
        let latest = timeline.beat.from(faults.latest().0);
        if latest.saturating_mul(layout.keys.len() as u64) > HELD_ROWS_MAX {
            let message = format!("rows that are late by {} would be held back by the million", faults.latest());
            return Err(IoError::new(Code::E0718, message).help("make them less late, or the rows fewer"));
        }
        Ok(Emission { timeline, faults, tick: timeline.first, skip: (0, 0), begun: false, held: None, latest })
    }

    /// The next tick that was not given.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Begins at this tick, of which so many rows are left out. Late rows of ticks before it are made again and held.
    pub fn seek(&mut self, layout: &mut Layout, tick: u64, skip: u32) -> Result<(), IoError> {
        let earliest = if self.timeline.faults_from == 0 { 0 } else { self.timeline.first };
        (self.tick, self.held) = (tick.saturating_sub(self.latest).max(earliest).min(tick), None);
        while self.tick < tick {
            self.stretch(layout, tick)?;
        }
        (self.skip, self.begun) = ((tick, skip), true);
        Ok(())
    }

    /// Rows that arrive before the tick `to`, at most about a block; none where there are none yet.
    pub fn next(&mut self, spec: &Spec, layout: &mut Layout, to: u64) -> Result<Option<Emitted>, IoError> {
        if !self.begun {
            self.seek(layout, self.timeline.first, 0)?;
        }
        while self.tick < to {
            let (emitted, lost) = self.stretch(layout, to)?;
            let (mut decoded, arrived) = self.given(spec, emitted)?;
            decoded.aside.lost = lost;
            if !decoded.at.is_empty() || !decoded.aside.is_empty() {
                return Ok(Some((decoded, arrived)));
            }
        }
        Ok(None)
    }

    /// The rows that arrive in the next ticks, before `to`, and what was lost of them.
    fn stretch(&mut self, layout: &mut Layout, to: u64) -> Result<(Made, Lost), IoError> {
        let ticks = (BLOCK_ROWS / layout.keys.len()).max(1) as u64;
        let (from, to) = (self.tick, to.min(self.tick + ticks));
        let rows = self.faults.spoil(&layout.rows(from, to)?, from, to)?;
        let (mut places, mut indices, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (row, fate) in self.faults.fates(from, to).into_iter().enumerate() {
            let (tick, key) = (from + (row / layout.keys.len()) as u64, (row % layout.keys.len()) as u32);
            if let Some(why) = fate.lost {
                lost.push(why);
                continue;
            }
            for copy in [false, true].into_iter().take(1 + usize::from(fate.twice)) {
                places.push(self.place(tick, key, copy, fate));
                indices.push(row as u64);
            }
        }
        self.tick = to;
        let made = self.sorted((rows, places), indices, to)?;
        Ok((made, counted(lost)))
    }

    fn place(&self, tick: u64, key: u32, copy: bool, fate: Fate) -> Place {
        let arrives = match fate.late {
            0 => tick,
            late => self.timeline.beat.from(self.timeline.beat.at(tick) + late),
        };
        Place { arrives, made: tick, key, copy, late: fate.late }
    }

    /// Held and new rows that arrive before `to`, in order; the others are held.
    fn sorted(&mut self, (rows, mut places): Made, mut indices: Vec<u64>, to: u64) -> Result<Made, IoError> {
        let mut rows = rows;
        if let Some((held, held_places)) = self.held.take() {
            let first = held.num_rows() as u64;
            rows = concat_batches(&rows.schema(), [&held, &rows]).map_err(arrow_refuses)?;
            indices = (0..first).chain(indices.into_iter().map(|row| row + first)).collect();
            places = held_places.into_iter().chain(places).collect();
        }
        let mut order: Vec<usize> = (0..places.len()).collect();
        if !places.is_sorted() {
            order.sort_by_key(|nth| places[*nth]);
        }
        let now = order.partition_point(|nth| places[*nth].arrives < to);
        let part = |order: &[usize]| -> Result<Made, IoError> {
            let indices = UInt64Array::from_iter_values(order.iter().map(|nth| indices[*nth]));
            Ok((take_record_batch(&rows, &indices).map_err(arrow_refuses)?, order.iter().map(|nth| places[*nth]).collect()))
        };
        self.held = if now < order.len() { Some(part(&order[now..])?) } else { None };
        part(&order[..now])
    }

    /// As decoded rows. A row's place is its tick of arrival and its number in that tick.
    fn given(&mut self, spec: &Spec, (rows, places): Made) -> Result<Emitted, IoError> {
        let (mut at, mut before) = (Vec::with_capacity(places.len()), At { file: 0, row: u64::MAX });
        for place in &places {
            before = At { file: if place.arrives == before.row { before.file + 1 } else { 0 }, row: place.arrives };
            at.push(before);
        }
        let (tick, rows_out) = std::mem::take(&mut self.skip);
        let skip = at.iter().take(rows_out as usize).take_while(|at| at.row == tick).count();
        let columns: Vec<ArrayRef> = rows.columns().iter().map(|column| column.slice(skip, at.len() - skip)).collect();
        let at = at.split_off(skip);
        let arrived = at.iter().copied().zip(places[skip..].iter().map(|place| self.timeline.at(place.made).0 + place.late));
        let arrived: Vec<(At, i64)> = arrived.collect();
        let decoded = fit(spec, columns, at, |at| format!("simulate:{}", at.row + 1))?;
        let arrived = of_the_fitted(&decoded, arrived);
        Ok((decoded, arrived))
    }
}

/// Arrivals of the rows that were not refused; both are in the order of their places.
fn of_the_fitted(decoded: &Decoded, arrived: Vec<(At, i64)>) -> ScalarBuffer<i64> {
    let mut fitted = decoded.at.iter().peekable();
    arrived.into_iter().filter(|(at, _)| fitted.next_if(|fitted| *fitted == at).is_some()).map(|(_, arrived)| arrived).collect()
}

fn counted(lost: Vec<&'static str>) -> Lost {
    let mut counts = Lost::new();
    for why in lost {
        match counts.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => counts.push((why, 1)),
        }
    }
    counts
}
