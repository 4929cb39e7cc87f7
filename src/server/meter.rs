//! What the server counts itself: requests by task and status, and how long they took.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::base::Name;

/// Upper ends of the buckets, in microseconds.
const BUCKETS_US: [u64; 12] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_000_000];

/// Every status that a prediction can end in.
const STATUSES: [u16; 8] = [200, 400, 404, 408, 413, 429, 500, 503];

/// By task; requests for unknown tasks share one meter, so that clients cannot make it grow.
#[derive(Debug, Default)]
pub struct Meters {
    tasks: RwLock<BTreeMap<Name, Arc<Meter>>>,
    unknown: Arc<Meter>,
}

#[derive(Debug, Default)]
pub struct Meter {
    /// Requests by bucket, the last being the slowest.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_us: AtomicU64,
    statuses: [AtomicU64; STATUSES.len()],
    rows: AtomicU64,
}

impl Meters {
    pub fn of(&self, task: &Name) -> Arc<Meter> {
        if let Some(meter) = self.tasks.read().unwrap_or_else(PoisonError::into_inner).get(task) {
            return meter.clone();
        }
        self.tasks.write().unwrap_or_else(PoisonError::into_inner).entry(task.clone()).or_default().clone()
    }

    pub fn unknown(&self) -> &Meter {
        &self.unknown
    }

    /// In the text format of Prometheus.
    pub fn write(&self, out: &mut String) {
        let tasks = self.tasks.read().unwrap_or_else(PoisonError::into_inner);
        let all = || tasks.iter().map(|(name, meter)| (name.as_str(), meter)).chain([("", &self.unknown)]);
        out.push_str("# HELP mliot_http_requests_total Requests for predictions, by task (empty: no such task) and status.\n");
        out.push_str("# TYPE mliot_http_requests_total counter\n");
        for (task, meter) in all() {
            for (status, count) in STATUSES.iter().zip(&meter.statuses) {
                if count.load(Relaxed) > 0 {
                    let _ = writeln!(
                        out,
                        "mliot_http_requests_total{{task=\"{task}\",status=\"{status}\"}} {}",
                        count.load(Relaxed)
                    );
                }
            }
        }
        out.push_str("# HELP mliot_http_rows_total Rows answered.\n# TYPE mliot_http_rows_total counter\n");
        for (task, meter) in &*tasks {
            let _ = writeln!(out, "mliot_http_rows_total{{task=\"{task}\"}} {}", meter.rows.load(Relaxed));
        }
        out.push_str("# HELP mliot_http_request_seconds From the request's head to the answer.\n");
        out.push_str("# TYPE mliot_http_request_seconds histogram\n");
        tasks.iter().for_each(|(task, meter)| meter.write_histogram(task, out));
    }
}

impl Meter {
    pub fn note(&self, status: u16, rows: usize, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_US.partition_point(|end| *end < us);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
        self.rows.fetch_add(rows as u64, Relaxed);
        if let Some(nth) = STATUSES.iter().position(|known| *known == status) {
            self.statuses[nth].fetch_add(1, Relaxed);
        }
    }

    fn write_histogram(&self, task: &str, out: &mut String) {
        let mut sum = 0;
        for (end, count) in BUCKETS_US.iter().map(|us| (*us as f64 / 1e6).to_string()).chain(["+Inf".into()]).zip(&self.buckets)
        {
            sum += count.load(Relaxed);
            let _ = writeln!(out, "mliot_http_request_seconds_bucket{{task=\"{task}\",le=\"{end}\"}} {sum}");
        }
        let seconds = self.sum_us.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "mliot_http_request_seconds_sum{{task=\"{task}\"}} {seconds}");
        let _ = writeln!(out, "mliot_http_request_seconds_count{{task=\"{task}\"}} {sum}");
    }
}
