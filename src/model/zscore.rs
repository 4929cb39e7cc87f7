//! How far a row's most unusual feature is from its mean, in standard deviations: the simplest detector, and on sensors that
//! fail one at a time a good one.

use super::trees::by_row;
use super::{Config, Control, Family, FitError, Matrix, Model, Purpose, Setting, TrainSet, Weights};

pub struct ZScore;

/// Of every column; those that do not vary in training count as they differ.
#[derive(Debug)]
struct Usual {
    means: Vec<f32>,
    deviations: Vec<f32>,
}

impl Family for ZScore {
    fn name(&self) -> &str {
        "zscore"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => false,
            Purpose::Detect => true,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * columns) as f64
    }

    fn fit(&self, set: &TrainSet, _: &Config, _: u64, _: &Control) -> Result<Box<dyn Model>, FitError> {
        let moments = (0..set.x.columns).map(|column| moments(set, column));
        let (means, deviations) = moments.unzip();
        Ok(Box::new(Usual { means, deviations }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let (_, means) = weights.take_f32("means")?;
        let (_, deviations) = weights.take_f32("deviations")?;
        (means.len() == deviations.len()).then(|| Box::new(Usual { means, deviations }) as Box<dyn Model>)
    }
}

/// Weighted mean and standard deviation; 1 where nothing varies.
fn moments(set: &TrainSet, column: usize) -> (f32, f32) {
    let rows = || (0..set.rows()).map(|row| (set.weight(row), f64::from(set.x.row(row)[column])));
    let total: f64 = rows().map(|(weight, _)| weight).sum();
    let mean = rows().map(|(weight, value)| weight * value).sum::<f64>() / total;
    let variance = rows().map(|(weight, value)| weight * (value - mean).powi(2)).sum::<f64>() / total;
    let deviation = variance.sqrt() as f32;
    (mean as f32, if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 })
}

impl Model for Usual {
    fn predict(&self, x: &Matrix) -> Matrix {
        by_row(x, 1, |row, out| {
            let distances = row.iter().zip(&self.means).zip(&self.deviations);
            let distances = distances.map(|((value, mean), deviation)| ((value - mean) / deviation).abs());
            out[0] = distances.fold(0.0, f32::max);
        })
    }

    fn save(&self) -> Weights {
        let count = self.means.len();
        let weights = Weights::default().with_f32("means", vec![count], self.means.clone());
        weights.with_f32("deviations", vec![count], self.deviations.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    #[test]
    fn the_most_unusual_feature_counts() {
        // Means 2 and 10; deviations 1 and 0, which counts as 1.
        let x = Matrix { rows: 2, columns: 2, data: vec![1.0, 10.0, 3.0, 10.0] };
        let set = TrainSet { layout: Default::default(), x, y: Labels::Nothing, weights: None };
        let model = ZScore.fit(&set, &Config::default(), 0, &Control::default()).unwrap();
        let asked = Matrix { rows: 3, columns: 2, data: vec![2.0, 10.0, 5.0, 10.0, 1.0, 14.0] };
        assert_eq!(model.predict(&asked).data, [0.0, 3.0, 4.0]);
    }
}
