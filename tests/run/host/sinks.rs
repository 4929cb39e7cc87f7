//! Sinks that cannot be written: nobody else waits, nothing is lost within the limits, and what is lost is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use mliot::diag::Code;
use mliot::host::{HostEvent, Limits, SharedParts, SinkLimits};
use mliot::io::{Keep, Position};
use mliot::ir;
use mliot::node::{Node, NodeError};
use mliot::plan::NodeSpec;
use mliot::runtime::{Deliver, Feed, Parts, Side, SourceSpec};

use super::bench::{Bench, Counting};

/// The real parts, but that the sink `stuck` fails so many times.
struct Faulty {
    parts: SharedParts,
    failures: Arc<AtomicUsize>,
}

struct Failing {
    outer: Box<dyn Deliver>,
    failures: Arc<AtomicUsize>,
}

impl Parts for Faulty {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.parts.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.parts.bad()
    }

    fn deliver(&self, sink: &NodeSpec, keep: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        let outer = self.parts.deliver(sink, keep)?;
        if sink.key.decl != "stuck" {
            return Ok(outer);
        }
        Ok(Box::new(Failing { outer, failures: self.failures.clone() }))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.parts.feed(source, side, from)
    }
}

impl Deliver for Failing {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), NodeError> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return Err(NodeError::new(Code::R0713, "the disk is full"));
        }
        self.outer.deliver(rows)
    }

    fn finish(&mut self) -> Result<(), NodeError> {
        self.outer.finish()
    }
}

fn pipeline(more: &str) -> String {
    format!(
        r#"
source room {{
  columns {{ at: time; co2: float<ppm> }}
  live simulate {{
    rows 1000 per 1s; seed 8
    columns {{ co2 = walk(400..900, step: 20) }}
  }}
  time at
}}

stream air = room | where co2 > 0
sink stuck = air | to jsonl("stuck.jsonl")
sink free  = air | to jsonl("free.jsonl")
{more}
"#
    )
}

fn bench(failures: usize, sinks: SinkLimits) -> (Bench, Arc<AtomicUsize>) {
    let failures = Arc::new(AtomicUsize::new(failures));
    let wrap = |parts| Arc::new(Faulty { parts, failures: failures.clone() }) as SharedParts;
    let bench = Bench::with(&pipeline(""), wrap, Limits { sinks, ..Limits::default() }, Arc::<Counting>::default());
    bench.started();
    (bench, failures)
}

#[test]
fn a_stuck_sink_holds_up_neither_the_others_nor_an_edit_and_loses_nothing() {
    let quick = SinkLimits { backoff_first: Duration::from_millis(5), retries_max: 1_000_000, ..SinkLimits::default() };
    let quick = SinkLimits { backoff_max: Duration::from_millis(20), ..quick };
    let (bench, failures) = bench(usize::MAX, quick);
    bench.wait_host("trouble", |event| match event {
        HostEvent::SinkTrouble { sink, .. } => (*sink == "stuck").then_some(()),
        _ => None,
    });
    bench.grows_to("free.jsonl", 500);
    bench.edit(&pipeline("sink more = air | to jsonl(\"more.jsonl\")"));
    bench.grows_to("more.jsonl", 500);
    assert!(bench.rows("stuck.jsonl").is_empty());
    failures.store(0, Ordering::SeqCst);
    bench.wait_host("recovery", |event| matches!(event, HostEvent::SinkRecovered { .. }).then_some(()));
    let (summary, folder) = bench.end();
    let lines = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap().lines().count() as u64;
    assert_eq!((summary.undelivered, lines("stuck.jsonl")), (0, summary.status.rows_in));
    assert_eq!(lines("free.jsonl"), summary.status.rows_in);
    let stuck = summary.status.sinks.iter().find(|sink| sink.name == "stuck").unwrap();
    assert!(stuck.retries > 0 && stuck.lost == 0);
}

#[test]
fn rows_that_are_given_up_are_counted() {
    let hasty = SinkLimits { backoff_first: Duration::from_millis(1), retries_max: 2, ..SinkLimits::default() };
    let (bench, _failures) = bench(3, hasty);
    let lost = bench.wait_host("lost rows", |event| match event {
        HostEvent::SinkLost { rows, .. } => Some(*rows),
        _ => None,
    });
    bench.grows_to("stuck.jsonl", 100);
    let (summary, folder) = bench.end();
    let written = std::fs::read_to_string(folder.path().join("stuck.jsonl")).unwrap().lines().count() as u64;
    assert_eq!((written + lost, summary.undelivered), (summary.status.rows_in, lost));
}
