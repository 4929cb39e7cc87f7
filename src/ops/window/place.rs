//! Where a row stands among windows in time.

use crate::base::Duration;
use crate::node::NodeError;

use super::super::error::{ill_formed, too_many};

/// How many panes make one window.
const PANES_MAX: usize = 10_000;

/// Windows `[start, start + size)` for every start that is a multiple of `every`, aligned to 1970 and before it too. They are
/// cut into panes, of which each window and each step holds a whole number. All in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub size: i64,
    pub every: i64,
    pub pane: i64,
}

/// Of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The start of its pane.
    pub pane: i64,
    /// The end of the last window that holds it; none between windows, where `every` is longer than `size`.
    pub last_end: Option<i64>,
}

impl Shape {
    pub fn new(size: Duration, every: Duration) -> Result<Shape, NodeError> {
        if size.0 <= 0 || every.0 <= 0 {
            return Err(ill_formed("a window has a length and a step above zero"));
        }
        let pane = greatest_divisor(size.0, every.0);
        if size.0 / pane > PANES_MAX as i64 {
            return Err(too_many("parts of one window", PANES_MAX));
        }
        Ok(Shape { size: size.0, every: every.0, pane })
    }

    /// Is every row in exactly one window, its pane?
    pub fn tumbles(&self) -> bool {
        self.size == self.every
    }

    /// Can windows of the other shape be put together from the panes of this one, without a row missing?
    pub fn makes_up(&self, other: Shape) -> bool {
        self.every <= self.size && other.size % self.pane == 0 && other.every % self.pane == 0
    }

    /// The start from which on all panes are still there once windows have fired up to `fired`; none if none has.
    pub fn held_from(&self, fired: i64) -> Option<i64> {
        (fired > i64::MIN).then(|| floor(fired.saturating_sub(self.size), self.every).saturating_add(self.every))
    }

    pub fn place(&self, time: i64) -> Place {
        Place { pane: floor(time, self.pane), last_end: self.last_end(time) }
    }

    /// Ends of windows that hold one of these panes, rising, above `after` and up to `limit`. `next` gives the first pane
    /// from a time on. Gaps without panes cost nothing, however long.
    pub fn due(&self, after: i64, limit: i64, next: impl Fn(i64) -> Option<i64>) -> Vec<i64> {
        let mut due = Vec::new();
        let mut pane = next(i64::MIN);
        let mut end = i64::MIN;
        while let Some(first) = pane {
            let earliest = self.ends(first).next().unwrap_or(i64::MAX);
            end = end.max(earliest).max(self.end_after(after, earliest));
            if end > limit {
                break;
            }
            if first >= end.saturating_sub(self.size) {
                due.push(end);
                let Some(later) = end.checked_add(self.every) else { break };
                end = later;
            }
            pane = next(end.saturating_sub(self.size));
        }
        due
    }

    /// The first end above `after` of those that stand in steps from `earliest` on.
    fn end_after(&self, after: i64, earliest: i64) -> i64 {
        if after < earliest {
            return earliest;
        }
        let steps = after.saturating_sub(earliest) / self.every + 1;
        earliest.saturating_add(steps.saturating_mul(self.every))
    }

    fn last_end(&self, time: i64) -> Option<i64> {
        let start = floor(time, self.every);
        let end = start.saturating_add(self.size);
        (time < end || end == i64::MAX).then_some(end)
    }

    /// The ends of the windows that hold this pane, rising.
    pub fn ends(&self, pane: i64) -> impl DoubleEndedIterator<Item = i64> + use<> {
        let last = floor(pane, self.every);
        let earliest = pane.saturating_add(self.pane).saturating_sub(self.size);
        let (size, every) = (self.size, self.every);
        let windows = if last < earliest { 0 } else { (last.saturating_sub(earliest)) / every + 1 };
        (0..windows).rev().map(move |back| last.saturating_sub(back * every).saturating_add(size))
    }
}

/// The last multiple of `step` at or before `time`.
fn floor(time: i64, step: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(step))
}

fn greatest_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn shape(size: i64, every: i64) -> Shape {
        Shape::new(Duration(size), Duration(every)).unwrap()
    }

    #[test]
    fn windows_are_aligned_to_the_epoch_on_both_sides() {
        assert_eq!(shape(10, 10).place(-1), Place { pane: -10, last_end: Some(0) });
        assert_eq!(shape(10, 10).place(0), Place { pane: 0, last_end: Some(10) });
        assert_eq!(shape(10, 4).place(7), Place { pane: 6, last_end: Some(14) });
        assert_eq!(shape(3, 10).place(3), Place { pane: 3, last_end: None });
    }

    #[test]
    fn a_pane_knows_its_windows() {
        for (size, every) in [(10, 10), (10, 4), (6, 2), (3, 10), (4, 6)] {
            let shape = shape(size, every);
            for pane in (-60..60).filter(|at| at % shape.pane == 0) {
                let naive: Vec<i64> = (-100..100)
                    .map(|nth| nth * every)
                    .filter(|start| *start <= pane && pane < start + size)
                    .map(|start| start + size)
                    .collect();
                assert_eq!(shape.ends(pane).collect::<Vec<_>>(), naive, "{size} every {every}, pane {pane}");
                assert_eq!(shape.place(pane).last_end, naive.last().copied());
            }
        }
    }

    #[test]
    fn due_windows_are_those_of_the_panes() {
        for (size, every) in [(10, 10), (10, 4), (6, 2), (3, 10), (4, 6)] {
            let shape = shape(size, every);
            let panes: BTreeSet<i64> = [-40, -39, -7, 0, 1, 2, 30, 400]
                .into_iter()
                .filter(|at| shape.last_end(*at).is_some())
                .map(|at| floor(at, shape.pane))
                .collect();
            for (after, limit) in [(i64::MIN, i64::MAX), (-38, 33), (0, 0), (5, 402), (404, i64::MAX)] {
                let naive: BTreeSet<i64> =
                    panes.iter().flat_map(|pane| shape.ends(*pane)).filter(|end| after < *end && *end <= limit).collect();
                let due = shape.due(after, limit, |from| panes.range(from..).next().copied());
                assert_eq!(due, naive.into_iter().collect::<Vec<_>>(), "{size} every {every} in {after}..={limit}");
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for time in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            let shape = shape(7, 3);
            let place = shape.place(time);
            assert!(place.last_end.is_some());
            assert!(shape.ends(place.pane).count() <= 3);
        }
    }
}
