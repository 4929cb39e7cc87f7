//! Gaussian naive Bayes: within each class every number is taken to be normal and apart from all others. Learned in one pass,
//! small, and often surprisingly good where features say different things (Hand and Yu, International Statistical Review 69, 2001).

use super::trees::by_row;
use super::{Config, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, TrainSet, Weights};

pub struct NaiveBayes;

/// As scikit-learn's `var_smoothing`: this share of the greatest variance is added to every one.
const SMOOTHING: f64 = 1e-9;

/// Row-major, one row per class.
#[derive(Debug)]
struct Normals {
    classes: usize,
    columns: usize,
    /// Logarithms of the classes' shares.
    priors: Vec<f32>,
    means: Vec<f32>,
    variances: Vec<f32>,
}

impl Family for NaiveBayes {
    fn name(&self) -> &str {
        "naive_bayes"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify => true,
            Purpose::Regress | Purpose::Detect => false,
        }
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * columns) as f64
    }

    fn fit(&self, set: &TrainSet, _: &Config, _: u64, _: &Control) -> Result<Box<dyn Model>, FitError> {
        let Labels::Classes { index, count } = &set.y else {
            return Err(FitError::failed("naive Bayes needs classes"));
        };
        let columns = set.x.columns;
        let mut totals = vec![0.0; *count];
        let mut means = vec![0.0; count * columns];
        each(set, index, |class, weight, row| {
            totals[class] += weight;
            let means = means[class * columns..].iter_mut();
            means.zip(row).for_each(|(mean, value)| *mean += weight * f64::from(*value));
        });
        for (at, mean) in means.iter_mut().enumerate() {
            *mean /= totals[at / columns];
        }
        let mut variances = vec![0.0; count * columns];
        each(set, index, |class, weight, row| {
            for (column, value) in row.iter().enumerate() {
                let at = class * columns + column;
                variances[at] += weight * (f64::from(*value) - means[at]).powi(2);
            }
        });
        let least = SMOOTHING * greatest_variance(set);
        for (at, variance) in variances.iter_mut().enumerate() {
            *variance = *variance / totals[at / columns] + least;
        }
        let all: f64 = totals.iter().sum();
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        Ok(Box::new(Normals {
            classes: *count,
            columns,
            priors: totals.iter().map(|total| libm::log(total / all) as f32).collect(),
            means: narrow(means),
            variances: variances.into_iter().map(|value| (value as f32).max(f32::MIN_POSITIVE)).collect(),
        }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let (_, priors) = weights.take_f32("priors")?;
        let (shape, means) = weights.take_f32("means")?;
        let (_, variances) = weights.take_f32("variances")?;
        let [classes, columns] = *shape.as_slice() else { return None };
        let sound = priors.len() == classes && means.len() == classes * columns && variances.len() == means.len();
        sound.then(|| Box::new(Normals { classes, columns, priors, means, variances }) as Box<dyn Model>)
    }
}

/// Class, weight and numbers of every row.
fn each(set: &TrainSet, index: &[u32], mut see: impl FnMut(usize, f64, &[f32])) {
    (0..set.rows()).for_each(|row| see(index[row] as usize, set.weight(row), set.x.row(row)));
}

/// Of all columns, whatever the class; not weighted, as in scikit-learn.
fn greatest_variance(set: &TrainSet) -> f64 {
    let rows = set.rows() as f64;
    let variance = |column: usize| {
        let values = || (0..set.rows()).map(|row| f64::from(set.x.row(row)[column]));
        let mean = values().sum::<f64>() / rows;
        values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows
    };
    (0..set.x.columns).map(variance).fold(0.0, f64::max)
}

impl Model for Normals {
    fn predict(&self, x: &Matrix) -> Matrix {
        by_row(x, self.classes, |row, out| {
            for (class, out) in out.iter_mut().enumerate() {
                let range = class * self.columns..(class + 1) * self.columns;
                let normals = self.means[range.clone()].iter().zip(&self.variances[range]);
                let terms = row.iter().zip(normals).map(|(value, (mean, variance))| {
                    f64::from((value - mean).powi(2)) / f64::from(*variance) + libm::log(f64::from(*variance))
                });
                *out = (f64::from(self.priors[class]) - 0.5 * terms.sum::<f64>()) as f32;
            }
            to_shares(out);
        })
    }

    fn save(&self) -> Weights {
        let shape = vec![self.classes, self.columns];
        let weights = Weights::default().with_f32("priors", vec![self.classes], self.priors.clone());
        weights.with_f32("means", shape.clone(), self.means.clone()).with_f32("variances", shape, self.variances.clone())
    }
}

/// From logarithms.
fn to_shares(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = libm::expf(*score - highest));
    let total: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        // ```python
        // from sklearn.naive_bayes import GaussianNB
        // x, y = [[1, 5], [2, 6], [5, 7], [6, 1], [9, 3]], [0, 0, 0, 1, 1]
        // GaussianNB().fit(x, y).predict_proba([[4, 5], [5.5, 4]])
        // ```
        let x = Matrix { rows: 5, columns: 2, data: vec![1., 5., 2., 6., 5., 7., 6., 1., 9., 3.] };
        let set = TrainSet {
            layout: Default::default(),
            x,
            y: Labels::Classes { index: vec![0, 0, 0, 1, 1], count: 2 },
            weights: None,
        };
        let model = NaiveBayes.fit(&set, &Config::default(), 0, &Control::default()).unwrap();
        let shares = model.predict(&Matrix { rows: 2, columns: 2, data: vec![4., 5., 5.5, 4.] }).data;
        for (found, wanted) in shares.iter().zip(WANTED) {
            assert!((found - wanted).abs() < 1e-4, "{shares:?}");
        }
    }

    const WANTED: [f32; 4] = [0.998_705, 0.001_295, 0.265_552, 0.734_448];
}
