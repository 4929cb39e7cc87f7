//! Rows a second, as a mean over the last seconds, so that whoever looks once sees them too.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::runtime::NodeReport;
use crate::server::Rates;

/// Over how long a rate is a mean.
const OVER: Duration = Duration::from_secs(5);
/// Between two samples.
const EVERY: Duration = Duration::from_millis(500);

/// Counts at moments of the last seconds, oldest first.
#[derive(Debug, Default)]
pub struct Samples(VecDeque<Sample>);

#[derive(Debug)]
struct Sample {
    at: Instant,
    rows: u64,
    /// Input rows by node.
    nodes: BTreeMap<String, u64>,
}

impl Samples {
    pub fn note(&mut self, at: Instant, rows: u64, nodes: &[NodeReport]) {
        if self.0.back().is_some_and(|last| at < last.at + EVERY) {
            return;
        }
        let nodes = nodes.iter().map(|node| (node.name.clone(), node.input)).collect();
        self.0.push_back(Sample { at, rows, nodes });
        // One older than the window stays, so that the window is full.
        while self.0.get(1).is_some_and(|second| second.at + OVER <= at) {
            self.0.pop_front();
        }
    }

    /// Of now against the oldest sample. A node that is new since then has its rows since it was first seen.
    pub fn rates(&self, now: Instant, rows: u64, nodes: &[NodeReport]) -> Rates {
        let Some(oldest) = self.0.front() else { return Rates::default() };
        let over = now.saturating_duration_since(oldest.at).as_secs_f64();
        if over <= 0.0 {
            return Rates::default();
        }
        let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / over;
        let before = |name: &str| self.0.iter().find_map(|sample| sample.nodes.get(name)).copied();
        let rate = |node: &NodeReport| (node.name.clone(), per_s(node.input, before(&node.name).unwrap_or(node.input)));
        Rates { over_s: over, rows_per_s: per_s(rows, oldest.rows), nodes: nodes.iter().map(rate).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(input: u64) -> Vec<NodeReport> {
        let (dropped, noted) = Default::default();
        vec![NodeReport { name: "air/where".into(), input, passed: input, absorbed: 0, dropped, out: input, noted }]
    }

    #[test]
    fn a_rate_is_a_mean_over_the_last_seconds() {
        let (begun, mut samples) = (Instant::now(), Samples::default());
        let at = |ms: u64| begun + Duration::from_millis(ms);
        // A burst at first, then ten rows a second.
        for tick in 0..200 {
            samples.note(at(100 * tick), 1_000 + tick, &node(tick));
        }
        let rates = samples.rates(at(20_000), 1_200, &node(200));
        assert!((rates.rows_per_s - 10.0).abs() < 0.5, "{rates:?}");
        assert!((rates.nodes["air/where"] - 10.0).abs() < 0.5, "{rates:?}");
        assert!((5.0..=6.0).contains(&rates.over_s), "{rates:?}");
        assert!(samples.0.len() <= 13, "{}", samples.0.len());
    }

    #[test]
    fn nothing_that_was_seen_once_has_a_rate() {
        let (begun, mut samples) = (Instant::now(), Samples::default());
        assert_eq!(samples.rates(begun, 7, &node(7)), Rates::default());
        samples.note(begun, 7, &[]);
        assert_eq!(samples.rates(begun + Duration::from_secs(1), 9, &node(9)).nodes["air/where"], 0.0);
    }
}
