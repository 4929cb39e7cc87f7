//! What a model family is, and the list of them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ir::{Candidate, Models};

use super::boosted::Boosted;
use super::constant::Constant;
use super::forest::Forest;
use super::isolation::IsolationForest;
use super::knn::Knn;
use super::linear::Linear;
use super::logistic::Logistic;
use super::mlp::Mlp;
use super::naive_bayes::NaiveBayes;
use super::network::{Conv1d, Conv2d, NetworkFamily};
use super::seasonal_naive::SeasonalNaive;
use super::tree::Tree;
use super::zscore::ZScore;
use super::{Config, Layout, Matrix, Scaling, Setting, Weights};

/// What a task wants from a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Purpose {
    Classify,
    Regress,
    /// To say how unusual a row is, without being told.
    Detect,
}

/// A way to learn.
pub trait Family: Sync {
    /// As the language calls it.
    fn name(&self) -> &str;

    fn serves(&self, purpose: Purpose) -> bool;

    fn settings(&self) -> Vec<Setting>;

    /// Does `models auto` try it?
    fn is_usual(&self) -> bool {
        true
    }

    /// Does it get numbers in their own unit, instead of by mean and standard deviation?
    fn takes_numbers_as_they_are(&self) -> bool {
        false
    }

    /// How the elements of a feature tensor of this shape are scaled.
    fn scaling(&self, _shape: &[u32]) -> Scaling {
        Scaling::Elements
    }

    /// Settings that are searched wherever the family is listed, whether its author says so or not.
    fn always_searched(&self) -> Vec<Setting> {
        Vec::new()
    }

    /// Good points to try before searching, cheapest first, as differences from the defaults.
    fn portfolio(&self) -> Vec<Config> {
        vec![Config::default()]
    }

    /// What a fit costs, in rows × epochs × parameters or their like: the same on every machine.
    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64;

    /// Equal inputs give equal bytes, whatever the number of threads.
    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError>;

    /// Takes what it needs out of `weights`; None where they are not of this family.
    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>>;
}

/// What was learned.
pub trait Model: Send + Sync + fmt::Debug {
    /// One row of probabilities per row of `x`, in the order of the classes; or one number, of a detector the greater the more
    /// unusual the row is.
    fn predict(&self, x: &Matrix) -> Matrix;

    fn save(&self) -> Weights;

    /// Numbers in it that were learned.
    fn parameters(&self) -> usize {
        self.save().arrays.values().map(|array| array.shape.iter().product::<usize>()).sum()
    }
}

/// What a model learns from. Rows stand in the order of their ordinals.
#[derive(Clone, Debug)]
pub struct TrainSet {
    /// What the columns of `x` are.
    pub layout: Layout,
    pub x: Matrix,
    pub y: Labels,
    /// Positive; None where all rows count the same. Their mean is 1.
    pub weights: Option<Vec<f64>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Each in `0..count`.
    Classes {
        index: Vec<u32>,
        count: usize,
    },
    Numbers(Vec<f64>),
    /// Of detectors: they learn from rows alone.
    Nothing,
}

/// How whoever waits for a fit can end it early.
#[derive(Debug, Default)]
pub struct Control(AtomicBool);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitError {
    Cancelled,
    /// Why nothing can be learned this way, in half a sentence.
    Failed(String),
}

impl Control {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Asked between steps.
    pub fn proceed(&self) -> Result<(), FitError> {
        if self.0.load(Ordering::Relaxed) { Err(FitError::Cancelled) } else { Ok(()) }
    }
}

impl FitError {
    pub fn failed(why: impl fmt::Display) -> FitError {
        FitError::Failed(why.to_string())
    }
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::Cancelled => f.write_str("cancelled"),
            FitError::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for FitError {}

impl TrainSet {
    pub fn rows(&self) -> usize {
        self.x.rows
    }

    /// Of a row.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }
}

impl dyn Family + '_ {
    /// All settings, changed where `changes` says so.
    pub fn config(&self, changes: &Config) -> Config {
        let default = |setting: Setting| (setting.name.to_string(), setting.default);
        let mut config = Config(self.settings().into_iter().map(default).collect());
        config.0.extend(changes.0.clone());
        config
    }
}

/// Cheapest first.
pub fn families() -> &'static [&'static dyn Family] {
    &[
        &Constant,
        &SeasonalNaive,
        &Logistic,
        &Linear,
        &Tree,
        &Boosted,
        &Mlp,
        &Conv1d,
        &Conv2d,
        &Forest,
        &NaiveBayes,
        &Knn,
        &ZScore,
        &IsolationForest,
    ]
}

/// A family of the program, or a network of the file.
#[derive(Clone)]
pub enum AnyFamily {
    BuiltIn(&'static dyn Family),
    Declared(Arc<NetworkFamily>),
}

impl Deref for AnyFamily {
    type Target = dyn Family;
    fn deref(&self) -> &(dyn Family + 'static) {
        match self {
            AnyFamily::BuiltIn(family) => *family,
            AnyFamily::Declared(network) => &**network,
        }
    }
}

impl AnyFamily {
    /// What a candidate names; None where there is no such family.
    pub fn of(candidate: &Candidate) -> Option<AnyFamily> {
        match &candidate.network {
            Some(network) => Some(AnyFamily::Declared(Arc::new(NetworkFamily { network: network.clone() }))),
            None => family(&candidate.family).map(AnyFamily::BuiltIn),
        }
    }

    /// What `models` means by a name: a network that it lists, else a family of the program.
    pub fn among(models: &Models, name: &str) -> Option<AnyFamily> {
        let listed = match models {
            Models::Auto => None,
            Models::Listed(candidates) => candidates.iter().find(|candidate| candidate.family == *name),
        };
        listed.and_then(AnyFamily::of).or_else(|| family(name).map(AnyFamily::BuiltIn))
    }
}

/// The settings that a family begins with; of a network those of its training, since its sizes have no defaults.
pub fn defaults_of(name: &str) -> Config {
    match family(name) {
        Some(family) => family.config(&Config::default()),
        None => Config(super::network::training_defaults().into_iter().collect()),
    }
}

pub fn family(name: &str) -> Option<&'static dyn Family> {
    families().iter().copied().find(|family| family.name() == name)
}

#[cfg(test)]
mod tests;
