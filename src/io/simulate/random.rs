//! Numbers that look like chance and are a function of their place.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::base::Hash;

/// Random numbers of one purpose, such as one call of one column for one key: a fixed count for every tick, so that any tick's
/// can be drawn without those before it.
pub(super) struct Stream {
    numbers: ChaCha8Rng,
    /// Numbers of 64 bits for each tick.
    per_tick: u32,
    /// The tick that the generator stands at.
    at: u64,
}

impl Stream {
    /// `purpose` tells streams of one seed apart.
    pub fn new(seed: u64, purpose: &[&str], per_tick: u32) -> Stream {
        // A hash is written with 32 letters, which is as many bytes as the generator takes.
        let text = Hash::of(&(seed, purpose)).to_string();
        let mut key = [0; 32];
        key.copy_from_slice(text.as_bytes());
        Stream { numbers: ChaCha8Rng::from_seed(key), per_tick, at: 0 }
    }

    pub fn seek(&mut self, tick: u64) {
        if self.at != tick {
            self.numbers.set_word_pos(u128::from(tick) * u128::from(self.per_tick) * 2);
            self.at = tick;
        }
    }

    /// The only number of the next tick, in 0..1.
    pub fn unit(&mut self) -> f64 {
        debug_assert_eq!(self.per_tick, 1);
        self.at += 1;
        unit(self.numbers.next_u64())
    }

    /// The next tick's sum of twelve numbers, less six: normal to the eye, and built from additions alone, so that every
    /// machine gives the same bits (Irwin and Hall).
    pub fn normal(&mut self) -> f64 {
        debug_assert_eq!(self.per_tick, Stream::NORMAL);
        self.at += 1;
        let halves = |number: u64| (number >> 32) as f64 + (number & 0xffff_ffff) as f64;
        let sum: f64 = (0..Stream::NORMAL).map(|_| halves(self.numbers.next_u64())).sum();
        sum / 4_294_967_296.0 - 6.0
    }

    /// Numbers that `normal` takes for each tick.
    pub const NORMAL: u32 = 6;
}

/// 53 bits, as many as a double holds.
fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_has_its_numbers_wherever_one_begins() {
        let mut stream = Stream::new(7, &["co2", "lab"], 1);
        let all: Vec<f64> = (0..50).map(|_| stream.unit()).collect();
        for tick in [0, 1, 17, 49] {
            let mut other = Stream::new(7, &["co2", "lab"], 1);
            other.seek(tick);
            assert_eq!(other.unit(), all[tick as usize]);
        }
        assert_ne!(Stream::new(8, &["co2", "lab"], 1).unit(), all[0]);
        assert_ne!(Stream::new(7, &["co2", "hall"], 1).unit(), all[0]);
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut stream = Stream::new(1, &["x"], Stream::NORMAL);
        let all: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
