//! How good answers are. Definitions and edge cases are those of scikit-learn.

mod classified;
mod numeric;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ir::{Measures, Metric, MetricKind};

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
    /// Of a detector, on rows of which somebody knows whether they were anomalies.
    Alarms {
        truth: Vec<bool>,
        flagged: Vec<bool>,
        /// How unusual each row is; None where whoever answered gives no scores.
        scores: Option<Vec<f32>>,
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
            Outcome::Alarms { truth, .. } => truth.len(),
        }
    }

    /// Notes what its skill is measured against, where it is of numbers.
    pub fn measure_against(&mut self, mae: Option<f64>) {
        match self {
            Outcome::Numbers { baseline_mae, .. } => *baseline_mae = mae,
            Outcome::Classes { .. } | Outcome::Alarms { .. } => {}
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
            Outcome::Alarms { truth, flagged, scores } => Outcome::Alarms {
                truth: rows.iter().map(|row| truth[*row]).collect(),
                flagged: rows.iter().map(|row| flagged[*row]).collect(),
                scores: scores.as_ref().map(|scores| rows.iter().map(|row| scores[*row]).collect()),
            },
        }
    }

    /// Alarms as the classes false and true; others as they are.
    fn as_classes(&self) -> Cow<'_, Outcome> {
        let Outcome::Alarms { truth, flagged, scores } = self else { return Cow::Borrowed(self) };
        let codes = |values: &[bool]| values.iter().map(|value| u32::from(*value)).collect();
        let shares = scores.as_ref().map(|scores| {
            let data = scores.iter().flat_map(|score| [1.0 - score, *score]).collect();
            Matrix { rows: scores.len(), columns: 2, data }
        });
        Cow::Owned(Outcome::Classes { classes: Classes::of_bool(), truth: codes(truth), guess: codes(flagged), shares })
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
        // A score is a rank and no probability.
        Outcome::Alarms { .. } if metric.kind.facts().measures != Measures::Classes => None,
        Outcome::Alarms { .. } => classified::measure(metric, &outcome.as_classes()),
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
    let outcome = outcome.as_classes();
    let Outcome::Classes { classes, truth, guess, .. } = &*outcome else { return None };
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    truth.iter().zip(guess).for_each(|(truth, guess)| counts[*truth as usize][*guess as usize] += 1);
    Some(Confusion { classes: classes.iter().map(ToString::to_string).collect(), counts })
}
