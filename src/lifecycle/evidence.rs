//! How much the champion's figures can be trusted: an interval by the bootstrap, and whether it is as sure as it is right.

use serde::{Deserialize, Serialize};

use crate::ir::Metric;
use crate::model::{Matrix, Outcome, Stream, measure, metric_text};

/// Resamples of the rows; fewer where that would be too much work.
const DRAWS: usize = 400;
/// Rows times resamples that are measured at most.
const WORK_MAX: usize = 20_000_000;
/// Fewer resamples say nothing of the ends of an interval.
const DRAWS_MIN: usize = 40;
/// The share of resamples inside the interval.
const LEVEL: f64 = 0.95;
/// Steps of confidence in the calibration plot.
const BINS: usize = 10;
/// Rows of a regression that are drawn.
const POINTS_MAX: usize = 600;

/// Of one model on rows that it had not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub rows: usize,
    /// Of the metric that was aimed at; None where it cannot be measured on these rows, or they are too many or too few.
    pub interval: Option<Interval>,
    /// Of classes: how often answers of like confidence were right.
    pub calibration: Vec<Bin>,
    /// The mean difference between confidence and share of right answers, weighted by rows.
    pub calibration_error: Option<f64>,
    /// Of numbers: truth and answer of rows evenly spread over all.
    pub points: Vec<[f64; 2]>,
}

/// By resampling blocks of rows that follow each other, since they are alike (Künsch, Annals of Statistics 17, 1989).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub metric: String,
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// The share of resamples inside.
    pub level: f64,
    pub draws: usize,
}

/// Answers of like confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub rows: usize,
    /// Means over these rows.
    pub confidence: f64,
    pub right: f64,
}

/// `blocks` says which rows of the outcome stay together, numbered from 0.
pub fn evidence(outcome: &Outcome, blocks: &[usize], metric: &Metric, seed: u64) -> Evidence {
    let calibration = calibration(outcome);
    let rows: usize = calibration.iter().map(|bin| bin.rows).sum();
    let gap = |bin: &Bin| (bin.confidence - bin.right).abs() * bin.rows as f64;
    Evidence {
        rows: outcome.rows(),
        interval: interval(outcome, blocks, metric, seed),
        calibration_error: (rows > 0).then(|| calibration.iter().map(gap).sum::<f64>() / rows as f64),
        calibration,
        points: points(outcome),
    }
}

fn interval(outcome: &Outcome, blocks: &[usize], metric: &Metric, seed: u64) -> Option<Interval> {
    let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); blocks.iter().max()? + 1];
    blocks.iter().enumerate().for_each(|(row, block)| rows_of[*block].push(row));
    rows_of.retain(|rows| !rows.is_empty());
    let draws = DRAWS.min(WORK_MAX / outcome.rows().max(1));
    if rows_of.len() < 2 || draws < DRAWS_MIN {
        return None;
    }
    let value = measure(metric, outcome)?;
    let mut stream = Stream::for_purpose(seed, "report/bootstrap");
    let mut draw = || {
        let chosen = (0..rows_of.len()).map(|_| stream.below(rows_of.len())).collect::<Vec<_>>();
        measure(metric, &outcome.take(&chosen.iter().flat_map(|block| rows_of[*block].iter().copied()).collect::<Vec<_>>()))
    };
    let mut values: Vec<f64> = (0..draws).filter_map(|_| draw()).collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |share: f64| values[(share * last as f64).round() as usize];
    let outside = (1.0 - LEVEL) / 2.0;
    Some(Interval {
        metric: metric_text(metric),
        value,
        low: at(outside),
        high: at(1.0 - outside),
        level: LEVEL,
        draws: values.len(),
    })
}

/// From the least sure answers to the surest, without empty steps.
fn calibration(outcome: &Outcome) -> Vec<Bin> {
    let Outcome::Classes { truth, guess, shares: Some(shares), .. } = outcome else { return Vec::new() };
    let mut sums = [(0usize, 0.0, 0.0); BINS];
    for (row, (truth, guess)) in truth.iter().zip(guess).enumerate() {
        let confidence = share(shares, row, *guess as usize);
        let bin = &mut sums[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + f64::from(u8::from(truth == guess)));
    }
    let bin = |(rows, confidence, right): (usize, f64, f64)| Bin {
        rows,
        confidence: confidence / rows as f64,
        right: right / rows as f64,
    };
    sums.into_iter().filter(|(rows, ..)| *rows > 0).map(bin).collect()
}

fn share(shares: &Matrix, row: usize, class: usize) -> f64 {
    shares.row(row).get(class).map_or(0.0, |share| f64::from(*share))
}

fn points(outcome: &Outcome) -> Vec<[f64; 2]> {
    let Outcome::Numbers { truth, guess, .. } = outcome else { return Vec::new() };
    let step = truth.len().div_ceil(POINTS_MAX).max(1);
    truth.iter().zip(guess).step_by(step).map(|(truth, guess)| [*truth, *guess]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray};

    use super::*;
    use crate::ir::MetricKind;
    use crate::model::Classes;

    /// 400 rows, of which every tenth is wrong; nine in ten sure by 0.9, the others by 0.6.
    fn outcome() -> Outcome {
        let names: ArrayRef = Arc::new(BooleanArray::from(vec![false, true]));
        let truth: Vec<u32> = (0..400).map(|row| row % 2).collect();
        let guess =
            truth.iter().enumerate().map(|(row, truth)| if row % 10 == 3 { 1 - truth } else { *truth }).collect::<Vec<_>>();
        let sure = |row: usize| if row % 10 == 3 { 0.6 } else { 0.9 };
        let data = guess
            .iter()
            .enumerate()
            .flat_map(|(row, guess)| if *guess == 1 { [1.0 - sure(row), sure(row)] } else { [sure(row), 1.0 - sure(row)] });
        let shares = Matrix { rows: 400, columns: 2, data: data.collect() };
        Outcome::Classes { classes: Classes::seen(&names, 0..2).unwrap(), truth, guess, shares: Some(shares) }
    }

    const ACCURACY: Metric = Metric { kind: MetricKind::Accuracy, class: None };

    #[test]
    fn an_interval_is_as_wide_as_blocks_differ() {
        let even: Vec<usize> = (0..400).map(|row| row / 20).collect();
        let same = evidence(&outcome(), &even, &ACCURACY, 7).interval.unwrap();
        assert_eq!((same.low, same.value, same.high), (0.9, 0.9, 0.9), "every block has two wrong ones");
        let uneven: Vec<usize> = (0..400).map(|row| if row % 10 == 3 { 0 } else { 1 + row % 9 }).collect();
        let wide = evidence(&outcome(), &uneven, &ACCURACY, 7).interval.unwrap();
        assert!(wide.low < 0.85 && wide.high > 0.95, "{wide:?}");
        assert_eq!(evidence(&outcome(), &uneven, &ACCURACY, 7).interval, Some(wide), "the same seed, the same interval");
        assert_eq!(evidence(&outcome(), &[0; 400], &ACCURACY, 7).interval, None, "one block tells nothing");
    }

    #[test]
    fn confidence_is_held_against_what_was_right() {
        let found = evidence(&outcome(), &[0; 400], &ACCURACY, 7);
        assert_eq!(found.calibration.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [40, 360]);
        assert_eq!(found.calibration.iter().map(|bin| bin.right).collect::<Vec<_>>(), [0.0, 1.0]);
        assert!((found.calibration_error.unwrap() - (0.1 * 0.6 + 0.9 * 0.1)).abs() < 1e-6);
    }

    #[test]
    fn numbers_are_drawn_evenly() {
        let numbers = |rows: usize| (0..rows).map(|row| row as f64).collect::<Vec<_>>();
        let found = points(&Outcome::Numbers { truth: numbers(1_300), guess: numbers(1_300), baseline_mae: None });
        assert_eq!((found.len(), found[1]), (434, [3.0, 3.0]));
        assert!(points(&outcome()).is_empty());
    }
}
