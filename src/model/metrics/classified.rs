//! Metrics of classes.

use crate::ir::{Metric, MetricKind};

use super::super::Matrix;
use super::Outcome;

/// Rows of one class: right, wrongly answered, and missed.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub hits: f64,
    pub false_alarms: f64,
    pub misses: f64,
}

impl Counts {
    /// None of metrics that are not of one class.
    pub fn of_one(self, kind: MetricKind) -> Option<f64> {
        [(MetricKind::F1, self.f1()), (MetricKind::Precision, self.precision()), (MetricKind::Recall, self.recall())]
            .into_iter()
            .find(|(own, _)| *own == kind)
            .map(|(_, value)| value)
    }

    fn recall(self) -> f64 {
        ratio(self.hits, self.hits + self.misses)
    }

    fn precision(self) -> f64 {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    fn f1(self) -> f64 {
        ratio(2.0 * self.hits, 2.0 * self.hits + self.false_alarms + self.misses)
    }

    fn occurs(self) -> bool {
        self.hits + self.misses > 0.0
    }

    fn appears(self) -> bool {
        self.occurs() || self.false_alarms > 0.0
    }
}

/// 0 of nothing, as scikit-learn's `zero_division`.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

pub fn measure(metric: &Metric, outcome: &Outcome) -> Option<f64> {
    let Outcome::Classes { classes, truth, guess, shares } = outcome else { return None };
    let class = match &metric.class {
        Some(name) => Some(classes.named(name)?),
        None => None,
    };
    // Without a name, "the" class of two is the second.
    let one = || class.or((classes.len() == 2).then(|| classes.positive()));
    let count = |class: u32| counts(class, truth, guess);
    let all = || (0..classes.len() as u32).map(count);
    match metric.kind {
        MetricKind::Accuracy => Some(mean(truth.iter().zip(guess).map(|(truth, guess)| f64::from(truth == guess)))),
        MetricKind::BalancedAccuracy => Some(mean(all().filter(|class| class.occurs()).map(Counts::recall))),
        MetricKind::MacroF1 => Some(mean(all().filter(|class| class.appears()).map(Counts::f1))),
        MetricKind::F1 | MetricKind::Precision | MetricKind::Recall => count(one()?).of_one(metric.kind),
        MetricKind::LogLoss => Some(log_loss(truth, shares.as_ref()?)),
        MetricKind::Brier => Some(brier(classes.len(), truth, shares.as_ref()?)),
        MetricKind::Auc => auc(classes.len(), one(), truth, shares.as_ref()?),
        MetricKind::Mae
        | MetricKind::Rmse
        | MetricKind::R2
        | MetricKind::Mape
        | MetricKind::Smape
        | MetricKind::Skill
        | MetricKind::LatencyP50
        | MetricKind::LatencyP99
        | MetricKind::Memory
        | MetricKind::ModelSize
        | MetricKind::Pinball
        | MetricKind::FalseAlarms
        | MetricKind::Delay
        | MetricKind::Energy
        | MetricKind::Cost
        | MetricKind::Throughput => None,
    }
}

fn counts(class: u32, truth: &[u32], guess: &[u32]) -> Counts {
    let mut counts = Counts::default();
    for (truth, guess) in truth.iter().zip(guess) {
        match (*truth == class, *guess == class) {
            (true, true) => counts.hits += 1.0,
            (true, false) => counts.misses += 1.0,
            (false, true) => counts.false_alarms += 1.0,
            (false, false) => {}
        }
    }
    counts
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    ratio(sum, count)
}

/// The probability of a class; 0 for one that the model does not know.
fn share(shares: &Matrix, row: usize, class: usize) -> f64 {
    shares.row(row).get(class).map_or(0.0, |share| f64::from(*share))
}

/// Clipped as scikit-learn clips probabilities of f32.
fn log_loss(truth: &[u32], shares: &Matrix) -> f64 {
    let least = f64::from(f32::EPSILON);
    let loss = |(row, truth): (usize, &u32)| -libm::log(share(shares, row, *truth as usize).clamp(least, 1.0));
    mean(truth.iter().enumerate().map(loss))
}

/// Mean squared error of the probabilities; for two classes of the second one alone.
fn brier(classes: usize, truth: &[u32], shares: &Matrix) -> f64 {
    let halved = if classes == 2 { 0.5 } else { 1.0 };
    let error = |row: usize, class: usize| (share(shares, row, class) - f64::from(truth[row] as usize == class)).powi(2);
    mean((0..truth.len()).map(|row| halved * (0..classes).map(|class| error(row, class)).sum::<f64>()))
}

/// Of one class against the rest where it is named (or the second of two), else the mean over all classes.
fn auc(classes: usize, one: Option<u32>, truth: &[u32], shares: &Matrix) -> Option<f64> {
    let of = |class: u32| {
        let scores = (0..truth.len()).map(|row| share(shares, row, class as usize));
        rank_auc(scores.zip(truth.iter().map(|truth| *truth == class)).collect())
    };
    match one {
        Some(class) => of(class),
        None => Some(mean((0..classes as u32).map(of).collect::<Option<Vec<f64>>>()?.into_iter())),
    }
}

/// The share of pairs that stand in the right order, ties half: the Mann-Whitney statistic. None with one side only.
fn rank_auc(mut rows: Vec<(f64, bool)>) -> Option<f64> {
    let positives = rows.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = rows.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut ranks = 0.0;
    let mut before = 0;
    for ties in rows.chunk_by(|(a, _), (b, _)| a == b) {
        let rank = before as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ranks += rank * ties.iter().filter(|(_, positive)| *positive).count() as f64;
        before += ties.len();
    }
    Some((ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::super::{confusion, figures, measure, metric_text};
    use super::*;
    use crate::model::Classes;

    /// ```python
    /// import numpy as np
    /// from sklearn.metrics import *
    /// t = np.array([0,1,2,2,1,0,2,1,0,2]); g = np.array([0,1,2,1,1,0,2,2,1,2])
    /// p = np.array([[.7,.2,.1],[.1,.6,.3],[.2,.2,.6],[.1,.5,.4],[.3,.4,.3],[.5,.3,.2],[.1,.2,.7],[.2,.3,.5],[.3,.4,.3],[.05,.15,.8]])
    /// print(accuracy_score(t, g), balanced_accuracy_score(t, g), f1_score(t, g, average="macro"), f1_score(t, g, average=None),
    ///   precision_score(t, g, average=None), recall_score(t, g, average=None), roc_auc_score(t, p, multi_class="ovr"),
    ///   roc_auc_score(t == 2, p[:, 2]), log_loss(t, p), brier_score_loss(t, p), confusion_matrix(t, g))
    /// b = (t == 2).astype(int); q = p[:, 2]
    /// print(brier_score_loss(b, q), log_loss(b, q), f1_score(b, q >= .45))
    /// ```
    fn three() -> Outcome {
        let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        Outcome::Classes {
            classes: Classes::seen(&names, 0..3).unwrap(),
            truth: vec![0, 1, 2, 2, 1, 0, 2, 1, 0, 2],
            guess: vec![0, 1, 2, 1, 1, 0, 2, 2, 1, 2],
            shares: Some(Matrix {
                rows: 10,
                columns: 3,
                data: vec![
                    0.7, 0.2, 0.1, 0.1, 0.6, 0.3, 0.2, 0.2, 0.6, 0.1, 0.5, 0.4, 0.3, 0.4, 0.3, 0.5, 0.3, 0.2, 0.1, 0.2, 0.7,
                    0.2, 0.3, 0.5, 0.3, 0.4, 0.3, 0.05, 0.15, 0.8,
                ],
            }),
        }
    }

    fn of(kind: MetricKind, class: Option<&str>, outcome: &Outcome) -> f64 {
        let metric = Metric { kind, class: class.map(Into::into) };
        measure(&metric, outcome).unwrap_or_else(|| panic!("{} is measured", metric_text(&metric)))
    }

    #[track_caller]
    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-6, "{found} and {wanted}");
    }

    #[test]
    fn three_classes_are_measured_as_scikit_learn_does() {
        let outcome = three();
        for (kind, wanted) in THREE {
            close(of(kind, None, &outcome), wanted);
        }
        let matrix = confusion(&outcome).unwrap();
        for (kind, class, wanted) in THREE_BY_CLASS {
            close(of(kind, Some(class), &outcome), wanted);
            let counted = matrix.measure(&Metric { kind, class: Some(class.into()) });
            assert_eq!(counted.is_none(), kind == MetricKind::Auc, "the matrix knows what is counted");
            counted.into_iter().for_each(|counted| close(counted, wanted));
        }
        assert_eq!(
            (matrix.classes.join(""), matrix.counts),
            ("abc".to_owned(), vec![vec![2, 1, 0], vec![0, 2, 1], vec![0, 1, 3]])
        );
    }

    #[test]
    fn two_classes_are_measured_as_scikit_learn_does() {
        let Outcome::Classes { truth, shares: Some(shares), .. } = three() else { unreachable!() };
        let names: ArrayRef = Arc::new(StringArray::from(vec!["no", "yes"]));
        let yes: Vec<f32> = (0..10).map(|row| shares.row(row)[2]).collect();
        let outcome = Outcome::Classes {
            classes: Classes::seen(&names, 0..2).unwrap(),
            truth: truth.iter().map(|class| u32::from(*class == 2)).collect(),
            guess: yes.iter().map(|share| u32::from(*share >= 0.45)).collect(),
            shares: Some(Matrix { rows: 10, columns: 2, data: yes.iter().flat_map(|share| [1.0 - share, *share]).collect() }),
        };
        for (kind, wanted) in TWO {
            close(of(kind, None, &outcome), wanted);
        }
    }

    #[test]
    fn what_cannot_be_measured_is_left_out() {
        let Outcome::Classes { classes, truth, guess, .. } = three() else { unreachable!() };
        let outcome = Outcome::Classes { classes, truth, guess, shares: None };
        let found = figures(&outcome);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["accuracy", "balanced_accuracy", "macro_f1"]);
        let unknown = Metric { kind: MetricKind::Recall, class: Some("d".into()) };
        assert_eq!(measure(&unknown, &outcome), None);
    }

    const THREE: [(MetricKind, f64); 6] = [
        (MetricKind::Accuracy, 0.7),
        (MetricKind::BalancedAccuracy, 0.694_444_444),
        (MetricKind::MacroF1, 0.707_142_857),
        (MetricKind::Auc, 0.914_682_540),
        (MetricKind::LogLoss, 0.689_181_894),
        (MetricKind::Brier, 0.390_5),
    ];
    const THREE_BY_CLASS: [(MetricKind, &str, f64); 4] = [
        (MetricKind::F1, "b", 0.571_428_571),
        (MetricKind::Precision, "c", 0.75),
        (MetricKind::Recall, "a", 0.666_666_667),
        (MetricKind::Auc, "c", 0.958_333_333),
    ];
    const TWO: [(MetricKind, f64); 3] =
        [(MetricKind::Brier, 0.122), (MetricKind::LogLoss, 0.409_861_093), (MetricKind::F1, 0.75)];
}
