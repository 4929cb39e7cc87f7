//! `conv1d` and `conv2d`: networks that need no declaration, for tasks whose only feature is one tensor.

use crate::ir::network::{Axes, Layer, Network, NetworkInput, Padding, Pointwise, Portion, Size};
use crate::model::{
    Config, ConfigValue, Control, Family, FitError, Layout, Model, Purpose, Scaling, Setting, SettingKind, TrainSet, Weights,
};

use super::family::{fit_network, network_cost, network_scaling, training_settings};
use super::fit;

/// Convolutions along time, the mean over it, and a dense layer.
pub struct Conv1d;

/// The same over an image.
pub struct Conv2d;

const EPOCHS: i64 = 20;
/// A sequence or an image is halved only as long as this much of it is left.
const SHORTEST: u32 = 8;

fn settings(channels: Vec<i64>, kernel: (i64, i64)) -> Vec<Setting> {
    let setting = |name: &str, kind, default| Setting { name: name.into(), kind, default };
    let wide = SettingKind::Ints { most: 6, low: 1, high: 1_024, search: (8, 64) };
    let mut all = vec![
        setting("channels", wide, ConfigValue::Ints(channels)),
        setting("kernel", SettingKind::Int { low: 1, high: 64, search: (3, kernel.1) }, ConfigValue::Int(kernel.0)),
        setting("dropout", SettingKind::Share { low: 0.0, high: 0.9, search: (0.0, 0.5) }, ConfigValue::Float(0.1)),
    ];
    all.extend(training_settings(EPOCHS));
    all
}

/// Blocks of convolution, normalisation and rectifier, halved in between.
fn network(name: &str, axes: Axes, input: NetworkInput, config: &Config) -> Network {
    let mut shortest = match (axes, input.shape.as_deref().unwrap_or_default()) {
        (Axes::Time, [rows, ..]) => *rows,
        (Axes::Image, [height, width, ..]) => *height.min(width),
        (Axes::Time | Axes::Image, _) => 0,
    };
    let longest = shortest;
    let size = |value: usize| Size::Fixed(value as u32);
    let kernel = size(config.int("kernel").min(longest.max(1) as usize));
    let widths = config.ints("channels");
    let mut layers = Vec::new();
    for (nth, width) in widths.iter().enumerate() {
        let fits = shortest.max(1) as usize;
        let Size::Fixed(wanted) = kernel else { continue };
        let kernel = size((wanted as usize).min(fits));
        let stride = Size::Fixed(1);
        layers.push(Layer::Conv { axes, channels: size(*width), kernel, stride, padding: Padding::Same });
        layers.extend([Layer::BatchNorm, Layer::Pointwise(Pointwise::Relu)]);
        if nth + 1 < widths.len() && shortest >= SHORTEST {
            layers.push(Layer::Pool { size: Size::Fixed(2), stride: None });
            shortest /= 2;
        }
    }
    let share = config.float("dropout");
    layers.push(Layer::GlobalMean);
    layers.push(Layer::Dropout { share: Portion { low: share, high: share } });
    layers.push(Layer::Linear { outputs: Size::Classes });
    Network { name: name.into(), inputs: vec![input], layers }
}

/// The tensor, with an axis for channels where it has none.
fn input(name: &str, axes: Axes, layout: &Layout) -> Result<NetworkInput, FitError> {
    let wants = match axes {
        Axes::Time => format!("`{name}` learns from one tensor[rows, channels] and nothing else"),
        Axes::Image => {
            format!("`{name}` learns from one tensor[height, width] or tensor[height, width, channels] and nothing else")
        }
    };
    let shape = match (layout.parts.as_slice(), axes) {
        ([part], _) => part.shape.clone(),
        _ => None,
    };
    let shape = match (shape.as_deref(), axes) {
        (Some([rows]), Axes::Time) => vec![*rows, 1],
        (Some([rows, channels]), Axes::Time) => vec![*rows, *channels],
        (Some([height, width]), Axes::Image) => vec![*height, *width, 1],
        (Some([height, width, channels]), Axes::Image) => vec![*height, *width, *channels],
        _ => return Err(FitError::failed(wants)),
    };
    let name = layout.parts[0].name.clone();
    Ok(NetworkInput { features: vec![name.clone()], name, shape: Some(shape) })
}

fn cost(axes: Axes, rows: usize, columns: usize, config: &Config) -> f64 {
    // Of a shape nothing is known here but its size.
    let shape = match axes {
        Axes::Time => vec![columns as u32, 1],
        Axes::Image => {
            let side = (columns as f64).sqrt().ceil() as u32;
            vec![side, side, 1]
        }
    };
    let input = NetworkInput { name: "x".into(), features: vec!["x".into()], shape: Some(shape) };
    network_cost(&network("x", axes, input, config), rows, columns, config)
}

fn serves(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Classify | Purpose::Regress => true,
        Purpose::Detect => false,
    }
}

impl Family for Conv1d {
    fn name(&self) -> &str {
        "conv1d"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        serves(purpose)
    }

    fn settings(&self) -> Vec<Setting> {
        settings(vec![32, 64], (5, 9))
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn scaling(&self, shape: &[u32]) -> Scaling {
        network_scaling(&[], shape)
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        cost(Axes::Time, rows, columns, config)
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let input = input("conv1d", Axes::Time, &set.layout)?;
        fit_network(network("conv1d", Axes::Time, input, config), set, config, seed, control)
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        fit::load(weights)
    }
}

impl Family for Conv2d {
    fn name(&self) -> &str {
        "conv2d"
    }

    fn serves(&self, purpose: Purpose) -> bool {
        serves(purpose)
    }

    fn settings(&self) -> Vec<Setting> {
        settings(vec![16, 32], (3, 5))
    }

    fn is_usual(&self) -> bool {
        false
    }

    fn scaling(&self, shape: &[u32]) -> Scaling {
        match shape.len() {
            2 => Scaling::Whole,
            _ => Scaling::Channels,
        }
    }

    fn cost(&self, rows: usize, columns: usize, config: &Config) -> f64 {
        cost(Axes::Image, rows, columns, config)
    }

    fn fit(&self, set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Box<dyn Model>, FitError> {
        let input = input("conv2d", Axes::Image, &set.layout)?;
        fit_network(network("conv2d", Axes::Image, input, config), set, config, seed, control)
    }

    fn load(&self, weights: &mut Weights) -> Option<Box<dyn Model>> {
        fit::load(weights)
    }
}
