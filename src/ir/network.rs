//! Neural networks as plain data: what a `network` declares, joined to the features of the task that lists it.
//!
//! A size may be a range, which is a dimension of the search; [`Network::with`] puts numbers in their place. What comes out of a
//! layer, and what it costs, is a function of what goes in ([`Network::steps`]): the checker, whoever trains, and `explain`
//! ask the same one.

mod dimension;
mod facts;
mod shape;
mod show;
mod step;

use serde::{Deserialize, Serialize};

use crate::base::Name;

pub use dimension::SizeRange;
pub use facts::{ArgumentFacts, LAYERS, LayerFacts};
pub use shape::{Axes3, Misfit};
pub use show::shape_text;
pub use step::{Step, Unfit};

/// A network with what goes into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub name: Name,
    /// In the order of the head; several are joined along their last axis.
    pub inputs: Vec<NetworkInput>,
    /// In the order in which rows pass them.
    pub layers: Vec<Layer>,
}

/// What fills one parameter of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkInput {
    pub name: Name,
    /// One feature tensor, or features that are no tensors, side by side.
    pub features: Vec<Name>,
    /// Of the tensor; None where the features are no tensors, since how many numbers a feature becomes is learned.
    pub shape: Option<Vec<u32>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    Linear {
        outputs: Size,
    },
    /// A convolution along time, or over an image.
    Conv {
        axes: Axes,
        channels: Size,
        kernel: Size,
        stride: Size,
        padding: Padding,
    },
    /// Every channel by itself.
    Depthwise {
        kernel: Size,
        stride: Size,
        padding: Padding,
    },
    /// The largest of each stretch.
    Pool {
        size: Size,
        /// None: one stretch follows the other.
        stride: Option<Size>,
    },
    /// Of every channel.
    GlobalMean,
    Flatten,
    BatchNorm,
    LayerNorm,
    Dropout {
        share: Portion,
    },
    /// What comes out of the layers is added to what goes in.
    Skip(Vec<Layer>),
    Gru {
        units: Size,
    },
    /// Of a sequence.
    Last,
    Pointwise(Pointwise),
    /// Along the last axis.
    Softmax,
}

/// What a convolution moves along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axes {
    Time,
    Image,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Padding {
    /// Only where the kernel fits.
    Valid,
    /// Zeros around, so that the length stays (divided by the stride).
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pointwise {
    Relu,
    Gelu,
    Tanh,
    Sigmoid,
}

/// A whole number in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    Fixed(u32),
    /// To be searched, both ends included.
    Range(u32, u32),
    /// As many as the target has classes; 1 of a number.
    Classes,
}

/// A share in 0..1; to be searched where its ends differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portion {
    pub low: f64,
    pub high: f64,
}

impl Size {
    /// With the least of what is to be searched.
    pub fn least(self, classes: usize) -> usize {
        match self {
            Size::Fixed(size) | Size::Range(size, _) => size as usize,
            Size::Classes => classes,
        }
    }
}

impl Network {
    /// Layers that a softmax at the very end is left out of: the classes' scores become probabilities anyway.
    pub fn scoring_layers(&self) -> &[Layer] {
        match self.layers.split_last() {
            Some((Layer::Softmax, before)) => before,
            _ => &self.layers,
        }
    }
}
