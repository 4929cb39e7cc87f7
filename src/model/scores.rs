//! From a model's raw scores to probabilities. Maths functions are libm's own, which give equal bits on every platform.

/// Softmax in place.
pub fn softmax(scores: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::expf(*score - top);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

pub fn sigmoid(score: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-score))
}

/// In double precision, for training.
pub fn sigmoid64(score: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-score))
}

/// The largest; the first of equals.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_survive_large_scores() {
        let mut scores = [1000.0, 1001.0, -1000.0];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((scores[1] - 0.731_058_6).abs() < 1e-6);
        assert_eq!((sigmoid(1000.0), sigmoid(-1000.0)), (1.0, 0.0));
        assert_eq!(argmax(&[0.2, 0.4, 0.4]), 1);
    }
}
