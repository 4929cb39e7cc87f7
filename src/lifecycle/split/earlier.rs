//! Stretches before the one that validates. One stretch of time is one weather, one shift, one load: whoever is best on it may
//! be so by chance, so candidates are judged on several, forward in time (rolling origin; Tashman, International Journal of
//! Forecasting 16, 2000): a model that learned what came before answers what came next.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Classes, Purpose};

use super::{Round, Table, known_before};

/// So many beside the one that validates; each costs a fit of every candidate.
const STRETCHES_MAX: usize = 3;
/// The first of them has this share of all rows before it: with less, whoever learns quickest would win.
const LEARNED_MIN: f64 = 0.2;
/// Rows that do not have the commonest class are at least this share of what they are over all, or a stretch tells too little.
const CLASSES_MIN: f64 = 0.5;
/// Between what is learned and what is judged lies this share of what validates: rows side by side are nearly equal.
const EMBARGO: f64 = 0.05;

/// Rows that may be learned from, in the order in which they became whole: each chunk one moment, or one group.
struct Past<'a> {
    table: &'a Table,
    chunks: Vec<Vec<usize>>,
    /// Rows before each chunk, and before the end.
    before: Vec<Count>,
    /// Those that validate included.
    all: Count,
    gap: i64,
}

/// Labelled rows, and those of them that are of another class than the commonest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    rows: usize,
    rare: usize,
}

/// Stretches of the rows of `last.train`, earliest first, none larger than it has to be: each as many rows as validate, and
/// more where these would be nearly all of one class. None where there is too little. `units` says which rows no boundary
/// parts, and labels are known `gap` later.
pub fn earlier(table: &Table, units: &[u32], purpose: Purpose, last: &Round, gap: i64) -> Vec<Round> {
    let past = Past::of(table, units, purpose, last, gap);
    let mut found = Vec::new();
    let mut end = past.chunks.len();
    while found.len() < STRETCHES_MAX
        && let Some(start) = past.start(end, last.validate.len())
    {
        found.push(past.round(start, end, last.validate.len()));
        end = start;
    }
    found.retain(|round| !round.train.is_empty());
    found.reverse();
    found
}

/// Of every row of the table, whether it is of another class than the commonest among `rows`.
fn rare(table: &Table, rows: &[usize]) -> Option<Vec<bool>> {
    let codes = Classes::seen(&table.target, rows.iter().copied())?.encode(&table.target);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    rows.iter().filter_map(|row| codes[*row]).for_each(|code| *counts.entry(code).or_default() += 1);
    let (commonest, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(codes.iter().map(|code| code.is_some_and(|code| code != commonest)).collect())
}

/// Rows by unit, in the order of the units' last rows.
fn chunks(units: &[u32], rows: &[usize]) -> Vec<Vec<usize>> {
    let mut of_unit: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    rows.iter().for_each(|row| of_unit.entry(units[*row]).or_default().push(*row));
    let mut chunks: Vec<Vec<usize>> = of_unit.into_values().collect();
    chunks.sort_by_key(|rows| rows.last().copied());
    chunks
}

impl Count {
    fn plus(self, rows: &[usize], rare: Option<&[bool]>) -> Count {
        let of_others = rare.map_or(0, |rare| rows.iter().filter(|row| rare[**row]).count());
        Count { rows: self.rows + rows.len(), rare: self.rare + of_others }
    }

    fn minus(self, other: Count) -> Count {
        Count { rows: self.rows - other.rows, rare: self.rare - other.rare }
    }

    fn share(self) -> f64 {
        self.rare as f64 / self.rows.max(1) as f64
    }
}

impl<'a> Past<'a> {
    fn of(table: &'a Table, units: &[u32], purpose: Purpose, last: &Round, gap: i64) -> Past<'a> {
        let all: Vec<usize> = last.train.iter().chain(&last.validate).copied().collect();
        let rare = match purpose {
            Purpose::Classify | Purpose::Detect => rare(table, &all),
            Purpose::Regress => None,
        };
        let rare = rare.as_deref();
        let chunks = chunks(units, &last.train);
        let mut before = vec![Count::default()];
        chunks.iter().for_each(|chunk| before.push(before[before.len() - 1].plus(chunk, rare)));
        Past { table, chunks, before, all: Count::default().plus(&all, rare), gap }
    }

    /// Where the stretch of `wanted` rows or more begins that ends before chunk `end`.
    fn start(&self, end: usize, wanted: usize) -> Option<usize> {
        let least = (LEARNED_MIN * self.all.rows as f64).ceil() as usize;
        let learned = |start: usize| self.before[start];
        let judged = |start: usize| self.before[end].minus(self.before[start]);
        let enough = |start: &usize| judged(*start).rows >= wanted && self.tells(judged(*start));
        let start = (0..end).rev().take_while(|start| learned(*start).rows >= least).find(enough)?;
        self.tells(learned(start)).then_some(start)
    }

    /// Are there enough rows of other classes than the commonest?
    fn tells(&self, count: Count) -> bool {
        count.share() >= CLASSES_MIN * self.all.share()
    }

    fn round(&self, start: usize, end: usize, wanted: usize) -> Round {
        let mut validate: Vec<usize> = self.chunks[start..end].iter().flatten().copied().collect();
        validate.sort_unstable();
        let mut embargo = (EMBARGO * wanted as f64).round() as usize;
        let mut learned = start;
        while learned > 0 && self.chunks[learned - 1].len() <= embargo {
            learned -= 1;
            embargo -= self.chunks[learned].len();
        }
        let train: BTreeSet<usize> = self.chunks[..learned].iter().flatten().copied().collect();
        let train = known_before(self.table, train.into_iter().collect(), &validate, self.gap);
        Round { train, validate }
    }
}
