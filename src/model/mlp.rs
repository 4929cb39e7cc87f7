//! A multilayer perceptron: dense layers with rectifiers, trained by Adam on mini-batches in a seeded order, stopped early on
//! rows that are set aside for it. Training is dfdx; prediction is our own layers, as everywhere.

mod net;
mod training;

pub(super) use net::{cross_entropy, squared_error};

use serde_json::json;

use super::dense::Dense;
use super::one_thread::on_one_thread;
use super::scores::softmax;
use super::{
    Config, ConfigValue, Control, Family, FitError, Labels, Matrix, Model, Purpose, Setting, SettingKind, TrainSet, Weights,
};

pub struct Mlp;

#[derive(Debug)]
struct Fit {
    layers: Vec<Dense>,
    /// Are the scores those of classes?
    classes: bool,
}

impl Family for Mlp {
    fn name(&self) -> &str {
        "mlp"
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
        let hidden = SettingKind::Ints { most: 6, low: 1, high: 4096, search: (8, 128) };
        vec![
            setting("hidden", hidden, ConfigValue::Ints(vec![64, 32])),
            setting("lr", SettingKind::Scale { low: 1e-7, high: 1.0, search: (3e-4, 1e-2) }, ConfigValue::Float(2e-3)),
            setting("dropout", SettingKind::Share { low: 0.0, high: 0.9, search: (0.0, 0.5) }, ConfigValue::Float(0.0)),
            // Per step, off the gradient (AdamW).
            setting("decay", SettingKind::Scale { low: 1e-9, high: 1.0, search: (1e-5, 1e-1) }, ConfigValue::Float(1e-3)),
            setting("batch", int(1, 65_536, (32, 256)), ConfigValue::Int(64)),
            setting("epochs", int(1, 10_000, (60, 60)), ConfigValue::Int(60)),
            setting("patience", int(1, 10_000, (8, 8)), ConfigValue::Int(8)),
        ]
    }

    fn portfolio(&self) -> Vec<Config> {
        let small = ConfigValue::Ints(vec![16]);
        let decay = |value| ConfigValue::Float(value);
        vec![
            Config::default(),
            Config::default().with("hidden", small).with("decay", decay(1e-2)),
            Config::default().with("dropout", ConfigValue::Float(0.3)).with("decay", decay(3e-2)),
        ]
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        let mut sizes = vec![columns];
        sizes.extend(config.ints("hidden"));
        let parameters: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        (rows * config.int("epochs")) as f64 * parameters as f64
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let classes = matches!(set.y, Labels::Classes { .. });
        let layers = on_one_thread(|| training::train(set, config, seed, control))?;
        Ok(Box::new(Fit { layers, classes }))
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        let count = usize::try_from(weights.rest.get("layers")?.as_u64()?).ok()?;
        let layers: Vec<Dense> = (0..count).map(|at| Dense::load(&format!("layer{at}"), weights)).collect::<Option<_>>()?;
        let joined = layers.windows(2).all(|pair| pair[0].outputs == pair[1].inputs);
        let classes = weights.rest.get("classes")?.as_bool()?;
        (joined && count > 0).then(|| Box::new(Fit { layers, classes }) as Box<dyn Model>)
    }
}

impl Model for Fit {
    fn predict(&self, x: &Matrix) -> Matrix {
        let (last, hidden) = self.layers.split_last().expect("a network has a last layer");
        let mut values: Option<Matrix> = None;
        for layer in hidden {
            let mut next = layer.forward(values.as_ref().unwrap_or(x));
            next.data.iter_mut().for_each(|value| *value = value.max(0.0));
            values = Some(next);
        }
        let mut scores = last.forward(values.as_ref().unwrap_or(x));
        if self.classes {
            (0..scores.rows).for_each(|row| softmax(scores.row_mut(row)));
        }
        scores
    }

    fn save(&self) -> Weights {
        let mut weights =
            Weights { rest: json!({ "layers": self.layers.len(), "classes": self.classes }), ..Weights::default() };
        for (at, layer) in self.layers.iter().enumerate() {
            weights = layer.save(&format!("layer{at}"), weights);
        }
        weights
    }
}

#[cfg(test)]
mod tests;
