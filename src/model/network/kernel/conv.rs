//! Convolution as products of matrices.
//!
//! The window of a (time, channel) row over `k` steps is `k · channels` neighbours, so the windows of a sequence are a matrix
//! whose rows overlap, and one product per row needs no copy. Windows of an image are gathered first. The way back to what came
//! in is the same walk over the gradient, with gaps for the stride and zeros around, and the kernel turned around.

use crate::ir::network::Axes3;

use super::product::{View, add_product};
use super::{Gradient, Known, Multiply, Number, Slide};

/// Its parameters are the weights, `(kernel height · kernel width · channels in) × channels out`, and the bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    pub from: Axes3,
    /// Channels that come out.
    pub channels: usize,
    pub vertical: Slide,
    pub horizontal: Slide,
}

/// Where windows lie in a field of (height, width, channels).
#[derive(Clone, Copy, Debug)]
struct Windows {
    field: Axes3,
    /// The first.
    origin: (usize, usize),
    count: (usize, usize),
    stride: (usize, usize),
    size: (usize, usize),
}

impl Conv {
    pub fn inputs(&self) -> usize {
        self.from.height * self.from.width * self.from.channels
    }

    pub fn outputs(&self) -> usize {
        self.places() * self.channels
    }

    fn places(&self) -> usize {
        self.vertical.count * self.horizontal.count
    }

    /// Values in a window.
    fn window(&self) -> usize {
        self.vertical.size * self.horizontal.size * self.from.channels
    }

    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E], multiply: Multiply<E>) {
        let weights = View::whole(parameters[0], self.window(), self.channels);
        let (mut padded, mut gathered) = (Vec::new(), Vec::new());
        for (x, out) in x.chunks_exact(self.inputs()).zip(out.chunks_exact_mut(self.outputs())) {
            out.chunks_exact_mut(self.channels).for_each(|place| place.copy_from_slice(parameters[1]));
            let windows = self.windows();
            let field = self.padded(x, windows.field, &mut padded);
            multiply(out, windows.matrix(field, &mut gathered), weights);
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let (mut padded, mut gathered) = (Vec::new(), Vec::new());
        let ones = vec![E::ONE; self.places()];
        let rows = known.x.chunks_exact(self.inputs()).zip(known.gradient.chunks_exact(self.outputs()));
        for (x, gradient) in rows {
            let windows = self.windows();
            let field = self.padded(x, windows.field, &mut padded);
            let gradient = View::whole(gradient, self.places(), self.channels);
            add_product(into.parameters[0], windows.matrix(field, &mut gathered).transposed(), gradient);
            add_product(into.parameters[1], View::whole(&ones, 1, self.places()), gradient);
        }
        if let Some(x) = &mut into.x {
            self.back_to_x(known, x);
        }
    }

    fn back_to_x<E: Number>(&self, known: &Known<'_, E>, x: &mut [E]) {
        let turned = self.turned(known.parameters[0]);
        let area = self.vertical.size * self.horizontal.size;
        let weights = View::whole(&turned, area * self.channels, self.from.channels);
        let windows = self.windows_back();
        let size = windows.field.height * windows.field.width * self.channels;
        let (mut spread, mut gathered) = (vec![E::zero(); size], Vec::new());
        for (x, gradient) in x.chunks_exact_mut(self.inputs()).zip(known.gradient.chunks_exact(self.outputs())) {
            // What lies between the values stays zero from the first row on.
            self.spread(gradient, windows.field, &mut spread);
            add_product(x, windows.matrix(&spread, &mut gathered), weights);
        }
    }

    fn windows(&self) -> Windows {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        let reach = |slide: Slide, length: usize| (slide.before + length).max((slide.count - 1) * slide.stride + slide.size);
        Windows {
            field: Axes3 {
                height: reach(vertical, self.from.height),
                width: reach(horizontal, self.from.width),
                channels: self.from.channels,
            },
            origin: (0, 0),
            count: (vertical.count, horizontal.count),
            stride: (vertical.stride, horizontal.stride),
            size: (vertical.size, horizontal.size),
        }
    }

    /// One window of the spread gradient for each value that went in.
    fn windows_back(&self) -> Windows {
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        let reach = |slide: Slide, length: usize| {
            (slide.before + length + slide.size - 1).max((slide.count - 1) * slide.stride + 2 * slide.size - 1)
        };
        Windows {
            field: Axes3 {
                height: reach(vertical, self.from.height),
                width: reach(horizontal, self.from.width),
                channels: self.channels,
            },
            origin: (vertical.before, horizontal.before),
            count: (self.from.height, self.from.width),
            stride: (1, 1),
            size: (vertical.size, horizontal.size),
        }
    }

    /// The row itself where nothing has to stand around it.
    fn padded<'a, E: Number>(&self, x: &'a [E], field: Axes3, padded: &'a mut Vec<E>) -> &'a [E] {
        if (field.height, field.width) == (self.from.height, self.from.width) {
            return x;
        }
        padded.resize(field.height * field.width * field.channels, E::zero());
        let run = self.from.width * self.from.channels;
        for (y, line) in x.chunks_exact(run).enumerate() {
            let at = ((self.vertical.before + y) * field.width + self.horizontal.before) * field.channels;
            padded[at..at + run].copy_from_slice(line);
        }
        padded
    }

    /// The gradient of each place at its place in the field, a stride apart and a kernel away from its edge.
    fn spread<E: Copy>(&self, gradient: &[E], field: Axes3, spread: &mut [E]) {
        let channels = self.channels;
        let (vertical, horizontal) = (self.vertical, self.horizontal);
        for (place, values) in gradient.chunks_exact(channels).enumerate() {
            let (y, x) = (place / horizontal.count, place % horizontal.count);
            let (y, x) = (vertical.size - 1 + y * vertical.stride, horizontal.size - 1 + x * horizontal.stride);
            let at = (y * field.width + x) * channels;
            spread[at..at + channels].copy_from_slice(values);
        }
    }

    /// The kernel from its other end, with what comes in and what goes out exchanged.
    fn turned<E: Number>(&self, weights: &[E]) -> Vec<E> {
        let (from, to) = (self.from.channels, self.channels);
        let area = self.vertical.size * self.horizontal.size;
        let mut turned = vec![E::zero(); weights.len()];
        for (place, block) in weights.chunks_exact(from * to).enumerate() {
            let out = &mut turned[(area - 1 - place) * from * to..][..from * to];
            for (input, row) in block.chunks_exact(to).enumerate() {
                row.iter().enumerate().for_each(|(output, weight)| out[output * from + input] = *weight);
            }
        }
        turned
    }
}

impl Windows {
    /// A row per window. Those of a sequence are a view of the field itself.
    fn matrix<'a, E: Number>(&self, field: &'a [E], gathered: &'a mut Vec<E>) -> View<'a, E> {
        let Axes3 { height: _, width, channels } = self.field;
        let run = self.size.1 * channels;
        if self.size.0 == 1 && self.count.0 == 1 {
            let first = (self.origin.0 * width + self.origin.1) * channels;
            return View::new(&field[first..], self.count.1, run, self.stride.1 * channels);
        }
        let (windows, columns) = (self.count.0 * self.count.1, self.size.0 * run);
        gathered.clear();
        gathered.reserve(windows * columns);
        for y in 0..self.count.0 {
            for x in 0..self.count.1 {
                let left = self.origin.1 + x * self.stride.1;
                for line in 0..self.size.0 {
                    let top = self.origin.0 + y * self.stride.0 + line;
                    let at = (top * width + left) * channels;
                    gathered.extend_from_slice(&field[at..at + run]);
                }
            }
        }
        View::whole(gathered, windows, columns)
    }
}
