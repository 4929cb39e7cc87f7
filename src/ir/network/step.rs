//! Every layer with the shape that goes in, the shape that comes out, and what it costs.

use super::{Axes, Axes3, Layer, Misfit, Network};

/// One layer of a network all of whose sizes are numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Place among all layers as they are written, those inside of `skip` behind it.
    pub at: usize,
    /// In how many `skip` it stands.
    pub depth: usize,
    pub layer: Layer,
    pub input: Vec<usize>,
    pub output: Vec<usize>,
    /// Numbers in it that are learned.
    pub parameters: usize,
    /// For one row.
    pub multiply_adds: usize,
}

/// A layer that does not fit what reaches it.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// As in [`Step`].
    pub at: usize,
    pub layer: Layer,
    pub input: Vec<usize>,
    /// What comes out, of a `skip`.
    pub output: Vec<usize>,
    pub misfit: Misfit,
    /// What came before.
    pub before: Vec<Step>,
}

impl Network {
    /// What goes in: the inputs joined along their last axis. `width` is how many numbers features that are no tensors become.
    /// None where the shapes cannot be joined.
    pub fn input_shape(&self, width: usize) -> Option<Vec<usize>> {
        let shapes = self.inputs.iter().map(|input| match &input.shape {
            Some(shape) => shape.iter().map(|size| *size as usize).collect(),
            None => vec![width],
        });
        shapes.reduce(join).filter(|shape: &Vec<usize>| !shape.is_empty())
    }

    /// With the least of what is to be searched.
    ///
    /// # Errors
    /// With the first layer that does not fit what reaches it.
    pub fn steps(&self, input: Vec<usize>, classes: usize) -> Result<Vec<Step>, Box<Unfit>> {
        let mut walk = Walk { steps: Vec::new(), at: 0, classes };
        walk.layers(&self.layers, input, 0)?;
        Ok(walk.steps)
    }
}

/// Empty where they cannot be joined.
fn join(a: Vec<usize>, b: Vec<usize>) -> Vec<usize> {
    match (a.split_last(), b.split_last()) {
        (Some((last_a, rest_a)), Some((last_b, rest_b))) if rest_a == rest_b => {
            rest_a.iter().copied().chain([last_a + last_b]).collect()
        }
        _ => Vec::new(),
    }
}

struct Walk {
    steps: Vec<Step>,
    at: usize,
    classes: usize,
}

impl Walk {
    fn layers(&mut self, layers: &[Layer], input: Vec<usize>, depth: usize) -> Result<Vec<usize>, Box<Unfit>> {
        layers.iter().try_fold(input, |shape, layer| self.layer(layer, shape, depth))
    }

    fn layer(&mut self, layer: &Layer, input: Vec<usize>, depth: usize) -> Result<Vec<usize>, Box<Unfit>> {
        let at = self.at;
        self.at += 1;
        let unfit = |misfit: Misfit, output: Vec<usize>, before: Vec<Step>| {
            Box::new(Unfit { at, layer: layer.clone(), input: input.clone(), output, misfit, before })
        };
        let output = match layer.output(&input, self.classes) {
            Ok(output) => output,
            Err(misfit) => return Err(unfit(misfit, Vec::new(), std::mem::take(&mut self.steps))),
        };
        self.steps.push(Step {
            at,
            depth,
            layer: layer.clone(),
            parameters: layer.parameters(&input, &output),
            multiply_adds: layer.multiply_adds(&input, &output, self.classes),
            input: input.clone(),
            output: output.clone(),
        });
        if let Layer::Skip(inside) = layer {
            let inner = self.layers(inside, input.clone(), depth + 1)?;
            if inner != input {
                return Err(unfit(Misfit::Skip, inner, std::mem::take(&mut self.steps)));
            }
        }
        Ok(output)
    }
}

impl Layer {
    /// Of its own; those inside of a `skip` have steps of their own.
    fn parameters(&self, input: &[usize], output: &[usize]) -> usize {
        let last = |shape: &[usize]| shape.last().copied().unwrap_or_default();
        let (from, to) = (last(input), last(output));
        match self {
            Layer::Linear { .. } => from * to + to,
            Layer::Conv { axes, kernel, .. } => area(*axes, kernel.least(0)) * from * to + to,
            Layer::Depthwise { kernel, .. } => area(axes_of(input), kernel.least(0)) * from + from,
            Layer::BatchNorm | Layer::LayerNorm => 2 * from,
            Layer::Gru { .. } => 3 * to * (from + to + 1),
            Layer::Pool { .. }
            | Layer::GlobalMean
            | Layer::Flatten
            | Layer::Dropout { .. }
            | Layer::Skip(_)
            | Layer::Last
            | Layer::Pointwise(_)
            | Layer::Softmax => 0,
        }
    }

    /// What is added up: products of a weight and a value.
    fn multiply_adds(&self, input: &[usize], output: &[usize], classes: usize) -> usize {
        let last = |shape: &[usize]| shape.last().copied().unwrap_or_default();
        let places = |shape: &[usize]| Axes3::of(shape).map_or(1, |axes| axes.height * axes.width);
        match self {
            Layer::Linear { .. } => last(input) * last(output),
            Layer::Conv { axes, kernel, .. } => {
                places(output) * area(*axes, kernel.least(classes)) * last(input) * last(output)
            }
            Layer::Depthwise { kernel, .. } => places(output) * area(axes_of(input), kernel.least(classes)) * last(input),
            Layer::Gru { .. } => places(output) * 3 * last(output) * (last(input) + last(output)),
            Layer::Pool { .. }
            | Layer::GlobalMean
            | Layer::Flatten
            | Layer::BatchNorm
            | Layer::LayerNorm
            | Layer::Dropout { .. }
            | Layer::Skip(_)
            | Layer::Last
            | Layer::Pointwise(_)
            | Layer::Softmax => 0,
        }
    }
}

fn axes_of(shape: &[usize]) -> Axes {
    if shape.len() == 3 { Axes::Image } else { Axes::Time }
}

fn area(axes: Axes, kernel: usize) -> usize {
    match axes {
        Axes::Time => kernel,
        Axes::Image => kernel * kernel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::network::{NetworkInput, Padding, Pointwise, Portion, Size};

    fn conv(axes: Axes, channels: u32, kernel: Size, padding: Padding) -> Layer {
        Layer::Conv { axes, channels: Size::Fixed(channels), kernel, stride: Size::Fixed(1), padding }
    }

    fn network(shape: &[u32], layers: Vec<Layer>) -> Network {
        let input = NetworkInput { name: "x".into(), features: vec!["x".into()], shape: Some(shape.to_vec()) };
        Network { name: "n".into(), inputs: vec![input], layers }
    }

    fn steps(shape: &[u32], layers: Vec<Layer>) -> Result<Vec<Step>, Box<Unfit>> {
        let network = network(shape, layers);
        network.steps(network.input_shape(0).unwrap(), 6)
    }

    #[test]
    fn shapes_parameters_and_multiply_adds_are_those_by_hand() {
        let layers = vec![
            conv(Axes::Time, 32, Size::Fixed(5), Padding::Valid),
            Layer::Pointwise(Pointwise::Relu),
            Layer::Pool { size: Size::Fixed(2), stride: None },
            Layer::Skip(vec![conv(Axes::Time, 32, Size::Fixed(3), Padding::Same), Layer::BatchNorm]),
            Layer::GlobalMean,
            Layer::Linear { outputs: Size::Classes },
        ];
        let found = steps(&[128, 9], layers).unwrap();
        let shapes: Vec<&[usize]> = found.iter().map(|step| &*step.output).collect();
        assert_eq!(shapes, [&[124, 32][..], &[124, 32], &[62, 32], &[62, 32], &[62, 32], &[62, 32], &[32], &[6]]);
        let costs: Vec<(usize, usize)> = found.iter().map(|step| (step.parameters, step.multiply_adds)).collect();
        assert_eq!(costs[0], (5 * 9 * 32 + 32, 124 * 5 * 9 * 32));
        assert_eq!(costs[4], (3 * 32 * 32 + 32, 62 * 3 * 32 * 32));
        assert_eq!((costs[5], costs[7]), ((64, 0), (32 * 6 + 6, 32 * 6)));
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_reaches_it() {
        let unfit = |shape: &[u32], layers| steps(shape, layers).unwrap_err();
        let long = unfit(&[4, 2], vec![conv(Axes::Time, 8, Size::Fixed(5), Padding::Valid)]);
        assert_eq!(long.misfit, Misfit::TooLong { what: "kernel", size: 5, length: 4 });
        let flat = unfit(&[8, 2], vec![Layer::Flatten, conv(Axes::Time, 8, Size::Fixed(3), Padding::Valid)]);
        assert_eq!((flat.at, &*flat.input, flat.before.len()), (1, &[16][..], 1));
        let skip = unfit(&[8, 2], vec![Layer::Skip(vec![conv(Axes::Time, 2, Size::Fixed(3), Padding::Valid)])]);
        assert_eq!((skip.at, skip.misfit, &*skip.output), (0, Misfit::Skip, &[6, 2][..]));
        let deep = unfit(&[8, 2], vec![Layer::Linear { outputs: Size::Fixed(3) }]);
        assert!(matches!(deep.misfit, Misfit::Rank { .. }));
    }

    #[test]
    fn ranges_are_named_and_filled_in() {
        let range = Size::Range(3, 7);
        let dropout = Layer::Dropout { share: Portion { low: 0.0, high: 0.4 } };
        let network = network(
            &[128, 9],
            vec![conv(Axes::Time, 8, range, Padding::Valid), conv(Axes::Time, 8, range, Padding::Valid), dropout],
        );
        let names: Vec<String> = network.ranges().into_iter().map(|range| range.setting).collect();
        assert_eq!(names, ["conv1d.kernel", "conv1d_2.kernel", "dropout.share"]);
        let chosen = network.with(&|setting| Some(if setting == "conv1d_2.kernel" { 99.0 } else { 5.0 }));
        assert!(chosen.ranges().is_empty());
        assert_eq!(chosen.layers[1], conv(Axes::Time, 8, Size::Fixed(7), Padding::Valid));
        assert!(network.admits(&chosen) && !chosen.admits(&network));
        let narrow = network.with(&|setting| (setting == "conv1d.kernel").then_some(3.0));
        assert!(!narrow.admits(&chosen));
    }
}
