//! Statistics of the samples, whatever their order, and of neighbours.

pub(super) fn mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)
}

/// The sum of the squares.
pub(super) fn energy(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().map(|x| x * x).sum())
}

pub(super) fn rms(samples: &[f64]) -> Option<f64> {
    energy(samples).map(|energy| (energy / samples.len() as f64).sqrt())
}

pub(super) fn peak_to_peak(samples: &[f64]) -> Option<f64> {
    let (low, high) = range(samples)?;
    Some(high - low)
}

/// The largest distance from zero by the root mean square; none of silence.
pub(super) fn crest(samples: &[f64]) -> Option<f64> {
    let peak = samples.iter().fold(0.0f64, |peak, x| peak.max(x.abs()));
    rms(samples).filter(|rms| *rms > 0.0).map(|rms| peak / rms)
}

/// How often the sign changes; zeros have none and are passed over.
pub(super) fn zero_crossings(samples: &[f64]) -> Option<i64> {
    let signs = samples.iter().filter(|x| **x != 0.0).map(|x| *x > 0.0);
    let changes = signs.clone().zip(signs.skip(1)).filter(|(a, b)| a != b).count();
    (!samples.is_empty()).then_some(changes as i64)
}

/// The third standardised moment, of the samples as they are (biased); none where nothing varies.
pub(super) fn skewness(samples: &[f64]) -> Option<f64> {
    let (variance, third, _) = moments(samples)?;
    Some(third / variance.powf(1.5))
}

/// The fourth standardised moment less 3, which is 0 for the normal distribution (biased, as SciPy's); none where nothing varies.
pub(super) fn kurtosis(samples: &[f64]) -> Option<f64> {
    let (variance, _, fourth) = moments(samples)?;
    Some(fourth / (variance * variance) - 3.0)
}

/// Second, third and fourth central moment; none where nothing varies but by rounding.
fn moments(samples: &[f64]) -> Option<(f64, f64, f64)> {
    let mean = mean(samples)?;
    let count = samples.len() as f64;
    let (mut second, mut third, mut fourth) = (0.0, 0.0, 0.0);
    for x in samples {
        let d = x - mean;
        let squared = d * d;
        second += squared;
        third += squared * d;
        fourth += squared * squared;
    }
    let variance = second / count;
    let noise = mean.abs() * 1e-14;
    (variance.sqrt() > noise).then_some((variance, third / count, fourth / count))
}

/// Shannon's, in nats, of a histogram of equally wide bins from the smallest to the largest sample; 0 where nothing varies.
pub(super) fn entropy(samples: &[f64], bins: usize) -> Option<f64> {
    let (low, high) = range(samples)?;
    let mut counts = vec![0u64; bins.max(1)];
    let scale = counts.len() as f64 / (high - low);
    for x in samples {
        let bin = if scale.is_finite() { ((x - low) * scale) as usize } else { 0 };
        let last = counts.len() - 1;
        counts[bin.min(last)] += 1;
    }
    let total = samples.len() as f64;
    let part = |count: &u64| match *count {
        0 => 0.0,
        count => -(count as f64 / total) * (count as f64 / total).ln(),
    };
    Some(counts.iter().map(part).sum::<f64>().max(0.0))
}

/// The correlation with itself `lag` samples later, over the whole run (so that it shrinks as the lag grows); none where nothing
/// varies or the run is not longer than the lag.
pub(super) fn autocorrelation(samples: &[f64], lag: usize) -> Option<f64> {
    let mean = mean(samples).filter(|_| samples.len() > lag)?;
    let (variance, ..) = moments(samples)?;
    let products = samples.iter().zip(&samples[lag..]).map(|(a, b)| (a - mean) * (b - mean));
    Some(products.sum::<f64>() / (variance * samples.len() as f64))
}

fn range(samples: &[f64]) -> Option<(f64, f64)> {
    let first = *samples.first()?;
    Some(samples.iter().fold((first, first), |(low, high), x| (low.min(*x), high.max(*x))))
}
