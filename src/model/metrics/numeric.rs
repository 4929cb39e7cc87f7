//! Metrics of numbers.

use crate::ir::MetricKind;

/// Of at least one row.
pub fn measure(kind: MetricKind, truth: &[f64], guess: &[f64], baseline_mae: Option<f64>) -> Option<f64> {
    let mean_of = |error: &dyn Fn(f64, f64) -> f64| {
        truth.iter().zip(guess).map(|(truth, guess)| error(*truth, *guess)).sum::<f64>() / truth.len() as f64
    };
    let mae = || mean_of(&|truth, guess| (truth - guess).abs());
    match kind {
        MetricKind::Mae => Some(mae()),
        MetricKind::Rmse => Some(mean_of(&|truth, guess| (truth - guess).powi(2)).sqrt()),
        MetricKind::R2 => r2(truth, guess),
        MetricKind::Mape => Some(mean_of(&|truth, guess| (truth - guess).abs() / truth.abs().max(f64::EPSILON))),
        MetricKind::Smape => Some(mean_of(&smape)),
        // The share of the best baseline's mean absolute error that is saved.
        MetricKind::Skill => baseline_mae.filter(|baseline| *baseline > 0.0).map(|baseline| 1.0 - mae() / baseline),
        MetricKind::Accuracy
        | MetricKind::BalancedAccuracy
        | MetricKind::MacroF1
        | MetricKind::F1
        | MetricKind::Precision
        | MetricKind::Recall
        | MetricKind::Auc
        | MetricKind::LogLoss
        | MetricKind::Brier
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

/// In 0..2; 0 where both are 0.
fn smape(truth: f64, guess: f64) -> f64 {
    let size = truth.abs() + guess.abs();
    if size > 0.0 { 2.0 * (truth - guess).abs() / size } else { 0.0 }
}

/// None where the truth does not vary.
fn r2(truth: &[f64], guess: &[f64]) -> Option<f64> {
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let spread: f64 = truth.iter().map(|truth| (truth - mean).powi(2)).sum();
    let rest: f64 = truth.iter().zip(guess).map(|(truth, guess)| (truth - guess).powi(2)).sum();
    (spread > 0.0).then(|| 1.0 - rest / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// import numpy as np
    /// from sklearn.metrics import *
    /// t = np.array([3.0, -0.5, 2.0, 7.0, 0.25]); g = np.array([2.5, 0.0, 2.1, 7.8, 0.5])
    /// print(mean_absolute_error(t, g), root_mean_squared_error(t, g), r2_score(t, g), mean_absolute_percentage_error(t, g),
    ///   np.mean(2 * abs(t - g) / (abs(t) + abs(g))))
    /// ```
    #[test]
    fn numbers_are_measured_as_scikit_learn_does() {
        let (truth, guess) = ([3.0, -0.5, 2.0, 7.0, 0.25], [2.5, 0.0, 2.1, 7.8, 0.5]);
        for (kind, wanted) in REFERENCE {
            let found = measure(kind, &truth, &guess, Some(0.86)).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{}: {found} and {wanted}", kind.name());
        }
    }

    #[test]
    fn what_is_not_defined_is_left_out() {
        assert_eq!(measure(MetricKind::R2, &[1.0, 1.0], &[1.0, 2.0], None), None);
        assert_eq!(measure(MetricKind::Skill, &[1.0], &[1.0], None), None);
        assert_eq!(measure(MetricKind::Smape, &[0.0], &[0.0], None), Some(0.0));
    }

    const REFERENCE: [(MetricKind, f64); 6] = [
        (MetricKind::Mae, 0.43),
        (MetricKind::Rmse, 0.492_442_890_089_805_2),
        (MetricKind::R2, 0.965_057_636_887_608),
        (MetricKind::Mape, 0.466_190_476_190_476_2),
        (MetricKind::Smape, 0.601_074_688_879_566_8),
        (MetricKind::Skill, 0.5),
    ];
}
