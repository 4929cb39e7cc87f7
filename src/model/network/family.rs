//! A declared network as a family of models: its ranges are what is searched.

use crate::ir::network::{Axes, Layer, Network};
use crate::model::one_thread::on_one_thread;
use crate::model::products::failed;
use crate::model::training::{Scale, Schedule, Settings, train};
use crate::model::{
    Config, ConfigValue, Control, Family, FitError, Labels, Layout, Model, Purpose, Scaling, Setting, SettingKind, TrainSet,
    Weights,
};

use super::body::Body;
use super::fit::{self, Description, Fit};
use super::net::Net;

/// One `network`, joined to the features of its task.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkFamily {
    pub network: Network,
}

/// How any network is trained; `epochs` is what it has at most if nobody says otherwise.
pub fn training_settings(epochs: i64) -> Vec<Setting> {
    let setting = |name: &str, kind, default| Setting { name: name.into(), kind, default };
    let int = |low, high, at| SettingKind::Int { low, high, search: (at, at) };
    vec![
        setting("lr", SettingKind::Scale { low: 1e-7, high: 1.0, search: (5e-4, 1e-2) }, ConfigValue::Float(3e-3)),
        // Per step, off the gradient (AdamW).
        setting("decay", SettingKind::Scale { low: 1e-9, high: 1.0, search: (1e-5, 1e-1) }, ConfigValue::Float(1e-3)),
        setting("batch", int(1, 65_536, 64), ConfigValue::Int(64)),
        setting("epochs", int(1, 10_000, epochs), ConfigValue::Int(epochs)),
        setting("patience", int(1, 10_000, 5), ConfigValue::Int(5)),
        setting("jitter", SettingKind::Share { low: 0.0, high: 1.0, search: (0.0, 0.2) }, ConfigValue::Float(0.0)),
    ]
}

/// What they are where nobody says otherwise.
pub fn training_defaults() -> Vec<(String, ConfigValue)> {
    training_settings(EPOCHS).into_iter().map(|setting| (setting.name.to_string(), setting.default)).collect()
}

/// Trains what `network` says, all of whose sizes are numbers.
pub fn fit_network(
    network: Network,
    set: &TrainSet,
    config: &Config,
    seed: u64,
    control: &Control,
) -> Result<Box<dyn Model>, FitError> {
    let (outputs, classes) = match &set.y {
        Labels::Classes { count, .. } => (*count, true),
        Labels::Numbers(_) => (1, false),
        Labels::Nothing => return Err(FitError::failed("a network is not asked to detect")),
    };
    let settings = Settings {
        name: "network",
        lr: config.float("lr"),
        decay: config.float("decay"),
        batch: config.int("batch"),
        epochs: config.int("epochs"),
        patience: config.int("patience"),
        schedule: Schedule::Cosine,
        jitter: config.float("jitter"),
    };
    let net = Net::of(&network, &set.layout, outputs)?;
    let learned = on_one_thread(|| {
        let body = Body::<f32>::new(net.clone(), seed).map_err(failed)?;
        train(set, &settings, seed, control, body)
    })?;
    let layout = Layout { parts: set.layout.parts.clone() };
    let description = Description { network, layout, outputs, classes, mean: 0.0, deviation: 1.0 }.scaled(Scale::of(set));
    Ok(Box::new(Fit { description, net, learned }))
}

/// Rows × epochs × multiply-adds; where nothing is known of the shapes, × columns.
pub fn network_cost(network: &Network, rows: usize, columns: usize, config: &Config) -> f64 {
    const CLASSES: usize = 2;
    let steps = network.input_shape(columns).and_then(|input| network.steps(input, CLASSES).ok());
    let of_a_row: usize = steps.map_or(columns, |steps| steps.iter().map(|step| step.multiply_adds).sum());
    (rows * config.int("epochs")) as f64 * of_a_row.max(1) as f64
}

/// A sequence by channel, an image without channels as a whole.
pub fn network_scaling(layers: &[Layer], shape: &[u32]) -> Scaling {
    let image = layers.iter().any(|layer| matches!(layer, Layer::Conv { axes: Axes::Image, .. }));
    match (shape.len(), image) {
        (0 | 1, _) => Scaling::Elements,
        (2, true) => Scaling::Whole,
        _ => Scaling::Channels,
    }
}

const EPOCHS: i64 = 40;

impl NetworkFamily {
    /// With the sizes of a configuration.
    fn chosen(&self, config: &Config) -> Network {
        self.network.with(&|setting| match config.0.get(setting)? {
            ConfigValue::Int(value) => Some(*value as f64),
            ConfigValue::Float(value) => Some(*value),
            ConfigValue::Ints(_) => None,
        })
    }
}

impl Family for NetworkFamily {
    fn name(&self) -> &str {
        &self.network.name
    }

    fn serves(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Classify | Purpose::Regress => true,
            Purpose::Detect => false,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        self.always_searched().into_iter().chain(training_settings(EPOCHS)).collect()
    }

    /// Every range begins in its middle: of sizes the geometric one.
    fn always_searched(&self) -> Vec<Setting> {
        let setting = |range: crate::ir::network::SizeRange| {
            let (low, high) = (range.low, range.high);
            let (kind, default) = if range.whole {
                let (whole_low, whole_high) = (low as i64, high as i64);
                let middle = (low * high).sqrt().round() as i64;
                let kind = SettingKind::Int { low: whole_low, high: whole_high, search: (whole_low, whole_high) };
                (kind, ConfigValue::Int(middle))
            } else {
                (SettingKind::Share { low, high, search: (low, high) }, ConfigValue::Float(f64::midpoint(low, high)))
            };
            Setting { name: range.setting.into(), kind, default }
        };
        self.network.ranges().into_iter().map(setting).collect()
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn scaling(&self, shape: &[u32]) -> Scaling {
        network_scaling(&self.network.layers, shape)
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        network_cost(&self.chosen(config), rows, columns, config)
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        fit_network(self.chosen(config), set, config, seed, control)
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        fit::load(weights)
    }
}
