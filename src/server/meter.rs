//! What the server counts itself: requests by task and status, and how long they took.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::base::Name;

/// Upper ends of the buckets, in microseconds.
const BUCKETS_US: [u64; 12] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_000_000];

/// Every status that a request can end in.
const STATUSES: [u16; 11] = [200, 202, 400, 403, 404, 405, 408, 413, 429, 500, 503];

/// What the counts of one kind of request are called.
#[derive(Debug)]
pub struct Kind {
    /// Begins the names of its counts.
    prefix: &'static str,
    /// The label: by what they are counted.
    by: &'static str,
    requests: &'static str,
    rows: &'static str,
}

pub const PREDICTIONS: Kind = Kind {
    prefix: "mliot_http",
    by: "task",
    requests: "Requests for predictions, by task (empty: no such task) and status.",
    rows: "Rows answered.",
};

pub const ROWS_IN: Kind = Kind {
    prefix: "mliot_http_in",
    by: "source",
    requests: "Requests that bring rows, by source and status.",
    rows: "Rows taken.",
};

/// By task or source; requests for unknown ones share one meter, so that clients cannot make it grow.
#[derive(Debug)]
pub struct Meters {
    kind: &'static Kind,
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
    pub fn new(kind: &'static Kind) -> Meters {
        Meters { kind, tasks: RwLock::default(), unknown: Arc::default() }
    }

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
        let Kind { prefix, by, requests, rows } = self.kind;
        let tasks = self.tasks.read().unwrap_or_else(PoisonError::into_inner);
        let all = || tasks.iter().map(|(name, meter)| (name.as_str(), meter)).chain([("", &self.unknown)]);
        let _ = writeln!(out, "# HELP {prefix}_requests_total {requests}\n# TYPE {prefix}_requests_total counter");
        for (task, meter) in all() {
            for (status, count) in STATUSES.iter().zip(&meter.statuses).filter(|(_, count)| count.load(Relaxed) > 0) {
                let count = count.load(Relaxed);
                let _ = writeln!(out, "{prefix}_requests_total{{{by}=\"{task}\",status=\"{status}\"}} {count}");
            }
        }
        let _ = writeln!(out, "# HELP {prefix}_rows_total {rows}\n# TYPE {prefix}_rows_total counter");
        for (task, meter) in &*tasks {
            let _ = writeln!(out, "{prefix}_rows_total{{{by}=\"{task}\"}} {}", meter.rows.load(Relaxed));
        }
        let _ = writeln!(out, "# HELP {prefix}_request_seconds From the request's head to the answer.");
        let _ = writeln!(out, "# TYPE {prefix}_request_seconds histogram");
        tasks.iter().for_each(|(task, meter)| meter.write_histogram(self.kind, task, out));
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

    fn write_histogram(&self, kind: &Kind, task: &str, out: &mut String) {
        let Kind { prefix, by, .. } = kind;
        let mut sum = 0;
        for (end, count) in BUCKETS_US.iter().map(|us| (*us as f64 / 1e6).to_string()).chain(["+Inf".into()]).zip(&self.buckets)
        {
            sum += count.load(Relaxed);
            let _ = writeln!(out, "{prefix}_request_seconds_bucket{{{by}=\"{task}\",le=\"{end}\"}} {sum}");
        }
        let seconds = self.sum_us.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{prefix}_request_seconds_sum{{{by}=\"{task}\"}} {seconds}");
        let _ = writeln!(out, "{prefix}_request_seconds_count{{{by}=\"{task}\"}} {sum}");
    }
}
