//! Questions to a clock in rising order, answered in one walk over it.

use crate::base::Time;
use crate::node::{Clock, Ordinal};

/// Says the same as [`Clock::before`] and [`Clock::passes`], but each of its two walks goes over the clock once.
pub(in crate::ops) struct Walk<'a> {
    clock: &'a Clock,
    upto: Ordinal,
    seen: usize,
    newest: Time,
    passed: usize,
}

impl<'a> Walk<'a> {
    /// `upto` is the end of the batch.
    pub fn new(clock: &'a Clock, upto: Ordinal) -> Walk<'a> {
        Walk { clock, upto, seen: 0, newest: clock.start(), passed: 0 }
    }

    /// The watermark before the row at `at`; ordinals must not fall from call to call.
    pub fn before(&mut self, at: Ordinal) -> Time {
        match self.clock {
            Clock::Gate { base, lateness, time, .. } => {
                let upto = (at.0.saturating_sub(base.0) as usize).min(time.len());
                for seen in &time[self.seen.min(upto)..upto] {
                    self.newest = self.newest.max(Time(*seen) - *lateness);
                }
                self.seen = self.seen.max(upto);
            }
            Clock::Steps { at: steps, .. } => {
                while self.seen < steps.len() && steps[self.seen].0 < at {
                    self.newest = steps[self.seen].1;
                    self.seen += 1;
                }
            }
            Clock::None => {}
        }
        self.newest
    }

    /// The ordinal at which the watermark, which gets there in this batch or has been there, passes `end`: the batch's end
    /// if no row brings it there. Ends must not fall from call to call.
    pub fn passes(&mut self, end: Time) -> Ordinal {
        let been_there = self.clock.start() >= end;
        match self.clock {
            Clock::Gate { base, .. } if been_there => *base,
            Clock::Steps { at: steps, .. } if been_there => steps.first().map_or(self.upto, |(ordinal, _)| *ordinal),
            Clock::Gate { base, lateness, time, .. } => {
                while self.passed < time.len() && Time(time[self.passed]) - *lateness < end {
                    self.passed += 1;
                }
                if self.passed < time.len() { base.plus(self.passed) } else { self.upto }
            }
            Clock::Steps { at: steps, .. } => {
                while self.passed < steps.len() && steps[self.passed].1 < end {
                    self.passed += 1;
                }
                steps.get(self.passed).map_or(self.upto, |(ordinal, _)| *ordinal)
            }
            Clock::None => self.upto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;

    fn clocks() -> [Clock; 2] {
        let time = vec![10, 30, 20, 50, 50, 40];
        let gate =
            Clock::Gate { base: Ordinal(100), before: Time(3), after: Time(45), lateness: Duration(5), time: time.into() };
        let steps = vec![(Ordinal(101), Time(10)), (Ordinal(104), Time(20))];
        [gate, Clock::Steps { before: Time(3), after: Time(45), at: steps.into() }]
    }

    #[test]
    fn a_walk_says_what_the_clock_says() {
        for clock in clocks() {
            let mut walk = Walk::new(&clock, Ordinal(106));
            for at in 98..=106 {
                assert_eq!(walk.before(Ordinal(at)), clock.before(Ordinal(at)), "{clock:?} before {at}");
            }
            for end in 4..=45 {
                assert_eq!(Some(walk.passes(Time(end))), clock.passes(Time(end), Ordinal(106)), "{clock:?} passes {end}");
            }
        }
    }
}
