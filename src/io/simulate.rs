//! A seeded generator of rows in the place of a connector.
//!
//! Every value is a function of (seed, column, key, tick): batches, restarts and retunes change nothing. Ticks are counted from
//! the start of virtual time. A recording covers `span` and ends at [`Place::began`]; live begins there. If both are the same
//! generator (rates, key, seed and columns equal), live takes up the tick at which the recording ended, so walks go on; if their
//! faults are equal too, the faults go on as well, else they begin anew.
//!
//! Rows come in the order in which they arrive: a late row has its own time and stands behind rows that are newer. What would
//! arrive after the end of a recording is left to live. A delayed column is null in rows whose value would still be on its way:
//! live in all of them, in a recording in those of the last `by`.

mod emission;
mod fault;
mod generator;
mod layout;
mod random;

use std::sync::Arc;

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::ir::{Connector, Fault, Simulate};
use crate::plan::Connection;

use super::block::{Aside, At, Block};
use super::error::IoError;
use super::gate::{self, Arrival};
use super::place::{Mode, Place};
use super::spec::Spec;

use emission::Emission;
use generator::Beat;
use layout::Layout;

/// Keys that a simulation may have.
const KEYS_MAX: usize = 100_000;

/// Rows that faults may hold back at the same time.
const HELD_ROWS_MAX: u64 = 4_000_000;

/// A simulation that is running.
pub(super) struct Simulated {
    spec: Arc<Spec>,
    timeline: Timeline,
    layout: Layout,
    emission: Emission,
    /// Delivered rows: all of the ticks before `tick`, and so many of that tick.
    tick: u64,
    within: u32,
}

/// Where in virtual time a simulation runs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Timeline {
    pub beat: Beat,
    /// Of tick 0.
    pub start: Time,
    /// The tick that it begins with.
    pub first: u64,
    /// The tick that it ends before.
    pub end: Option<u64>,
    /// The tick from which faults count.
    pub faults_from: u64,
}

impl Simulated {
    pub fn open(spec: &Arc<Spec>, simulate: &Simulate, connection: &Connection, place: &Place) -> Result<Simulated, IoError> {
        check(simulate)?;
        check_delays(spec, simulate)?;
        let timeline = Timeline::of(spec, simulate, connection, place)?;
        let layout = Layout::of(spec, simulate, timeline)?;
        let emission = Emission::new(simulate, timeline, &layout)?;
        Ok(Simulated { spec: spec.clone(), timeline, layout, emission, tick: timeline.first, within: 0 })
    }

    /// Rows that have arrived by `now`; of a recording, any.
    pub fn next(&mut self, now: Time) -> Result<Option<Block>, IoError> {
        let due = match self.spec.mode {
            Mode::Recorded => u64::MAX,
            Mode::Live => self.timeline.due(now),
        };
        let to = due.min(self.timeline.end.unwrap_or(u64::MAX));
        let Some((decoded, arrived)) = self.emission.next(&self.spec, &mut self.layout, to)? else { return Ok(None) };
        let from = gate::From { name: "simulate", rows_before: 0, arrival: Arrival::Each(arrived) };
        gate::timed(&self.spec, decoded, &from).map(Some)
    }

    /// Has a recording nothing more?
    pub fn is_over(&self) -> bool {
        self.timeline.end.is_some_and(|end| self.emission.tick() >= end)
    }

    /// When the next rows arrive.
    pub fn until(&self) -> Time {
        self.timeline.at(self.emission.tick())
    }

    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        for at in at.iter().copied().chain(aside.places()) {
            (self.tick, self.within) = (self.tick, self.within).max((at.row, at.file + 1));
        }
    }

    pub fn position(&self) -> (u64, u32) {
        (self.tick, self.within)
    }

    pub fn resume(&mut self, (tick, within): (u64, u32)) -> Result<(), IoError> {
        (self.tick, self.within) = (tick, within);
        self.emission.seek(&mut self.layout, tick, within)
    }

    /// The same generator with columns of another meaning, from the same row on.
    pub fn retune(&mut self, spec: &Arc<Spec>, simulate: &Simulate) -> Result<(), IoError> {
        let layout = Layout::of(spec, simulate, self.timeline)?;
        let emission = Emission::new(simulate, self.timeline, &layout)?;
        let (timeline, tick, within) = (self.timeline, self.tick, self.within);
        let mut wanted = Simulated { spec: spec.clone(), timeline, layout, emission, tick, within };
        wanted.resume((tick, within))?;
        *self = wanted;
        Ok(())
    }
}

impl Timeline {
    fn of(spec: &Spec, simulate: &Simulate, connection: &Connection, place: &Place) -> Result<Timeline, IoError> {
        let beat = Beat { rows: simulate.rows, per: simulate.per };
        let covers = |simulate: &Simulate| simulate.span.map(|span| (span, beat.from(span.0)));
        let recorded = match &connection.recorded {
            Some(Connector::Simulate(recorded)) if same_generator(recorded, simulate) => Some(recorded),
            Some(_) | None => None,
        };
        match spec.mode {
            Mode::Recorded => {
                let Some((span, end)) = covers(simulate) else { return Err(no_span()) };
                Ok(Timeline { beat, start: place.began - span, first: 0, end: Some(end), faults_from: 0 })
            }
            Mode::Live => {
                let before = recorded.and_then(|recorded| Some((recorded, covers(recorded)?)));
                Ok(match before {
                    Some((recorded, (span, first))) => {
                        let faults_from = if recorded.faults == simulate.faults { 0 } else { first };
                        Timeline { beat, start: place.began - span, first, end: None, faults_from }
                    }
                    None => Timeline { beat, start: place.began, first: 0, end: None, faults_from: 0 },
                })
            }
        }
    }

    pub fn at(&self, tick: u64) -> Time {
        Time(self.start.0.saturating_add(self.beat.at(tick)))
    }

    /// The first tick that is later than now.
    fn due(&self, now: Time) -> u64 {
        self.beat.from((now - self.start).0.saturating_add(1))
    }
}

fn same_generator(a: &Simulate, b: &Simulate) -> bool {
    let Simulate { rows, per, by, seed, span: _, columns, faults: _ } = a;
    *rows == b.rows && *per == b.per && *by == b.by && *seed == b.seed && *columns == b.columns
}

fn check(simulate: &Simulate) -> Result<(), IoError> {
    if simulate.rows == 0 || simulate.per.0 <= 0 {
        return Err(IoError::new(Code::E0718, "the simulation makes no rows").help("write `rows 10 per 1s`"));
    }
    match &simulate.by {
        Some((name, keys)) if keys.is_empty() => {
            Err(IoError::new(Code::E0718, format!("the simulation has no values of `{name}`"))
                .help("write `by device in [\"a\", \"b\"]`"))
        }
        Some((name, keys)) if keys.len() > KEYS_MAX => {
            Err(IoError::new(Code::E0718, format!("`{name}` has more than {KEYS_MAX} values")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Until the value arrives it is null.
fn check_delays(spec: &Spec, simulate: &Simulate) -> Result<(), IoError> {
    let never_null = |name: &Name| spec.columns.iter().find(|column| column.column.name == *name && !column.column.nullable);
    for fault in &simulate.faults {
        if let Fault::Delay { column, .. } = fault
            && let Some(found) = never_null(column)
        {
            let message = format!("`{column}` arrives later than its row, and may not be null until then");
            let help = format!("declare it as `{}?`", found.column.ty);
            return Err(IoError::new(Code::E0718, message).at(found.column.span).help(help));
        }
    }
    Ok(())
}

fn no_span() -> IoError {
    IoError::new(Code::E0718, "a recorded simulation does not say how long it is").help("write `span 7d` in it")
}

#[cfg(test)]
mod tests;
