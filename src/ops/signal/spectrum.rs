//! The power of a run of samples by frequency.

use std::cell::RefCell;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::stats::mean;

/// Transforms of so many different lengths are kept ready on a thread.
const LENGTHS_MAX: usize = 32;

/// The one-sided periodogram of the samples less their mean, without a taper: its bins add up to their variance.
pub(super) struct Spectrum {
    pub power: Vec<f64>,
    /// Between two bins, in Hz.
    step_hz: f64,
}

impl Spectrum {
    /// None of fewer than two samples.
    pub fn of(samples: &[f64], rate_hz: f64) -> Option<Spectrum> {
        let mean = mean(samples).filter(|_| samples.len() >= 2)?;
        let count = samples.len();
        let centred = samples.iter().map(|x| x - mean).collect();
        let scale = 1.0 / (count as f64 * count as f64);
        let both_sides = |bin: usize| if bin == 0 || 2 * bin == count { 1.0 } else { 2.0 };
        let bins = transform(centred);
        let power = bins.iter().enumerate().map(|(bin, x)| x.norm_sqr() * scale * both_sides(bin)).collect();
        Some(Spectrum { power, step_hz: rate_hz / count as f64 })
    }

    fn hz(&self, bin: usize) -> f64 {
        bin as f64 * self.step_hz
    }

    /// Of the bins from `low` to `high`, both ends included.
    pub fn band_power(&self, low: f64, high: f64) -> f64 {
        // A bin that rounding puts beside the end of the band belongs to it.
        let slack = self.step_hz * 1e-9;
        let inside = |(bin, _): &(usize, &f64)| (low - slack..=high + slack).contains(&self.hz(*bin));
        self.power.iter().enumerate().filter(inside).map(|(_, power)| power).sum()
    }

    /// The frequency with the most power, of equals the lowest; none where nothing varies.
    pub fn dominant(&self) -> Option<f64> {
        let strongest = |best: (usize, f64), (bin, power): (usize, &f64)| if *power > best.1 { (bin, *power) } else { best };
        let (bin, power) = self.power.iter().enumerate().skip(1).fold((0, 0.0), strongest);
        (power > 0.0).then(|| self.hz(bin))
    }

    /// The mean frequency, weighted by magnitude; none where nothing varies.
    pub fn centroid(&self, count: usize) -> Option<f64> {
        let single = |bin: usize, power: f64| if bin == 0 || 2 * bin == count { power } else { power / 2.0 };
        let (mut weighted, mut total) = (0.0, 0.0);
        for (bin, power) in self.power.iter().enumerate() {
            let magnitude = single(bin, *power).sqrt();
            weighted += self.hz(bin) * magnitude;
            total += magnitude;
        }
        (total > 0.0).then(|| weighted / total)
    }
}

/// The transform of real samples, half of it: the other half mirrors it.
pub(super) fn transform(mut samples: Vec<f64>) -> Vec<Complex<f64>> {
    let plan = plan(samples.len());
    let mut bins = plan.make_output_vec();
    plan.process(&mut samples, &mut bins).expect("both are of the length that was planned");
    bins
}

thread_local! {
    static PLANS: RefCell<Plans> = RefCell::new(Plans { planner: RealFftPlanner::new(), lengths: Vec::new() });
}

struct Plans {
    planner: RealFftPlanner<f64>,
    lengths: Vec<usize>,
}

/// Planning costs more than a transform, so plans are kept; when there are too many all are made anew.
fn plan(length: usize) -> Arc<dyn RealToComplex<f64>> {
    PLANS.with_borrow_mut(|plans| {
        if !plans.lengths.contains(&length) {
            if plans.lengths.len() == LENGTHS_MAX {
                *plans = Plans { planner: RealFftPlanner::new(), lengths: Vec::new() };
            }
            plans.lengths.push(length);
        }
        plans.planner.plan_fft_forward(length)
    })
}
