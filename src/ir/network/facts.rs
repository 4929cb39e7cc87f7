//! One table of layers: their names and arguments.

use std::fmt;

use crate::ir::Takes;

/// What is to be known of a layer to read its call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerFacts {
    pub name: &'static str,
    /// The first may stand without its name.
    pub arguments: &'static [ArgumentFacts],
    pub in_this_version: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArgumentFacts {
    pub name: &'static str,
    /// None for a word: `same` or `valid`.
    pub takes: Option<Takes>,
    /// Without it the call means nothing.
    pub required: bool,
}

const WIDTH: Takes = Takes::Whole { low: 1, high: 4_096 };
const LENGTH: Takes = Takes::Whole { low: 1, high: 1_024 };
const STRIDE: ArgumentFacts = ArgumentFacts { name: "stride", takes: Some(LENGTH), required: false };
const PADDING: ArgumentFacts = ArgumentFacts { name: "padding", takes: None, required: false };

/// In the order in which they are named to people.
pub const LAYERS: &[LayerFacts] = &[
    layer("linear", &[required("outputs", WIDTH)]),
    layer("conv1d", &[required("channels", WIDTH), optional("kernel", LENGTH), STRIDE, PADDING]),
    layer("conv2d", &[required("channels", WIDTH), optional("kernel", LENGTH), STRIDE, PADDING]),
    layer("depthwise", &[optional("kernel", LENGTH), STRIDE, PADDING]),
    layer("pool", &[required("size", LENGTH), STRIDE]),
    layer("global_mean", &[]),
    layer("flatten", &[]),
    layer("batch_norm", &[]),
    layer("layer_norm", &[]),
    layer("dropout", &[required("share", Takes::Number { low: 0.0, high: 0.9 })]),
    layer("gru", &[required("units", WIDTH)]),
    layer("last", &[]),
    layer("relu", &[]),
    layer("gelu", &[]),
    layer("tanh", &[]),
    layer("sigmoid", &[]),
    layer("softmax", &[]),
    LayerFacts { name: "embed", arguments: &[], in_this_version: false },
    LayerFacts { name: "mask", arguments: &[], in_this_version: false },
];

const fn layer(name: &'static str, arguments: &'static [ArgumentFacts]) -> LayerFacts {
    LayerFacts { name, arguments, in_this_version: true }
}

const fn required(name: &'static str, takes: Takes) -> ArgumentFacts {
    ArgumentFacts { name, takes: Some(takes), required: true }
}

const fn optional(name: &'static str, takes: Takes) -> ArgumentFacts {
    ArgumentFacts { name, takes: Some(takes), required: false }
}

impl LayerFacts {
    pub fn named(name: &str) -> Option<&'static LayerFacts> {
        LAYERS.iter().find(|layer| layer.name == name)
    }

    pub fn argument(&self, name: &str) -> Option<&'static ArgumentFacts> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// `kernel: a whole number in 1..1024`.
impl fmt::Display for ArgumentFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.takes {
            Some(Takes::Whole { low, high }) => write!(f, "{}: a whole number in {low}..{high}", self.name),
            Some(Takes::Number { low, high }) => write!(f, "{}: a number in {low}..{high}", self.name),
            Some(Takes::Wholes { low, high, .. }) => write!(f, "{}: whole numbers in {low}..{high}", self.name),
            None => write!(f, "{}: `same` or `valid`", self.name),
        }
    }
}
