//! Every operator on dfdx's tape: its gradients are those of finite differences in f64, and it does what it says by hand.

use dfdx::tensor::{AsArray, Cpu, TensorFromVec, Trace};
use dfdx::tensor_ops::{Backward, SumTo, TryMul};
use proptest::prelude::*;

use super::*;
use crate::ir::network::{Axes3, Pointwise};
use crate::model::Stream;
use crate::model::network::tape::{Rows, Taped, apply};

fn slide(size: usize, stride: usize, before: usize, count: usize) -> Slide {
    Slide { size, stride, before, count }
}

fn axes(height: usize, width: usize, channels: usize) -> Axes3 {
    Axes3 { height, width, channels }
}

/// An operator with its parameters and rows, in f64.
struct Checked {
    operator: Operator,
    shapes: Vec<(usize, usize)>,
    rows: usize,
    device: Cpu,
}

impl Checked {
    fn new(operator: Operator, shapes: &[(usize, usize)]) -> Checked {
        Checked { operator, shapes: shapes.to_vec(), rows: 3, device: Cpu::default() }
    }

    /// x first, then the parameters.
    fn drawn(&self, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(seed);
        let sizes = std::iter::once(self.rows * self.operator.inputs()).chain(self.shapes.iter().map(|(a, b)| a * b));
        sizes.map(|size| (0..size).map(|_| stream.normal()).collect()).collect()
    }

    /// A loss with another weight on every value, and its gradients.
    fn loss(&self, values: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        let tensor = |values: &Vec<f64>, shape| self.device.try_tensor_from_vec(values.clone(), shape).unwrap();
        let x: Rows<f64> = tensor(&values[0], (self.rows, self.operator.inputs()));
        let parameters: Vec<Rows<f64>> =
            values[1..].iter().zip(&self.shapes).map(|(values, shape)| tensor(values, *shape)).collect();

        let taped: Taped<f64> = x.clone().leaky_traced();
        let y = apply(&self.operator, taped, &parameters, true).unwrap();
        let count = self.rows * self.operator.outputs();
        let mut stream = Stream::new(99);
        let weights = (0..count).map(|_| stream.normal()).collect();
        let weights: Rows<f64> = self.device.try_tensor_from_vec(weights, (self.rows, self.operator.outputs())).unwrap();
        let loss = y.try_mul(weights).unwrap().try_sum::<dfdx::shapes::Rank0, _>().unwrap();
        let value = loss.array();
        let gradients = loss.try_backward().unwrap();
        (value, std::iter::once(&x).chain(&parameters).map(|tensor| gradients.get(tensor).as_vec()).collect())
    }

    fn check(&self, seed: u64) {
        let mut values = self.drawn(seed);
        let (_, gradients) = self.loss(&values);
        for (which, gradient) in gradients.iter().enumerate() {
            for (at, found) in gradient.iter().enumerate() {
                let mut with = |step: f64| {
                    let before = values[which][at];
                    values[which][at] = before + step;
                    let (value, _) = self.loss(&values);
                    values[which][at] = before;
                    value
                };
                let slope = (with(1e-5) - with(-1e-5)) / 2e-5;
                let error = (slope - found).abs() / slope.abs().max(1.0);
                assert!(error < 1e-6, "{:?}, {which}/{at}: {slope} and {found}", self.operator);
            }
        }
    }

    fn forward(&self, values: &[Vec<f64>]) -> Vec<f64> {
        let mut out = vec![0.0; values[0].len() / self.operator.inputs() * self.operator.outputs()];
        let parameters: Vec<&[f64]> = values[1..].iter().map(Vec::as_slice).collect();
        self.operator.forward(&values[0], &parameters, &mut out, add_product);
        let mut small = vec![0.0; out.len()];
        self.operator.forward(&values[0], &parameters, &mut small, add_small_product);
        let apart = out.iter().zip(&small).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-12, "plain loops are {apart} away from gemm");
        small
    }
}

fn conv(from: Axes3, channels: usize, vertical: Slide, horizontal: Slide) -> Checked {
    let window = vertical.size * horizontal.size * from.channels;
    Checked::new(Operator::Conv(Conv { from, channels, vertical, horizontal }), &[(window, channels), (1, channels)])
}

fn depthwise(from: Axes3, vertical: Slide, horizontal: Slide) -> Checked {
    let shapes = [(vertical.size * horizontal.size, from.channels), (1, from.channels)];
    Checked::new(Operator::Depthwise(Depthwise { from, vertical, horizontal }), &shapes)
}

const ONE: Slide = Slide { size: 1, stride: 1, before: 0, count: 1 };

fn all() -> Vec<Checked> {
    let gru = Gru { steps: 4, channels: 2, units: 3 };
    vec![
        conv(axes(1, 7, 2), 3, ONE, slide(3, 1, 0, 5)),
        conv(axes(1, 7, 2), 3, ONE, slide(3, 1, 1, 7)),
        conv(axes(1, 8, 1), 2, ONE, slide(3, 2, 0, 3)),
        conv(axes(1, 8, 2), 2, ONE, slide(4, 3, 1, 3)),
        conv(axes(4, 5, 2), 3, slide(3, 1, 0, 2), slide(3, 1, 0, 3)),
        conv(axes(4, 5, 1), 2, slide(3, 1, 1, 4), slide(3, 1, 1, 5)),
        conv(axes(5, 5, 2), 2, slide(2, 2, 0, 2), slide(2, 2, 0, 2)),
        conv(axes(3, 3, 2), 2, slide(1, 1, 0, 3), slide(1, 1, 0, 3)),
        depthwise(axes(1, 7, 3), ONE, slide(3, 1, 1, 7)),
        depthwise(axes(4, 5, 2), slide(3, 2, 1, 2), slide(3, 2, 1, 3)),
        Checked::new(Operator::Pool(Pool { from: axes(1, 7, 2), vertical: ONE, horizontal: slide(2, 2, 0, 3) }), &[]),
        Checked::new(
            Operator::Pool(Pool { from: axes(4, 4, 2), vertical: slide(3, 1, 0, 2), horizontal: slide(2, 2, 0, 2) }),
            &[],
        ),
        Checked::new(Operator::Mean(Mean { places: 5, channels: 3 }), &[]),
        Checked::new(Operator::Last(Last { places: 5, channels: 3 }), &[]),
        Checked::new(Operator::BatchNorm(BatchNorm { width: 6, channels: 3 }), &[(1, 3), (1, 3)]),
        Checked::new(Operator::LayerNorm(LayerNorm { width: 8, channels: 4 }), &[(1, 4), (1, 4)]),
        Checked::new(Operator::Gru(gru), &[(2, 9), (3, 9), (1, 9)]),
        Checked::new(Operator::Softmax { width: 6, channels: 3 }, &[]),
        Checked::new(Operator::Pointwise { kind: Pointwise::Relu, width: 4 }, &[]),
        Checked::new(Operator::Pointwise { kind: Pointwise::Gelu, width: 4 }, &[]),
        Checked::new(Operator::Pointwise { kind: Pointwise::Tanh, width: 4 }, &[]),
        Checked::new(Operator::Pointwise { kind: Pointwise::Sigmoid, width: 4 }, &[]),
    ]
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (nth, checked) in all().iter().enumerate() {
        checked.check(nth as u64);
    }
}

/// Batch normalisation looks at the whole batch while it is trained; it answers with what it has kept.
#[test]
fn a_row_gets_the_same_bits_alone_and_in_a_batch() {
    for (nth, checked) in all().iter().enumerate() {
        if matches!(checked.operator, Operator::BatchNorm(_)) {
            continue;
        }
        let mut values = checked.drawn(nth as u64);
        let together = checked.forward(&values);
        let rows: Vec<Vec<f64>> = values[0].chunks(checked.operator.inputs()).map(<[f64]>::to_vec).collect();
        let mut alone = Vec::new();
        for row in rows {
            values[0] = row;
            alone.extend(checked.forward(&values));
        }
        assert_eq!(together, alone, "{:?}", checked.operator);
    }
}

proptest! {
    /// As the definition says, term by term.
    #[test]
    fn a_convolution_is_the_sum_over_its_window(
        height in 1..5usize, width in 1..7usize, channels in 1..4usize, outputs in 1..4usize,
        size in 1..4usize, stride in 1..3usize, before in 0..2usize, seed in 0..1000u64,
    ) {
        let along = |length: usize| {
            let size = size.min(length);
            slide(size, stride, before.min(size - 1), (length + before.min(size - 1) - size) / stride + 1)
        };
        let (vertical, horizontal) = (along(height), along(width));
        let checked = conv(axes(height, width, channels), outputs, vertical, horizontal);
        let values = checked.drawn(seed);
        let found = checked.forward(&values);
        let by_hand = |row: usize, y: usize, x: usize, output: usize| {
            let mut sum = values[2][output];
            for line in 0..vertical.size {
                for column in 0..horizontal.size {
                    let (top, left) = (y * vertical.stride + line, x * horizontal.stride + column);
                    let (Some(top), Some(left)) = (top.checked_sub(vertical.before), left.checked_sub(horizontal.before)) else {
                        continue;
                    };
                    if top >= height || left >= width {
                        continue;
                    }
                    for channel in 0..channels {
                        let weight = ((line * horizontal.size + column) * channels + channel) * outputs + output;
                        sum += values[0][((row * height + top) * width + left) * channels + channel] * values[1][weight];
                    }
                }
            }
            sum
        };
        for row in 0..checked.rows {
            for y in 0..vertical.count {
                for x in 0..horizontal.count {
                    for output in 0..outputs {
                        let at = ((row * vertical.count + y) * horizontal.count + x) * outputs + output;
                        let (found, wanted) = (found[at], by_hand(row, y, x, output));
                        prop_assert!((found - wanted).abs() < 1e-9, "{found} and {wanted}");
                    }
                }
            }
        }
    }
}
