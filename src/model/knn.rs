//! Nearest neighbours: what the most similar rows were (Fix and Hodges, 1951). It keeps every row that it has learned from and
//! looks at each, so that it is large and slow, and exact.

use super::trees::by_row;
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
};

pub struct Knn;

#[derive(Debug)]
struct Neighbours {
    x: Matrix,
    /// Of every row the class, or none where numbers were learned.
    classes: Vec<u32>,
    /// Of every row the number, or its weight as a vote.
    values: Vec<f32>,
    /// Scores of an answer; 1 of numbers.
    width: usize,
    k: usize,
}

impl Family for Knn {
    fn name(&self) -> &str {
        "knn"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => true,
            Purpose::Detect => false,
        }
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn settings(&self) -> Vec<Setting> {
        let kind = SettingKind::Int { low: 1, high: 1_000, search: (1, 50) };
        vec![Setting { name: "k".into(), kind, default: ConfigValue::Int(5) }]
    }

    fn cost(&self, rows: usize, columns: usize, _: &Config) -> f64 {
        (rows * columns) as f64
    }

    fn fit(&self, set: &TrainSet, config: &Config, _: u64, _: &Control) -> Result<Box<dyn Model>, FitError> {
        let weights = || (0..set.rows()).map(|row| set.weight(row) as f32).collect();
        let (classes, values, width) = match &set.y {
            Labels::Classes { index, count } => (index.clone(), weights(), *count),
            Labels::Numbers(_) if set.weights.is_some() => {
                return Err(FitError::failed("neighbours do not weigh numbers"));
            }
            Labels::Numbers(values) => (Vec::new(), values.iter().map(|value| *value as f32).collect(), 1),
            Labels::Nothing => return Err(FitError::failed("neighbours need labels")),
        };
        Ok(Box::new(Neighbours { x: set.x.clone(), classes, values, width, k: config.int("k").min(set.rows()) }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let (shape, data) = weights.take_f32("x")?;
        let (_, values) = weights.take_f32("values")?;
        let classes = weights.take_u32("classes")?;
        let [rows, columns] = *shape.as_slice() else { return None };
        let [width, k] = *weights.take_u32("sizes")?.as_slice() else { return None };
        let (width, k) = (width as usize, k as usize);
        let sound = data.len() == rows * columns && values.len() == rows && (1..=rows).contains(&k) && width > 0;
        let known = classes.is_empty() || (classes.len() == rows && classes.iter().all(|class| (*class as usize) < width));
        let x = Matrix { rows, columns, data };
        (sound && known).then(|| Box::new(Neighbours { x, classes, values, width, k }) as Box<dyn Model>)
    }
}

impl Neighbours {
    /// The nearest rows by squared distance; of equals those that were learned first.
    fn nearest(&self, row: &[f32]) -> Vec<usize> {
        let distance = |at: usize| -> f32 { self.x.row(at).iter().zip(row).map(|(a, b)| (a - b).powi(2)).sum() };
        let mut all: Vec<(f32, usize)> = (0..self.x.rows).map(|at| (distance(at), at)).collect();
        let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let (first, last, _) = all.select_nth_unstable_by(self.k - 1, order);
        let mut nearest: Vec<usize> = first.iter().chain([&*last]).map(|(_, at)| *at).collect();
        // Sums are taken in the rows' own order.
        nearest.sort_unstable();
        nearest
    }
}

impl Model for Neighbours {
    fn predict(&self, x: &Matrix) -> Matrix {
        by_row(x, self.width, |row, out| {
            let nearest = self.nearest(row);
            if self.classes.is_empty() {
                out[0] = nearest.iter().map(|at| self.values[*at]).sum::<f32>() / self.k as f32;
                return;
            }
            nearest.iter().for_each(|at| out[self.classes[*at] as usize] += self.values[*at]);
            super::trees::shares(out);
        })
    }

    fn save(&self) -> Weights {
        let shape = vec![self.x.rows, self.x.columns];
        let weights = Weights::default().with_f32("x", shape, self.x.data.clone());
        let weights = weights.with_f32("values", vec![self.x.rows], self.values.clone());
        weights.with_u32("classes", self.classes.clone()).with_u32("sizes", vec![self.width as u32, self.k as u32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_decide() {
        let x = Matrix { rows: 5, columns: 1, data: vec![0.0, 1.0, 2.0, 10.0, 11.0] };
        let config = Config::default().with("k", ConfigValue::Int(3));
        let fit = |y: Labels, weights: Option<Vec<f64>>| {
            let set = TrainSet { layout: Default::default(), x: x.clone(), y, weights };
            Knn.fit(&set, &config, 0, &Control::default())
        };
        let asked = Matrix { rows: 2, columns: 1, data: vec![1.2, 9.0] };
        let classes = || Labels::Classes { index: vec![0, 0, 1, 1, 1], count: 2 };
        let votes = fit(classes(), None).unwrap().predict(&asked).data;
        assert_eq!(votes, [2.0 / 3.0, 1.0 / 3.0, 0.0, 1.0]);
        let heavy = fit(classes(), Some(vec![1.0, 1.0, 2.0, 1.0, 1.0])).unwrap().predict(&asked).data;
        assert_eq!(heavy[..2], [0.5, 0.5]);
        let numbers = || Labels::Numbers(vec![1.0, 2.0, 3.0, 10.0, 20.0]);
        assert_eq!(fit(numbers(), None).unwrap().predict(&asked).data, [2.0, 11.0]);
        assert!(fit(numbers(), Some(vec![1.0; 5])).is_err());
    }
}
