//! Filter and a 1 s tumbling mean per device, 100 devices, rows in memory: our nodes stepped by hand beside DataFusion's own
//! batch plan on the same rows.
//!
//! First the ratios of alternating rounds in one run, which is what counts on a shared machine; then each alone.
//! `MLIOT_BENCH_ROWS` sets the number of rows.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration as Wall, Instant};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::avg;
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use divan::counter::ItemsCount;
use mliot::base::{Duration, Span, Time};
use mliot::ir::{
    Aggregate, AggregateCall, AggregateEntry, BinaryOp, Column, Expr, ExprKind, OnChange, Op, Outlet, Schema, StageKind, Type,
    Value, WindowOp, WindowShape,
};
use mliot::node::{self, Batch, Clock, Node, Ordinal, Ordinals, Out};
use mliot::ops;
use mliot::plan::{Hashes, Label, NodeKey, NodeOp, NodeSpec, Slot};

const DEVICES: usize = 100;
const ROWS_PER_SECOND: i64 = 10_000;
const LATENESS: Duration = Duration(500_000);
const ROUNDS: usize = 5;

struct Rows {
    times: Vec<i64>,
    values: Vec<f64>,
    devices: StringArray,
}

static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let count: usize = std::env::var("MLIOT_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let names: Vec<String> = (0..DEVICES).map(|nth| format!("device-{nth:03}")).collect();
    // A multiplicative walk: every device comes up, in no order that a cache could guess.
    let device = |row: usize| (row.wrapping_mul(7_919) >> 3) % DEVICES;
    Rows {
        times: (0..count as i64).map(|row| row * 1_000_000 / ROWS_PER_SECOND).collect(),
        values: (0..count).map(|row| ((row.wrapping_mul(2_654_435_761) >> 7) % 5_500) as f64 / 100.0).collect(),
        devices: (0..count).map(|row| Some(names[device(row)].as_str())).collect(),
    }
});

fn main() {
    println!("{} rows, {DEVICES} devices, where v < 50, mean per device and second", ROWS.times.len());
    ratios();
    divan::main();
}

/// Alternates the ways, so that a busy machine is busy for all of them.
fn ratios() {
    let mut times: BTreeMap<&str, Vec<Wall>> = BTreeMap::new();
    let (ours_1000, ours_8192, theirs) = (batches(1_000), batches(8_192), table(8_192));
    let runtime = runtime();
    let mut groups = Vec::new();
    for _ in 0..=ROUNDS {
        groups.push(timed(times.entry("nodes, batches of 1,000").or_default(), || step(&ours_1000)));
        groups.push(timed(times.entry("nodes, batches of 8,192").or_default(), || step(&ours_8192)));
        groups.push(timed(times.entry("plan").or_default(), || runtime.block_on(plan(&theirs))));
    }
    assert!(groups.iter().all(|count| *count == groups[0]), "all ways find the same groups: {groups:?}");
    let plan = times["plan"].clone();
    for (name, walls) in &times {
        // The first round warms up.
        let ratio = median(walls[1..].iter().zip(&plan[1..]).map(|(wall, plan)| plan.as_secs_f64() / wall.as_secs_f64()));
        let rate = median(walls[1..].iter().map(|wall| ROWS.times.len() as f64 / wall.as_secs_f64() / 1e6));
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
    let batches = batches(size);
    bencher.counter(ItemsCount::new(ROWS.times.len())).bench_local(|| step(&batches));
}

#[divan::bench]
fn datafusion_plan(bencher: divan::Bencher) {
    let (table, runtime) = (table(8_192), runtime());
    bencher.counter(ItemsCount::new(ROWS.times.len())).bench_local(|| runtime.block_on(plan(&table)));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers starts")
}

fn schema() -> Schema {
    let column = |name: &str, ty| Column { name: name.into(), ty, nullable: false, span: Span::default() };
    let columns = vec![column("at", Type::Time), column("device", Type::Text), column("v", Type::NUMBER())];
    Schema { columns, time: Some("at".into()), clock_by: vec![] }
}

fn table(size: usize) -> Vec<RecordBatch> {
    let rows = &*ROWS;
    let slice = |from: usize| {
        let count = size.min(rows.times.len() - from);
        let at = TimestampMicrosecondArray::from(rows.times[from..from + count].to_vec()).with_timezone("UTC");
        let v = Float64Array::from(rows.values[from..from + count].to_vec());
        let columns: Vec<ArrayRef> = vec![Arc::new(at), Arc::new(rows.devices.slice(from, count)), Arc::new(v)];
        RecordBatch::try_new(node::schema(&schema()), columns).expect("the columns are of the schema")
    };
    (0..rows.times.len()).step_by(size).map(slice).collect()
}

fn batches(size: usize) -> Vec<Batch> {
    let mut from = 0;
    let batch = |rows: RecordBatch| {
        let time = &ROWS.times[from..from + rows.num_rows()];
        let before = if from == 0 { Time::MIN } else { Time(ROWS.times[from - 1]) - LATENESS };
        let after = Time(time[time.len() - 1]) - LATENESS;
        let base = Ordinal(from as u64);
        from += rows.num_rows();
        let clock = Clock::Gate { base, before, after, lateness: LATENESS, time: time.to_vec().into() };
        Batch { ordinals: Ordinals::Range(base), upto: base.plus(rows.num_rows()), rows, clock }
    };
    table(size).into_iter().map(batch).collect()
}

/// All batches through both nodes; how many windows fired.
fn step(batches: &[Batch]) -> usize {
    let (mut filter, mut window) = nodes_of_the_workload();
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

fn nodes_of_the_workload() -> (Box<dyn Node>, Box<dyn Node>) {
    let expr = |kind, ty| Expr { kind, ty, nullable: false, span: Span::default() };
    let v = || expr(ExprKind::Column("v".into()), Type::NUMBER());
    let limit = expr(ExprKind::Literal(Value::Float(50.0)), Type::NUMBER());
    let predicate = expr(ExprKind::Binary(BinaryOp::Lt, Box::new(v()), Box::new(limit)), Type::Bool);
    let call = AggregateCall { function: Aggregate::Mean, args: vec![v()], settings: vec![], filter: None, ty: Type::NUMBER() };
    let entry = AggregateEntry {
        name: "mean".into(),
        calls: vec![call],
        value: expr(ExprKind::Slot(0), Type::NUMBER()),
        span: Span::default(),
    };
    let column = |name: &str, ty| Column { name: name.into(), ty, nullable: true, span: Span::default() };
    let columns = vec![
        column("device", Type::Text),
        column("mean", Type::NUMBER()),
        column("window_start", Type::Time),
        column("window_end", Type::Time),
    ];
    let shape = WindowShape::Time { size: Duration::SECOND, every: Duration::SECOND };
    let window = Op::Window(WindowOp { shape, partial: false, by: vec!["device".into()], entries: vec![entry] });
    let out = Schema { columns, time: Some("window_end".into()), clock_by: vec![] };
    (node_of(StageKind::Where, Op::Where { predicate }, schema()), node_of(StageKind::Window, window, out))
}

fn node_of(kind: StageKind, op: Op, schema_out: Schema) -> Box<dyn Node> {
    let spec = NodeSpec {
        key: NodeKey::of_file(&"bench".into(), Slot::Stage { kind, label: Label::Nth(0) }),
        op: NodeOp::Stage(Box::new(op)),
        inputs: vec![],
        schema: schema_out,
        on_change: OnChange::Backfill,
        hashes: Hashes::default(),
        entries: BTreeMap::new(),
    };
    ops::build(&spec, &[schema()]).expect("the workload is well formed")
}

/// The same in DataFusion's data frames, on one partition.
async fn plan(batches: &[RecordBatch]) -> usize {
    let config = SessionConfig::new().with_target_partitions(1).with_batch_size(8_192);
    let context = SessionContext::new_with_config(config);
    let second = lit(ScalarValue::new_interval_mdn(0, 0, 1_000_000_000));
    let epoch = lit(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into())));
    let groups = vec![date_bin(second, col("at"), epoch).alias("second"), col("device")];
    let frame = context.read_batches(batches.to_vec()).expect("rows in memory are read");
    let frame = frame.filter(col("v").lt(lit(50.0))).expect("the filter plans");
    let frame = frame.aggregate(groups, vec![avg(col("v"))]).expect("the aggregate plans");
    frame.collect().await.expect("the plan runs").iter().map(RecordBatch::num_rows).sum()
}
