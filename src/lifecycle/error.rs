//! How far a figure can be trusted: standard errors by the jackknife, over blocks of judged rows.
//!
//! Rows that follow each other are alike, so that single rows would make any figure look surer than it is. What is left out at
//! a time is a block: whole groups where there are enough of them, else a stretch of rows (batch means; 10 to 30 of them are
//! usual, Schmeiser, Operations Research 30, 1982). Classes come in spells: of an afternoon in which a room is occupied every
//! row is the same question once more, so a stretch ends only where the class does. Two candidates are judged on the same blocks, so their difference has an
//! error of its own, without what makes a block hard for both.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Metric, MetricKind};
use crate::model::{Confusion, Figures, Outcome, confusion, measure, metric_text};

/// So many blocks at most.
pub const BLOCKS_MAX: usize = 20;
/// Fewer groups say too little about how groups differ.
const GROUPS_MIN: usize = 5;
/// Fewer spells of classes are too few blocks; then stretches of equal length have to do.
const SPELLS_MIN: usize = 4;
/// Ranking costs more than counting: beyond so many rows times classes `auc` gets no error.
const AUC_CELLS_MAX: usize = 1_000_000;
/// Beyond so many classes there are no errors of single ones.
const CLASSES_MAX: usize = 32;

/// Values of a metric with one block after the other left out, by the metric's text.
pub type LeftOut = BTreeMap<String, Vec<f64>>;

/// The block of each of `rows`, which are rows of the table, `outcome` being what was answered to them; fewer than two blocks
/// where there are fewer than two rows.
pub fn blocks(rows: &[usize], outcome: &Outcome, groups: Option<&[u32]>) -> Vec<usize> {
    if let Some(groups) = groups {
        let mut seen = BTreeSet::new();
        let mut sorted = rows.to_vec();
        sorted.sort_unstable();
        let order: Vec<u32> = sorted.iter().map(|row| groups[*row]).filter(|group| seen.insert(*group)).collect();
        if order.len() >= GROUPS_MIN {
            let rank: BTreeMap<u32, usize> = order.iter().enumerate().map(|(nth, group)| (*group, nth)).collect();
            return rows.iter().map(|row| share(rank[&groups[*row]], order.len())).collect();
        }
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| rows[*at]);
    let stretches = match labels(outcome) {
        Some(labels) => whole_spells(&order.iter().map(|at| labels[*at]).collect::<Vec<_>>()),
        None => None,
    };
    let stretches = stretches.unwrap_or_else(|| (0..rows.len()).map(|nth| share(nth, rows.len())).collect());
    let mut blocks = vec![0; rows.len()];
    order.iter().zip(stretches).for_each(|(at, block)| blocks[*at] = block);
    blocks
}

/// The class of each row; None of numbers.
fn labels(outcome: &Outcome) -> Option<Vec<u32>> {
    match outcome {
        Outcome::Classes { truth, .. } => Some(truth.clone()),
        Outcome::Alarms { truth, .. } => Some(truth.iter().map(|truth| u32::from(*truth)).collect()),
        Outcome::Numbers { .. } => None,
    }
}

/// Stretches of rows, none of which ends within a spell of one class. None where there are too few spells to tell anything.
fn whole_spells(labels: &[u32]) -> Option<Vec<usize>> {
    let spells: Vec<usize> = labels.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
    if spells.len() < SPELLS_MIN {
        return None;
    }
    let (mut blocks, mut before, mut last) = (Vec::with_capacity(labels.len()), 0, None);
    let mut block = 0;
    for spell in spells {
        // Where its middle falls, among stretches of equal length.
        let falls = share(before + spell / 2, labels.len());
        block += usize::from(last.is_some_and(|last| last != falls));
        last = Some(falls);
        before += spell;
        blocks.extend(std::iter::repeat_n(block, spell));
    }
    (block > 0).then_some(blocks)
}

/// In which of the blocks the `nth` of so many falls.
fn share(nth: usize, count: usize) -> usize {
    nth * BLOCKS_MAX.min(count) / count
}

/// Of every metric that can be measured without each of the blocks.
pub fn left_out(outcome: &Outcome, blocks: &[usize]) -> LeftOut {
    let count = blocks.iter().max().map_or(0, |last| last + 1);
    if count < 2 {
        return LeftOut::new();
    }
    let without = |block: usize| -> Figures {
        let rows: Vec<usize> = (0..blocks.len()).filter(|row| blocks[*row] != block).collect();
        all_figures(&outcome.take(&rows))
    };
    let each: Vec<Figures> = (0..count).map(without).collect();
    let names = each[0].keys().cloned();
    let values = |name: &String| each.iter().map(|figures| figures.get(name).copied()).collect::<Option<Vec<f64>>>();
    names.filter_map(|name| Some((name.clone(), values(&name)?))).collect()
}

/// Those that name no class, and those of every class, where they are not too dear.
pub fn all_figures(outcome: &Outcome) -> Figures {
    let counted = confusion(outcome);
    let classes = counted.as_ref().map_or(1, |counted| counted.classes.len());
    let too_dear = |kind: MetricKind| kind == MetricKind::Auc && outcome.rows() * classes > AUC_CELLS_MAX;
    let plain = MetricKind::all().filter(|kind| !too_dear(*kind)).map(|kind| Metric { kind, class: None });
    let mut found: Figures = plain.filter_map(|metric| Some((metric_text(&metric), measure(&metric, outcome)?))).collect();
    found.extend(counted.iter().filter(|counted| counted.classes.len() <= CLASSES_MAX).flat_map(of_classes));
    found
}

fn of_classes(counted: &Confusion) -> Vec<(String, f64)> {
    let metric = |class: &String, kind: MetricKind| Metric { kind, class: Some(class.as_str().into()) };
    let kinds = || MetricKind::all().filter(|kind| kind.is_of_a_class());
    let metrics = counted.classes.iter().flat_map(|class| kinds().map(move |kind| metric(class, kind)));
    metrics.filter_map(|metric| Some((metric_text(&metric), counted.measure(&metric)?))).collect()
}

/// Of a figure, from its values with one block left out each.
pub fn standard_error(left_out: &[f64]) -> Option<f64> {
    let count = left_out.len() as f64;
    if count < 2.0 {
        return None;
    }
    let mean = left_out.iter().sum::<f64>() / count;
    let squares = left_out.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    Some((squares * (count - 1.0) / count).sqrt())
}

/// Of the difference of two figures on the same blocks.
pub fn error_of_difference(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    standard_error(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray};
    use proptest::prelude::*;

    use super::*;
    use crate::model::Classes;

    #[test]
    fn blocks_are_stretches_of_rows_or_whole_groups() {
        let blocks = |rows: &[usize], groups: Option<&[u32]>| blocks(rows, &numbers(rows.len()), groups);
        assert_eq!(blocks(&[7, 3, 5], None), [2, 0, 1], "each row one, in the order of the table");
        let many = blocks(&(0..100).rev().collect::<Vec<_>>(), None);
        assert_eq!((many[0], many[99]), (19, 0));
        assert!((0..20).all(|block| many.iter().filter(|own| **own == block).count() == 5));
        let groups: Vec<u32> = (0..12).map(|row| row % 6).collect();
        assert_eq!(blocks(&[0, 1, 6, 11], Some(&groups)), [0, 1, 2, 3], "too few groups to go by");
        let rows: Vec<usize> = (0..12).collect();
        assert_eq!(blocks(&rows, Some(&groups)), [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
        let many: Vec<u32> = (0..40).collect();
        assert_eq!(blocks(&[0, 1, 38, 39, 2, 3, 4], Some(&many)), [0, 1, 5, 6, 2, 3, 4]);
        assert!(blocks(&[], None).is_empty());
    }

    fn numbers(rows: usize) -> Outcome {
        Outcome::Numbers { truth: vec![0.0; rows], guess: vec![0.0; rows], baseline_mae: None }
    }

    /// Of these classes, each answered right.
    fn of_classes(truth: Vec<u32>) -> Outcome {
        let names: ArrayRef = Arc::new(BooleanArray::from(vec![false, true]));
        Outcome::Classes { classes: Classes::seen(&names, 0..2).unwrap(), guess: truth.clone(), truth, shares: None }
    }

    #[test]
    fn no_stretch_ends_within_a_spell_of_one_class() {
        let spells = |lengths: &[usize]| -> Vec<u32> {
            lengths.iter().enumerate().flat_map(|(nth, length)| std::iter::repeat_n(nth as u32 % 2, *length)).collect()
        };
        let of = |lengths: &[usize]| {
            let truth = spells(lengths);
            blocks(&(0..truth.len()).collect::<Vec<_>>(), &of_classes(truth), None)
        };
        assert_eq!(of(&[3, 1, 2, 40, 4]), [vec![0; 3], vec![1; 1], vec![2; 2], vec![3; 40], vec![4; 4]].concat());
        let short = of(&[1; 100]);
        assert_eq!((short[0], short[99], short.is_sorted()), (0, 19, true), "many short spells share a stretch");
        assert_eq!(of(&[30, 30])[59], 19, "two spells are no two blocks");
        let rows = [9, 8, 7, 6, 5, 4, 3, 2];
        assert_eq!(
            blocks(&rows, &of_classes(vec![0, 1, 1, 0, 0, 1, 0, 0]), None),
            [4, 3, 3, 2, 2, 1, 0, 0],
            "in the order of the table"
        );
    }

    fn outcome(right: &[bool]) -> Outcome {
        let names: ArrayRef = Arc::new(BooleanArray::from(vec![false, true]));
        let truth: Vec<u32> = (0..right.len()).map(|row| u32::from(row % 2 == 1)).collect();
        let guess = truth.iter().zip(right).map(|(truth, right)| if *right { *truth } else { 1 - *truth }).collect();
        Outcome::Classes { classes: Classes::seen(&names, 0..2).unwrap(), truth, guess, shares: None }
    }

    /// Twenty blocks of five rows, of which these are wrong.
    fn accuracies(wrong: impl Fn(usize) -> bool) -> Vec<f64> {
        let right: Vec<bool> = (0..100).map(|row| !wrong(row)).collect();
        let rows: Vec<usize> = (0..100).collect();
        left_out(&outcome(&right), &blocks(&rows, &numbers(100), None))["accuracy"].clone()
    }

    #[test]
    fn mistakes_that_stand_together_make_a_figure_less_sure() {
        let spread = standard_error(&accuracies(|row| row % 10 == 0)).unwrap();
        let together = standard_error(&accuracies(|row| row < 10)).unwrap();
        // Of means of equal blocks it is the standard error of their mean.
        let of_means = |means: [f64; 20]| {
            let mean = means.iter().sum::<f64>() / 20.0;
            (means.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 19.0 / 20.0).sqrt()
        };
        let half = |block: usize| if block.is_multiple_of(2) { 0.8 } else { 1.0 };
        assert!((spread - of_means(std::array::from_fn(half))).abs() < 1e-9, "{spread}");
        let two = |block: usize| if block < 2 { 0.0 } else { 1.0 };
        assert!((together - of_means(std::array::from_fn(two))).abs() < 1e-9, "{together}");
        assert!(together > 2.0 * spread);
    }

    #[test]
    fn the_difference_of_two_has_an_error_of_its_own() {
        let (one, other) = (accuracies(|row| row < 10), accuracies(|row| row < 11));
        let alone = standard_error(&one).unwrap();
        let paired = error_of_difference(&one, &other).unwrap();
        assert!(paired < alone / 4.0, "what both find hard does not count: {paired} of {alone}");
        assert_eq!(error_of_difference(&one, &one), Some(0.0));
        assert_eq!((error_of_difference(&one, &other[1..]), standard_error(&[1.0])), (None, None));
    }

    #[test]
    fn every_class_has_its_figures() {
        let right = vec![true; 40];
        let found = left_out(&outcome(&right), &blocks(&(0..40).collect::<Vec<_>>(), &numbers(40), None));
        for name in ["accuracy", "macro_f1", "recall(\"true\")", "precision(\"false\")"] {
            assert_eq!(found[name], [1.0; 20], "{name}");
        }
        assert!(!found.contains_key("log_loss") && !found.contains_key("mae"));
        assert!(left_out(&outcome(&right[..1]), &[0]).is_empty());
    }

    proptest! {
        #[test]
        fn rows_fall_into_blocks_of_like_size_in_their_order(count in 1_usize..500) {
            let rows: Vec<usize> = (0..count).collect();
            let found = blocks(&rows, &numbers(count), None);
            prop_assert!(found.is_sorted());
            let sizes: Vec<usize> =
                (0..BLOCKS_MAX.min(count)).map(|block| found.iter().filter(|own| **own == block).count()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }
}
