//! The seeded simulator: random files, random rows, random edits and random faults, on a virtual clock, against an oracle that
//! knows only rows. One check for each of the twenty promises of the cut (`promises`).
//!
//! A seed that fails is made smaller and printed as text: the file, what comes in, what is done. To see it again:
//! `MLIOT_SEED=123 cargo test --test run sim`. To look further: `MLIOT_SEEDS=100000 cargo test --test run sim`.

mod again;
mod case;
mod crash;
mod edit;
mod feed;
mod grow;
mod ledger;
mod log;
pub mod oracle;
mod promises;
mod random;
mod record;
mod rename;
mod rows;
mod sheet;
mod shrink;
mod simulate;
mod snapshot;
mod watch;
mod world;
mod write;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use case::Case;
use ledger::MADE;
use log::Happening;
use promises::{Broken, Check, PROMISES};
use record::Outcome;

/// Seeds of the ordinary test run.
const SEEDS: u64 = 60;

thread_local! {
    /// Whatever panics on this thread now is reported by the one who tried it.
    static TRYING: Cell<bool> = const { Cell::new(false) };
}

/// None if every promise holds.
fn fails(case: &Case) -> Option<Broken> {
    TRYING.set(true);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let Some(record) = simulate::simulate(case) else { return Ok(()) };
        promises::check(&record)?;
        let ahead =
            record.log.iter().any(|happening| matches!(happening, Happening::Assigned(assigned) if assigned.model.is_some()));
        if record.has_failures || ahead {
            return Ok(());
        }
        again::again(&record, case.live, if case.seed.is_multiple_of(2) { 1 } else { 100 })
    }));
    TRYING.set(false);
    match run {
        Ok(checked) => checked.err(),
        Err(panic) => Some(Broken { promise: 0, why: format!("it panicked: {}", message(&*panic)) }),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "without a word".into())
}

/// Panics that are part of a case are not worth a word.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let made = message(panic.payload()).contains(MADE);
            if !made && !TRYING.get() {
                loud(panic);
            }
        }));
    });
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn promises_hold_for_every_seed() {
    quiet();
    let seeds = match number("MLIOT_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("MLIOT_SEEDS").unwrap_or(SEEDS),
    };
    if std::env::var_os("MLIOT_SURVEY").is_some() {
        return survey(seeds);
    }
    for seed in seeds {
        let case = drawn(seed);
        if let Some(broken) = fails(&case) {
            let (small, broken) = shrink::shrink(&case, broken, &fails);
            panic!("seed {seed}: {broken}\n\n{small}\nTo see it again: MLIOT_SEED={seed} cargo test --test run sim\n");
        }
    }
}

/// The case of a seed. The compiler takes its first file.
fn drawn(seed: u64) -> Case {
    let case = Case::of(seed);
    if let Err(why) = simulate::graph_of(case.sheet.to_string()) {
        panic!("the first file of seed {seed} is refused: {why}\n{}", case.sheet);
    }
    case
}

/// Every seed that fails, with the promise that it breaks, and none of them made smaller; `MLIOT_SURVEY=first`: only the
/// first of them.
fn survey(seeds: std::ops::Range<u64>) {
    let mut failed = 0;
    for seed in seeds {
        if let Some(broken) = fails(&drawn(seed)) {
            failed += 1;
            if failed == 1 && std::env::var("MLIOT_SURVEY").as_deref() == Ok("first") {
                panic!("seed {seed}: {broken}");
            }
            println!("seed {seed}: {broken}\n");
        }
    }
    assert_eq!(failed, 0, "so many seeds break promises");
}

/// What is promised, in the order of the design, and what each promise waits for where it is not checked yet.
#[test]
fn every_promise_has_its_check_or_says_what_it_waits_for() {
    for (promise, number) in PROMISES.iter().zip(1..) {
        assert_eq!(promise.number, number);
        let how = match promise.check {
            Check::On(_) => "checked on every case".to_owned(),
            Check::Elsewhere(module) => format!("checked by `{module}`"),
            Check::NotYet(why) => format!("not yet: {why}"),
        };
        println!("{:>2} {}: {how}", promise.number, promise.says);
    }
}

/// A simulator that draws only cases in which nothing happens proves nothing.
#[test]
fn cases_are_about_something() {
    quiet();
    let (mut done, mut refused, mut failed, mut rows, mut blocked) = (0, 0, 0, 0, 0);
    for seed in 0..8 {
        let record = simulate::simulate(&drawn(seed)).expect("its first file compiles");
        rows += record.written.values().map(Vec::len).sum::<usize>();
        blocked += record.moments.iter().filter(|moment| moment.blocked).count();
        for moment in &record.moments {
            match moment.outcome {
                Outcome::Done(_) => done += 1,
                Outcome::Refused(ref why) => {
                    println!("{}: {why}", moment.what);
                    refused += 1;
                }
                Outcome::Failed(_) | Outcome::Overtaken(_) => failed += 1,
            }
        }
    }
    println!(
        "{done} changes made, {refused} texts refused, {failed} changes failed, {blocked} behind a stuck sink, {rows} rows written"
    );
    assert!(done > 3 * refused && refused > 0 && failed > 0 && rows > 1_000, "{done} {refused} {failed} {rows}");
}
