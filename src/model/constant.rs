//! The simplest baseline: always the same answer.

use super::{Config, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, TrainSet, Weights};

/// Answers the commonest class with the training shares as probabilities, or the mean.
pub struct Constant;

#[derive(Debug)]
struct Answer(Vec<f32>);

impl Family for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => true,
            Purpose::Detect => false,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn cost(&self, rows: usize, _: usize, _: &Config) -> f64 {
        rows as f64
    }

    fn fit(&self, set: &TrainSet, _: &Config, _: u64, _: &Control) -> Result<Box<dyn Model>, FitError> {
        let mut answer = match &set.y {
            Labels::Classes { count, .. } => vec![0.0; *count],
            Labels::Numbers(_) => vec![0.0],
            Labels::Nothing => Vec::new(),
        };
        let mut total = 0.0;
        for row in 0..set.rows() {
            let weight = set.weight(row);
            total += weight;
            match &set.y {
                Labels::Classes { index, .. } => answer[index[row] as usize] += weight,
                Labels::Numbers(values) => answer[0] += weight * values[row],
                Labels::Nothing => {}
            }
        }
        Ok(Box::new(Answer(answer.iter().map(|sum| (sum / total) as f32).collect())))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let (_, answer) = weights.take_f32("answer")?;
        Some(Box::new(Answer(answer)))
    }
}

impl Model for Answer {
    fn predict(&self, x: &Matrix) -> Matrix {
        Matrix { rows: x.rows, columns: self.0.len(), data: self.0.repeat(x.rows) }
    }

    fn save(&self) -> Weights {
        Weights::default().with_f32("answer", vec![self.0.len()], self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_shares_or_the_mean() {
        let x = Matrix::zeros(4, 0);
        let classes = TrainSet {
            layout: Default::default(),
            x: x.clone(),
            y: Labels::Classes { index: vec![0, 1, 1, 1], count: 2 },
            weights: None,
        };
        let model = Constant.fit(&classes, &Config::default(), 0, &Control::default()).unwrap();
        assert_eq!(model.predict(&Matrix::zeros(1, 0)).data, [0.25, 0.75]);
        let numbers = TrainSet {
            layout: Default::default(),
            x,
            y: Labels::Numbers(vec![1.0, 2.0, 3.0, 6.0]),
            weights: Some(vec![1.0, 1.0, 2.0, 0.0]),
        };
        let model = Constant.fit(&numbers, &Config::default(), 0, &Control::default()).unwrap();
        assert_eq!(model.predict(&Matrix::zeros(2, 0)).data, [2.25, 2.25]);
    }
}
