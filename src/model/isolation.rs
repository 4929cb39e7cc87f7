//! Isolation forest (Liu, Ting and Zhou, Isolation Forest, ICDM 2008): rows that random cuts set apart soon are unusual. The
//! crates that we have grow none, and it is little; its results are held against scikit-learn's (`tests/run/learn/anomalies`).

use super::trees::{Node, Trees, by_row};
use super::{
    Config, ConfigValue, Control, Family, FitError, Matrix, Model, Purpose, Setting, SettingKind, Stream, TrainSet, Weights,
};

pub struct IsolationForest;

/// A row's score is `2^(-mean depth / usual depth)`: near 1 where it stands alone, below one half where it is among many.
#[derive(Debug)]
struct Isolated {
    /// A leaf's value is its depth, and how deep its rows would still have gone.
    trees: Trees,
    /// Of a row among as many as one tree has seen.
    usual: f32,
    columns: usize,
}

impl Family for IsolationForest {
    fn name(&self) -> &str {
        "isolation_forest"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => false,
            Purpose::Detect => true,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let int = |name: &str, low, high, search, default| Setting {
            name: name.into(),
            kind: SettingKind::Int { low, high, search },
            default: ConfigValue::Int(default),
        };
        vec![int("trees", 1, 2_000, (50, 200), 100), int("sample", 2, 100_000, (64, 1_024), 256)]
    }

    fn cost(&self, _: usize, _: usize, config: &Config) -> f64 {
        let sample = config.int("sample") as f64;
        config.int("trees") as f64 * sample * libm::log2(sample)
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let sample = config.int("sample").min(set.rows());
        let deepest = libm::ceil(libm::log2(sample.max(2) as f64)) as usize;
        let mut trees = Trees::default();
        for tree in 0..config.int("trees") {
            control.proceed()?;
            let mut growing = Growing {
                x: &set.x,
                stream: Stream::for_purpose(seed, &format!("isolation/{tree}")),
                deepest,
                nodes: Vec::new(),
            };
            let rows = drawn(set, sample, &mut growing.stream);
            growing.grow(rows, 0);
            trees.push(&growing.nodes);
        }
        Ok(Box::new(Isolated { trees, usual: usual_depth(sample) as f32, columns: set.x.columns }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let columns = *weights.take_u32("columns")?.first()? as usize;
        let usual = *weights.take_f32("usual")?.1.first()?;
        let trees = Trees::load(weights, columns)?;
        (trees.len() > 0).then(|| Box::new(Isolated { trees, usual, columns }) as Box<dyn Model>)
    }
}

/// So many rows without repetition, heavier ones sooner (Efraimidis and Spirakis, 2006).
fn drawn(set: &TrainSet, sample: usize, stream: &mut Stream) -> Vec<usize> {
    let key = |row: usize, stream: &mut Stream| -libm::log(1.0 - stream.unit()) / set.weight(row);
    let mut keyed: Vec<(f64, usize)> = (0..set.rows()).map(|row| (key(row, stream), row)).collect();
    keyed.sort_by(|(a, a_row), (b, b_row)| a.total_cmp(b).then(a_row.cmp(b_row)));
    keyed.into_iter().take(sample).map(|(_, row)| row).collect()
}

/// The mean depth of an unsuccessful search among so many, in a binary search tree.
fn usual_depth(count: usize) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    match count {
        0 | 1 => 0.0,
        2 => 1.0,
        count => {
            let others = (count - 1) as f64;
            2.0 * (libm::log(others) + EULER) - 2.0 * others / count as f64
        }
    }
}

struct Growing<'a> {
    x: &'a Matrix,
    stream: Stream,
    deepest: usize,
    nodes: Vec<Node>,
}

impl Growing<'_> {
    /// The place of the node that stands for `rows`. No tree is deeper than the logarithm of its sample.
    fn grow(&mut self, rows: Vec<usize>, depth: usize) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node::Leaf((depth as f64 + usual_depth(rows.len())) as f32));
        let Some((feature, threshold)) = self.cut(&rows, depth) else { return at };
        let (first, second): (Vec<usize>, Vec<usize>) =
            rows.into_iter().partition(|row| self.x.row(*row)[feature] <= threshold);
        let first = self.grow(first, depth + 1);
        let second = self.grow(second, depth + 1);
        self.nodes[at] = Node::Split { feature, threshold, first, second };
        at
    }

    /// A column that varies among `rows`, any of them alike, and a place between its ends.
    fn cut(&mut self, rows: &[usize], depth: usize) -> Option<(usize, f32)> {
        if depth >= self.deepest || rows.len() < 2 {
            return None;
        }
        let ends = |column: usize| {
            let values = rows.iter().map(|row| self.x.row(*row)[column]);
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let varying: Vec<(usize, f32, f32)> = (0..self.x.columns)
            .map(|column| (column, ends(column)))
            .filter(|(_, (low, high))| low < high)
            .map(|(column, (low, high))| (column, low, high))
            .collect();
        if varying.is_empty() {
            return None;
        }
        let (column, low, high) = varying[self.stream.below(varying.len())];
        let place = f64::from(low) + self.stream.unit() * (f64::from(high) - f64::from(low));
        // Both sides keep a row.
        Some((column, (place as f32).clamp(low, high.next_down())))
    }
}

impl Model for Isolated {
    fn predict(&self, x: &Matrix) -> Matrix {
        let count = self.trees.len();
        by_row(x, 1, |row, out| {
            let depth = self.trees.sum(0, count, row) / count as f32;
            out[0] = if self.usual > 0.0 { libm::exp2f(-depth / self.usual) } else { 0.5 };
        })
    }

    fn save(&self) -> Weights {
        let weights = Weights::default().with_u32("columns", vec![self.columns as u32]);
        self.trees.save(weights.with_f32("usual", vec![1], vec![self.usual]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    #[test]
    fn the_usual_depth_is_that_of_the_paper() {
        assert_eq!([0, 1, 2].map(usual_depth), [0.0, 0.0, 1.0]);
        // 2 H(255) - 2 · 255 / 256, with the harmonic number as the paper estimates it.
        assert!((usual_depth(256) - 10.244_77).abs() < 1e-4, "{}", usual_depth(256));
    }

    #[test]
    fn a_row_far_from_all_others_stands_out() {
        let mut stream = Stream::new(5);
        let mut data: Vec<f32> = (0..600).map(|_| stream.normal() as f32).collect();
        data.extend([9.0, -9.0]);
        let x = Matrix { rows: 301, columns: 2, data };
        let set = TrainSet { layout: Default::default(), x: x.clone(), y: Labels::Nothing, weights: None };
        let config = (&IsolationForest as &dyn Family).config(&Config::default());
        let scores = IsolationForest.fit(&set, &config, 7, &Control::default()).unwrap().predict(&x).data;
        let highest = scores.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap();
        assert_eq!(highest.0, 300);
        assert!(highest.1 > 0.7 && scores.iter().sum::<f32>() / 301.0 < 0.5, "{highest:?}");
        let constant = TrainSet { layout: Default::default(), x: Matrix::zeros(5, 2), y: Labels::Nothing, weights: None };
        let alike = IsolationForest.fit(&constant, &config, 7, &Control::default()).unwrap().predict(&constant.x).data;
        assert!(alike.iter().all(|score| *score == alike[0]));
    }
}
