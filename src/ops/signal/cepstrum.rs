//! Mel-frequency cepstral coefficients (Davis and Mermelstein 1980): the shape of a sound's spectrum, as the ear divides it.

use std::f64::consts::PI;

use super::spectrum::transform;

/// Bands on the mel scale, from 0 to half the sample rate.
pub(super) const BANDS: usize = 26;

/// A frame, and how far the next one begins behind it.
const FRAME_S: f64 = 0.025;
const HOP_S: f64 = 0.010;

/// Below this a band counts as silent, so that its logarithm exists.
const SILENCE: f64 = 1e-10;

/// How coefficients are made of samples at one rate. The frames of a run are divided into `stretches` parts of equal length, and
/// the coefficients of each part are the means over its frames; so runs of any length give equally many numbers.
#[derive(Clone, Debug)]
pub(in super::super) struct Cepstrum {
    coefficients: usize,
    stretches: usize,
    frame: usize,
    hop: usize,
    /// Of the transform: the next power of two.
    length: usize,
    taper: Vec<f64>,
    /// By band: its first bin and the weights from there on.
    bands: Vec<(usize, Vec<f64>)>,
}

impl Cepstrum {
    pub fn new(coefficients: usize, stretches: usize, rate_hz: f64) -> Cepstrum {
        let frame = ((rate_hz * FRAME_S).round() as usize).max(2);
        let hop = ((rate_hz * HOP_S).round() as usize).max(1);
        let length = frame.next_power_of_two();
        // Hamming's.
        let taper = (0..frame).map(|n| 0.54 - 0.46 * (2.0 * PI * n as f64 / (frame - 1) as f64).cos()).collect();
        let bands = bands(rate_hz, length);
        Cepstrum { coefficients: coefficients.min(BANDS), stretches: stretches.max(1), frame, hop, length, taper, bands }
    }

    /// Stretch by stretch the coefficients; none without samples. A run shorter than a frame is filled up with zeros.
    pub fn of(&self, samples: &[f64]) -> Option<Vec<f64>> {
        if samples.is_empty() {
            return None;
        }
        let frames = 1 + samples.len().saturating_sub(self.frame) / self.hop;
        let mut out = Vec::with_capacity(self.stretches * self.coefficients);
        for nth in 0..self.stretches {
            let from = nth * frames / self.stretches;
            let to = ((nth + 1) * frames / self.stretches).max(from + 1);
            let mut sums = vec![0.0; self.coefficients];
            for frame in from..to {
                let start = (frame * self.hop).min(samples.len());
                let end = (start + self.frame).min(samples.len());
                sums.iter_mut().zip(self.frame(&samples[start..end])).for_each(|(sum, value)| *sum += value);
            }
            out.extend(sums.into_iter().map(|sum| sum / (to - from) as f64));
        }
        Some(out)
    }

    fn frame(&self, samples: &[f64]) -> Vec<f64> {
        let mut tapered: Vec<f64> = samples.iter().zip(&self.taper).map(|(x, weight)| x * weight).collect();
        tapered.resize(self.length, 0.0);
        let power: Vec<f64> = transform(tapered).iter().map(|bin| bin.norm_sqr() / self.length as f64).collect();
        let band =
            |(first, weights): &(usize, Vec<f64>)| -> f64 { weights.iter().zip(&power[*first..]).map(|(w, p)| w * p).sum() };
        let logs: Vec<f64> = self.bands.iter().map(|one| band(one).max(SILENCE).ln()).collect();
        (0..self.coefficients).map(|nth| cosine(&logs, nth)).collect()
    }
}

/// The nth value of the orthonormal cosine transform (DCT-II).
fn cosine(values: &[f64], nth: usize) -> f64 {
    let count = values.len() as f64;
    let angle = |at: usize| PI * nth as f64 * (2.0 * at as f64 + 1.0) / (2.0 * count);
    let sum: f64 = values.iter().enumerate().map(|(at, value)| value * angle(at).cos()).sum();
    sum * (if nth == 0 { 1.0 / count } else { 2.0 / count }).sqrt()
}

/// Triangles that overlap by half, equally wide on the mel scale.
fn bands(rate_hz: f64, length: usize) -> Vec<(usize, Vec<f64>)> {
    let top = mel(rate_hz / 2.0);
    let edge = |nth: usize| hertz(top * nth as f64 / (BANDS + 1) as f64);
    let hz = |bin: usize| bin as f64 * rate_hz / length as f64;
    let band = |nth: usize| {
        let (low, centre, high) = (edge(nth), edge(nth + 1), edge(nth + 2));
        let weight = |hz: f64| ((hz - low) / (centre - low)).min((high - hz) / (high - centre)).max(0.0);
        let weights: Vec<f64> = (0..=length / 2).map(|bin| weight(hz(bin))).collect();
        let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(0);
        let last = weights.iter().rposition(|weight| *weight > 0.0).map_or(first, |last| last + 1);
        (first, weights[first..last].to_vec())
    };
    (0..BANDS).map(band).collect()
}

/// The formula of HTK.
fn mel(hz: f64) -> f64 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn hertz(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}
