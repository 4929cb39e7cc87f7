//! Logistic regression: multinomial, or binomial for two classes, with an L2 penalty; solved to convergence by full-batch
//! L-BFGS in double precision, so the order of rows hardly matters and there is no learning rate.

use super::dense::Dense;
use super::lbfgs::minimise;
use super::one_thread::on_one_thread;
use super::products::Products;
use super::scores::{sigmoid, sigmoid64, softmax};
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
};

pub struct Logistic;

/// One column of scores for two classes (of the second), else one per class.
#[derive(Debug)]
struct Fit {
    layer: Dense,
}

/// Largest part of the gradient of the mean loss.
const TOLERANCE: f64 = 1e-6;

impl Family for Logistic {
    fn name(&self) -> &str {
        "logistic"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify => true,
            Purpose::Regress | Purpose::Detect => false,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        // The penalty is on the sum of the rows' losses: 1 is scikit-learn's C = 1.
        let kind = SettingKind::Scale { low: 1e-8, high: 1e8, search: (1e-3, 1e3) };
        vec![Setting { name: "l2".into(), kind, default: ConfigValue::Float(1.0) }]
    }

    fn portfolio(&self) -> Vec<Config> {
        [1.0, 0.01, 100.0].map(|l2| Config::default().with("l2", ConfigValue::Float(l2))).to_vec()
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * (columns + 1)) as f64 * 50.0
    }

    fn fit(&self, set: &TrainSet, config: &Config, _: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let Labels::Classes { index, count } = &set.y else {
            return Err(FitError::failed("logistic regression needs classes"));
        };
        let width = if *count == 2 { 1 } else { *count };
        let problem = Problem { set, index, width, l2: config.float("l2") };
        let solution = on_one_thread(|| problem.solve(control))?;
        Ok(Box::new(Fit { layer: layer(solution, set.x.columns, width) }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        Some(Box::new(Fit { layer: Dense::load("scores", weights)? }))
    }
}

/// From the solver's variables, in which the biases stand behind the weights.
fn layer(solution: Vec<f64>, inputs: usize, outputs: usize) -> Dense {
    let narrow: Vec<f32> = solution.iter().map(|value| *value as f32).collect();
    let (weights, bias) = narrow.split_at(inputs * outputs);
    Dense { inputs, outputs, weights: weights.to_vec(), bias: bias.to_vec() }
}

struct Problem<'a> {
    set: &'a TrainSet,
    index: &'a [u32],
    width: usize,
    l2: f64,
}

impl Problem<'_> {
    fn solve(&self, control: &Control) -> Result<Vec<f64>, FitError> {
        let products = Products::of(&self.set.x)?;
        let start = vec![0.0; (self.set.x.columns + 1) * self.width];
        minimise(start, TOLERANCE, |x| {
            control.proceed()?;
            self.loss(&products, x)
        })
    }

    /// Mean loss with its gradient at the weights and biases `x`. The biases are not penalised.
    fn loss(&self, products: &Products, x: &[f64]) -> Result<(f64, Vec<f64>), FitError> {
        let (weights, bias) = x.split_at(self.set.x.columns * self.width);
        let rows = self.set.rows() as f64;
        let mut residuals = products.times(weights, self.width)?;
        let mut loss = 0.0;
        for (row, scores) in residuals.chunks_exact_mut(self.width).enumerate() {
            scores.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
            let weight = self.set.weight(row) / rows;
            loss += weight * residual(scores, self.index[row] as usize);
            scores.iter_mut().for_each(|part| *part *= weight);
        }
        let mut gradient = products.transposed_times(&residuals, self.width)?;
        gradient.iter_mut().zip(weights).for_each(|(part, weight)| *part += self.l2 / rows * weight);
        loss += 0.5 * self.l2 / rows * weights.iter().map(|weight| weight * weight).sum::<f64>();
        for column in 0..self.width {
            gradient.push(residuals.iter().skip(column).step_by(self.width).sum());
        }
        Ok((loss, gradient))
    }
}

/// The loss of one row; its scores become the derivatives by them.
fn residual(scores: &mut [f64], class: usize) -> f64 {
    if let [score] = scores {
        let signed = if class == 1 { *score } else { -*score };
        let loss = if signed > 0.0 { libm::log1p(libm::exp(-signed)) } else { libm::log1p(libm::exp(signed)) - signed };
        *score = sigmoid64(*score) - class as f64;
        return loss;
    }
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = scores[class] - top;
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - top);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    scores[class] -= 1.0;
    libm::log(sum) - own
}

impl Model for Fit {
    fn predict(&self, x: &Matrix) -> Matrix {
        let mut scores = self.layer.forward(x);
        if self.layer.outputs == 1 {
            let both = |score: &f32| {
                let second = sigmoid(*score);
                [1.0 - second, second]
            };
            return Matrix { rows: x.rows, columns: 2, data: scores.data.iter().flat_map(both).collect() };
        }
        (0..x.rows).for_each(|row| softmax(scores.row_mut(row)));
        scores
    }

    fn save(&self) -> Weights {
        self.layer.save("scores", Weights::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stream;

    fn set(count: usize) -> TrainSet {
        let mut stream = Stream::new(11);
        let rows = 60;
        let data: Vec<f32> = (0..rows * 3).map(|_| stream.normal() as f32).collect();
        let x = Matrix { rows, columns: 3, data };
        let index = (0..rows).map(|row| ((x.row(row)[0] > 0.0) as usize + row % count) as u32 % count as u32).collect();
        let weights = Some((0..rows).map(|row| 0.5 + (row % 3) as f64 * 0.5).collect());
        TrainSet { layout: Default::default(), x, y: Labels::Classes { index, count }, weights }
    }

    #[test]
    fn its_gradient_is_that_of_finite_differences() {
        for count in [2, 4] {
            let set = set(count);
            let Labels::Classes { index, .. } = &set.y else { unreachable!() };
            let problem = Problem { set: &set, index, width: if count == 2 { 1 } else { count }, l2: 3.0 };
            let products = Products::of(&set.x).unwrap();
            let mut x: Vec<f64> = (0..4 * problem.width).map(|at| (at as f64 * 0.7).sin()).collect();
            let (_, gradient) = problem.loss(&products, &x).unwrap();
            for at in 0..x.len() {
                let mut value = |step: f64| {
                    x[at] += step;
                    let (value, _) = problem.loss(&products, &x).unwrap();
                    x[at] -= step;
                    value
                };
                let slope = (value(1e-6) - value(-1e-6)) / 2e-6;
                assert!((slope - gradient[at]).abs() < 1e-8, "{count} classes, {at}: {slope} and {}", gradient[at]);
            }
        }
    }

    /// The reference:
    /// ```python
    /// import numpy as np
    /// from sklearn.linear_model import LogisticRegression
    /// X = np.array([[0,0],[1,0],[0,1],[1,1],[2,1],[1,2],[2,2],[3,1]], dtype=float)
    /// y = np.array([0,0,1,1,2,2,2,0])
    /// m = LogisticRegression(C=1, tol=1e-10, max_iter=10000).fit(X, y); print(m.coef_, m.intercept_)
    /// m = LogisticRegression(C=2, tol=1e-10, max_iter=10000).fit(X, y == 2); print(m.coef_, m.intercept_)
    /// ```
    #[test]
    fn it_finds_what_scikit_learn_finds() {
        let data = vec![0., 0., 1., 0., 0., 1., 1., 1., 2., 1., 1., 2., 2., 2., 3., 1.];
        let x = Matrix { rows: 8, columns: 2, data };
        let fit = |index: Vec<u32>, count, l2: f64| {
            let set = TrainSet { layout: Default::default(), x: x.clone(), y: Labels::Classes { index, count }, weights: None };
            let config = Config::default().with("l2", ConfigValue::Float(l2));
            Logistic.fit(&set, &config, 0, &Control::default()).unwrap().save()
        };
        let close = |found: &[f32], wanted: &[f32]| {
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 2e-4), "{found:?} and {wanted:?}");
        };
        let three = fit(vec![0, 0, 1, 1, 2, 2, 2, 0], 3, 1.0);
        close(&three.clone().take_f32("scores.weight").unwrap().1, &THREE_WEIGHTS);
        close(&three.clone().take_f32("scores.bias").unwrap().1, &THREE_BIAS);
        let two = fit(vec![0, 0, 0, 0, 1, 1, 1, 0], 2, 0.5);
        close(&two.clone().take_f32("scores.weight").unwrap().1, &TWO_WEIGHTS);
        close(&two.clone().take_f32("scores.bias").unwrap().1, &TWO_BIAS);
    }

    const THREE_WEIGHTS: [f32; 6] = [0.290126, -0.571720, 0.281594, -0.980044, 0.141925, 0.838119];
    const THREE_BIAS: [f32; 3] = [0.758878, 0.333608, -1.092487];
    const TWO_WEIGHTS: [f32; 2] = [0.373458, 1.491741];
    const TWO_BIAS: [f32; 1] = [-2.661621];
}
