//! Gradient boosting, by forust: shallow trees, each fitted to what the ones before left. Numbers by squared loss, classes by
//! logistic loss, each against the rest where there are more than two. The trees are then kept as flat arrays.

use forust_ml::Matrix as Columns;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;
use serde_json::json;

use super::forest::targets;
use super::scores::sigmoid;
use super::trees::{Node, Trees, below, by_row, shares};
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
    seed_of,
};

pub struct Boosted;

#[derive(Debug)]
struct Sums {
    trees: Trees,
    /// What each sum begins with, and the trees behind which it ends.
    base: Vec<f32>,
    ends: Vec<u32>,
    /// How many scores a row gets.
    width: usize,
    columns: usize,
}

impl Family for Boosted {
    fn name(&self) -> &str {
        "boosted"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => true,
            Purpose::Detect => false,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let setting = |name: &str, kind, default| Setting { name: name.into(), kind, default };
        let int = |low, high, search| SettingKind::Int { low, high, search };
        let scale = |low, high, search| SettingKind::Scale { low, high, search };
        vec![
            // For each class, where there are more than two.
            setting("trees", int(1, 5_000, (30, 300)), ConfigValue::Int(100)),
            setting("rate", scale(1e-4, 1.0, (0.02, 0.3)), ConfigValue::Float(0.1)),
            setting("depth", int(1, 32, (2, 8)), ConfigValue::Int(4)),
            setting("l2", scale(1e-6, 1e6, (0.1, 30.0)), ConfigValue::Float(1.0)),
            setting("share", SettingKind::Share { low: 0.05, high: 1.0, search: (0.5, 1.0) }, ConfigValue::Float(1.0)),
        ]
    }

    fn portfolio(&self) -> Vec<Config> {
        let small = Config::default().with("trees", ConfigValue::Int(50)).with("depth", ConfigValue::Int(2));
        vec![Config::default(), small]
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        (rows * columns) as f64 * (config.int("trees") * config.int("depth")) as f64
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let (targets, width) = targets(&set.y);
        let objective = || match &set.y {
            Labels::Classes { .. } => ObjectiveType::LogLoss,
            Labels::Numbers(_) | Labels::Nothing => ObjectiveType::SquaredLoss,
        };
        let columns = by_column(&set.x);
        let weights = set.weights.clone().unwrap_or_else(|| vec![1.0; set.rows()]);
        let mut sums = Sums { trees: Trees::default(), base: Vec::new(), ends: Vec::new(), width, columns: set.x.columns };
        for (at, target) in targets.iter().enumerate() {
            control.proceed()?;
            let scale = Scale::of(&set.y, target);
            let target: Vec<f64> = target.iter().map(|value| (value - scale.mean) / scale.deviation).collect();
            let mut booster = booster(objective(), config, seed_of(seed, &format!("boosted/{at}")));
            let rows = Columns::new(&columns, set.rows(), set.x.columns);
            booster.fit(&rows, &target, &weights, None).map_err(FitError::failed)?;
            sums.add(&booster, scale);
        }
        Ok(Box::new(sums))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let number = |name: &str| usize::try_from(weights.rest.get(name)?.as_u64()?).ok();
        let (width, columns) = (number("width")?, number("columns")?);
        let (_, base) = weights.take_f32("base")?;
        let ends = weights.take_u32("ends")?;
        let trees = Trees::load(weights, columns)?;
        let rising = ends.is_sorted() && ends.last().is_some_and(|end| *end as usize == trees.len());
        let sound = base.len() == ends.len() && width >= base.len() && rising;
        sound.then(|| Box::new(Sums { trees, base, ends, width, columns }) as Box<dyn Model>)
    }
}

fn booster(objective: ObjectiveType, config: &Config, seed: u64) -> GradientBooster {
    GradientBooster::default()
        .set_objective_type(objective)
        .set_iterations(config.int("trees"))
        .set_learning_rate(config.float("rate") as f32)
        .set_max_depth(config.int("depth"))
        .set_l2(config.float("l2") as f32)
        .set_subsample(config.float("share") as f32)
        .set_initialize_base_score(true)
        // One thread: the weights must not depend on how many there are.
        .set_parallel(false)
        .set_seed(seed)
}

/// As forust takes it.
fn by_column(x: &Matrix) -> Vec<f64> {
    (0..x.columns).flat_map(|column| (0..x.rows).map(move |row| f64::from(x.row(row)[column]))).collect()
}

/// Numbers are learned with mean 0 and deviation 1, as forust adds up in f32; classes as they are.
#[derive(Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(y: &Labels, values: &[f64]) -> Scale {
        let Labels::Numbers(_) = y else { return Scale { mean: 0.0, deviation: 1.0 } };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
        Scale { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }
}

impl Sums {
    fn add(&mut self, booster: &GradientBooster, scale: Scale) {
        self.base.push((booster.base_score * scale.deviation + scale.mean) as f32);
        for tree in &booster.trees {
            // forust does not name the type of its nodes.
            let nodes = tree.nodes.iter().map(|node| match node.is_leaf {
                true => Node::Leaf((f64::from(node.weight_value) * scale.deviation) as f32),
                false => Node::Split {
                    feature: node.split_feature,
                    threshold: below(node.split_value),
                    first: node.left_child,
                    second: node.right_child,
                },
            });
            self.trees.push(&nodes.collect::<Vec<_>>());
        }
        self.ends.push(self.trees.len() as u32);
    }

    fn sum(&self, which: usize, row: &[f32]) -> f32 {
        let begin = if which == 0 { 0 } else { self.ends[which - 1] as usize };
        self.base[which] + self.trees.sum(begin, self.ends[which] as usize, row)
    }
}

impl Model for Sums {
    fn predict(&self, x: &Matrix) -> Matrix {
        by_row(x, self.width, |row, out| match (self.base.len(), self.width) {
            (1, 1) => out[0] = self.sum(0, row),
            (1, _) => {
                let second = sigmoid(self.sum(0, row));
                out.copy_from_slice(&[1.0 - second, second]);
            }
            (_, _) => {
                out.iter_mut().enumerate().for_each(|(which, out)| *out = sigmoid(self.sum(which, row)));
                shares(out);
            }
        })
    }

    fn save(&self) -> Weights {
        let rest = json!({ "width": self.width, "columns": self.columns });
        let weights = self.trees.save(Weights { rest, ..Weights::default() });
        weights.with_f32("base", vec![self.base.len()], self.base.clone()).with_u32("ends", self.ends.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stream;

    #[test]
    fn our_trees_answer_as_forust_does() {
        let mut stream = Stream::new(8);
        let x = Matrix { rows: 300, columns: 3, data: (0..900).map(|_| stream.normal() as f32).collect() };
        let y: Vec<f64> = (0..300).map(|row| f64::from(x.row(row)[0].abs() + x.row(row)[1] > 1.0)).collect();
        let family: &dyn Family = &Boosted;
        let mut booster = booster(ObjectiveType::LogLoss, &family.config(&Config::default()), 1);
        let columns = by_column(&x);
        let rows = Columns::new(&columns, 300, 3);
        booster.fit(&rows, &y, &vec![1.0; 300], None).unwrap();
        let mut sums = Sums { trees: Trees::default(), base: Vec::new(), ends: Vec::new(), width: 2, columns: 3 };
        sums.add(&booster, Scale { mean: 0.0, deviation: 1.0 });
        for (row, theirs) in booster.predict(&rows, false).into_iter().enumerate() {
            let ours = f64::from(sums.sum(0, x.row(row)));
            assert!((ours - theirs).abs() < 1e-4, "row {row}: {ours} and {theirs}");
        }
        let right = (0..300).filter(|row| (sums.sum(0, x.row(*row)) > 0.0) == (y[*row] > 0.5)).count();
        assert!(right > 290, "{right} of 300");
    }

    #[test]
    fn large_numbers_are_learned_in_their_own_unit() {
        let mut stream = Stream::new(9);
        let x = Matrix { rows: 400, columns: 2, data: (0..800).map(|_| stream.normal() as f32).collect() };
        let value = |row: usize| 1e6 + 1e3 * f64::from(x.row(row)[0]).signum() + 10.0 * f64::from(x.row(row)[1]);
        let y: Vec<f64> = (0..400).map(value).collect();
        let set = TrainSet { layout: Default::default(), x: x.clone(), y: Labels::Numbers(y.clone()), weights: None };
        let family: &dyn Family = &Boosted;
        let model = Boosted.fit(&set, &family.config(&Config::default()), 1, &Control::default()).unwrap();
        let found = model.predict(&x).data;
        let error = found.iter().zip(&y).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).sum::<f64>() / 400.0;
        assert!(error < 30.0, "mean absolute error {error}");
    }
}
