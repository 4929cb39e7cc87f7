//! Values with mean 0 and variance 1: of a channel over a batch, or of one place over its channels.

use super::{Gradient, Known, Number};

/// Added to a variance, so that nothing is divided by 0.
pub const EPSILON: f64 = 1e-5;

/// Its parameters are the gain and the bias of every channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Numbers in a row.
    pub width: usize,
    pub channels: usize,
}

/// Its parameters are the gain and the bias of every channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    pub width: usize,
    pub channels: usize,
}

/// Mean and variance of every channel over all places of all rows.
pub fn moments<E: Number>(channels: usize, x: &[E]) -> (Vec<E>, Vec<E>) {
    let share = E::of(1.0 / (x.len() / channels).max(1) as f64);
    let mut mean = vec![E::zero(); channels];
    for place in x.chunks_exact(channels) {
        mean.iter_mut().zip(place).for_each(|(sum, x)| *sum += *x);
    }
    mean.iter_mut().for_each(|sum| *sum *= share);
    let mut variance = vec![E::zero(); channels];
    for place in x.chunks_exact(channels) {
        let apart = place.iter().zip(&mean);
        variance.iter_mut().zip(apart).for_each(|(sum, (x, mean))| *sum += (*x - *mean) * (*x - *mean));
    }
    variance.iter_mut().for_each(|sum| *sum *= share);
    (mean, variance)
}

fn inverse<E: Number>(variance: E) -> E {
    E::ONE / (variance + E::of(EPSILON)).sqrt()
}

impl BatchNorm {
    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E]) {
        let (mean, variance) = moments(self.channels, x);
        self.standing(x, &[parameters[0], parameters[1], &mean, &variance], out);
    }

    /// With the statistics that are given: gain, bias, mean and variance of every channel.
    pub fn standing<E: Number>(&self, x: &[E], parameters: &[&[E]; 4], out: &mut [E]) {
        let [gain, bias, mean, variance] = parameters;
        let slope: Vec<E> = gain.iter().zip(*variance).map(|(gain, variance)| *gain * inverse(*variance)).collect();
        for (place, out) in x.chunks_exact(self.channels).zip(out.chunks_exact_mut(self.channels)) {
            let scaled = place.iter().zip(*mean).zip(slope.iter().zip(*bias));
            out.iter_mut().zip(scaled).for_each(|(out, ((x, mean), (slope, bias)))| *out = (*x - *mean) * *slope + *bias);
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let channels = self.channels;
        let (mean, variance) = moments(channels, known.x);
        let inverse: Vec<E> = variance.iter().map(|variance| inverse(*variance)).collect();
        let (mut gain_back, mut bias_back) = (vec![E::zero(); channels], vec![E::zero(); channels]);
        for (place, gradient) in known.x.chunks_exact(channels).zip(known.gradient.chunks_exact(channels)) {
            for channel in 0..channels {
                bias_back[channel] += gradient[channel];
                gain_back[channel] += gradient[channel] * (place[channel] - mean[channel]) * inverse[channel];
            }
        }
        if let Some(into) = &mut into.x {
            let share = E::of(1.0 / (known.x.len() / channels) as f64);
            let places = known.x.chunks_exact(channels).zip(known.gradient.chunks_exact(channels));
            for (into, (place, gradient)) in into.chunks_exact_mut(channels).zip(places) {
                for channel in 0..channels {
                    let scaled = (place[channel] - mean[channel]) * inverse[channel];
                    let apart = gradient[channel] - share * (bias_back[channel] + scaled * gain_back[channel]);
                    into[channel] += known.parameters[0][channel] * inverse[channel] * apart;
                }
            }
        }
        into.parameters[0].iter_mut().zip(gain_back).for_each(|(sum, gradient)| *sum += gradient);
        into.parameters[1].iter_mut().zip(bias_back).for_each(|(sum, gradient)| *sum += gradient);
    }
}

impl LayerNorm {
    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E]) {
        for (place, out) in x.chunks_exact(self.channels).zip(out.chunks_exact_mut(self.channels)) {
            let (mean, inverse) = of_place(place);
            let scales = parameters[0].iter().zip(parameters[1]);
            let values = out.iter_mut().zip(place).zip(scales);
            values.for_each(|((out, x), (gain, bias))| *out = (*x - mean) * inverse * *gain + *bias);
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let channels = self.channels;
        let share = E::of(1.0 / channels as f64);
        let gain = known.parameters[0];
        let places = known.x.chunks_exact(channels).zip(known.gradient.chunks_exact(channels));
        for (nth, (place, gradient)) in places.enumerate() {
            let (mean, inverse) = of_place(place);
            let (mut sum, mut along) = (E::zero(), E::zero());
            for channel in 0..channels {
                let scaled = (place[channel] - mean) * inverse;
                into.parameters[0][channel] += gradient[channel] * scaled;
                into.parameters[1][channel] += gradient[channel];
                sum += gradient[channel] * gain[channel];
                along += gradient[channel] * gain[channel] * scaled;
            }
            let Some(into) = &mut into.x else { continue };
            let into = &mut into[nth * channels..(nth + 1) * channels];
            for channel in 0..channels {
                let scaled = (place[channel] - mean) * inverse;
                into[channel] += inverse * (gradient[channel] * gain[channel] - share * (sum + scaled * along));
            }
        }
    }
}

/// Mean, and one over the standard deviation.
fn of_place<E: Number>(place: &[E]) -> (E, E) {
    let share = E::of(1.0 / place.len() as f64);
    let mean = place.iter().fold(E::zero(), |sum, x| sum + *x) * share;
    let variance = place.iter().fold(E::zero(), |sum, x| sum + (*x - mean) * (*x - mean)) * share;
    (mean, inverse(variance))
}
