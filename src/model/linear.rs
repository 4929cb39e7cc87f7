//! Ridge regression, solved exactly in double precision by Cholesky's decomposition of the normal equations.

use super::dense::Dense;
use super::one_thread::on_one_thread;
use super::products::Products;
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
};

pub struct Linear;

#[derive(Debug)]
struct Fit {
    layer: Dense,
}

impl Family for Linear {
    fn name(&self) -> &str {
        "linear"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Detect => false,
            Purpose::Regress => true,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        // The penalty is on the sum of squared errors, as scikit-learn's alpha.
        let kind = SettingKind::Scale { low: 1e-8, high: 1e8, search: (1e-3, 1e4) };
        vec![Setting { name: "l2".into(), kind, default: ConfigValue::Float(1.0) }]
    }

    fn portfolio(&self) -> Vec<Config> {
        [1.0, 100.0].map(|l2| Config::default().with("l2", ConfigValue::Float(l2))).to_vec()
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * columns) as f64 * columns as f64
    }

    fn fit(&self, set: &TrainSet, config: &Config, _: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let Labels::Numbers(y) = &set.y else {
            return Err(FitError::failed("linear regression needs numbers"));
        };
        control.proceed()?;
        let layer = on_one_thread(|| ridge(set, y, config.float("l2")))?;
        Ok(Box::new(Fit { layer }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        Some(Box::new(Fit { layer: Dense::load("value", weights)? }))
    }
}

/// Centres by the weighted means, so that the intercept is not penalised.
fn ridge(set: &TrainSet, y: &[f64], l2: f64) -> Result<Dense, FitError> {
    let (rows, columns) = (set.rows(), set.x.columns);
    let total: f64 = (0..rows).map(|row| set.weight(row)).sum();
    let y_mean = (0..rows).map(|row| set.weight(row) * y[row]).sum::<f64>() / total;
    let mut means = vec![0.0; columns];
    for row in 0..rows {
        let share = set.weight(row) / total;
        means.iter_mut().zip(set.x.row(row)).for_each(|(mean, value)| *mean += share * f64::from(*value));
    }
    let mut centred = set.x.widened();
    let mut target = Vec::with_capacity(rows);
    for (row, values) in centred.chunks_exact_mut(columns).enumerate() {
        let root = set.weight(row).sqrt();
        values.iter_mut().zip(&means).for_each(|(value, mean)| *value = (*value - mean) * root);
        target.push((y[row] - y_mean) * root);
    }
    let products = Products::of_wide(rows, columns, centred.clone())?;
    let mut gram = products.transposed_times(&centred, columns)?;
    (0..columns).for_each(|at| gram[at * columns + at] += l2);
    let moments = products.transposed_times(&target, 1)?;
    let slopes = solve(gram, moments, columns).ok_or_else(|| FitError::failed("its features repeat each other; raise l2"))?;
    let bias = y_mean - slopes.iter().zip(&means).map(|(slope, mean)| slope * mean).sum::<f64>();
    let weights = slopes.iter().map(|slope| *slope as f32).collect();
    Ok(Dense { inputs: columns, outputs: 1, weights, bias: vec![bias as f32] })
}

/// `a · x = b` for a symmetric positive definite `a` of `n` rows; None where it is not.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for row in 0..n {
        for column in 0..=row {
            let (left, right) = (&a[row * n..row * n + column], &a[column * n..column * n + column]);
            let rest = a[row * n + column] - left.iter().zip(right).map(|(l, r)| l * r).sum::<f64>();
            a[row * n + column] = match row == column {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / a[column * n + column],
            };
        }
    }
    for row in 0..n {
        let known: f64 = (0..row).map(|at| a[row * n + at] * b[at]).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|at| a[at * n + row] * b[at]).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    Some(b)
}

impl Model for Fit {
    fn predict(&self, x: &Matrix) -> Matrix {
        self.layer.forward(x)
    }

    fn save(&self) -> Weights {
        self.layer.save("value", Weights::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference:
    /// ```python
    /// import numpy as np
    /// from sklearn.linear_model import Ridge
    /// X = np.array([[0,0],[1,0],[0,1],[1,1],[2,1],[1,2],[2,2],[3,1]], dtype=float)
    /// y = np.array([1,2,0,3,5,2,4,9], dtype=float); w = np.array([1,2,1,.5,.5,1,1,1])
    /// m = Ridge(alpha=0.7, solver="cholesky").fit(X, y, w); print(m.coef_, m.intercept_)
    /// ```
    #[test]
    fn it_finds_what_scikit_learn_finds() {
        let data = vec![0., 0., 1., 0., 0., 1., 1., 1., 2., 1., 1., 2., 2., 2., 3., 1.];
        let x = Matrix { rows: 8, columns: 2, data };
        let y = Labels::Numbers(vec![1., 2., 0., 3., 5., 2., 4., 9.]);
        let set = TrainSet { layout: Default::default(), x, y, weights: Some(vec![1., 2., 1., 0.5, 0.5, 1., 1., 1.]) };
        let config = Config::default().with("l2", ConfigValue::Float(0.7));
        let fit = Linear.fit(&set, &config, 0, &Control::default()).unwrap().save();
        let (_, slopes) = fit.clone().take_f32("value.weight").unwrap();
        let (_, bias) = fit.clone().take_f32("value.bias").unwrap();
        for (found, wanted) in slopes.iter().chain(&bias).zip(REFERENCE) {
            assert!((found - wanted).abs() < 1e-5, "{slopes:?} {bias:?}");
        }
    }

    const REFERENCE: [f32; 3] = [2.468_759_4, -0.251_194_84, 0.288_143_67];
}
