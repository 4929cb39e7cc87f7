//! What a run of samples says about itself: statistics, spectrum, cepstrum. Plain functions over numbers that follow each
//! other at equal steps, used by windows (over a column) and by rows (over a signal or tensor).

mod cepstrum;
mod measure;
mod spectrum;
mod stats;

pub(super) use measure::{Measure, Number};

#[cfg(test)]
mod tests;
