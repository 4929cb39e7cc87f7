//! Floor 6: model families, the preprocessing that is learned with them, and metrics. The only place that knows dfdx,
//! smartcore and the bundle's format.
//!
//! A [`Family`] fits a [`Model`] to a matrix of f32; a [`Fitted`] joins a model with the preprocessing and the classes that
//! were learned with it, and is what answers rows. Training may use threads' worth of libraries but runs on one thread;
//! prediction is plain loops in a fixed order, so that a row gets the same bits in any batch.

mod boosted;
mod bundle;
mod classes;
mod column;
mod config;
mod constant;
mod dense;
mod family;
mod fitted;
mod flags;
mod forest;
mod isolation;
mod knn;
mod layout;
mod lbfgs;
mod linear;
mod logistic;
mod matrix;
mod metrics;
mod mlp;
mod naive_bayes;
mod network;
mod one_thread;
mod own;
mod path;
mod persistence;
mod prepare;
mod products;
mod random;
mod scores;
mod seasonal_naive;
mod target;
mod training;
mod tree;
mod trees;
mod weights;
mod zscore;

pub use bundle::BundleError;
pub use classes::{ClassValue, Classes};
pub use config::{Config, ConfigValue, Setting, SettingKind};
pub use family::{AnyFamily, Control, Family, FitError, Labels, Model, Purpose, TrainSet, defaults_of, families, family};
pub use fitted::{FitRequest, Fitted, Shared};
pub use layout::{Layout, Part, Scaling};
pub use matrix::Matrix;
pub use metrics::{Confusion, Figures, Outcome, confusion, figures, measure, metric_text};
pub use network::NetworkFamily;
pub use own::{KeyPart, Own, PerKey, key_texts};
pub use persistence::{LabelDelay, persistence};
pub use prepare::{Prepared, Preprocess};
pub use random::{Stream, seed_of};
pub use scores::argmax;
pub use target::{Target, TargetError, kind_of, numbers};
pub use weights::{Array, Data, Weights};
