//! What ordinals and clocks cost. A filter that keeps both against the same expression and kernel without them, and a window
//! that decides lateness row by row against one whose watermark moves once a batch; rows in memory, rounds in turn.

mod workload;

use std::sync::Arc;
use std::time::Instant;

use arrow::compute::filter_record_batch;
use datafusion::common::{DFSchema, cast::as_boolean_array};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::{SessionContext, col, lit};
use mliot::node::{Batch, Clock, Node, Out};
use workload::{DEVICES, LIMIT, Rows};

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 9;

fn main() {
    println!("{ROWS} rows, {DEVICES} devices; medians of {ROUNDS} rounds");
    let rows = Rows::make(ROWS);
    for size in [64, 1_000, 8_192] {
        let batches = rows.batches(size);
        let still: Vec<Batch> = batches.iter().map(|batch| Batch { clock: once(&batch.clock), ..batch.clone() }).collect();
        compare(&format!("filter, batches of {size}"), || bare(&batches), || step(&mut *workload::filter(), &batches));
        let window = |batches: &[Batch]| step(&mut *workload::window(), batches);
        compare(&format!("window, batches of {size}"), || window(&still), || window(&batches));
    }
}

/// Alternates the two, so that a busy machine is busy for both.
fn compare(name: &str, without: impl Fn() -> usize, with: impl Fn() -> usize) {
    let timed = |run: &dyn Fn() -> usize| {
        let begun = Instant::now();
        (run(), begun.elapsed().as_secs_f64())
    };
    let mut shares: Vec<f64> = Vec::new();
    for _ in 0..=ROUNDS {
        let ((rows, bare), (same, full)) = (timed(&without), timed(&with));
        assert!(rows > 0 && rows == same, "both ways give the same rows: {rows} and {same}");
        shares.push(full / bare);
    }
    // The first round warms up.
    let shares = &mut shares[1..];
    shares.sort_by(f64::total_cmp);
    println!("{name:<28}{:>+7.1} %", (shares[ROUNDS / 2] - 1.0) * 100.0);
}

/// A clock that gets to the same place, and says only that.
fn once(clock: &Clock) -> Clock {
    Clock::Steps { before: clock.start(), after: clock.after(), at: [].into() }
}

fn step(node: &mut dyn Node, batches: &[Batch]) -> usize {
    let mut out = Out::default();
    for batch in batches {
        node.batch(0, batch.clone(), &mut out).expect("the node runs");
        out.batches.clear();
    }
    out.counts.output as usize
}

fn bare(batches: &[Batch]) -> usize {
    let predicate = predicate(&batches[0]);
    let kept = batches.iter().map(|batch| {
        let mask = predicate.evaluate(&batch.rows).and_then(|mask| mask.into_array(batch.len())).expect("it evaluates");
        filter_record_batch(&batch.rows, as_boolean_array(&mask).expect("a mask")).expect("it filters").num_rows()
    });
    kept.sum()
}

fn predicate(batch: &Batch) -> Arc<dyn PhysicalExpr> {
    let schema = DFSchema::try_from(batch.rows.schema()).expect("columns have names of their own");
    SessionContext::new().create_physical_expr(col("v").lt(lit(LIMIT)), &schema).expect("it plans")
}
