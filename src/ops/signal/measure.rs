//! Which function of a run of samples is meant, with its settings.

use super::cepstrum::Cepstrum;
use super::spectrum::Spectrum;
use super::stats;

/// A function of a run of samples.
#[derive(Clone, Debug)]
pub(in super::super) enum Measure {
    Rms,
    ZeroCrossings,
    PeakToPeak,
    Crest,
    Kurtosis,
    Skewness,
    Entropy { bins: usize },
    Energy,
    BandPower { low_hz: f64, high_hz: f64, rate_hz: f64 },
    DominantFrequency { rate_hz: f64 },
    SpectralCentroid { rate_hz: f64 },
    Autocorrelation { lag: usize },
    Mfcc(Cepstrum),
}

/// What it gives; none where it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Number {
    None,
    Whole(i64),
    One(f64),
    Many(Vec<f32>),
}

impl Measure {
    /// By the function's name, with the values of its settings in the order of its declaration; none where they do not fit.
    pub fn new(name: &str, settings: &[f64]) -> Option<Measure> {
        let whole = |value: f64| (value >= 0.0 && value <= u32::MAX.into()).then_some(value as usize);
        Some(match (name, settings) {
            ("rms", []) => Measure::Rms,
            ("zero_crossings", []) => Measure::ZeroCrossings,
            ("peak_to_peak", []) => Measure::PeakToPeak,
            ("crest", []) => Measure::Crest,
            ("kurtosis", []) => Measure::Kurtosis,
            ("skewness", []) => Measure::Skewness,
            ("entropy", [bins]) => Measure::Entropy { bins: whole(*bins)? },
            ("energy", []) => Measure::Energy,
            ("band_power", [low_hz, high_hz, rate_hz]) => {
                Measure::BandPower { low_hz: *low_hz, high_hz: *high_hz, rate_hz: *rate_hz }
            }
            ("dominant_frequency", [rate_hz]) => Measure::DominantFrequency { rate_hz: *rate_hz },
            ("spectral_centroid", [rate_hz]) => Measure::SpectralCentroid { rate_hz: *rate_hz },
            ("autocorrelation", [lag]) => Measure::Autocorrelation { lag: whole(*lag)? },
            ("mfcc", [coefficients, stretches, rate_hz]) => {
                Measure::Mfcc(Cepstrum::new(whole(*coefficients)?, whole(*stretches)?, *rate_hz))
            }
            _ => return None,
        })
    }

    pub fn of(&self, samples: &[f64]) -> Number {
        let spectrum = |rate_hz: f64| Spectrum::of(samples, rate_hz);
        let one = match self {
            Measure::Rms => stats::rms(samples),
            Measure::PeakToPeak => stats::peak_to_peak(samples),
            Measure::Crest => stats::crest(samples),
            Measure::Kurtosis => stats::kurtosis(samples),
            Measure::Skewness => stats::skewness(samples),
            Measure::Entropy { bins } => stats::entropy(samples, *bins),
            Measure::Energy => stats::energy(samples),
            Measure::BandPower { low_hz, high_hz, rate_hz } => spectrum(*rate_hz).map(|it| it.band_power(*low_hz, *high_hz)),
            Measure::DominantFrequency { rate_hz } => spectrum(*rate_hz).and_then(|it| it.dominant()),
            Measure::SpectralCentroid { rate_hz } => spectrum(*rate_hz).and_then(|it| it.centroid(samples.len())),
            Measure::Autocorrelation { lag } => stats::autocorrelation(samples, *lag),
            Measure::ZeroCrossings => return stats::zero_crossings(samples).map_or(Number::None, Number::Whole),
            Measure::Mfcc(cepstrum) => return many(cepstrum.of(samples)),
        };
        one.filter(|value| value.is_finite()).map_or(Number::None, Number::One)
    }
}

fn many(values: Option<Vec<f64>>) -> Number {
    let narrow: Option<Vec<f32>> = values.map(|values| values.into_iter().map(|value| value as f32).collect());
    match narrow.filter(|values| values.iter().all(|value| value.is_finite())) {
        Some(values) => Number::Many(values),
        None => Number::None,
    }
}
