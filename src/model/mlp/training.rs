//! Adam on mini-batches, until rows that are set aside stop getting better.

use dfdx::optim::AdamConfig;
use dfdx::optim::WeightDecay;
use dfdx::shapes::HasShape;
use dfdx::tensor::{AsArray, Cpu, CpuError, Gradients, Tensor, TensorFromVec, Trace};
use dfdx::tensor_ops::Backward;

use super::super::dense::Dense;
use super::super::products::failed;
use super::super::{Config, Control, FitError, Labels, Stream, TrainSet};
use super::net::{Layer, Rows, cross_entropy, forward, squared_error};

/// Below this there is nothing to set aside; then it trains to the last epoch.
const ROWS_TO_STOP_BY: usize = 100;
/// One row in so many is set aside.
const ASIDE: usize = 10;
/// Rows that are judged at once.
const JUDGED_AT_ONCE: usize = 4_096;

/// A loss that got better by less than this share counts as no better.
const LEAST_GAIN: f64 = 1e-4;

/// Fitted layers, the last of which gives scores in the units of the labels.
pub fn train(set: &TrainSet, config: &Config, seed: u64, control: &Control) -> Result<Vec<Dense>, FitError> {
    let scale = Scale::of(set);
    let mut run = Run::new(set, config, seed, scale).map_err(failed)?;
    let (mut learned, aside) = run.divide(seed);
    let mut best: Option<(f64, Vec<Dense>)> = None;
    let mut stale = 0;
    for epoch in 0..config.int("epochs") {
        control.proceed()?;
        Stream::for_purpose(seed, &format!("mlp/order/{epoch}")).shuffle(&mut learned);
        run.epoch(&learned, control)?;
        let loss = run.loss(if aside.is_empty() { &learned } else { &aside }).map_err(failed)?;
        if !loss.is_finite() {
            break;
        }
        let better = best.as_ref().is_none_or(|(least, _)| loss < least - LEAST_GAIN * least.abs());
        if better || aside.is_empty() {
            best = Some((loss, run.snapshot()));
        }
        stale = if better { 0 } else { stale + 1 };
        if stale >= config.int("patience") {
            break;
        }
    }
    let (_, layers) = best.ok_or_else(|| FitError::failed("its loss grew without limit; lower lr"))?;
    Ok(scale.undo(layers))
}

/// Numbers are learned with mean 0 and deviation 1.
#[derive(Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(set: &TrainSet) -> Scale {
        let Labels::Numbers(values) = &set.y else { return Scale { mean: 0.0, deviation: 1.0 } };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        let deviation = variance.sqrt();
        Scale { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }

    fn undo(self, mut layers: Vec<Dense>) -> Vec<Dense> {
        if let Some(last) = layers.last_mut() {
            last.weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * self.deviation) as f32);
            last.bias.iter_mut().for_each(|bias| *bias = (f64::from(*bias) * self.deviation + self.mean) as f32);
        }
        layers
    }
}

/// A training under way.
struct Run<'a> {
    set: &'a TrainSet,
    device: Cpu,
    layers: Vec<Layer<f32>>,
    /// Adam's moments, by the layers' tensors.
    first: Gradients<f32, Cpu>,
    second: Gradients<f32, Cpu>,
    adam: AdamConfig,
    steps: i32,
    batch: usize,
    dropout: f32,
    chance: Stream,
    scale: Scale,
}

impl<'a> Run<'a> {
    fn new(set: &'a TrainSet, config: &Config, seed: u64, scale: Scale) -> Result<Run<'a>, CpuError> {
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
        let decay = Some(WeightDecay::Decoupled(config.float("decay")));
        Ok(Run {
            layers: layers.collect::<Result<_, _>>()?,
            set,
            device,
            first: Gradients::leaky(),
            second: Gradients::leaky(),
            adam: AdamConfig { lr: config.float("lr"), weight_decay: decay, ..AdamConfig::default() },
            steps: 0,
            batch: config.int("batch"),
            dropout: config.float("dropout") as f32,
            chance: Stream::for_purpose(seed, "mlp/dropout"),
            scale,
        })
    }

    /// Rows to learn from, and rows to stop by.
    fn divide(&self, seed: u64) -> (Vec<usize>, Vec<usize>) {
        let mut rows: Vec<usize> = (0..self.set.rows()).collect();
        if rows.len() < ROWS_TO_STOP_BY {
            return (rows, Vec::new());
        }
        Stream::for_purpose(seed, "mlp/aside").shuffle(&mut rows);
        let aside = rows.split_off(rows.len() - rows.len() / ASIDE);
        (rows, aside)
    }

    fn epoch(&mut self, rows: &[usize], control: &Control) -> Result<(), FitError> {
        for rows in rows.chunks(self.batch.max(1)) {
            control.proceed()?;
            self.step(rows).map_err(failed)?;
        }
        Ok(())
    }

    fn step(&mut self, rows: &[usize]) -> Result<(), CpuError> {
        let masks = self.masks(rows.len())?;
        let x = self.rows(rows)?.leaky_traced();
        let scores = forward(&self.layers, x, &masks)?;
        let loss = self.loss_of(scores, rows)?;
        let mut gradients = loss.try_backward()?;
        self.steps += 1;
        for layer in &mut self.layers {
            let (weight, bias) = (&mut layer.weight, &mut layer.bias);
            update(&self.adam, self.steps, weight, &mut self.first, &mut self.second, &mut gradients)?;
            update(&self.adam, self.steps, bias, &mut self.first, &mut self.second, &mut gradients)?;
        }
        Ok(())
    }

    fn rows(&self, rows: &[usize]) -> Result<Rows<f32>, CpuError> {
        self.device.try_tensor_from_vec(self.set.x.take(rows).data, (rows.len(), self.set.x.columns))
    }

    /// The mean over rows.
    fn loss_of<T>(&self, scores: Rows<f32, T>, rows: &[usize]) -> Result<Tensor<dfdx::shapes::Rank0, f32, Cpu, T>, CpuError>
    where
        T: dfdx::tensor::Tape<f32, Cpu> + dfdx::tensor::Merge<T> + dfdx::tensor::Merge<dfdx::tensor::NoneTape>,
    {
        let weight = |row: &usize| (self.set.weight(*row) / rows.len() as f64) as f32;
        match &self.set.y {
            Labels::Classes { index, count } => {
                let mut wanted = vec![0.0; rows.len() * count];
                for (at, row) in rows.iter().enumerate() {
                    wanted[at * count + index[*row] as usize] = weight(row);
                }
                cross_entropy(scores, self.device.try_tensor_from_vec(wanted, (rows.len(), *count))?)
            }
            Labels::Numbers(values) => {
                let scaled = |row: &usize| ((values[*row] - self.scale.mean) / self.scale.deviation) as f32;
                let wanted = rows.iter().map(scaled).collect();
                let wanted = self.device.try_tensor_from_vec(wanted, (rows.len(), 1))?;
                let weights = self.device.try_tensor_from_vec(rows.iter().map(weight).collect(), (rows.len(), 1))?;
                squared_error(scores, wanted, weights)
            }
            Labels::Nothing => unreachable!("a network is not asked to detect"),
        }
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

    /// The mean over `rows`, nothing dropped.
    fn loss(&self, rows: &[usize]) -> Result<f64, CpuError> {
        let mut sum = 0.0;
        for part in rows.chunks(JUDGED_AT_ONCE) {
            let scores = forward(&self.layers, self.rows(part)?, &[])?;
            sum += f64::from(self.loss_of(scores, part)?.array()) * part.len() as f64;
        }
        Ok(sum / rows.len() as f64)
    }

    fn snapshot(&self) -> Vec<Dense> {
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

/// dfdx keeps the moments of its own optimiser to itself; its step over one tensor is public.
fn update<S: dfdx::shapes::Shape>(
    adam: &AdamConfig,
    step: i32,
    tensor: &mut Tensor<S, f32, Cpu>,
    first: &mut Gradients<f32, Cpu>,
    second: &mut Gradients<f32, Cpu>,
    gradients: &mut Gradients<f32, Cpu>,
) -> Result<(), CpuError> {
    let first = first.get_or_alloc_mut(tensor)?;
    let second = second.get_or_alloc_mut(tensor)?;
    let gradient = gradients.get_or_alloc_mut(tensor)?;
    adam.try_update(step, tensor, first, second, gradient)
}
