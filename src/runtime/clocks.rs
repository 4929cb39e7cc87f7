//! Arithmetic of clocks: the lowest of several, one that is not to fall behind, one of several pieces.

use crate::base::{Duration, Time};
use crate::node::{Clock, Ordinal};

/// The lowest of the inputs' clocks over one span, never below `floor`; no time at all if none of them has any.
pub fn lowest(clocks: &[&Clock], floor: Time) -> Clock {
    if clocks.iter().all(|clock| matches!(clock, Clock::None)) {
        return Clock::None;
    }
    let low = |time: fn(&Clock) -> Time| clocks.iter().map(|clock| time(clock)).min().map_or(floor, |low| low.max(floor));
    let (before, after) = (low(Clock::start), low(Clock::after));
    if before == after {
        return Clock::still(before);
    }
    Clock::Steps { before, after, at: lowest_steps(clocks, before).into() }
}

/// Where the lowest of them rises, and to what.
fn lowest_steps(clocks: &[&Clock], from: Time) -> Vec<(Ordinal, Time)> {
    let mut changes: Vec<(Ordinal, usize, Time)> = Vec::new();
    for (which, clock) in clocks.iter().enumerate() {
        changes.extend(steps(clock).into_iter().map(|(at, time)| (at, which, time)));
    }
    changes.sort_by_key(|(at, which, _)| (*at, *which));
    let mut now: Vec<Time> = clocks.iter().map(|clock| clock.start()).collect();
    let mut out: Vec<(Ordinal, Time)> = Vec::new();
    let mut last = from;
    for (at, which, time) in changes {
        now[which] = time;
        let low = now.iter().min().copied().unwrap_or(from);
        if low > last {
            put(&mut out, at, low);
            last = low;
        }
    }
    out
}

/// The ordinals whose rows move this clock, with the time that each moves it to.
pub fn steps(clock: &Clock) -> Vec<(Ordinal, Time)> {
    match clock {
        Clock::Gate { base, before, lateness, time, .. } => gate_steps(*base, *before, *lateness, time),
        Clock::Steps { at, .. } => at.to_vec(),
        Clock::None => Vec::new(),
    }
}

fn gate_steps(base: Ordinal, before: Time, lateness: Duration, time: &[i64]) -> Vec<(Ordinal, Time)> {
    let mut last = before;
    let mut out = Vec::new();
    for (row, at) in time.iter().enumerate() {
        let mark = Time(*at) - lateness;
        if mark > last {
            out.push((base.plus(row), mark));
            last = mark;
        }
    }
    out
}

/// Two changes at one ordinal are one.
fn put(steps: &mut Vec<(Ordinal, Time)>, at: Ordinal, time: Time) {
    match steps.last_mut() {
        Some(last) if last.0 == at => last.1 = time,
        Some(_) | None => steps.push((at, time)),
    }
}

/// The same clock, but nowhere below `floor`: a watermark never goes back where a node's rows come from elsewhere than before.
pub fn raised(clock: Clock, floor: Time) -> Clock {
    if clock.start() >= floor {
        return clock;
    }
    match clock {
        Clock::Gate { base, after, lateness, time, .. } => {
            Clock::Gate { base, before: floor, after: after.max(floor), lateness, time }
        }
        Clock::Steps { after, at, .. } => {
            let at = at.iter().filter(|(_, time)| *time > floor).copied().collect();
            Clock::Steps { before: floor, after: after.max(floor), at }
        }
        Clock::None => Clock::None,
    }
}

/// A clock that goes no further than `limit`.
pub fn held(clock: Clock, limit: Time) -> Clock {
    let (before, after) = (clock.start().min(limit), clock.after().min(limit));
    match clock {
        clock if clock.after() <= limit => clock,
        Clock::None => Clock::None,
        Clock::Gate { base, lateness, time, .. } => {
            let mut now = before;
            let mut steps = Vec::new();
            for (row, at) in time.iter().enumerate() {
                let moved = now.max((Time(*at) - lateness).min(limit));
                if moved > now {
                    now = moved;
                    steps.push((base.plus(row), now));
                }
            }
            Clock::Steps { before, after, at: steps.into() }
        }
        Clock::Steps { at, .. } => {
            let steps = at.iter().map(|(ordinal, time)| (*ordinal, (*time).min(limit))).collect();
            Clock::Steps { before, after, at: steps }
        }
    }
}

/// One clock over several spans that follow each other, with gaps of ordinals between them.
pub fn joined(pieces: &[Clock]) -> Clock {
    let [first, .., last] = pieces else { return pieces.first().cloned().unwrap_or(Clock::None) };
    if matches!(first, Clock::None) {
        return Clock::None;
    }
    let at = pieces.iter().flat_map(steps).collect();
    Clock::Steps { before: first.start(), after: last.after(), at }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gate(base: u64, before: i64, lateness: i64, time: Vec<i64>) -> Clock {
        let newest = time.iter().max().map_or(before, |newest| (newest - lateness).max(before));
        Clock::Gate {
            base: Ordinal(base),
            before: Time(before),
            after: Time(newest),
            lateness: Duration(lateness),
            time: time.into(),
        }
    }

    fn gates() -> impl Strategy<Value = Clock> {
        (0..20i64, 0..5i64, prop::collection::vec(0..60i64, 0..12))
            .prop_map(|(before, lateness, time)| gate(100, before, lateness, time))
    }

    proptest! {
        #[test]
        fn the_lowest_clock_is_the_minimum_at_every_ordinal(a in gates(), b in gates(), floor in 0..30i64) {
            let low = lowest(&[&a, &b], Time(floor));
            for at in 100..114 {
                let want = a.before(Ordinal(at)).min(b.before(Ordinal(at))).max(Time(floor));
                prop_assert_eq!(low.before(Ordinal(at)), want, "at {}", at);
            }
            prop_assert_eq!(low.after(), a.after().min(b.after()).max(Time(floor)));
        }

        #[test]
        fn a_raised_clock_is_the_maximum_with_its_floor(clock in gates(), floor in 0..60i64) {
            let raised = raised(clock.clone(), Time(floor));
            for at in 100..114 {
                prop_assert_eq!(raised.before(Ordinal(at)), clock.before(Ordinal(at)).max(Time(floor)));
            }
            prop_assert_eq!(raised.after(), clock.after().max(Time(floor)));
        }

        #[test]
        fn a_held_clock_is_the_minimum_with_its_limit(clock in gates(), limit in 0..60i64) {
            let held = held(clock.clone(), Time(limit));
            for at in 100..114 {
                prop_assert_eq!(held.before(Ordinal(at)), clock.before(Ordinal(at)).min(Time(limit)));
            }
            prop_assert_eq!(held.after(), clock.after().min(Time(limit)));
        }

        #[test]
        fn a_joined_clock_says_what_its_pieces_say(time in prop::collection::vec(0..60i64, 2..12), cut in 0usize..12) {
            let whole = gate(100, 0, 3, time.clone());
            let (left, right) = whole.split(Ordinal(100).plus(cut), Ordinal(100).plus(time.len()));
            let both = joined(&[left, right]);
            for at in 100..114 {
                prop_assert_eq!(both.before(Ordinal(at)), whole.before(Ordinal(at)));
            }
        }
    }
}
