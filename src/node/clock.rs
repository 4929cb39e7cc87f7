//! The watermark as a function of the ordinal, over the ordinals that one batch covers.

use std::sync::Arc;

use arrow::buffer::ScalarBuffer;

use crate::base::{Duration, Time};

use super::Ordinal;

/// Says how far event time had got before each ordinal of a batch. Filters never touch it: the row that moved the watermark
/// may be dropped, and still has moved it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// From one gate: `time` is the event time of each row that it drew, from `base` on, unfiltered, in microseconds.
    /// The watermark is the newest time less `lateness`, and never falls below `before`.
    Gate { base: Ordinal, before: Time, after: Time, lateness: Duration, time: ScalarBuffer<i64> },
    /// Behind a merge: from each ordinal on, the time beside it; `before` until the first.
    Steps { before: Time, after: Time, at: Arc<[(Ordinal, Time)]> },
    /// No time at all (`time none`).
    None,
}

impl Clock {
    /// A clock that stands at `at` over a whole batch.
    pub fn still(at: Time) -> Clock {
        Clock::Steps { before: at, after: at, at: [].into() }
    }

    /// The same clock so much further back, as behind a stage that lets rows go so much later than their time.
    pub fn behind(self, by: Duration) -> Clock {
        let back = |time: Time| if time == Time::MIN { time } else { Time(time.0.saturating_sub(by.0)) };
        match self {
            Clock::Gate { base, before, after, lateness, time } => Clock::Gate {
                base,
                before: back(before),
                after: back(after),
                lateness: Duration(lateness.0.saturating_add(by.0)),
                time,
            },
            Clock::Steps { before, after, at } => Clock::Steps {
                before: back(before),
                after: back(after),
                at: at.iter().map(|(ordinal, time)| (*ordinal, back(*time))).collect(),
            },
            Clock::None => Clock::None,
        }
    }

    /// The watermark before the row at `at` was seen.
    pub fn before(&self, at: Ordinal) -> Time {
        match self {
            Clock::Gate { base, before, lateness, time, .. } => {
                let seen = (at.0.saturating_sub(base.0) as usize).min(time.len());
                time[..seen].iter().max().map_or(*before, |newest| (Time(*newest) - *lateness).max(*before))
            }
            Clock::Steps { before, at: steps, .. } => {
                let passed = steps.partition_point(|(ordinal, _)| *ordinal < at);
                if passed == 0 { *before } else { steps[passed - 1].1 }
            }
            Clock::None => Time::MIN,
        }
    }

    /// The watermark before the batch's first ordinal.
    pub fn start(&self) -> Time {
        match self {
            Clock::Gate { before, .. } | Clock::Steps { before, .. } => *before,
            Clock::None => Time::MIN,
        }
    }

    /// The watermark after everything that the batch covers.
    pub fn after(&self) -> Time {
        match self {
            Clock::Gate { after, .. } | Clock::Steps { after, .. } => *after,
            Clock::None => Time::MIN,
        }
    }

    /// The first ordinal whose row brings the watermark to `end`; `upto` if it gets there only by the batch's end, as an
    /// idle source or the end of a recording moves it. None if it does not get there, or had before the batch.
    pub fn passes(&self, end: Time, upto: Ordinal) -> Option<Ordinal> {
        if self.after() < end || self.start() >= end {
            return None;
        }
        let found = match self {
            Clock::Gate { base, lateness, time, .. } => {
                time.iter().position(|at| Time(*at) - *lateness >= end).map(|row| base.plus(row))
            }
            Clock::Steps { at, .. } => at.iter().find(|(_, time)| *time >= end).map(|(ordinal, _)| *ordinal),
            Clock::None => None,
        };
        Some(found.unwrap_or(upto))
    }

    /// The clocks of the ordinals before `at` and of those from it on; `upto` is the batch's end.
    pub fn split(&self, at: Ordinal, upto: Ordinal) -> (Clock, Clock) {
        if at >= upto {
            return (self.clone(), Clock::still(self.after()));
        }
        let middle = self.before(at);
        match self {
            Clock::Gate { base, before, after, lateness, time } => {
                let cut = (at.0.saturating_sub(base.0) as usize).min(time.len());
                let part = |from: usize, rows: usize, before, after| Clock::Gate {
                    base: base.plus(from),
                    before,
                    after,
                    lateness: *lateness,
                    time: time.slice(from, rows),
                };
                (part(0, cut, *before, middle), part(cut, time.len() - cut, middle, *after))
            }
            Clock::Steps { before, after, at: steps } => {
                let cut = steps.partition_point(|(ordinal, _)| *ordinal < at);
                (
                    Clock::Steps { before: *before, after: middle, at: steps[..cut].into() },
                    Clock::Steps { before: middle, after: *after, at: steps[cut..].into() },
                )
            }
            Clock::None => (Clock::None, Clock::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Clock {
        let time = vec![10, 30, 20, 50];
        Clock::Gate { base: Ordinal(100), before: Time(3), after: Time(45), lateness: Duration(5), time: time.into() }
    }

    #[test]
    fn the_watermark_follows_the_newest_row_seen() {
        let at: Vec<Time> = (100..105).map(|ordinal| gate().before(Ordinal(ordinal))).collect();
        assert_eq!(at, [Time(3), Time(5), Time(25), Time(25), Time(45)]);
    }

    #[test]
    fn a_window_ends_at_the_row_that_moved_the_watermark() {
        assert_eq!(gate().passes(Time(25), Ordinal(104)), Some(Ordinal(101)));
        assert_eq!(gate().passes(Time(26), Ordinal(104)), Some(Ordinal(103)));
        assert_eq!(gate().passes(Time(46), Ordinal(104)), None);
        assert_eq!(gate().passes(Time(3), Ordinal(104)), None);
    }

    #[test]
    fn a_clock_behind_says_the_same_so_much_earlier() {
        let behind = gate().behind(Duration(7));
        for at in 100..=104 {
            assert_eq!(behind.before(Ordinal(at)), Time(gate().before(Ordinal(at)).0 - 7));
        }
        assert_eq!(behind.after(), Time(38));
        assert_eq!(Clock::still(Time::MIN).behind(Duration(7)).after(), Time::MIN);
    }

    #[test]
    fn halves_of_a_clock_say_what_the_whole_says() {
        for cut in 100..=104 {
            let (left, right) = gate().split(Ordinal(cut), Ordinal(104));
            for at in 100..104 {
                let half = if at < cut { &left } else { &right };
                assert_eq!(half.before(Ordinal(at)), gate().before(Ordinal(at)), "cut at {cut}, asked at {at}");
            }
            assert_eq!((left.after(), right.after()), (gate().before(Ordinal(cut)), Time(45)));
        }
    }
}
