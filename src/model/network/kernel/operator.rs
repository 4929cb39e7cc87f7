//! One layer's arithmetic behind one door.

use crate::ir::network::Pointwise;

use super::{BatchNorm, Conv, Depthwise, Gru, Last, LayerNorm, Mean, Multiply, Number, Pool, simple};

/// What a layer does to each row of `inputs()` numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operator {
    Conv(Conv),
    Depthwise(Depthwise),
    Pool(Pool),
    Mean(Mean),
    Last(Last),
    /// With the statistics of the batch, as it is trained.
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    Gru(Gru),
    Pointwise {
        kind: Pointwise,
        width: usize,
    },
    /// Along runs of `channels`.
    Softmax {
        width: usize,
        channels: usize,
    },
}

/// What the way back may look at.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a, E> {
    pub x: &'a [E],
    pub y: &'a [E],
    pub parameters: &'a [&'a [E]],
    /// Of the loss by `y`.
    pub gradient: &'a [E],
}

/// Where gradients are added.
#[derive(Debug)]
pub struct Gradient<'a, E> {
    /// None where nobody asks for it.
    pub x: Option<&'a mut [E]>,
    pub parameters: Vec<&'a mut [E]>,
}

impl Operator {
    /// Numbers in a row that goes in.
    pub fn inputs(&self) -> usize {
        match self {
            Operator::Conv(it) => it.inputs(),
            Operator::Depthwise(it) => it.inputs(),
            Operator::Pool(it) => it.inputs(),
            Operator::Mean(it) => it.places * it.channels,
            Operator::Last(it) => it.places * it.channels,
            Operator::BatchNorm(it) => it.width,
            Operator::LayerNorm(it) => it.width,
            Operator::Gru(it) => it.steps * it.channels,
            Operator::Pointwise { width, .. } | Operator::Softmax { width, .. } => *width,
        }
    }

    /// Numbers in a row that comes out.
    pub fn outputs(&self) -> usize {
        match self {
            Operator::Conv(it) => it.outputs(),
            Operator::Depthwise(it) => it.outputs(),
            Operator::Pool(it) => it.outputs(),
            Operator::Mean(it) => it.channels,
            Operator::Last(it) => it.channels,
            Operator::BatchNorm(it) => it.width,
            Operator::LayerNorm(it) => it.width,
            Operator::Gru(it) => it.steps * it.units,
            Operator::Pointwise { width, .. } | Operator::Softmax { width, .. } => *width,
        }
    }

    /// `out` is all zero before.
    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E], multiply: Multiply<E>) {
        match self {
            Operator::Conv(it) => it.forward(x, parameters, out, multiply),
            Operator::Depthwise(it) => it.forward(x, parameters, out),
            Operator::Pool(it) => it.forward(x, out),
            Operator::Mean(it) => it.forward(x, out),
            Operator::Last(it) => it.forward(x, out),
            Operator::BatchNorm(it) => it.forward(x, parameters, out),
            Operator::LayerNorm(it) => it.forward(x, parameters, out),
            Operator::Gru(it) => it.forward(x, parameters, out, multiply),
            Operator::Pointwise { kind, .. } => {
                out.copy_from_slice(x);
                simple::activate(*kind, out);
            }
            Operator::Softmax { channels, .. } => {
                out.copy_from_slice(x);
                simple::softmax(*channels, out);
            }
        }
    }

    /// Adds to every gradient.
    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        match self {
            Operator::Conv(it) => it.backward(known, into),
            Operator::Depthwise(it) => it.backward(known, into),
            Operator::Pool(it) => it.backward(known, into),
            Operator::Mean(it) => it.backward(known, into),
            Operator::Last(it) => it.backward(known, into),
            Operator::BatchNorm(it) => it.backward(known, into),
            Operator::LayerNorm(it) => it.backward(known, into),
            Operator::Gru(it) => it.backward(known, into),
            Operator::Pointwise { kind, .. } => simple::activate_back(*kind, known, into),
            Operator::Softmax { channels, .. } => simple::softmax_back(*channels, known, into),
        }
    }
}
