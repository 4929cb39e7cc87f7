//! Networks learn, answer after they were saved as before, and their gradients agree with differences in f64.

use dfdx::shapes::Rank0;
use dfdx::tensor::{AsArray, Cpu, TensorFromVec, Trace};
use dfdx::tensor_ops::{Backward, SumTo, TryMul};

use super::body::Body;
use super::net::Net;
use super::tape::{Rows, values};
use super::*;
use crate::ir::network::{Axes, Layer, Network, NetworkInput, Padding, Pointwise, Portion, Size};
use crate::model::{
    Config, ConfigValue, Control, Family, FitError, Labels, Layout, Matrix, Model, Part, Stream, TrainSet, argmax,
};

fn conv(axes: Axes, channels: u32, kernel: u32, padding: Padding) -> Layer {
    Layer::Conv { axes, channels: Size::Fixed(channels), kernel: Size::Fixed(kernel), stride: Size::Fixed(1), padding }
}

fn network(inputs: &[(&str, Option<Vec<u32>>)], layers: Vec<Layer>) -> Network {
    let input = |(name, shape): &(&str, Option<Vec<u32>>)| NetworkInput {
        name: (*name).into(),
        features: vec![(*name).into()],
        shape: shape.clone(),
    };
    Network { name: "own".into(), inputs: inputs.iter().map(input).collect(), layers }
}

fn layout(parts: &[(&str, usize, Option<Vec<u32>>)]) -> Layout {
    let part = |(name, width, shape): &(&str, usize, Option<Vec<u32>>)| Part {
        name: (*name).into(),
        width: *width,
        shape: shape.clone(),
    };
    Layout { parts: parts.iter().map(part).collect() }
}

const RELU: Layer = Layer::Pointwise(Pointwise::Relu);
const SCORES: Layer = Layer::Linear { outputs: Size::Classes };

/// A network with every kind of joint: layers, a skip, normalisation, a dense end.
fn joined() -> (Network, Layout) {
    let shape = Some(vec![6, 2]);
    let layers = vec![
        conv(Axes::Time, 3, 3, Padding::Same),
        Layer::BatchNorm,
        Layer::Pointwise(Pointwise::Gelu),
        Layer::Skip(vec![conv(Axes::Time, 3, 3, Padding::Same), Layer::Pointwise(Pointwise::Tanh)]),
        Layer::Pool { size: Size::Fixed(2), stride: None },
        Layer::Gru { units: Size::Fixed(4) },
        Layer::Last,
        Layer::LayerNorm,
        Layer::Dropout { share: Portion { low: 0.0, high: 0.0 } },
        SCORES,
    ];
    (network(&[("x", shape.clone())], layers), layout(&[("x", 12, shape)]))
}

#[test]
fn gradients_of_a_whole_network_are_those_of_finite_differences() {
    let (network, layout) = joined();
    let net = Net::of(&network, &layout, 3).unwrap();
    let device = Cpu::default();
    let mut stream = Stream::new(5);
    let mut draw = |count: usize| (0..count).map(|_| stream.normal()).collect::<Vec<f64>>();
    let (x, weights) = (draw(4 * 12), draw(4 * 3));
    let mut body = Body::<f64>::new(net, 1).unwrap().without_chance();
    let loss = |body: &mut Body<f64>| {
        let tensor: Rows<f64> = device.try_tensor_from_vec(x.clone(), (4, 12)).unwrap();
        let scores = body.forward(tensor.leaky_traced()).unwrap();
        let weights: Rows<f64> = device.try_tensor_from_vec(weights.clone(), (4, 3)).unwrap();
        scores.try_mul(weights).unwrap().try_sum::<Rank0, _>().unwrap()
    };
    let gradients = loss(&mut body).try_backward().unwrap();
    let found: Vec<Vec<f64>> = body.tensors.iter().map(|tensor| gradients.get(tensor).as_vec()).collect();
    for (which, gradient) in found.iter().enumerate() {
        for (at, found) in gradient.iter().enumerate() {
            let mut with = |step: f64| {
                let before = body.tensors[which].clone();
                let mut moved = values(&before);
                moved[at] += step;
                body.tensors[which].copy_from(&moved);
                let value = loss(&mut body).array();
                body.tensors[which] = before;
                value
            };
            let slope = (with(1e-5) - with(-1e-5)) / 2e-5;
            let error = (slope - found).abs() / slope.abs().max(1.0);
            assert!(error < 1e-6, "{} {at}: {slope} and {found}", body.net.slots[which].name);
        }
    }
}

/// Two kinds of waves in noise, anywhere in a window of 24 steps and 2 channels.
fn waves(rows: usize, name: &str) -> TrainSet {
    let mut stream = Stream::new(11);
    let mut x = Matrix::zeros(rows, 48);
    let mut index = Vec::new();
    for row in 0..rows {
        let class = row % 2;
        let (phase, step) = (stream.unit() * 6.0, if class == 0 { 0.4 } else { 1.4 });
        for (at, cell) in x.row_mut(row).iter_mut().enumerate() {
            let time = (at / 2) as f64;
            *cell = ((time * step + phase + (at % 2) as f64).sin() + 0.4 * stream.normal()) as f32;
        }
        index.push(class as u32);
    }
    let layout = layout(&[(name, 48, Some(vec![24, 2]))]);
    TrainSet { layout, x, y: Labels::Classes { index, count: 2 }, weights: None }
}

fn small() -> NetworkFamily {
    let layers = vec![
        Layer::Conv {
            axes: Axes::Time,
            channels: Size::Range(4, 9),
            kernel: Size::Fixed(5),
            stride: Size::Fixed(1),
            padding: Padding::Valid,
        },
        Layer::BatchNorm,
        RELU,
        Layer::GlobalMean,
        Layer::Dropout { share: Portion { low: 0.0, high: 0.2 } },
        SCORES,
        Layer::Softmax,
    ];
    NetworkFamily { network: network(&[("x", Some(vec![24, 2]))], layers) }
}

fn config(family: &dyn Family, epochs: i64) -> Config {
    family.config(&Config::default()).with("epochs", ConfigValue::Int(epochs)).with("lr", ConfigValue::Float(0.02))
}

fn right(set: &TrainSet, model: &dyn Model) -> usize {
    let Labels::Classes { index, .. } = &set.y else { return 0 };
    let scores = model.predict(&set.x);
    (0..set.rows()).filter(|row| argmax(scores.row(*row)) == index[*row] as usize).count()
}

#[test]
fn it_learns_waves_wherever_they_are() {
    let (family, set) = (small(), waves(300, "x"));
    let config = config(&family, 12);
    assert_eq!(config.0["conv1d.channels"], ConfigValue::Int(6), "the geometric middle of its range");
    let model = family.fit(&set, &config, 1, &Control::default()).unwrap();
    let right = right(&set, &*model);
    assert!(right > 285, "{right} of 300");
    let sums = model.predict(&set.x);
    assert!((0..300).all(|row| (sums.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-4));
}

#[test]
fn a_saved_network_answers_bit_for_bit_and_a_row_alone_as_in_a_batch() {
    let (family, set) = (small(), waves(200, "x"));
    let model = family.fit(&set, &config(&family, 2), 1, &Control::default()).unwrap();
    let mut weights = model.save();
    let names: Vec<&str> = weights.arrays.keys().map(String::as_str).collect();
    let own = ["batch_norm.bias", "batch_norm.gain", "conv1d.bias", "conv1d.weight", "linear.bias", "linear.weight"];
    assert_eq!(names[..6], own);
    let loaded = load(&mut weights).unwrap();
    let all = model.predict(&set.x);
    assert_eq!(loaded.predict(&set.x), all);
    for row in [0, 70, 199] {
        assert_eq!(loaded.predict(&set.x.take(&[row])).data, all.row(row));
    }
    let mut broken = model.save();
    broken.arrays.remove("conv1d.weight");
    assert!(load(&mut broken).is_none());
}

#[test]
fn equal_seeds_give_equal_bytes_in_any_pool_of_threads() {
    let (family, set) = (small(), waves(150, "x"));
    let config = config(&family, 2).with("jitter", ConfigValue::Float(0.1));
    let fit = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| family.fit(&set, &config, seed, &Control::default()).unwrap().save())
    };
    let one = fit(1, 9);
    assert!(one == fit(2, 9) && one == fit(8, 9));
    assert_ne!(one, fit(1, 10), "another seed gives other weights");
}

#[test]
fn the_families_without_a_declaration_learn_too() {
    let set = waves(200, "w");
    let family: &dyn Family = &Conv1d;
    let config = config(family, 12).with("channels", ConfigValue::Ints(vec![6]));
    let found = right(&set, &*family.fit(&set, &config, 3, &Control::default()).unwrap());
    assert!(found > 185, "{found} of 200");
    // The same windows as pictures of 6 × 8.
    let pictures = TrainSet { layout: layout(&[("w", 48, Some(vec![6, 8]))]), ..set };
    let family: &dyn Family = &Conv2d;
    let found = right(&pictures, &*family.fit(&pictures, &config, 3, &Control::default()).unwrap());
    assert!(found > 160, "{found} of 200");
}

/// A window and a number beside it: one of them says which of two, the other which of the two others.
#[test]
fn inputs_are_joined_and_taken_from_their_columns() {
    let mut stream = Stream::new(2);
    let rows = 400;
    let mut x = Matrix::zeros(rows, 7);
    let mut values = Vec::new();
    for row in 0..rows {
        x.row_mut(row).iter_mut().for_each(|cell| *cell = stream.normal() as f32);
        values.push(f64::from(3.0 * x.row(row)[0] + x.row(row)[5] - x.row(row)[6]) + 100.0);
    }
    let layout = layout(&[("age", 1, None), ("idle", 4, Some(vec![4])), ("pair", 2, Some(vec![2]))]);
    let set = TrainSet { layout, x, y: Labels::Numbers(values.clone()), weights: None };
    let layers = vec![Layer::Linear { outputs: Size::Fixed(8) }, RELU, Layer::Linear { outputs: Size::Fixed(1) }];
    let family = NetworkFamily { network: network(&[("pair", Some(vec![2])), ("age", None)], layers) };
    let net = Net::of(&family.network, &set.layout, 1).unwrap();
    assert_eq!(net.gather, Some(vec![5, 6, 0]));
    let model = family.fit(&set, &config(&family, 30), 1, &Control::default()).unwrap();
    let found = model.predict(&set.x);
    let error = found.data.iter().zip(&values).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).sum::<f64>();
    assert!(error / (rows as f64) < 0.5, "mean absolute error {}", error / rows as f64);
    assert_eq!(load(&mut model.save()).unwrap().predict(&set.x), found);
}

#[test]
fn tensors_of_equal_length_are_joined_step_by_step() {
    let inputs = [("a", Some(vec![3, 2])), ("b", Some(vec![3, 1]))];
    let network = network(&inputs, vec![conv(Axes::Time, 2, 1, Padding::Valid), Layer::GlobalMean]);
    let layout = layout(&[("a", 6, Some(vec![3, 2])), ("b", 3, Some(vec![3, 1]))]);
    let net = Net::of(&network, &layout, 2).unwrap();
    assert_eq!(net.gather, Some(vec![0, 1, 6, 2, 3, 7, 4, 5, 8]));
}

#[test]
fn what_does_not_fit_is_refused_and_a_cancelled_fit_ends() {
    let (family, set) = (small(), waves(120, "x"));
    let other = waves(120, "y");
    let failed = family.fit(&other, &config(&family, 1), 1, &Control::default()).err();
    assert_eq!(failed, Some(FitError::Failed("there is no feature `x`".to_owned())));
    let wide = NetworkFamily { network: network(&[("x", Some(vec![24, 2]))], vec![Layer::Flatten]) };
    let failed = wide.fit(&set, &config(&wide, 1), 1, &Control::default()).err();
    assert_eq!(failed, Some(FitError::Failed("it gives [48] where the rows that train need [2]".to_owned())));
    let control = Control::default();
    control.cancel();
    assert_eq!(family.fit(&set, &config(&family, 1), 1, &control).err(), Some(FitError::Cancelled));
}
