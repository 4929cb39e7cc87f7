//! The dense layers as the common loop trains them.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, CpuError, Gradients, TensorFromVec};

use super::super::dense::Dense;
use super::super::products::failed;
use super::super::training::{self, Learner, Optimiser, Scale, Schedule, Settings, Taped};
use super::super::{Config, Control, FitError, Labels, Stream, TrainSet};
use super::net::{Layer, Rows, forward};

/// Fitted layers, the last of which gives scores in the units of the labels.
pub fn train(set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Vec<Dense>, FitError> {
    let settings = Settings {
        name: "mlp",
        lr: config.float("lr"),
        decay: config.float("decay"),
        batch: config.int("batch"),
        epochs: config.int("epochs"),
        patience: config.int("patience"),
        schedule: Schedule::Constant,
        jitter: 0.0,
    };
    let body = Body::new(set, config, seed).map_err(failed)?;
    Ok(undo(Scale::of(set), training::train(set, &settings, seed, control, body)?))
}

/// Into the units of the labels.
fn undo(scale: Scale, mut layers: Vec<Dense>) -> Vec<Dense> {
    if let Some(last) = layers.last_mut() {
        last.weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale.deviation) as f32);
        last.bias.iter_mut().for_each(|bias| *bias = (f64::from(*bias) * scale.deviation + scale.mean) as f32);
    }
    layers
}

struct Body {
    device: Cpu,
    layers: Vec<Layer<f32>>,
    dropout: f32,
    chance: Stream,
}

impl Body {
    fn new(set: &TrainSet, config: &Config, seed: u64) -> Result<Body, CpuError> {
        let outputs = match &set.y {
            Labels::Classes { count, .. } => *count,
            Labels::Numbers(_) => 1,
            Labels::Nothing => 0,
        };
        let mut sizes = vec![set.x.columns];
        sizes.extend(config.ints("hidden"));
        sizes.push(outputs);
        let device = Cpu::default();
        let mut stream = Stream::for_purpose(seed, "mlp/weights");
        let layers = sizes.windows(2).map(|pair| fresh(&device, pair[0], pair[1], &mut stream));
        Ok(Body {
            layers: layers.collect::<Result<_, _>>()?,
            device,
            dropout: config.float("dropout") as f32,
            chance: Stream::for_purpose(seed, "mlp/dropout"),
        })
    }

    /// One per hidden layer; none where nothing is dropped.
    fn masks(&mut self, rows: usize) -> Result<Vec<Rows<f32>>, CpuError> {
        if self.dropout <= 0.0 {
            return Ok(Vec::new());
        }
        let kept = 1.0 / (1.0 - self.dropout);
        let hidden = self.layers.len() - 1;
        let mut masks = Vec::with_capacity(hidden);
        for layer in &self.layers[..hidden] {
            let (width,) = *layer.bias.shape();
            let draw = |_| if self.chance.unit() < f64::from(self.dropout) { 0.0 } else { kept };
            let mask = (0..rows * width).map(draw).collect();
            masks.push(self.device.try_tensor_from_vec(mask, (rows, width))?);
        }
        Ok(masks)
    }
}

impl Learner for Body {
    type Kept = Vec<Dense>;

    const JUDGED_AT_ONCE: usize = 4_096;

    fn learn(&mut self, x: Taped<f32>) -> Result<Taped<f32>, CpuError> {
        let (rows, _) = *x.shape();
        let masks = self.masks(rows)?;
        forward(&self.layers, x, &masks)
    }

    fn judge(&self, x: Rows<f32>) -> Result<Rows<f32>, CpuError> {
        forward(&self.layers, x, &[])
    }

    fn update(&mut self, optimiser: &mut Optimiser, gradients: &mut Gradients<f32, Cpu>) -> Result<(), CpuError> {
        for layer in &mut self.layers {
            optimiser.step(&mut layer.weight, gradients)?;
            optimiser.step(&mut layer.bias, gradients)?;
        }
        Ok(())
    }

    fn keep(&self) -> Vec<Dense> {
        let dense = |layer: &Layer<f32>| {
            let (inputs, outputs) = *layer.weight.shape();
            Dense { inputs, outputs, weights: layer.weight.as_vec(), bias: layer.bias.as_vec() }
        };
        self.layers.iter().map(dense).collect()
    }
}

/// He's normal weights, and no bias.
fn fresh(device: &Cpu, inputs: usize, outputs: usize, stream: &mut Stream) -> Result<Layer<f32>, CpuError> {
    let scale = (2.0 / inputs.max(1) as f64).sqrt();
    let weight = (0..inputs * outputs).map(|_| (scale * stream.normal()) as f32).collect();
    Layer::new(device, inputs, outputs, weight, vec![0.0; outputs])
}
