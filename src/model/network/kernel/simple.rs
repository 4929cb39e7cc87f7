//! Functions of single numbers, and softmax.

use crate::ir::network::Pointwise;

use super::{Gradient, Known, Number};

/// In place.
pub fn activate<E: Number>(kind: Pointwise, values: &mut [E]) {
    match kind {
        Pointwise::Relu => values.iter_mut().for_each(|x| *x = if *x > E::zero() { *x } else { E::zero() }),
        Pointwise::Gelu => values.iter_mut().for_each(|x| *x *= gauss(*x)),
        Pointwise::Tanh => values.iter_mut().for_each(|x| *x = x.tanh()),
        Pointwise::Sigmoid => values.iter_mut().for_each(|x| *x = sigmoid(*x)),
    }
}

pub fn activate_back<E: Number>(kind: Pointwise, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
    let Some(into) = &mut into.x else { return };
    let values = known.x.iter().zip(known.y).zip(known.gradient);
    let all = into.iter_mut().zip(values);
    match kind {
        Pointwise::Relu => all.for_each(|(into, ((x, _), gradient))| {
            if *x > E::zero() {
                *into += *gradient;
            }
        }),
        Pointwise::Gelu => all.for_each(|(into, ((x, _), gradient))| *into += *gradient * gelu_slope(*x)),
        Pointwise::Tanh => all.for_each(|(into, ((_, y), gradient))| *into += *gradient * (E::ONE - *y * *y)),
        Pointwise::Sigmoid => all.for_each(|(into, ((_, y), gradient))| *into += *gradient * *y * (E::ONE - *y)),
    }
}

pub fn sigmoid<E: Number>(x: E) -> E {
    E::ONE / (E::ONE + (E::zero() - x).exp())
}

/// The share of a normal distribution below x.
fn gauss<E: Number>(x: E) -> E {
    E::of(0.5) * (E::ONE + (x * E::of(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

fn gelu_slope<E: Number>(x: E) -> E {
    let density = (E::of(-0.5) * x * x).exp() * E::of(0.398_942_280_401_432_7);
    gauss(x) + x * density
}

/// Of every run of `channels`, in place.
pub fn softmax<E: Number>(channels: usize, values: &mut [E]) {
    for run in values.chunks_exact_mut(channels) {
        let most = run.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or_default();
        let mut sum = E::zero();
        for value in run.iter_mut() {
            *value = (*value - most).exp();
            sum += *value;
        }
        run.iter_mut().for_each(|value| *value /= sum);
    }
}

pub fn softmax_back<E: Number>(channels: usize, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
    let Some(into) = &mut into.x else { return };
    let runs = known.y.chunks_exact(channels).zip(known.gradient.chunks_exact(channels));
    for (into, (y, gradient)) in into.chunks_exact_mut(channels).zip(runs) {
        let sum = y.iter().zip(gradient).fold(E::zero(), |sum, (y, gradient)| sum + *y * *gradient);
        let all = into.iter_mut().zip(y.iter().zip(gradient));
        all.for_each(|(into, (y, gradient))| *into += *y * (*gradient - sum));
    }
}
