//! What makes a sequence or an image shorter: the largest of each stretch, the mean of all places, the last step.

use crate::ir::network::Axes3;

use super::{Gradient, Known, Number, Slide};

/// The largest of each window, by channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    pub from: Axes3,
    pub vertical: Slide,
    pub horizontal: Slide,
}

/// Of every channel over all places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub places: usize,
    pub channels: usize,
}

/// The last place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Last {
    pub places: usize,
    pub channels: usize,
}

impl Pool {
    pub fn inputs(&self) -> usize {
        self.from.height * self.from.width * self.from.channels
    }

    pub fn outputs(&self) -> usize {
        self.vertical.count * self.horizontal.count * self.from.channels
    }

    pub fn forward<E: Number>(&self, x: &[E], out: &mut [E]) {
        let channels = self.from.channels;
        for (x, out) in x.chunks_exact(self.inputs()).zip(out.chunks_exact_mut(self.outputs())) {
            for (place, out) in out.chunks_exact_mut(channels).enumerate() {
                let mut windows = self.window(place);
                let first = windows.next().unwrap_or_default();
                out.copy_from_slice(&x[first..first + channels]);
                for at in windows {
                    let values = &x[at..at + channels];
                    out.iter_mut().zip(values).for_each(|(most, value)| *most = if *value > *most { *value } else { *most });
                }
            }
        }
    }

    /// The first of the largest gets it.
    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let Some(into) = &mut into.x else { return };
        let channels = self.from.channels;
        let mut found = vec![false; channels];
        for (row, x) in known.x.chunks_exact(self.inputs()).enumerate() {
            let into = &mut into[row * self.inputs()..][..self.inputs()];
            for place in 0..self.vertical.count * self.horizontal.count {
                let from = row * self.outputs() + place * channels;
                let (most, gradient) = (&known.y[from..from + channels], &known.gradient[from..from + channels]);
                found.fill(false);
                for at in self.window(place) {
                    let values = x[at..at + channels].iter().zip(&mut into[at..at + channels]);
                    for (((value, into), found), (most, gradient)) in values.zip(&mut found).zip(most.iter().zip(gradient)) {
                        if !*found && *value == *most {
                            *found = true;
                            *into += *gradient;
                        }
                    }
                }
            }
        }
    }

    /// Where the places of a window begin.
    fn window(&self, place: usize) -> impl Iterator<Item = usize> {
        let (vertical, horizontal, from) = (self.vertical, self.horizontal, self.from);
        let (y, x) = (place / horizontal.count, place % horizontal.count);
        (0..vertical.size).flat_map(move |line| {
            let top = y * vertical.stride + line;
            (0..horizontal.size).map(move |column| (top * from.width + x * horizontal.stride + column) * from.channels)
        })
    }
}

impl Mean {
    pub fn forward<E: Number>(&self, x: &[E], out: &mut [E]) {
        let share = E::of(1.0 / self.places as f64);
        for (x, out) in x.chunks_exact(self.places * self.channels).zip(out.chunks_exact_mut(self.channels)) {
            for place in x.chunks_exact(self.channels) {
                out.iter_mut().zip(place).for_each(|(sum, value)| *sum += *value);
            }
            out.iter_mut().for_each(|sum| *sum *= share);
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let Some(into) = &mut into.x else { return };
        let share = E::of(1.0 / self.places as f64);
        let rows = into.chunks_exact_mut(self.places * self.channels);
        for (into, gradient) in rows.zip(known.gradient.chunks_exact(self.channels)) {
            for place in into.chunks_exact_mut(self.channels) {
                place.iter_mut().zip(gradient).for_each(|(into, gradient)| *into += *gradient * share);
            }
        }
    }
}

impl Last {
    pub fn forward<E: Copy>(&self, x: &[E], out: &mut [E]) {
        let before = (self.places - 1) * self.channels;
        for (x, out) in x.chunks_exact(self.places * self.channels).zip(out.chunks_exact_mut(self.channels)) {
            out.copy_from_slice(&x[before..]);
        }
    }

    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let Some(into) = &mut into.x else { return };
        let before = (self.places - 1) * self.channels;
        let rows = into.chunks_exact_mut(self.places * self.channels);
        for (into, gradient) in rows.zip(known.gradient.chunks_exact(self.channels)) {
            into[before..].iter_mut().zip(gradient).for_each(|(into, gradient)| *into += *gradient);
        }
    }
}
