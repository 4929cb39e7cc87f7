//! The live path: rows in memory in batches of 1,000, through a filter and a window per device, to a sink.

mod memory;

use divan::Bencher;
use divan::counter::ItemsCount;
use mliot::runtime::{Engine, Rows, Settings};

const BATCH_ROWS: usize = 1_000;
const BATCHES: usize = 200;
const DEVICES: usize = 100;

fn main() {
    divan::main();
}

fn run(bencher: Bencher, tail: &str) {
    let graph = memory::graph(tail);
    let batches = memory::batches(&graph, BATCHES, BATCH_ROWS, DEVICES);
    bencher.counter(ItemsCount::new(BATCHES * BATCH_ROWS)).with_inputs(Rows::default).bench_values(|rows| {
        let settings = Settings { batch_rows_max: BATCH_ROWS, ..Settings::default() };
        let mut engine = Engine::start(settings, &graph, &memory::Memory(rows.clone())).expect("it starts");
        let out = memory::carry(&mut engine, &rows, &batches);
        let findings = engine.take_findings();
        assert!(out > 0 && findings.is_empty(), "nothing was measured: {out} rows out, {findings:?}");
        out
    });
}

#[divan::bench]
fn pass(bencher: Bencher) {
    run(bencher, "sink out = s | to jsonl(\"out.jsonl\")\n");
}

#[divan::bench]
fn filter(bencher: Bencher) {
    run(bencher, "sink out = s | where v < 50 | to jsonl(\"out.jsonl\")\n");
}

#[divan::bench]
fn filter_and_window(bencher: Bencher) {
    let window = "stream w = s | where v < 50 | window 1s by device { m = mean(v); n = count() }\n";
    run(bencher, &format!("{window}sink out = w | to jsonl(\"out.jsonl\")\n"));
}
