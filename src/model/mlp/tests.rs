//! Networks learn, and their gradients agree with differences in f64.

use dfdx::tensor::{AsArray, Cpu, OwnedTape, TensorFromVec, Trace};
use dfdx::tensor_ops::Backward;

use super::net::{Layer, Rows, cross_entropy, forward, squared_error};
use super::*;
use crate::model::Stream;

/// A network 3-4-3-2 in double precision, with everything that it is trained through.
struct Checked {
    device: Cpu,
    /// Weights and biases of each layer.
    parameters: Vec<(usize, usize, Vec<f64>, Vec<f64>)>,
    x: Vec<f64>,
    masks: Vec<(usize, Vec<f64>)>,
    classes: bool,
}

const ROWS: usize = 5;

impl Checked {
    fn new(classes: bool, dropped: bool) -> Checked {
        let mut stream = Stream::new(17);
        let mut draw = |count: usize| (0..count).map(|_| stream.normal()).collect::<Vec<f64>>();
        let outputs = if classes { 2 } else { 1 };
        let sizes = [(3, 4), (4, 3), (3, outputs)];
        let parameters = sizes.map(|(inputs, outputs)| (inputs, outputs, draw(inputs * outputs), draw(outputs))).to_vec();
        let mask = |width: usize| (width, (0..ROWS * width).map(|at| if at % 3 == 0 { 0.0 } else { 1.5 }).collect());
        let masks = if dropped { vec![mask(4), mask(3)] } else { Vec::new() };
        Checked { device: Cpu::default(), parameters, x: draw(ROWS * 3), masks, classes }
    }

    fn layers(&self) -> Vec<Layer<f64>> {
        let layer = |(inputs, outputs, weight, bias): &(usize, usize, Vec<f64>, Vec<f64>)| {
            Layer::new(&self.device, *inputs, *outputs, weight.clone(), bias.clone()).unwrap()
        };
        self.parameters.iter().map(layer).collect()
    }

    fn tensor(&self, values: Vec<f64>, columns: usize) -> Rows<f64> {
        self.device.try_tensor_from_vec(values, (ROWS, columns)).unwrap()
    }

    /// The loss, and its gradients in the order of the parameters.
    fn loss(&self) -> (f64, Vec<Vec<f64>>) {
        let layers = self.layers();
        let masks: Vec<Rows<f64>> = self.masks.iter().map(|(width, mask)| self.tensor(mask.clone(), *width)).collect();
        let x: Rows<f64, OwnedTape<f64, Cpu>> = self.tensor(self.x.clone(), 3).leaky_traced();
        let scores = forward(&layers, x, &masks).unwrap();
        let loss = if self.classes {
            let wanted = (0..ROWS * 2).map(|at| if at % 2 == at / 2 % 2 { 0.3 + at as f64 * 0.1 } else { 0.0 }).collect();
            cross_entropy(scores, self.tensor(wanted, 2)).unwrap()
        } else {
            let weight = self.tensor((0..ROWS).map(|row| 0.5 + row as f64).collect(), 1);
            squared_error(scores, self.tensor(vec![0.4, -1.0, 2.0, 0.0, 1.0], 1), weight).unwrap()
        };
        let value = loss.array();
        let gradients = loss.try_backward().unwrap();
        let of = |layer: &Layer<f64>| [gradients.get(&layer.weight).as_vec(), gradients.get(&layer.bias).as_vec()];
        (value, layers.iter().flat_map(of).collect())
    }

    fn parameter(&mut self, which: usize) -> &mut Vec<f64> {
        let (_, _, weight, bias) = &mut self.parameters[which / 2];
        if which.is_multiple_of(2) { weight } else { bias }
    }
}

/// Every operator that training goes through: product, broadcast sum, rectifier, mask, log-softmax, product with weights, sum,
/// minus, difference, square.
#[test]
fn gradients_are_those_of_finite_differences() {
    for (classes, dropped) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut checked = Checked::new(classes, dropped);
        let (_, gradients) = checked.loss();
        for (which, gradient) in gradients.iter().enumerate() {
            for (at, found) in gradient.iter().enumerate() {
                let mut value = |step: f64| {
                    checked.parameter(which)[at] += step;
                    let (value, _) = checked.loss();
                    checked.parameter(which)[at] -= step;
                    value
                };
                let slope = (value(1e-6) - value(-1e-6)) / 2e-6;
                let error = (slope - found).abs() / slope.abs().max(1.0);
                assert!(error < 1e-7, "classes {classes}, dropped {dropped}, {which}/{at}: {slope} and {found}");
            }
        }
    }
}

/// Two rings, which no plane divides.
fn rings(rows: usize) -> TrainSet {
    let mut stream = Stream::new(3);
    let mut x = Matrix::zeros(rows, 2);
    let mut index = Vec::new();
    for row in 0..rows {
        let class = row % 2;
        let (angle, radius) = (stream.unit() * std::f64::consts::TAU, 1.0 + class as f64 + 0.2 * stream.normal());
        x.row_mut(row).copy_from_slice(&[(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
        index.push(class as u32);
    }
    TrainSet { layout: Default::default(), x, y: Labels::Classes { index, count: 2 }, weights: None }
}

fn small() -> Config {
    let family: &dyn Family = &Mlp;
    family.config(&Config::default().with("hidden", ConfigValue::Ints(vec![16])).with("lr", ConfigValue::Float(0.01)))
}

#[test]
fn it_learns_what_no_plane_divides() {
    let set = rings(600);
    let model = Mlp.fit(&set, &small(), 1, &Control::default()).unwrap();
    let Labels::Classes { index, .. } = &set.y else { unreachable!() };
    let scores = model.predict(&set.x);
    let right = (0..600).filter(|row| crate::model::argmax(scores.row(*row)) == index[*row] as usize).count();
    assert!(right > 560, "{right} of 600");
}

#[test]
fn it_learns_numbers_in_their_own_unit() {
    let mut set = rings(400);
    let value = |row: usize| 1_000.0 + 50.0 * f64::from(set.x.row(row)[0] * set.x.row(row)[0]);
    set.y = Labels::Numbers((0..400).map(value).collect());
    let model = Mlp.fit(&set, &small(), 1, &Control::default()).unwrap();
    let Labels::Numbers(values) = &set.y else { unreachable!() };
    let found = model.predict(&set.x).data;
    let error = found.iter().zip(values).map(|(found, wanted)| (f64::from(*found) - wanted).abs()).sum::<f64>() / 400.0;
    assert!(error < 20.0, "mean absolute error {error}");
}

#[test]
fn weights_have_the_same_bytes_in_any_pool_of_threads() {
    let set = rings(300);
    let config = small().with("hidden", ConfigValue::Ints(vec![256, 256])).with("batch", ConfigValue::Int(256));
    let config = config.with("epochs", ConfigValue::Int(2)).with("dropout", ConfigValue::Float(0.2));
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Mlp.fit(&set, &config, 9, &Control::default()).unwrap().save())
    };
    let one = fit(1);
    assert_eq!(one, fit(2));
    assert_eq!(one, fit(8));
    let other = Mlp.fit(&set, &config, 10, &Control::default()).unwrap().save();
    assert_ne!(one, other, "another seed gives other weights");
}

#[test]
fn a_cancelled_fit_ends() {
    let control = Control::default();
    control.cancel();
    assert_eq!(Mlp.fit(&rings(300), &small(), 1, &control).err(), Some(FitError::Cancelled));
}
