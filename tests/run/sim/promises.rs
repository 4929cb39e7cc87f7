//! The twenty promises of the cut, one check for each, on the record of a simulated case.
//!
//! What the oracle says is part of several of them: a row that was lost, doubled, seen by half of two plans or by a state that
//! should have been another is a row that the oracle does not have. Beside that each promise is looked at by itself, so that a
//! failure says which one it is.

mod books;
mod edits;
mod rows;

pub use rows::alike;

use std::fmt;

use super::record::Record;

pub struct Promise {
    pub number: u8,
    pub says: &'static str,
    pub check: Check,
}

pub enum Check {
    On(fn(&Record) -> Result<(), String>),
    /// Checked by a test of its own, named here.
    Elsewhere(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub promise: u8,
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PROMISES.iter().find(|promise| promise.number == self.promise) {
            Some(promise) => write!(f, "promise {} is broken: {}\n{}", promise.number, promise.says, self.why),
            None => write!(f, "{}", self.why),
        }
    }
}

const fn promise(number: u8, says: &'static str, check: Check) -> Promise {
    Promise { number, says, check }
}

use Check::{Elsewhere, On};

/// In the order of the design.
pub const PROMISES: [Promise; 20] = [
    promise(1, "conservation on every edge and node over any number of edits", On(books::conservation)),
    promise(2, "no row is processed by two generations of a node", On(rows::one_generation_of_a_node)),
    promise(3, "each row sees one generation on all its paths", On(rows::one_plan_on_all_paths)),
    promise(4, "order is kept on edges that stay", On(rows::order)),
    promise(5, "the state of what is the same or rewired is identical, bit for bit", On(edits::kept_states)),
    promise(6, "migrated state equals recomputation, entry by entry", Elsewhere("oracle")),
    promise(7, "watermarks never go back, windows fire once", On(rows::clocks)),
    promise(8, "a failed prepare leaves no trace", On(edits::no_trace_of_a_failed_prepare)),
    promise(9, "an abort restores the old behaviour", On(edits::an_abort_restores)),
    promise(10, "there and back again is where one was", On(edits::there_and_back)),
    promise(11, "a connection survives unless its own options changed", On(edits::connections)),
    promise(12, "a stuck sink cannot hold an edit", On(edits::stuck_sinks)),
    promise(13, "nothing is processed during a cut, and its pause is reported", On(edits::pauses)),
    promise(14, "a crash between any two steps recovers to what there was", On(edits::recoveries)),
    promise(15, "of many saves the newest wins", On(edits::newest_wins)),
    promise(16, "no leak over many edits", On(books::leaks)),
    promise(17, "taps and books follow the node", On(books::taps_follow)),
    promise(18, "a model is fed by its own features, and its version stands beside each answer", On(rows::versions)),
    promise(19, "a recording with its plan log replays to the same rows", Elsewhere("again")),
    promise(20, "any size of batches gives the same rows", Elsewhere("again")),
];

/// The first promise that does not hold. Rows that the oracle does not have are looked at last: most mistakes show there too,
/// and say less.
pub fn check(record: &Record) -> Result<(), Broken> {
    for promise in &PROMISES {
        if let On(check) = promise.check {
            check(record).map_err(|why| Broken { promise: promise.number, why })?;
        }
    }
    rows::as_the_oracle_says(record).map_err(|why| Broken { promise: 0, why })
}
