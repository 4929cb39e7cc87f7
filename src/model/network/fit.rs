//! A network that was trained: plain numbers, answered by the kernels in a fixed order.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ir::network::Network;
use crate::model::dense::affine;
use crate::model::scores::softmax;
use crate::model::training::Scale;
use crate::model::{Layout, Matrix, Model, Weights};

use super::kernel::{Operator, add_small_product};
use super::net::{Built, Net};

/// Rows that go through the layers at once.
const ROWS_AT_ONCE: usize = 64;

/// What a network has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// In the order of the net's slots.
    pub tensors: Vec<Vec<f32>>,
    /// Mean and variance of every channel, by batch normalisation.
    pub running: Vec<(Vec<f32>, Vec<f32>)>,
}

#[derive(Debug)]
pub struct Fit {
    pub description: Description,
    pub net: Net,
    pub learned: Learned,
}

/// From which the net is built again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// All sizes are numbers.
    pub network: Network,
    pub layout: Layout,
    pub outputs: usize,
    /// Are the scores those of classes?
    pub classes: bool,
    /// Numbers are scores times the deviation, plus the mean.
    pub mean: f64,
    pub deviation: f64,
}

impl Description {
    pub fn scaled(self, scale: Scale) -> Description {
        Description { mean: scale.mean, deviation: scale.deviation, ..self }
    }
}

impl Net {
    /// Scores of `rows` rows of what the layers get.
    pub fn answer(&self, learned: &Learned, x: Vec<f32>, rows: usize) -> Vec<f32> {
        self.pass(&self.layers, learned, x, rows)
    }

    fn pass(&self, layers: &[Built], learned: &Learned, x: Vec<f32>, rows: usize) -> Vec<f32> {
        layers.iter().fold(x, |x, layer| self.pass_one(layer, learned, x, rows))
    }

    fn pass_one(&self, layer: &Built, learned: &Learned, x: Vec<f32>, rows: usize) -> Vec<f32> {
        let tensors = &learned.tensors;
        match layer {
            Built::Linear { slot } => affine(&x, rows, &tensors[*slot], &tensors[slot + 1]),
            Built::Operator { operator, slot, parameters } => {
                let parameters: Vec<&[f32]> = tensors[*slot..slot + parameters].iter().map(Vec::as_slice).collect();
                run(operator, &x, &parameters, rows)
            }
            Built::BatchNorm { norm, slot, running } => {
                let (mean, variance) = &learned.running[*running];
                let mut out = vec![0.0; x.len()];
                norm.standing(&x, &[&tensors[*slot], &tensors[slot + 1], mean, variance], &mut out);
                out
            }
            Built::Dropout { .. } => x,
            Built::Skip(layers) => {
                let mut inside = self.pass(layers, learned, x.clone(), rows);
                inside.iter_mut().zip(&x).for_each(|(inside, around)| *inside += around);
                inside
            }
        }
    }
}

fn run(operator: &Operator, x: &[f32], parameters: &[&[f32]], rows: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * operator.outputs()];
    operator.forward(x, parameters, &mut out, add_small_product);
    out
}

impl Model for Fit {
    fn predict(&self, x: &Matrix) -> Matrix {
        let mut data = Vec::with_capacity(x.rows * self.net.outputs);
        for part in x.data.chunks(ROWS_AT_ONCE * self.net.columns.max(1)) {
            let rows = part.len() / self.net.columns.max(1);
            data.extend(self.net.answer(&self.learned, self.net.input(part), rows));
        }
        if self.description.classes {
            data.chunks_exact_mut(self.net.outputs).for_each(softmax);
        } else {
            let (mean, deviation) = (self.description.mean, self.description.deviation);
            data.iter_mut().for_each(|score| *score = (f64::from(*score) * deviation + mean) as f32);
        }
        Matrix { rows: x.rows, columns: self.net.outputs, data }
    }

    fn save(&self) -> Weights {
        let mut weights = Weights { rest: json!({ "description": self.description }), ..Weights::default() };
        for (slot, values) in self.net.slots.iter().zip(&self.learned.tensors) {
            weights = weights.with_f32(&slot.name, vec![slot.shape.0, slot.shape.1], values.clone());
        }
        for (nth, (mean, variance)) in self.learned.running.iter().enumerate() {
            weights = weights.with_f32(&format!("running_{nth}.mean"), vec![mean.len()], mean.clone());
            weights = weights.with_f32(&format!("running_{nth}.variance"), vec![variance.len()], variance.clone());
        }
        weights
    }
}

/// None where the weights are not those of a network.
pub fn load(weights: &mut Weights) -> Option<Box<dyn Model>> {
    let description: Description = serde_json::from_value(weights.rest.get("description")?.clone()).ok()?;
    let net = Net::of(&description.network, &description.layout, description.outputs).ok()?;
    let mut tensors = Vec::with_capacity(net.slots.len());
    for slot in &net.slots {
        let (shape, values) = weights.take_f32(&slot.name)?;
        (shape == [slot.shape.0, slot.shape.1] && values.len() == slot.shape.0 * slot.shape.1).then_some(())?;
        tensors.push(values);
    }
    let mut running = Vec::with_capacity(net.running.len());
    for (nth, channels) in net.running.iter().enumerate() {
        let mut take = |what: &str| {
            let (_, values) = weights.take_f32(&format!("running_{nth}.{what}"))?;
            (values.len() == *channels).then_some(values)
        };
        running.push((take("mean")?, take("variance")?));
    }
    Some(Box::new(Fit { description, net, learned: Learned { tensors, running } }))
}
