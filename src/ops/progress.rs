//! How far event time has got, asked in any order over one batch.

use crate::base::Time;
use crate::node::{Clock, Ordinal};

/// The rising steps of a clock: from each ordinal on, once its row is seen, the time beside it.
pub(super) struct Progress {
    start: Time,
    after: Time,
    upto: Ordinal,
    steps: Vec<(Time, Ordinal)>,
}

impl Progress {
    /// `upto` is the end of the batch.
    pub fn of(clock: &Clock, upto: Ordinal) -> Progress {
        let start = clock.start();
        let (mut newest, mut steps) = (start, Vec::new());
        let mut see = |time: Time, at: Ordinal| {
            if time > newest {
                newest = time;
                steps.push((time, at));
            }
        };
        match clock {
            Clock::Gate { base, lateness, time, .. } => {
                time.iter().enumerate().for_each(|(row, time)| see(Time(*time) - *lateness, base.plus(row)));
            }
            Clock::Steps { at, .. } => at.iter().for_each(|(ordinal, time)| see(*time, *ordinal)),
            Clock::None => {}
        }
        Progress { start, after: clock.after(), upto, steps }
    }

    /// The watermark before the row at `at`.
    pub fn before(&self, at: Ordinal) -> Time {
        let passed = self.steps.partition_point(|(_, ordinal)| *ordinal < at);
        passed.checked_sub(1).map_or(self.start, |last| self.steps[last].0)
    }

    /// Where the watermark gets to `end`, if it does by the end of the batch. What it had passed before, as when a shorter gap
    /// is told to a session that is open, is passed where it moves next: how rows are cut into batches cannot be seen.
    pub fn passes(&self, end: Time) -> Option<Ordinal> {
        if self.after < end || self.after == self.start {
            return None;
        }
        let at = self.steps.partition_point(|(time, _)| *time < end);
        Some(self.steps.get(at).map_or(self.upto, |(_, ordinal)| *ordinal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;

    #[test]
    fn what_is_overdue_is_passed_where_the_clock_moves_next() {
        let steps = |at: Vec<(Ordinal, Time)>, after| Clock::Steps { before: Time(30), after: Time(after), at: at.into() };
        let still = Progress::of(&steps(vec![], 30), Ordinal(100));
        assert_eq!(still.passes(Time(20)), None);
        let moved = Progress::of(&steps(vec![(Ordinal(104), Time(40))], 40), Ordinal(106));
        assert_eq!(moved.passes(Time(20)), Some(Ordinal(104)));
        let silent = Progress::of(&steps(vec![], 50), Ordinal(106));
        assert_eq!(silent.passes(Time(20)), Some(Ordinal(106)));
    }

    #[test]
    fn steps_say_what_the_clock_says() {
        let time = vec![10, 30, 20, 50, 50, 40];
        let gate =
            Clock::Gate { base: Ordinal(100), before: Time(3), after: Time(45), lateness: Duration(5), time: time.into() };
        let steps = vec![(Ordinal(101), Time(10)), (Ordinal(104), Time(20))];
        for clock in [gate, Clock::Steps { before: Time(3), after: Time(45), at: steps.into() }] {
            let progress = Progress::of(&clock, Ordinal(106));
            for at in 98..=106 {
                assert_eq!(progress.before(Ordinal(at)), clock.before(Ordinal(at)), "{clock:?} before {at}");
            }
            for end in 4..=46 {
                assert_eq!(progress.passes(Time(end)), clock.passes(Time(end), Ordinal(106)), "{clock:?} passes {end}");
            }
        }
    }
}
