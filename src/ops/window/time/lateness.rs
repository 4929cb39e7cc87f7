//! Where a row stands, and whether it is late: asked of rows in rising order.

use arrow::buffer::ScalarBuffer;

use crate::base::Time;
use crate::node::{Batch, Ordinal};

use super::super::place::{Place, Shape};
use super::super::watermark::Walk;

/// The place of the row before is nearly always the place of the next.
pub(super) struct Near {
    shape: Shape,
    from: i64,
    to: i64,
    place: Place,
}

impl Near {
    pub fn new(shape: Shape) -> Near {
        Near { shape, from: 0, to: 0, place: Place { pane: 0, last_end: None } }
    }

    /// All times of a pane have one place, for windows begin and end where panes do.
    pub fn place(&mut self, time: i64) -> Place {
        if !(self.from <= time && time < self.to) {
            self.place = self.shape.place(time);
            (self.from, self.to) = (self.place.pane, self.place.pane.saturating_add(self.shape.pane));
        }
        self.place
    }
}

/// Lateness of rows in rising order; looks into the clock only where a row may be late at all.
pub(super) struct Lateness<'a> {
    batch: &'a Batch,
    fired: Time,
    after: Time,
    walk: Walk<'a>,
    ordinals: Option<ScalarBuffer<u64>>,
}

impl<'a> Lateness<'a> {
    pub fn new(batch: &'a Batch, fired: Time) -> Lateness<'a> {
        let walk = Walk::new(&batch.clock, batch.upto);
        Lateness { batch, fired, after: batch.clock.after(), walk, ordinals: None }
    }

    pub fn is_late(&mut self, row: usize, last_end: Time) -> bool {
        if last_end <= self.fired {
            return true;
        }
        if last_end > self.after {
            return false;
        }
        let ordinals = self.ordinals.get_or_insert_with(|| self.batch.ordinals.to_column(self.batch.len()));
        self.walk.before(Ordinal(ordinals[row])) >= last_end
    }
}
