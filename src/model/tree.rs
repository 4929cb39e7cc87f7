//! A single decision tree: small, fast, and as rough as it is easy to understand. Grown by smartcore on the number itself, or
//! on each class against the rest.

use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use super::forest::{GrownTree, Means, targets};
use super::trees::Trees;
use super::{Config, ConfigValue, Control, Family, FitError, Model, Purpose, Setting, SettingKind, TrainSet, Weights, seed_of};

pub struct Tree;

impl Family for Tree {
    fn name(&self) -> &str {
        "tree"
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
        vec![int("depth", 1, 64, (2, 16), 6), int("leaf", 1, 100_000, (1, 50), 5)]
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        (rows * columns * config.int("depth")) as f64
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let (targets, width) = targets(&set.y);
        let x = DenseMatrix::new(set.rows(), set.x.columns, set.x.data.clone(), false).map_err(FitError::failed)?;
        let mut trees = Trees::default();
        for (at, target) in targets.iter().enumerate() {
            control.proceed()?;
            let mut parameters = DecisionTreeRegressorParameters::default()
                .with_max_depth(config.int("depth") as u16)
                .with_min_samples_leaf(config.int("leaf"));
            parameters.seed = Some(seed_of(seed, &format!("tree/{at}")));
            let grown: Regressor = match &set.weights {
                Some(weights) => DecisionTreeRegressor::fit_with_weights(&x, target, weights, parameters),
                None => DecisionTreeRegressor::fit(&x, target, parameters),
            }
            .map_err(FitError::failed)?;
            let bytes = serde_json::to_vec(&grown).map_err(FitError::failed)?;
            let grown: Grown = serde_json::from_slice(&bytes).map_err(FitError::failed)?;
            grown.tree_regressor.add_to(&mut trees);
        }
        Ok(Box::new(Means { trees, forests: targets.len(), width, columns: set.x.columns }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        Means::load(weights)
    }
}

type Regressor = DecisionTreeRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>;

/// smartcore shows its tree through serde alone.
#[derive(Deserialize)]
struct Grown {
    tree_regressor: GrownTree,
}
