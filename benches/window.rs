//! Filter and a 1 s tumbling mean per device, 100 devices, rows in memory: our nodes stepped by hand beside DataFusion's own
//! batch plan on the same rows.
//!
//! First the ratios of alternating rounds in one run, which is what counts on a shared machine; then each alone.
//! `MLIOT_BENCH_ROWS` sets the number of rows.

mod workload;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration as Wall, Instant};

use arrow::array::RecordBatch;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::avg;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use divan::counter::ItemsCount;
use mliot::ir::Outlet;
use mliot::node::{Batch, Ordinal, Out};
use workload::{DEVICES, LIMIT, Rows};

const ROUNDS: usize = 5;

static COUNT: LazyLock<usize> =
    LazyLock::new(|| std::env::var("MLIOT_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000));
static ROWS: LazyLock<Rows> = LazyLock::new(|| Rows::make(*COUNT));

fn main() {
    println!("{} rows, {DEVICES} devices, where v < 50, mean per device and second", *COUNT);
    ratios();
    divan::main();
}

/// Alternates the ways, so that a busy machine is busy for all of them.
fn ratios() {
    let mut times: BTreeMap<&str, Vec<Wall>> = BTreeMap::new();
    let (ours_1000, ours_8192, theirs) = (ROWS.batches(1_000), ROWS.batches(8_192), Plan::of(ROWS.table(8_192)));
    let mut groups = Vec::new();
    for _ in 0..=ROUNDS {
        groups.push(timed(times.entry("nodes, batches of 1,000").or_default(), || step(&ours_1000)));
        groups.push(timed(times.entry("nodes, batches of 8,192").or_default(), || step(&ours_8192)));
        groups.push(timed(times.entry("plan").or_default(), || theirs.run()));
    }
    assert!(groups.iter().all(|count| *count == groups[0]), "all ways find the same groups: {groups:?}");
    let plan = times["plan"].clone();
    for (name, walls) in &times {
        // The first round warms up.
        let ratio = median(walls[1..].iter().zip(&plan[1..]).map(|(wall, plan)| plan.as_secs_f64() / wall.as_secs_f64()));
        let rate = median(walls[1..].iter().map(|wall| *COUNT as f64 / wall.as_secs_f64() / 1e6));
        println!("{name:<26} {rate:6.1} M rows/s   {ratio:5.2} x DataFusion's plan");
    }
}

fn timed(walls: &mut Vec<Wall>, run: impl FnOnce() -> usize) -> usize {
    let start = Instant::now();
    let groups = run();
    walls.push(start.elapsed());
    groups
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[divan::bench(args = [64, 1_000, 8_192])]
fn nodes(bencher: divan::Bencher, size: usize) {
    let batches = ROWS.batches(size);
    bencher.counter(ItemsCount::new(*COUNT)).bench_local(|| step(&batches));
}

#[divan::bench]
fn datafusion_plan(bencher: divan::Bencher) {
    let plan = Plan::of(ROWS.table(8_192));
    bencher.counter(ItemsCount::new(*COUNT)).bench_local(|| plan.run());
}

/// All batches through both nodes; how many windows fired.
fn step(batches: &[Batch]) -> usize {
    let (mut filter, mut window) = (workload::filter(), workload::window());
    let mut fired = 0;
    let (mut between, mut out) = (Out::default(), Out::default());
    for batch in batches {
        filter.batch(0, batch.clone(), &mut between).expect("the filter runs");
        for (_, batch) in between.batches.drain(..) {
            window.batch(0, batch, &mut out).expect("the window runs");
        }
        fired += sent(&mut out);
    }
    let end = batches.last().map_or(Ordinal(0), |batch| batch.upto);
    window.end(end, &mut out).expect("the window ends");
    fired + sent(&mut out)
}

fn sent(out: &mut Out) -> usize {
    out.batches.drain(..).filter(|(outlet, _)| *outlet == Outlet::Rows).map(|(_, batch)| batch.len()).sum()
}

/// The same in DataFusion's data frames, on one partition; planned once, for what counts is how fast it runs.
struct Plan {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
    physical: Arc<dyn ExecutionPlan>,
}

impl Plan {
    fn of(batches: Vec<RecordBatch>) -> Plan {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers starts");
        let config = SessionConfig::new().with_target_partitions(1).with_batch_size(8_192);
        let context = SessionContext::new_with_config(config);
        let second = lit(ScalarValue::new_interval_mdn(0, 0, 1_000_000_000));
        let epoch = lit(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into())));
        let groups = vec![date_bin(second, col("at"), epoch).alias("second"), col("device")];
        let frame = context.read_batches(batches).expect("rows in memory are read");
        let frame = frame.filter(col("v").lt(lit(LIMIT))).expect("the filter plans");
        let frame = frame.aggregate(groups, vec![avg(col("v"))]).expect("the aggregate plans");
        let physical = runtime.block_on(frame.create_physical_plan()).expect("the plan is made");
        Plan { runtime, context, physical }
    }

    fn run(&self) -> usize {
        let rows = self.runtime.block_on(collect(Arc::clone(&self.physical), self.context.task_ctx()));
        rows.expect("the plan runs").iter().map(RecordBatch::num_rows).sum()
    }
}
