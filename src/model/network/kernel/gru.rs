//! A gated recurrent unit (Cho et al. 2014): what it remembers is carried from step to step, and comes out at each.
//!
//! `r = σ(x·Wr + h·Ur + br)`, `z = σ(x·Wz + h·Uz + bz)`, `n = tanh(x·Wn + r∘(h·Un) + bn)`, `h' = (1-z)∘n + z∘h`, from zeros.

use super::product::{View, add_product};
use super::simple::sigmoid;
use super::{Gradient, Known, Multiply, Number};

/// Its parameters are `W` (channels × 3 units, r, z and n side by side), `U` (units × 3 units) and the bias (3 units).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gru {
    pub steps: usize,
    pub channels: usize,
    pub units: usize,
}

/// What one step of one row came to.
struct Gates<E> {
    reset: Vec<E>,
    keep: Vec<E>,
    new: Vec<E>,
    /// `h·Un`.
    recalled: Vec<E>,
}

impl Gru {
    pub fn forward<E: Number>(&self, x: &[E], parameters: &[&[E]], out: &mut [E], multiply: Multiply<E>) {
        let (width, units) = (self.steps * self.channels, self.units);
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(self.steps * units)) {
            let inputs = self.inputs(x, parameters, multiply);
            let mut before = vec![E::zero(); units];
            for (step, out) in inputs.chunks_exact(3 * units).zip(out.chunks_exact_mut(units)) {
                let gates = self.gates(step, &before, parameters[1], multiply);
                for at in 0..units {
                    out[at] = (E::ONE - gates.keep[at]) * gates.new[at] + gates.keep[at] * before[at];
                }
                before.copy_from_slice(out);
            }
        }
    }

    /// Back through time. What was remembered stands in what came out; gates are calculated once more.
    pub fn backward<E: Number>(&self, known: &Known<'_, E>, into: &mut Gradient<'_, E>) {
        let (width, units) = (self.steps * self.channels, self.units);
        let rows = known.x.chunks_exact(width).zip(known.y.chunks_exact(self.steps * units));
        for (row, (x, y)) in rows.enumerate() {
            let gradient = &known.gradient[row * self.steps * units..][..self.steps * units];
            let summed = self.back_in_time(x, y, gradient, known.parameters, into);
            let by_step = View::whole(&summed, self.steps, 3 * units);
            add_product(into.parameters[0], View::whole(x, self.steps, self.channels).transposed(), by_step);
            for step in summed.chunks_exact(3 * units) {
                into.parameters[2].iter_mut().zip(step).for_each(|(sum, gradient)| *sum += *gradient);
            }
            if let Some(into) = &mut into.x {
                let weights = View::whole(known.parameters[0], self.channels, 3 * units);
                add_product(&mut into[row * width..][..width], by_step, weights.transposed());
            }
        }
    }

    /// Gradients of what the gates sum up, for every step; those of `U` are added on the way.
    fn back_in_time<E: Number>(
        &self,
        x: &[E],
        y: &[E],
        gradient: &[E],
        parameters: &[&[E]],
        into: &mut Gradient<'_, E>,
    ) -> Vec<E> {
        let units = self.units;
        let inputs = self.inputs(x, parameters, add_product);
        let mut summed = vec![E::zero(); self.steps * 3 * units];
        let mut later = vec![E::zero(); units];
        let nothing = vec![E::zero(); units];
        for step in (0..self.steps).rev() {
            let before = if step == 0 { &nothing[..] } else { &y[(step - 1) * units..step * units] };
            let gates = self.gates(&inputs[step * 3 * units..(step + 1) * 3 * units], before, parameters[1], add_product);
            let here = &mut summed[step * 3 * units..(step + 1) * 3 * units];
            // Of `h·U`: as of the sums, but for n, whose part goes through the reset gate.
            let mut recalled = vec![E::zero(); 3 * units];
            let mut earlier = vec![E::zero(); units];
            for at in 0..units {
                let (reset, keep, new) = (gates.reset[at], gates.keep[at], gates.new[at]);
                let whole = gradient[step * units + at] + later[at];
                let of_new = whole * (E::ONE - keep) * (E::ONE - new * new);
                let of_keep = whole * (before[at] - new) * keep * (E::ONE - keep);
                let of_reset = of_new * gates.recalled[at] * reset * (E::ONE - reset);
                here[at] = of_reset;
                here[units + at] = of_keep;
                here[2 * units + at] = of_new;
                recalled[at] = of_reset;
                recalled[units + at] = of_keep;
                recalled[2 * units + at] = of_new * reset;
                earlier[at] = whole * keep;
            }
            let recalled = View::whole(&recalled, 1, 3 * units);
            add_product(into.parameters[1], View::whole(before, 1, units).transposed(), recalled);
            add_product(&mut earlier, recalled, View::whole(parameters[1], units, 3 * units).transposed());
            later = earlier;
        }
        summed
    }

    /// `x·W + b` of every step.
    fn inputs<E: Number>(&self, x: &[E], parameters: &[&[E]], multiply: Multiply<E>) -> Vec<E> {
        let mut sums = parameters[2].repeat(self.steps);
        let weights = View::whole(parameters[0], self.channels, 3 * self.units);
        multiply(&mut sums, View::whole(x, self.steps, self.channels), weights);
        sums
    }

    fn gates<E: Number>(&self, inputs: &[E], before: &[E], recurrent: &[E], multiply: Multiply<E>) -> Gates<E> {
        let units = self.units;
        let mut recalled = vec![E::zero(); 3 * units];
        multiply(&mut recalled, View::whole(before, 1, units), View::whole(recurrent, units, 3 * units));
        let gate = |from: usize| (from..from + units).map(|at| sigmoid(inputs[at] + recalled[at])).collect::<Vec<E>>();
        let (reset, keep) = (gate(0), gate(units));
        let recalled = recalled.split_off(2 * units);
        let new = (0..units).map(|at| (inputs[2 * units + at] + reset[at] * recalled[at]).tanh()).collect();
        Gates { reset, keep, new, recalled }
    }
}
