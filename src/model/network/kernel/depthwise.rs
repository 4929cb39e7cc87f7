//! A convolution of every channel by itself.

use crate::ir::network::Axes3;

use super::{Gradient, Known, Number, Slide};

/// Its parameters are the weights, `(kernel height · kernel width) × channels`, and the bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depthwise {
    pub from: Axes3,
    pub vertical: Slide,
    pub horizontal: Slide,
}

impl Depthwise {
    pub fn inputs(&self) -> usize {
        self.from.height * self.from.width * self.from.channels
    }

    pub fn outputs(&self) -> usize {
        self.vertical.count * self.horizontal.count * self.from.channels
    }

    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E]) {
        let channels = self.from.channels;
        for (x, out) in x.chunks_exact(self.inputs()).zip(out.chunks_exact_mut(self.outputs())) {
            out.chunks_exact_mut(channels).for_each(|place| place.copy_from_slice(parameters[1]));
            self.each(|input, output, weight| {
                let weights = &parameters[0][weight..weight + channels];
                let products = x[input..input + channels].iter().zip(weights);
                out[output..output + channels].iter_mut().zip(products).for_each(|(sum, (x, w))| *sum += *x * *w);
            });
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let channels = self.from.channels;
        let rows = known.x.chunks_exact(self.inputs()).zip(known.gradient.chunks_exact(self.outputs()));
        for (row, (x, gradient)) in rows.enumerate() {
            for place in gradient.chunks_exact(channels) {
                into.parameters[1].iter_mut().zip(place).for_each(|(sum, gradient)| *sum += *gradient);
            }
            let weights_back = &mut into.parameters[0];
            self.each(|input, output, weight| {
                let products = x[input..input + channels].iter().zip(&gradient[output..output + channels]);
                weights_back[weight..weight + channels].iter_mut().zip(products).for_each(|(sum, (x, g))| *sum += *x * *g);
            });
            let Some(x_back) = &mut into.x else { continue };
            let x_back = &mut x_back[row * self.inputs()..][..self.inputs()];
            self.each(|input, output, weight| {
                let weights = &known.parameters[0][weight..weight + channels];
                let products = gradient[output..output + channels].iter().zip(weights);
                x_back[input..input + channels].iter_mut().zip(products).for_each(|(sum, (g, w))| *sum += *g * *w);
            });
        }
    }

    /// Every meeting of a window with a place that exists: where the place, the result and the weight begin.
    fn each(&self, mut meet: impl FnMut(usize, usize, usize)) {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        let Axes3 { height, width, channels } = self.from;
        let inside = |at: usize, slide: Slide, step: usize, length: usize| {
            (at * slide.stride + step).checked_sub(slide.before).filter(|at| *at < length)
        };
        for y in 0..vertical.count {
            for x in 0..horizontal.count {
                for line in 0..vertical.size {
                    let Some(top) = inside(y, vertical, line, height) else { continue };
                    for column in 0..horizontal.size {
                        let Some(left) = inside(x, horizontal, column, width) else { continue };
                        let output = y * horizontal.count + x;
                        let weight = line * horizontal.size + column;
                        meet((top * width + left) * channels, output * channels, weight * channels);
                    }
                }
            }
        }
    }
}
