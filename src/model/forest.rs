//! Random forests, grown by smartcore's regression forest: for classes on each class against the rest, where the mean of the
//! leaves is the class's probability (Malley and others, Probability Machines, 2012). The trees are then kept as flat arrays.

use serde::Deserialize;
use serde_json::json;
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::trees::{Node, Trees, by_row, not_greater, shares};
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
    seed_of,
};

pub struct Forest;

/// Means over trees, whoever grew them.
#[derive(Debug)]
pub struct Means {
    pub trees: Trees,
    /// One per class, or one for numbers and for the second of two classes; of equally many trees each.
    pub forests: usize,
    /// How many scores a row gets.
    pub width: usize,
    pub columns: usize,
}

/// Trees that are grown between two looks at whether to go on.
const GROWN_AT_ONCE: usize = 20;

impl Family for Forest {
    fn name(&self) -> &str {
        "forest"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => true,
            Purpose::Detect => false,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let int = |name: &str, low, high, search, default| Setting {
            name: name.into(),
            kind: SettingKind::Int { low, high, search },
            default: ConfigValue::Int(default),
        };
        vec![
            // For each class, where there are more than two.
            int("trees", 1, 2_000, (20, 200), 100),
            int("depth", 1, 64, (4, 24), 16),
            int("leaf", 1, 100_000, (1, 30), 2),
        ]
    }

    fn portfolio(&self) -> Vec<Config> {
        let with = |trees, depth, leaf| {
            let int = |value| ConfigValue::Int(value);
            Config::default().with("trees", int(trees)).with("depth", int(depth)).with("leaf", int(leaf))
        };
        vec![Config::default(), with(30, 8, 10)]
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        let rows = rows as f64;
        (config.int("trees") * config.int("depth")) as f64 * rows * (columns as f64).sqrt()
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let (targets, width) = targets(&set.y);
        let mut trees = Trees::default();
        for (at, target) in targets.iter().enumerate() {
            let split_by = split_by(&set.y, set.x.columns);
            grow(set, target, config, seed_of(seed, &format!("forest/{at}")), split_by, control, &mut trees)?;
        }
        Ok(Box::new(Means { trees, forests: targets.len(), width, columns: set.x.columns }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        Means::load(weights)
    }
}

/// What each forest estimates, and how many scores come of it.
pub fn targets(y: &Labels) -> (Vec<Vec<f64>>, usize) {
    match y {
        Labels::Numbers(values) => (vec![values.clone()], 1),
        Labels::Nothing => (Vec::new(), 0),
        Labels::Classes { index, count } => {
            let is = |class: u32| index.iter().map(|own| f64::from(*own == class)).collect();
            let estimated = if *count == 2 { 1..2 } else { 0..*count as u32 };
            (estimated.map(is).collect(), *count)
        }
    }
}

/// Columns that a node chooses among: the usual root for classes, a third for numbers.
fn split_by(y: &Labels, columns: usize) -> usize {
    let some = match y {
        Labels::Classes { .. } => (columns as f64).sqrt().round() as usize,
        Labels::Numbers(_) | Labels::Nothing => columns.div_ceil(3),
    };
    some.clamp(1, columns)
}

fn grow(
    set: &TrainSet,
    target: &Vec<f64>,
    config: &Config,
    seed: u64,
    split_by: usize,
    control: &Control,
    trees: &mut Trees,
) -> Result<(), FitError> {
    let x = DenseMatrix::new(set.rows(), set.x.columns, set.x.data.clone(), false).map_err(FitError::failed)?;
    let wanted = config.int("trees");
    for from in (0..wanted).step_by(GROWN_AT_ONCE) {
        control.proceed()?;
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(GROWN_AT_ONCE.min(wanted - from))
            .with_max_depth(config.int("depth") as u16)
            .with_min_samples_leaf(config.int("leaf"))
            .with_m(split_by)
            .with_seed(seed_of(seed, &from.to_string()));
        let grown = match &set.weights {
            Some(weights) => RandomForestRegressor::fit_with_weights(&x, target, weights, parameters),
            None => RandomForestRegressor::fit(&x, target, parameters),
        };
        take_trees(&grown.map_err(FitError::failed)?, trees)?;
    }
    Ok(())
}

/// smartcore shows its trees through serde alone.
#[derive(Deserialize)]
struct Grown {
    forest_regressor: GrownForest,
}

#[derive(Deserialize)]
struct GrownForest {
    trees: Vec<GrownTree>,
}

#[derive(Deserialize)]
pub struct GrownTree {
    nodes: Vec<GrownNode>,
}

#[derive(Deserialize)]
struct GrownNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

type Regressor = RandomForestRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>;

fn take_trees(forest: &Regressor, trees: &mut Trees) -> Result<(), FitError> {
    let bytes = serde_json::to_vec(forest).map_err(FitError::failed)?;
    let grown: Grown = serde_json::from_slice(&bytes).map_err(FitError::failed)?;
    grown.forest_regressor.trees.iter().for_each(|tree| tree.add_to(trees));
    Ok(())
}

impl GrownTree {
    pub fn add_to(&self, trees: &mut Trees) {
        trees.push(&self.nodes.iter().map(node).collect::<Vec<_>>());
    }
}

fn node(node: &GrownNode) -> Node {
    match (node.split_value, node.true_child, node.false_child) {
        (Some(threshold), Some(first), Some(second)) => {
            Node::Split { feature: node.split_feature, threshold: not_greater(threshold), first, second }
        }
        _ => Node::Leaf(node.output as f32),
    }
}

impl Means {
    /// None where the weights are not of means over trees.
    pub fn load(weights: &mut Weights) -> Option<Box<dyn Model>> {
        let number = |name: &str| usize::try_from(weights.rest.get(name)?.as_u64()?).ok();
        let columns = number("columns")?;
        let (forests, width) = (number("forests")?, number("width")?);
        let trees = Trees::load(weights, columns)?;
        let sound = forests > 0 && width >= forests && trees.len().is_multiple_of(forests);
        sound.then(|| Box::new(Means { trees, forests, width, columns }) as Box<dyn Model>)
    }

    /// The mean over the trees of one forest.
    fn mean(&self, forest: usize, row: &[f32]) -> f32 {
        let each = self.trees.len() / self.forests;
        self.trees.sum(forest * each, (forest + 1) * each, row) / each as f32
    }
}

impl Model for Means {
    fn predict(&self, x: &Matrix) -> Matrix {
        by_row(x, self.width, |row, out| match (self.forests, self.width) {
            (1, 1) => out[0] = self.mean(0, row),
            (1, _) => {
                let second = self.mean(0, row).clamp(0.0, 1.0);
                out.copy_from_slice(&[1.0 - second, second]);
            }
            (_, _) => {
                out.iter_mut().enumerate().for_each(|(forest, out)| *out = self.mean(forest, row));
                shares(out);
            }
        })
    }

    fn save(&self) -> Weights {
        let rest = json!({ "forests": self.forests, "width": self.width, "columns": self.columns });
        self.trees.save(Weights { rest, ..Weights::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Stream, argmax};

    fn config(trees: i64, leaf: i64) -> Config {
        let family: &dyn Family = &Forest;
        family.config(&Config::default().with("trees", ConfigValue::Int(trees)).with("leaf", ConfigValue::Int(leaf)))
    }

    fn cloud(rows: usize) -> Matrix {
        let mut stream = Stream::new(23);
        Matrix { rows, columns: 4, data: (0..rows * 4).map(|_| stream.normal() as f32).collect() }
    }

    #[test]
    fn our_trees_answer_as_smartcore_does() {
        let x = cloud(200);
        let y: Vec<f64> = (0..200).map(|row| f64::from(x.row(row)[0]) * 3.0 + f64::from(x.row(row)[1] > 0.0)).collect();
        let dense = DenseMatrix::new(200, 4, x.data.clone(), false).unwrap();
        let parameters = RandomForestRegressorParameters::default().with_n_trees(7).with_seed(5).with_m(2);
        let forest: Regressor = RandomForestRegressor::fit(&dense, &y, parameters).unwrap();
        let mut trees = Trees::default();
        take_trees(&forest, &mut trees).unwrap();
        assert_eq!(trees.len(), 7);
        let theirs = forest.predict(&dense).unwrap();
        for (row, theirs) in theirs.iter().enumerate() {
            let ours = f64::from(trees.sum(0, 7, x.row(row)) / 7.0);
            assert!((ours - theirs).abs() < 1e-5, "row {row}: {ours} and {theirs}");
        }
    }

    #[test]
    fn it_tells_corners_apart_that_no_plane_divides() {
        let x = cloud(900);
        for count in [2, 3] {
            let corner = |row: usize| (x.row(row)[0] > 0.0) as u32 ^ (x.row(row)[1] > 0.0) as u32;
            let class = |row: usize| if count == 3 && x.row(row)[2] > 1.0 { 2 } else { corner(row) };
            let index: Vec<u32> = (0..900).map(class).collect();
            let set = TrainSet {
                layout: Default::default(),
                x: x.clone(),
                y: Labels::Classes { index: index.clone(), count },
                weights: None,
            };
            let model = Forest.fit(&set, &config(60, 1), 1, &Control::default()).unwrap();
            let scores = model.predict(&x);
            let right = (0..900).filter(|row| argmax(scores.row(*row)) as u32 == index[*row]).count();
            assert!(right > 880, "{right} of 900 for {count} classes");
            assert!((scores.row(5).iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let loaded = Forest.load(&mut model.save()).unwrap();
            assert_eq!(loaded.predict(&x), scores);
        }
    }

    #[test]
    fn trees_have_the_same_bytes_for_a_seed_and_weights_count() {
        let x = cloud(300);
        let y = Labels::Numbers((0..300).map(|row| f64::from(row % 2 == 0)).collect());
        let weights = Some((0..300).map(|row| if row % 2 == 0 { 1.9 } else { 0.1 }).collect());
        let set = TrainSet { layout: Default::default(), x: x.clone(), y, weights };
        let fit = |seed| Forest.fit(&set, &config(30, 20), seed, &Control::default()).unwrap();
        assert_eq!(fit(4).save(), fit(4).save());
        assert_ne!(fit(4).save(), fit(5).save());
        let mean = fit(4).predict(&x).data.iter().sum::<f32>() / 300.0;
        assert!(mean > 0.9, "weighted towards 1: {mean}");
    }
}
