//! Against NumPy and SciPy (`tests/reference.py` made the values), and what holds for any samples.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::spectrum::Spectrum;
use super::{Measure, Number, stats};

#[derive(Deserialize)]
struct Run {
    name: String,
    samples: Vec<f64>,
    measures: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    function: String,
    settings: Vec<f64>,
    value: Value,
}

fn is_close(found: f64, wanted: f64, within: f64) -> bool {
    (found - wanted).abs() <= within * wanted.abs().max(1.0)
}

#[test]
fn measures_are_what_numpy_and_scipy_give() {
    let runs: Vec<Run> = serde_json::from_str(include_str!("tests/reference.json")).unwrap();
    let mut compared = 0;
    for run in &runs {
        for Measured { function, settings, value } in &run.measures {
            let found = Measure::new(function, settings).unwrap().of(&run.samples);
            let agrees = match &found {
                Number::None => false,
                Number::Whole(found) => value.as_i64() == Some(*found),
                Number::One(found) => is_close(*found, value.as_f64().unwrap(), 1e-9),
                Number::Many(found) => {
                    let wanted: Vec<f64> = serde_json::from_value(value.clone()).unwrap();
                    found.len() == wanted.len()
                        && found.iter().zip(wanted).all(|(found, wanted)| is_close(f64::from(*found), wanted, 1e-5))
                }
            };
            assert!(agrees, "{} {function}{settings:?} of {}: {found:?}, not {value}", run.samples.len(), run.name);
            compared += 1;
        }
    }
    assert!(compared >= 60, "only {compared} values were compared");
}

#[test]
fn what_does_not_exist_is_none() {
    let of = |name: &str, settings: &[f64], samples: &[f64]| Measure::new(name, settings).unwrap().of(samples);
    for (name, settings) in [("rms", &[][..]), ("energy", &[]), ("entropy", &[10.0]), ("mfcc", &[13.0, 1.0, 8000.0])] {
        assert_eq!(of(name, settings, &[]), Number::None, "{name} of nothing");
    }
    for (name, settings) in [
        ("crest", &[][..]),
        ("kurtosis", &[]),
        ("skewness", &[]),
        ("dominant_frequency", &[50.0]),
        ("spectral_centroid", &[50.0]),
        ("autocorrelation", &[1.0]),
    ] {
        assert_eq!(of(name, settings, &[0.0; 8]), Number::None, "{name} of silence");
    }
    assert_eq!(of("entropy", &[10.0], &[2.5; 8]), Number::One(0.0));
    assert_eq!(of("band_power", &[1.0, 2.0, 50.0], &[3.0]), Number::None);
    assert_eq!(of("autocorrelation", &[3.0], &[1.0, 2.0, 4.0]), Number::None);
    assert_eq!(of("rms", &[], &[f64::MAX, f64::MAX]), Number::None);
}

#[test]
fn settings_that_do_not_fit_make_no_measure() {
    assert!(Measure::new("entropy", &[-1.0]).is_none());
    assert!(Measure::new("rms", &[1.0]).is_none());
    assert!(Measure::new("loudness", &[]).is_none());
}

#[test]
fn many_lengths_do_not_pile_up() {
    for length in 2..200 {
        let samples: Vec<f64> = (0..length).map(|n| f64::from(n % 5)).collect();
        let spectrum = Spectrum::of(&samples, 10.0).unwrap();
        assert_eq!(spectrum.power.len(), samples.len() / 2 + 1);
    }
}

proptest! {
    /// Parseval: the power of all frequencies is the variance.
    #[test]
    fn the_power_of_all_bands_is_the_variance(samples in prop::collection::vec(-1e3..1e3f64, 2..300)) {
        let mean = stats::mean(&samples).unwrap();
        let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / samples.len() as f64;
        let spectrum = Spectrum::of(&samples, 100.0).unwrap();
        prop_assert!(is_close(spectrum.band_power(0.0, 50.0), variance, 1e-9));
    }

    #[test]
    fn nothing_that_is_finite_makes_a_measure_panic(samples in prop::collection::vec(any::<f64>(), 0..60)) {
        let samples: Vec<f64> = samples.into_iter().filter(|x| x.is_finite()).collect();
        for (name, settings) in [
            ("rms", &[][..]), ("zero_crossings", &[]), ("peak_to_peak", &[]), ("crest", &[]), ("kurtosis", &[]),
            ("skewness", &[]), ("entropy", &[10.0]), ("energy", &[]), ("band_power", &[1.0, 5.0, 50.0]),
            ("dominant_frequency", &[50.0]), ("spectral_centroid", &[50.0]), ("autocorrelation", &[3.0]),
            ("mfcc", &[13.0, 3.0, 1000.0]),
        ] {
            match Measure::new(name, settings).unwrap().of(&samples) {
                Number::One(value) => prop_assert!(value.is_finite(), "{name}"),
                Number::Many(values) => prop_assert!(values.len() == 39 && values.iter().all(|value| value.is_finite())),
                Number::None | Number::Whole(_) => {}
            }
        }
    }
}
