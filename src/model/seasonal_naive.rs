//! What was so a season ago will be so again: the usual forecast to beat. A model sees one row at a time, so what was is one of
//! its features: the column itself (the last value), or an earlier one such as `lag(load, 144)`.

use super::{Config, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, TrainSet, Weights};

/// Answers with one of the features, unchanged: with the one that came nearest to the target in training, in the mean absolute
/// error; of equals the first.
pub struct SeasonalNaive;

#[derive(Debug)]
struct Repeat {
    column: usize,
    columns: usize,
}

impl Family for SeasonalNaive {
    fn name(&self) -> &str {
        "seasonal_naive"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Detect => false,
            Purpose::Regress => true,
        }
    }

    fn takes_numbers_as_they_are(&self) -> bool {
        true
    }

    fn settings(&self) -> Vec<Setting> {
        Vec::new()
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * columns) as f64
    }

    fn fit(&self, set: &TrainSet, _: &Config, _: u64, _: &Control) -> Result<Box<dyn Model>, FitError> {
        let Labels::Numbers(y) = &set.y else {
            return Err(FitError::failed("a forecast is of numbers"));
        };
        let mut errors = vec![0.0; set.x.columns];
        for (row, truth) in y.iter().enumerate() {
            let weight = set.weight(row);
            let cells = errors.iter_mut().zip(set.x.row(row));
            cells.for_each(|(error, value)| *error += weight * (truth - f64::from(*value)).abs());
        }
        let nearest = errors.iter().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(column, _)| column);
        let column = nearest.ok_or_else(|| FitError::failed("there is no feature to repeat"))?;
        Ok(Box::new(Repeat { column, columns: set.x.columns }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let places = weights.take_u32("repeats")?;
        let [column, columns] = *places.as_slice() else { return None };
        let (column, columns) = (column as usize, columns as usize);
        (column < columns).then(|| Box::new(Repeat { column, columns }) as Box<dyn Model>)
    }
}

impl Model for Repeat {
    fn predict(&self, x: &Matrix) -> Matrix {
        Matrix { rows: x.rows, columns: 1, data: (0..x.rows).map(|row| x.row(row)[self.column]).collect() }
    }

    fn save(&self) -> Weights {
        Weights::default().with_u32("repeats", vec![self.column as u32, self.columns as u32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_repeats_the_feature_that_came_nearest() {
        let x = Matrix { rows: 3, columns: 2, data: vec![9.0, 1.5, 2.0, 2.5, 3.0, 3.0] };
        let fit = |y: Vec<f64>| {
            let set = TrainSet { layout: Default::default(), x: x.clone(), y: Labels::Numbers(y), weights: None };
            SeasonalNaive.fit(&set, &Config::default(), 0, &Control::default()).unwrap().predict(&x).data
        };
        assert_eq!(fit(vec![1.0, 2.0, 3.0]), [1.5, 2.5, 3.0], "not the one that is right twice and far off once");
        assert_eq!(fit(vec![9.0, 2.0, 4.0]), [9.0, 2.0, 3.0]);
    }
}
