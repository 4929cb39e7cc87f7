//! What comes out of a layer, by the shape of what goes in. A shape has no axis for rows: `[128, 9]` is 128 steps of 9 channels.

use super::{Axes, Layer, Padding, Size};

/// Why a layer cannot take what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It wants another number of axes.
    Rank { wants: &'static str, hint: &'static str },
    /// It looks at more than there is.
    TooLong { what: &'static str, size: usize, length: usize },
    /// What comes out of a `skip` cannot be added to what goes in.
    Skip,
}

/// Height, width and channels; a sequence is an image of height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axes3 {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

const SEQUENCE: &str = "[rows, channels]";
const IMAGE: &str = "[height, width, channels]";
const EITHER: &str = "[rows, channels] or [height, width, channels]";
const VECTOR: &str = "a row of numbers, [n]";

impl Axes3 {
    /// None for a vector, and for more axes than an image has.
    pub fn of(shape: &[usize]) -> Option<Axes3> {
        match shape {
            [width, channels] => Some(Axes3 { height: 1, width: *width, channels: *channels }),
            [height, width, channels] => Some(Axes3 { height: *height, width: *width, channels: *channels }),
            _ => None,
        }
    }

    /// With as many axes as `like`.
    fn shape(self, like: &[usize]) -> Vec<usize> {
        match like.len() {
            3 => vec![self.height, self.width, self.channels],
            _ => vec![self.width, self.channels],
        }
    }
}

impl Layer {
    /// The shape of what comes out, with the least of what is to be searched. The layers of a `skip` are gone through by whoever
    /// asks for steps; here they are taken to fit.
    ///
    /// # Errors
    /// If `input` is no shape for this layer.
    pub fn output(&self, input: &[usize], classes: usize) -> Result<Vec<usize>, Misfit> {
        match self {
            Layer::Linear { outputs } => linear(*outputs, input, classes),
            Layer::Conv { axes, channels, kernel, stride, padding } => {
                let wants = match axes {
                    Axes::Time => Misfit::Rank { wants: SEQUENCE, hint: sequence_hint(input) },
                    Axes::Image => Misfit::Rank { wants: IMAGE, hint: "use `conv1d` for a sequence" },
                };
                let fits = input.len() == if *axes == Axes::Time { 2 } else { 3 };
                let from = Axes3::of(input).filter(|_| fits).ok_or(wants)?;
                let to = slide("kernel", from, input.len(), *kernel, *stride, *padding, classes)?;
                Ok(Axes3 { channels: channels.least(classes), ..to }.shape(input))
            }
            Layer::Depthwise { kernel, stride, padding } => {
                let from = either(input)?;
                Ok(slide("kernel", from, input.len(), *kernel, *stride, *padding, classes)?.shape(input))
            }
            Layer::Pool { size, stride } => {
                let from = either(input)?;
                let stride = stride.unwrap_or(*size);
                Ok(slide("pool", from, input.len(), *size, stride, Padding::Valid, classes)?.shape(input))
            }
            Layer::GlobalMean => Ok(vec![either(input)?.channels]),
            Layer::Flatten => Ok(vec![input.iter().product()]),
            Layer::Gru { units } => Ok(vec![sequence(input)?.width, units.least(classes)]),
            Layer::Last => Ok(vec![sequence(input)?.channels]),
            Layer::BatchNorm
            | Layer::LayerNorm
            | Layer::Dropout { .. }
            | Layer::Skip(_)
            | Layer::Pointwise(_)
            | Layer::Softmax => Ok(input.to_vec()),
        }
    }
}

fn linear(outputs: Size, input: &[usize], classes: usize) -> Result<Vec<usize>, Misfit> {
    match input {
        [_] => Ok(vec![outputs.least(classes)]),
        _ => Err(Misfit::Rank { wants: VECTOR, hint: "put `flatten` or `global_mean` before it" }),
    }
}

fn either(input: &[usize]) -> Result<Axes3, Misfit> {
    Axes3::of(input).ok_or(Misfit::Rank { wants: EITHER, hint: "put it before `flatten` and `global_mean`" })
}

fn sequence(input: &[usize]) -> Result<Axes3, Misfit> {
    let fits = input.len() == 2;
    Axes3::of(input).filter(|_| fits).ok_or(Misfit::Rank { wants: SEQUENCE, hint: sequence_hint(input) })
}

fn sequence_hint(input: &[usize]) -> &'static str {
    match input.len() {
        3 => "use `conv2d` for an image",
        _ => "put it before `flatten` and `global_mean`, or declare the parameter as `tensor[rows, channels]`",
    }
}

/// A window of `size` that moves along the axes of a sequence (`rank` 2) or of an image.
fn slide(
    what: &'static str,
    from: Axes3,
    rank: usize,
    size: Size,
    stride: Size,
    padding: Padding,
    classes: usize,
) -> Result<Axes3, Misfit> {
    let (size, stride) = (size.least(classes), stride.least(classes).max(1));
    let along = |length: usize| match padding {
        _ if size > length => Err(Misfit::TooLong { what, size, length }),
        Padding::Valid => Ok((length - size) / stride + 1),
        Padding::Same => Ok(length.div_ceil(stride)),
    };
    let height = if rank == 3 { along(from.height)? } else { 1 };
    Ok(Axes3 { height, width: along(from.width)?, channels: from.channels })
}
