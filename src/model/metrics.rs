//! How good answers are. Definitions and edge cases are those of scikit-learn.

mod classified;
mod numeric;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ir::{Metric, MetricKind};

use super::{Classes, Matrix};

/// Measured values by the metric's text: `accuracy`, `recall("fall")`.
pub type Figures = BTreeMap<String, f64>;

/// Truth and answers, row for row; rows without an answer are not in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Classes {
        /// The classes of the model first, in its order.
        classes: Classes,
        truth: Vec<u32>,
        guess: Vec<u32>,
        /// Probabilities of the model's classes; none where only classes were answered.
        shares: Option<Matrix>,
    },
    Numbers {
        truth: Vec<f64>,
        guess: Vec<f64>,
        /// Mean absolute error of the best baseline on the same rows, for `skill`.
        baseline_mae: Option<f64>,
    },
}

/// How often each class was answered for each true class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    pub classes: Vec<String>,
    /// `counts[truth][answer]`.
    pub counts: Vec<Vec<u64>>,
}

impl Outcome {
    pub fn rows(&self) -> usize {
        match self {
            Outcome::Classes { truth, .. } => truth.len(),
            Outcome::Numbers { truth, .. } => truth.len(),
        }
    }

    /// Of these of its rows alone.
    pub fn take(&self, rows: &[usize]) -> Outcome {
        match self {
            Outcome::Classes { classes, truth, guess, shares } => Outcome::Classes {
                classes: classes.clone(),
                truth: rows.iter().map(|row| truth[*row]).collect(),
                guess: rows.iter().map(|row| guess[*row]).collect(),
                shares: shares.as_ref().map(|shares| shares.take(rows)),
            },
            Outcome::Numbers { truth, guess, baseline_mae } => Outcome::Numbers {
                truth: rows.iter().map(|row| truth[*row]).collect(),
                guess: rows.iter().map(|row| guess[*row]).collect(),
                baseline_mae: *baseline_mae,
            },
        }
    }
}

impl Confusion {
    /// `f1`, `precision` or `recall` of a class by its name; None of others.
    pub fn measure(&self, metric: &Metric) -> Option<f64> {
        let class = metric.class.as_ref()?;
        let at = self.classes.iter().position(|name| **name == **class)?;
        let of = |truth: usize, answer: usize| self.counts[truth][answer] as f64;
        let all = 0..self.classes.len();
        let counts = classified::Counts {
            hits: of(at, at),
            false_alarms: all.clone().filter(|other| *other != at).map(|other| of(other, at)).sum(),
            misses: all.filter(|other| *other != at).map(|other| of(at, other)).sum(),
        };
        counts.of_one(metric.kind)
    }
}

/// As reports and requirements call it.
pub fn metric_text(metric: &Metric) -> String {
    match &metric.class {
        Some(class) => format!("{}({class:?})", metric.kind.name()),
        None => metric.kind.name().to_owned(),
    }
}

/// None where the metric does not apply to the outcome, or where there is nothing to measure it on.
pub fn measure(metric: &Metric, outcome: &Outcome) -> Option<f64> {
    if outcome.rows() == 0 {
        return None;
    }
    let value = match outcome {
        Outcome::Classes { .. } => classified::measure(metric, outcome),
        Outcome::Numbers { truth, guess, baseline_mae } => numeric::measure(metric.kind, truth, guess, *baseline_mae),
    };
    value.filter(|value| value.is_finite())
}

/// Everything that can be measured without naming a class.
pub fn figures(outcome: &Outcome) -> Figures {
    let plain = MetricKind::all().map(|kind| Metric { kind, class: None });
    plain.filter_map(|metric| Some((metric_text(&metric), measure(&metric, outcome)?))).collect()
}

/// None for numbers.
pub fn confusion(outcome: &Outcome) -> Option<Confusion> {
    let Outcome::Classes { classes, truth, guess, .. } = outcome else { return None };
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    truth.iter().zip(guess).for_each(|(truth, guess)| counts[*truth as usize][*guess as usize] += 1);
    Some(Confusion { classes: classes.iter().map(ToString::to_string).collect(), counts })
}
