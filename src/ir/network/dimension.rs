//! What a search may change in a network, and the network with numbers in its place.

use std::collections::BTreeMap;

use super::{Layer, Network, Portion, Size};

/// A size or a share that is a range.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeRange {
    /// `conv1d.kernel`, of the second such layer `conv1d_2.kernel`.
    pub setting: String,
    pub low: f64,
    pub high: f64,
    pub whole: bool,
}

impl Network {
    /// In the order of the text.
    pub fn ranges(&self) -> Vec<SizeRange> {
        let mut found = Vec::new();
        walk(&self.layers, &mut BTreeMap::new(), &mut |setting, value| {
            match value {
                Value::Whole(Size::Range(low, high)) => {
                    found.push(SizeRange { setting, low: f64::from(low), high: f64::from(high), whole: true });
                }
                Value::Share(Portion { low, high }) if low < high => found.push(SizeRange { setting, low, high, whole: false }),
                Value::Whole(Size::Fixed(_) | Size::Classes) | Value::Share(_) => {}
            }
            value
        });
        found
    }

    /// Ranges become the number that `choose` has for them; those for which it has none stay.
    pub fn with(&self, choose: &dyn Fn(&str) -> Option<f64>) -> Network {
        let layers = walk(&self.layers, &mut BTreeMap::new(), &mut |setting, value| match value {
            Value::Whole(Size::Range(low, high)) => match choose(&setting) {
                Some(chosen) => Value::Whole(Size::Fixed(chosen.round().clamp(f64::from(low), f64::from(high)) as u32)),
                None => value,
            },
            Value::Share(Portion { low, high }) if low < high => match choose(&setting) {
                Some(chosen) => Value::Share(Portion { low: chosen.clamp(low, high), high: chosen.clamp(low, high) }),
                None => value,
            },
            Value::Whole(Size::Fixed(_) | Size::Classes) | Value::Share(_) => value,
        });
        Network { layers, ..self.clone() }
    }

    /// Could `other`, all of whose sizes are numbers, be what a search in this one came to?
    pub fn admits(&self, other: &Network) -> bool {
        let own = values(&self.layers);
        let others = values(&other.layers);
        let fits = |own: &(String, Value), other: &(String, Value)| own.0 == other.0 && own.1.admits(other.1);
        self.inputs == other.inputs
            && own.len() == others.len()
            && own.iter().zip(&others).all(|(own, other)| fits(own, other))
            && plain(&self.layers) == plain(&other.layers)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Whole(Size),
    Share(Portion),
}

impl Value {
    fn admits(self, other: Value) -> bool {
        match (self, other) {
            (Value::Whole(Size::Range(low, high)), Value::Whole(Size::Fixed(size))) => (low..=high).contains(&size),
            (Value::Share(own), Value::Share(other)) => own.low <= other.low && other.high <= own.high,
            (Value::Whole(own), Value::Whole(other)) => own == other,
            (Value::Whole(_), Value::Share(_)) | (Value::Share(_), Value::Whole(_)) => false,
        }
    }
}

fn values(layers: &[Layer]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(layers, &mut BTreeMap::new(), &mut |setting, value| {
        found.push((setting, value));
        value
    });
    found
}

/// The layers without their sizes.
fn plain(layers: &[Layer]) -> Vec<Layer> {
    walk(layers, &mut BTreeMap::new(), &mut |_, value| match value {
        Value::Whole(_) => Value::Whole(Size::Fixed(1)),
        Value::Share(_) => Value::Share(Portion { low: 0.0, high: 0.0 }),
    })
}

/// The layers with every size as `change` wants it; layers of a kind are counted in the order of the text.
fn walk(
    layers: &[Layer],
    counts: &mut BTreeMap<&'static str, usize>,
    change: &mut dyn FnMut(String, Value) -> Value,
) -> Vec<Layer> {
    layers.iter().map(|layer| walk_one(layer, counts, change)).collect()
}

fn walk_one(
    layer: &Layer,
    counts: &mut BTreeMap<&'static str, usize>,
    change: &mut dyn FnMut(String, Value) -> Value,
) -> Layer {
    let word = layer.word();
    let nth = counts.entry(word).or_default();
    *nth += 1;
    let called = if *nth == 1 { word.to_owned() } else { format!("{word}_{nth}") };
    let mut size = |argument: &str, size: Size| match change(format!("{called}.{argument}"), Value::Whole(size)) {
        Value::Whole(size) => size,
        Value::Share(_) => size,
    };
    match layer {
        Layer::Linear { outputs } => Layer::Linear { outputs: size("outputs", *outputs) },
        Layer::Conv { axes, channels, kernel, stride, padding } => Layer::Conv {
            axes: *axes,
            channels: size("channels", *channels),
            kernel: size("kernel", *kernel),
            stride: size("stride", *stride),
            padding: *padding,
        },
        Layer::Depthwise { kernel, stride, padding } => {
            Layer::Depthwise { kernel: size("kernel", *kernel), stride: size("stride", *stride), padding: *padding }
        }
        Layer::Pool { size: length, stride } => {
            Layer::Pool { size: size("size", *length), stride: stride.map(|stride| size("stride", stride)) }
        }
        Layer::Gru { units } => Layer::Gru { units: size("units", *units) },
        Layer::Dropout { share } => match change(format!("{called}.share"), Value::Share(*share)) {
            Value::Share(share) => Layer::Dropout { share },
            Value::Whole(_) => layer.clone(),
        },
        Layer::Skip(layers) => Layer::Skip(walk(layers, counts, change)),
        Layer::GlobalMean
        | Layer::Flatten
        | Layer::BatchNorm
        | Layer::LayerNorm
        | Layer::Last
        | Layer::Pointwise(_)
        | Layer::Softmax => layer.clone(),
    }
}
