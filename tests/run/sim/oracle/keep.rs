//! `limit`, `sample`, `dedupe`, `throttle`, row by row.

use std::collections::BTreeMap;

use mliot::ir::{KeepOp, KeepRule};
use mliot::runtime::Row;

use super::key::{Key, key};

#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// Rows that have come.
    seen: u64,
    /// By key, the times of rows that have passed and that a later row may be near to.
    passed: BTreeMap<Key, Vec<i64>>,
}

impl Keeping {
    /// `before` is the watermark before the row.
    pub fn passes(&mut self, row: &Row, time: Option<i64>, before: i64, op: &KeepOp) -> bool {
        self.seen += 1;
        match op.rule {
            KeepRule::First { rows } => self.seen <= rows,
            KeepRule::Share { share } => fraction(self.seen) < share,
            KeepRule::Once { within } => self.is_alone(key(row, &op.by), time, before, (1, within.0 + 1)),
            KeepRule::Rate { rows, per } => self.is_alone(key(row, &op.by), time, before, (rows, per.0)),
        }
    }

    /// A row without a key is like no other.
    fn is_alone(&mut self, key: Option<Key>, time: Option<i64>, before: i64, (most, reach): (u64, i64)) -> bool {
        let (Some(key), Some(time)) = (key, time) else { return true };
        let passed = self.passed.entry(key).or_default();
        passed.retain(|passed| passed + reach > before);
        let near = passed.iter().filter(|passed| (**passed - time).abs() < reach).count();
        let passes = (near as u64) < most;
        passed.extend(passes.then_some(time));
        passes
    }
}

/// Splitmix64 of the number of the row, from 1 on, as a number in 0..1.
fn fraction(nth: u64) -> f64 {
    let mut bits = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
