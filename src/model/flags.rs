//! From how unusual a row is to a score in 0..1, and to an alarm.

use serde::{Deserialize, Serialize};

/// So many scores of training rows are kept, evenly spaced from the least to the greatest.
const KEPT_MAX: usize = 1_001;

/// What a detector learned of its own scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flags {
    /// Rising; raw, as the model gives them. At least one.
    kept: Vec<f32>,
    /// A row is an anomaly if its score is greater.
    threshold: f32,
}

impl Flags {
    /// From the raw scores of training rows. Where the truth is known of some anomaly among them, the threshold is the one with
    /// the best F1 of these rows; else the share `flag` of them is above it. None without scores.
    pub fn learn(raw: &[f32], truth: &[Option<bool>], flag: f64) -> Option<Flags> {
        let mut sorted = raw.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let steps = last.min(KEPT_MAX - 1);
        let kept = (0..=steps).map(|step| sorted[step * last / steps.max(1)]).collect();
        let mut flags = Flags { kept, threshold: (1.0 - flag) as f32 };
        let known = raw.iter().zip(truth).filter_map(|(raw, truth)| Some((flags.score(*raw), (*truth)?)));
        let mut known: Vec<(f32, bool)> = known.collect();
        if let Some(threshold) = best_threshold(&mut known) {
            flags.threshold = threshold;
        }
        Some(flags)
    }

    /// The share of training rows that are no more unusual: 1 from the most unusual of them on.
    pub fn score(&self, raw: f32) -> f32 {
        let last = self.kept.len() - 1;
        match self.kept.partition_point(|kept| *kept <= raw) {
            0 => 0.0,
            above if above > last => 1.0,
            above => {
                let (low, high) = (self.kept[above - 1], self.kept[above]);
                ((above - 1) as f32 + (raw - low) / (high - low)) / last as f32
            }
        }
    }

    pub fn is_flagged(&self, score: f32) -> bool {
        score > self.threshold
    }

    pub fn threshold(&self) -> f32 {
        self.threshold
    }
}

/// Of scores with their truth; of equals the highest, which alarms least. None where no row is an anomaly.
fn best_threshold(known: &mut [(f32, bool)]) -> Option<f32> {
    let anomalies = known.iter().filter(|(_, truth)| *truth).count();
    known.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut hits, mut best) = (0, None);
    for (at, (score, truth)) in known.iter().enumerate() {
        hits += usize::from(*truth);
        let next = known.get(at + 1).map_or(0.0, |(next, _)| *next);
        if next == *score {
            continue;
        }
        // 2 · hits / (alarms + anomalies) is F1.
        let f1 = 2.0 * hits as f64 / (at + 1 + anomalies) as f64;
        if hits > 0 && best.is_none_or(|(best, _)| f1 > best) {
            best = Some((f1, (score + next) / 2.0));
        }
    }
    best.map(|(_, threshold)| threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_rank_among_training_rows() {
        let flags = Flags::learn(&[3.0, 1.0, 2.0, 5.0, 4.0], &[None; 5], 0.25).unwrap();
        let scores = [0.0, 1.0, 2.5, 4.9, 5.0, 99.0].map(|raw| flags.score(raw));
        assert_eq!(scores, [0.0, 0.0, 0.375, 0.975, 1.0, 1.0]);
        assert_eq!(scores.map(|score| flags.is_flagged(score)), [false, false, false, true, true, true]);
        assert_eq!(Flags::learn(&[], &[], 0.01), None);
        assert_eq!(Flags::learn(&[2.0], &[None], 0.01).unwrap().score(2.0), 1.0);
    }

    #[test]
    fn the_share_of_rows_that_is_asked_for_is_flagged() {
        let raw: Vec<f32> = (0..20_000).map(|row| ((row * 7_919) % 20_011) as f32).collect();
        let flags = Flags::learn(&raw, &vec![None; raw.len()], 0.01).unwrap();
        let flagged = raw.iter().filter(|raw| flags.is_flagged(flags.score(**raw))).count();
        assert!((195..=205).contains(&flagged), "{flagged}");
    }

    #[test]
    fn truth_moves_the_threshold_to_where_it_tells_best() {
        let raw = [1.0, 2.0, 3.0, 4.0, 5.0];
        let told = |truth: [Option<bool>; 5]| Flags::learn(&raw, &truth, 0.01).unwrap().threshold();
        let (no, yes) = (Some(false), Some(true));
        assert_eq!(told([no, no, yes, no, yes]), 0.375, "three alarms, two right");
        assert_eq!(told([no, no, None, yes, yes]), 0.5, "halfway between rows that are known");
        assert_eq!(told([no, no, no, no, None]), 0.99, "no anomaly is known");
    }
}
