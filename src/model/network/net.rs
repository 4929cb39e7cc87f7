//! A network built for what goes into it: layers with their operators, and the list of what they learn.

use crate::ir::network::{Axes3, Layer, Misfit, Network, Padding, Size, Unfit, shape_text};
use crate::model::{FitError, Layout};

use super::kernel::{BatchNorm, Conv, Depthwise, Gru, Last, LayerNorm, Mean, Operator, Pool, Slide};

/// Ready to be filled with numbers.
#[derive(Clone, Debug)]
pub struct Net {
    /// The columns of a row that the layers get, in order; None where they get the row as it is.
    pub gather: Option<Vec<usize>>,
    /// Columns of a row.
    pub columns: usize,
    pub layers: Vec<Built>,
    /// What is learned.
    pub slots: Vec<Slot>,
    /// Channels of every batch normalisation, which keeps a mean and a variance of each.
    pub running: Vec<usize>,
    /// Scores of a row.
    pub outputs: usize,
}

/// One layer; `slot` is where its parameters begin.
#[derive(Clone, Debug)]
pub enum Built {
    Linear { slot: usize },
    Operator { operator: Operator, slot: usize, parameters: usize },
    BatchNorm { norm: BatchNorm, slot: usize, running: usize },
    Dropout { share: f64 },
    Skip(Vec<Built>),
}

/// A matrix that is learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// `conv1d_2.weight`.
    pub name: String,
    pub shape: (usize, usize),
    pub begin: Begin,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Begin {
    /// Normal, with this standard deviation.
    Normal(f64),
    Zeros,
    Ones,
}

impl Net {
    /// For rows of this layout. All sizes of `network` are numbers; `classes` is how many scores it has to give.
    ///
    /// # Errors
    /// If the network does not fit what goes in or has to come out.
    pub fn of(network: &Network, layout: &Layout, classes: usize) -> Result<Net, FitError> {
        let gather = gathered(network, layout)?;
        let width = free_width(network, layout);
        let input = network.input_shape(width).ok_or_else(|| FitError::failed("its inputs cannot be joined"))?;
        let steps = network.steps(input.clone(), classes).map_err(|unfit| FitError::failed(words(&unfit)))?;
        let output = steps.last().map_or(input.clone(), |step| step.output.clone());
        if output != [classes] {
            let gives = shape_text(&output);
            return Err(FitError::failed(format!("it gives {gives} where the rows that train need [{classes}]")));
        }
        let mut builder = Builder { slots: Vec::new(), running: Vec::new(), counts: Default::default(), classes };
        let (layers, _) = builder.layers(network.scoring_layers(), input);
        let whole = gather.iter().enumerate().all(|(at, from)| at == *from) && gather.len() == layout.width();
        Ok(Net {
            gather: (!whole).then_some(gather),
            columns: layout.width(),
            layers,
            slots: builder.slots,
            running: builder.running,
            outputs: classes,
        })
    }

    /// What the layers get of rows.
    pub fn input(&self, rows: &[f32]) -> Vec<f32> {
        match &self.gather {
            None => rows.to_vec(),
            Some(gather) => rows.chunks_exact(self.columns).flat_map(|row| gather.iter().map(|at| row[*at])).collect(),
        }
    }

    /// How many columns the layers get.
    pub fn width(&self) -> usize {
        self.gather.as_ref().map_or(self.columns, Vec::len)
    }
}

/// How many numbers features that are no tensors have become.
fn free_width(network: &Network, layout: &Layout) -> usize {
    let free = network.inputs.iter().find(|input| input.shape.is_none());
    let names = free.map(|input| input.features.as_slice()).unwrap_or_default();
    names.iter().filter_map(|name| layout.part(name)).map(|(_, part)| part.width).sum()
}

/// The columns of every input, joined along their last axis.
fn gathered(network: &Network, layout: &Layout) -> Result<Vec<usize>, FitError> {
    let mut inputs = Vec::new();
    for input in &network.inputs {
        let mut columns = Vec::new();
        for name in &input.features {
            let (from, part) = layout.part(name).ok_or_else(|| FitError::failed(format!("there is no feature `{name}`")))?;
            columns.extend(from..from + part.width);
        }
        let run = match &input.shape {
            Some(shape) => shape.last().copied().unwrap_or(1) as usize,
            None => columns.len(),
        };
        inputs.push((columns, run.max(1)));
    }
    let places = inputs.first().map_or(0, |(columns, run)| columns.len() / run);
    if inputs.iter().any(|(columns, run)| columns.len() != places * run) {
        return Err(FitError::failed("its inputs cannot be joined"));
    }
    let place = |place: usize| inputs.iter().flat_map(move |(columns, run)| columns[place * run..(place + 1) * run].to_vec());
    Ok((0..places).flat_map(place).collect())
}

/// Why a network does not fit, in half a sentence.
fn words(unfit: &Unfit) -> String {
    let (layer, input) = (&unfit.layer, shape_text(&unfit.input));
    match unfit.misfit {
        Misfit::Rank { wants, .. } => format!("`{layer}` takes {wants}, and {input} reaches it"),
        Misfit::TooLong { what, size, length } => format!("`{layer}` has a {what} of {size}, and only {length} reach it"),
        Misfit::Skip => format!("`skip` adds {} to {input}", shape_text(&unfit.output)),
    }
}

struct Builder {
    slots: Vec<Slot>,
    running: Vec<usize>,
    counts: std::collections::BTreeMap<&'static str, usize>,
    classes: usize,
}

impl Builder {
    fn layers(&mut self, layers: &[Layer], input: Vec<usize>) -> (Vec<Built>, Vec<usize>) {
        let mut shape = input;
        let mut built = Vec::new();
        for layer in layers {
            let output = layer.output(&shape, self.classes).expect("the shapes were proven before");
            built.extend(self.layer(layer, &shape, &output));
            shape = output;
        }
        (built, shape)
    }

    /// None for what changes shapes only.
    fn layer(&mut self, layer: &Layer, input: &[usize], output: &[usize]) -> Option<Built> {
        let name = self.name(layer.word());
        let width: usize = input.iter().product();
        let channels = input.last().copied().unwrap_or(1);
        let places = width / channels.max(1);
        let axes = Axes3::of(input);
        match layer {
            Layer::Linear { .. } => {
                let slot = self.learned(&name, (channels, output[0]), channels);
                Some(Built::Linear { slot })
            }
            Layer::Conv { kernel, stride, padding, .. } => {
                let (from, to) = (axes?, Axes3::of(output)?);
                let [vertical, horizontal] = self.slides(*kernel, *stride, *padding, input, from, to);
                let window = vertical.size * horizontal.size * from.channels;
                let slot = self.learned(&name, (window, to.channels), window);
                let conv = Conv { from, channels: to.channels, vertical, horizontal };
                Some(Built::Operator { operator: Operator::Conv(conv), slot, parameters: 2 })
            }
            Layer::Depthwise { kernel, stride, padding } => {
                let (from, to) = (axes?, Axes3::of(output)?);
                let [vertical, horizontal] = self.slides(*kernel, *stride, *padding, input, from, to);
                let area = vertical.size * horizontal.size;
                let slot = self.learned(&name, (area, from.channels), area);
                let depthwise = Depthwise { from, vertical, horizontal };
                Some(Built::Operator { operator: Operator::Depthwise(depthwise), slot, parameters: 2 })
            }
            Layer::Pool { size, stride } => {
                let (from, to) = (axes?, Axes3::of(output)?);
                let stride = stride.unwrap_or(*size);
                let [vertical, horizontal] = self.slides(*size, stride, Padding::Valid, input, from, to);
                Some(plain(Operator::Pool(Pool { from, vertical, horizontal })))
            }
            Layer::GlobalMean => Some(plain(Operator::Mean(Mean { places, channels }))),
            Layer::Last => Some(plain(Operator::Last(Last { places, channels }))),
            Layer::Flatten => None,
            Layer::BatchNorm => {
                let slot = self.scales(&name, channels);
                self.running.push(channels);
                Some(Built::BatchNorm { norm: BatchNorm { width, channels }, slot, running: self.running.len() - 1 })
            }
            Layer::LayerNorm => {
                let slot = self.scales(&name, channels);
                let operator = Operator::LayerNorm(LayerNorm { width, channels });
                Some(Built::Operator { operator, slot, parameters: 2 })
            }
            Layer::Dropout { share } => Some(Built::Dropout { share: share.low }),
            Layer::Skip(inside) => Some(Built::Skip(self.layers(inside, input.to_vec()).0)),
            Layer::Gru { units } => Some(self.gru(&name, places, channels, units.least(self.classes))),
            Layer::Pointwise(kind) => Some(plain(Operator::Pointwise { kind: *kind, width })),
            Layer::Softmax => Some(plain(Operator::Softmax { width, channels })),
        }
    }

    fn name(&mut self, word: &'static str) -> String {
        let nth = self.counts.entry(word).or_default();
        *nth += 1;
        if *nth == 1 { word.to_owned() } else { format!("{word}_{nth}") }
    }

    /// A weight with He's deviation for so many inputs, and a bias.
    fn learned(&mut self, name: &str, shape: (usize, usize), inputs: usize) -> usize {
        let deviation = (2.0 / inputs.max(1) as f64).sqrt();
        self.slot(name, "weight", shape, Begin::Normal(deviation));
        self.slot(name, "bias", (1, shape.1), Begin::Zeros);
        self.slots.len() - 2
    }

    /// A gain and a bias.
    fn scales(&mut self, name: &str, channels: usize) -> usize {
        self.slot(name, "gain", (1, channels), Begin::Ones);
        self.slot(name, "bias", (1, channels), Begin::Zeros);
        self.slots.len() - 2
    }

    fn gru(&mut self, name: &str, steps: usize, channels: usize, units: usize) -> Built {
        let deviation = |inputs: usize| Begin::Normal((1.0 / inputs.max(1) as f64).sqrt());
        self.slot(name, "weight", (channels, 3 * units), deviation(channels));
        self.slot(name, "recurrent", (units, 3 * units), deviation(units));
        self.slot(name, "bias", (1, 3 * units), Begin::Zeros);
        let operator = Operator::Gru(Gru { steps, channels, units });
        Built::Operator { operator, slot: self.slots.len() - 3, parameters: 3 }
    }

    fn slot(&mut self, layer: &str, what: &str, shape: (usize, usize), begin: Begin) {
        self.slots.push(Slot { name: format!("{layer}.{what}"), shape, begin });
    }

    /// Up and down, and along.
    fn slides(&self, size: Size, stride: Size, padding: Padding, input: &[usize], from: Axes3, to: Axes3) -> [Slide; 2] {
        let (size, stride) = (size.least(self.classes), stride.least(self.classes).max(1));
        let along = |length: usize, count: usize| {
            let before = match padding {
                Padding::Valid => 0,
                Padding::Same => ((count - 1) * stride + size).saturating_sub(length) / 2,
            };
            Slide { size, stride, before, count }
        };
        let still = Slide { size: 1, stride: 1, before: 0, count: 1 };
        [if input.len() == 3 { along(from.height, to.height) } else { still }, along(from.width, to.width)]
    }
}

fn plain(operator: Operator) -> Built {
    Built::Operator { operator, slot: 0, parameters: 0 }
}
