//! Layers as the language writes them, and shapes.

use std::fmt;

use super::{Axes, Layer, Padding, Pointwise, Portion, Size};

impl Layer {
    pub fn word(&self) -> &'static str {
        match self {
            Layer::Linear { .. } => "linear",
            Layer::Conv { axes: Axes::Time, .. } => "conv1d",
            Layer::Conv { axes: Axes::Image, .. } => "conv2d",
            Layer::Depthwise { .. } => "depthwise",
            Layer::Pool { .. } => "pool",
            Layer::GlobalMean => "global_mean",
            Layer::Flatten => "flatten",
            Layer::BatchNorm => "batch_norm",
            Layer::LayerNorm => "layer_norm",
            Layer::Dropout { .. } => "dropout",
            Layer::Skip(_) => "skip",
            Layer::Gru { .. } => "gru",
            Layer::Last => "last",
            Layer::Pointwise(pointwise) => pointwise.word(),
            Layer::Softmax => "softmax",
        }
    }
}

impl Pointwise {
    pub fn word(self) -> &'static str {
        match self {
            Pointwise::Relu => "relu",
            Pointwise::Gelu => "gelu",
            Pointwise::Tanh => "tanh",
            Pointwise::Sigmoid => "sigmoid",
        }
    }
}

/// `[128, 9]`.
pub fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// `conv1d(16..64, kernel: 5)`; what is inside of a `skip` is left out.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Layer::Linear { outputs } => write!(f, "{word}({outputs})"),
            Layer::Conv { axes: _, channels, kernel, stride, padding } => {
                write!(f, "{word}({channels}, kernel: {kernel}{}{padding})", Stride(*stride))
            }
            Layer::Depthwise { kernel, stride, padding } => {
                write!(f, "{word}(kernel: {kernel}{}{padding})", Stride(*stride))
            }
            Layer::Pool { size, stride: None } => write!(f, "{word}({size})"),
            Layer::Pool { size, stride: Some(stride) } => write!(f, "{word}({size}, stride: {stride})"),
            Layer::Dropout { share } => write!(f, "{word}({share})"),
            Layer::Gru { units } => write!(f, "{word}({units})"),
            Layer::Skip(_) => write!(f, "{word}(…)"),
            Layer::GlobalMean
            | Layer::Flatten
            | Layer::BatchNorm
            | Layer::LayerNorm
            | Layer::Last
            | Layer::Pointwise(_)
            | Layer::Softmax => f.write_str(word),
        }
    }
}

/// Left out where it is 1.
struct Stride(Size);

impl fmt::Display for Stride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Size::Fixed(1) => Ok(()),
            stride => write!(f, ", stride: {stride}"),
        }
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Padding::Valid => Ok(()),
            Padding::Same => f.write_str(", padding: same"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Fixed(size) => write!(f, "{size}"),
            Size::Range(low, high) => write!(f, "{low}..{high}"),
            Size::Classes => f.write_str("classes"),
        }
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| (share * 1e4).round() / 100.0;
        match self.low < self.high {
            true => write!(f, "{}%..{}%", percent(self.low), percent(self.high)),
            false => write!(f, "{}%", percent(self.low)),
        }
    }
}
