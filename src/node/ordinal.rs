//! Positions of rows: one counter of the process, carried without a column wherever possible.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use serde::{Deserialize, Serialize};

/// The position of a row among all that entered. Only the order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ordinal(pub u64);

impl Ordinal {
    pub fn plus(self, rows: usize) -> Ordinal {
        Ordinal(self.0 + rows as u64)
    }
}

/// The ordinals of a batch's rows, never falling. Derived rows carry the ordinal of the input that caused them.
#[derive(Clone, Debug)]
pub enum Ordinals {
    /// Row i has `base + i`.
    Range(Ordinal),
    /// The rows that passed filters: the first mask is over the range from `base`, each next over the survivors.
    Chosen { base: Ordinal, masks: Arc<[BooleanBuffer]> },
    /// After a merge or a window.
    Column(ScalarBuffer<u64>),
}

impl Ordinals {
    /// Of every row, `rows` being their number.
    pub fn to_column(&self, rows: usize) -> ScalarBuffer<u64> {
        match self {
            Ordinals::Range(base) => (base.0..base.0 + rows as u64).collect(),
            Ordinals::Chosen { base, masks } => survivors(masks).into_iter().map(|at| base.0 + at as u64).collect(),
            Ordinals::Column(column) => column.clone(),
        }
    }

    /// Of one row.
    pub fn get(&self, row: usize) -> Ordinal {
        match self {
            Ordinals::Range(base) => base.plus(row),
            Ordinals::Chosen { base, masks } => {
                let through = |at: usize, mask: &BooleanBuffer| nth_set(mask, at);
                Ordinal(base.0 + masks.iter().rev().fold(row, through) as u64)
            }
            Ordinals::Column(column) => Ordinal(column[row]),
        }
    }

    /// Of the rows that `mask` keeps (null is not kept).
    pub fn filter(&self, mask: &BooleanArray) -> Ordinals {
        let kept = match mask.nulls() {
            Some(valid) => mask.values() & valid.inner(),
            None => mask.values().clone(),
        };
        match self {
            Ordinals::Range(base) => Ordinals::Chosen { base: *base, masks: [kept].into() },
            Ordinals::Chosen { base, masks } => {
                Ordinals::Chosen { base: *base, masks: masks.iter().cloned().chain([kept]).collect() }
            }
            Ordinals::Column(column) => Ordinals::Column(kept.set_indices().map(|at| column[at]).collect()),
        }
    }

    /// Of the rows `from..from + rows`.
    pub fn slice(&self, from: usize, rows: usize) -> Ordinals {
        match self {
            Ordinals::Range(base) => Ordinals::Range(base.plus(from)),
            Ordinals::Chosen { .. } if rows == 0 => Ordinals::Column(ScalarBuffer::from(Vec::new())),
            Ordinals::Chosen { base, masks } => {
                let all = survivors(masks);
                let kept = &all[from..from + rows];
                Ordinals::Column(kept.iter().map(|at| base.0 + *at as u64).collect())
            }
            Ordinals::Column(column) => Ordinals::Column(column.slice(from, rows)),
        }
    }

    /// How many of the `rows` rows stand before `at`.
    pub fn before(&self, at: Ordinal, rows: usize) -> usize {
        match self {
            Ordinals::Range(base) => (at.0.saturating_sub(base.0) as usize).min(rows),
            Ordinals::Chosen { .. } | Ordinals::Column(_) => self.to_column(rows).partition_point(|ordinal| *ordinal < at.0),
        }
    }
}

/// Positions in the first mask's range that pass all masks.
fn survivors(masks: &[BooleanBuffer]) -> Vec<usize> {
    let mut positions: Option<Vec<usize>> = None;
    for mask in masks {
        positions = Some(match positions {
            None => mask.set_indices().collect(),
            Some(before) => mask.set_indices().map(|at| before[at]).collect(),
        });
    }
    positions.unwrap_or_default()
}

fn nth_set(mask: &BooleanBuffer, nth: usize) -> usize {
    mask.set_indices().nth(nth).expect("a row that passed has a set bit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_filters_keep_the_ordinals_of_what_passes_both() {
        let first = Ordinals::Range(Ordinal(10)).filter(&BooleanArray::from(vec![true, false, true, true, false]));
        assert_eq!(first.to_column(3).to_vec(), [10, 12, 13]);
        let second = first.filter(&BooleanArray::from(vec![Some(true), None, Some(true)]));
        assert_eq!(second.to_column(2).to_vec(), [10, 13]);
        assert_eq!(second.get(1), Ordinal(13));
        assert_eq!(second.before(Ordinal(13), 2), 1);
        assert_eq!(second.slice(1, 1).to_column(1).to_vec(), [13]);
    }
}
