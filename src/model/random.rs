//! Chance from a seed, by an algorithm that no library upgrade changes: ChaCha8 words, and our own few lines from words to
//! numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::base::Hash;

/// A seed for one purpose (`mlp/weights`, `search/3`) out of another: streams of different purposes share nothing.
pub fn seed_of(seed: u64, purpose: &str) -> u64 {
    let hash = Hash::of(&(seed, purpose)).to_string();
    u64::from_str_radix(&hash[..16], 16).expect("a hash is written in hexadecimal digits")
}

/// A stream of chance.
pub struct Stream(ChaCha8Rng);

impl Stream {
    pub fn new(seed: u64) -> Stream {
        Stream(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn for_purpose(seed: u64, purpose: &str) -> Stream {
        Stream::new(seed_of(seed, purpose))
    }

    /// In 0..1, with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number in `0..count`; `count` is at least 1. Multiply-shift: its bias is below 2⁻³² for the counts of rows.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut stream = Stream::for_purpose(7, "test");
        let drawn: Vec<usize> = (0..6).map(|_| stream.below(100)).collect();
        assert_eq!(drawn, [65, 2, 41, 7, 8, 90]);
        assert_ne!(seed_of(7, "test"), seed_of(7, "text"));
    }

    #[test]
    fn normals_have_mean_0_and_variance_1() {
        let mut stream = Stream::new(1);
        let drawn: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..50).collect();
        Stream::new(3).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
