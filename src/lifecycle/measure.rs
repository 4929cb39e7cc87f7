//! What a model costs where it serves: time per row, memory, size.

use std::time::Instant;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::ir::{Found, Metric, ModelCost};
use crate::model::{BundleError, Fitted};
use crate::node::Predictor;

use super::counted;

const WARM_UP_ROWS: usize = 100;
const LATENCY_ROWS: usize = 500;
/// How often each row is timed.
const LATENCY_ROUNDS: usize = 3;
const MEMORY_ROWS: usize = 1_000;

/// Of one fitted task on one thread, preprocessing and model, one row at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// In seconds.
    pub latency_p50: f64,
    pub latency_p99: f64,
    /// Peak bytes allocated while it was loaded and answered 1,000 rows.
    pub memory: u64,
    /// Bytes of its bundle.
    pub size: u64,
}

impl Measured {
    /// In the metric's own unit; None for what is not measured here.
    pub fn figure(&self, metric: &Metric) -> Option<f64> {
        match metric.kind.facts().found {
            Found::Model(ModelCost::LatencyP50) => Some(self.latency_p50),
            Found::Model(ModelCost::LatencyP99) => Some(self.latency_p99),
            Found::Model(ModelCost::Memory) => Some(self.memory as f64),
            Found::Model(ModelCost::Size) => Some(self.size as f64),
            Found::Answers | Found::NotYet => None,
        }
    }
}

/// Loads `bundle` and lets it answer single rows of `features`, over and over from the first.
pub fn measure(bundle: &[u8], features: &RecordBatch) -> Result<Measured, BundleError> {
    let rows: Vec<RecordBatch> = (0..features.num_rows().min(MEMORY_ROWS)).map(|row| features.slice(row, 1)).collect();
    let (loaded, counted) = counted(|| {
        let fitted = Fitted::from_bytes(bundle, "")?;
        for row in rows.iter().cycle().take(if rows.is_empty() { 0 } else { MEMORY_ROWS }) {
            fitted.predict(row).map_err(|error| BundleError(error.message))?;
        }
        Ok(fitted)
    });
    let fitted = loaded?;
    let (latency_p50, latency_p99) = latency(&fitted, &rows);
    Ok(Measured { latency_p50, latency_p99, memory: counted.peak, size: bundle.len() as u64 })
}

/// In seconds.
fn latency(fitted: &Fitted, rows: &[RecordBatch]) -> (f64, f64) {
    if rows.is_empty() {
        return (0.0, 0.0);
    }
    let time = |row: &RecordBatch| {
        let start = Instant::now();
        let answer = fitted.predict(row);
        let seconds = start.elapsed().as_secs_f64();
        std::hint::black_box(answer.is_ok());
        seconds
    };
    for row in rows.iter().cycle().take(WARM_UP_ROWS) {
        time(row);
    }
    // Each row's fastest time: what a row costs by itself stays, what other work on the machine adds goes.
    let mut fastest = vec![f64::INFINITY; LATENCY_ROWS];
    for _ in 0..LATENCY_ROUNDS {
        for (fastest, row) in fastest.iter_mut().zip(rows.iter().cycle()) {
            *fastest = fastest.min(time(row));
        }
    }
    fastest.sort_unstable_by(f64::total_cmp);
    (fastest[LATENCY_ROWS / 2], fastest[LATENCY_ROWS * 99 / 100])
}
