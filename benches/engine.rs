//! The live path: rows in memory in batches of 1,000, through a filter and a window per device, to a sink.

use arrow::array::RecordBatch;
use divan::Bencher;
use divan::counter::ItemsCount;
use mliot::base::{Duration, Name, Time};
use mliot::compile::{World, compile};
use mliot::io::{Keep, Position};
use mliot::ir::{self, Value};
use mliot::node::{Node, NodeError};
use mliot::plan::{Graph, NodeOp, NodeSpec, lower};
use mliot::runtime::{
    Deliver, Engine, Feed, Kept, MemoryFeed, Parts, Progress, Row, Rows, Settings, Side, SourceSpec, to_table,
};

const BATCH_ROWS: usize = 1_000;
const BATCHES: usize = 200;
const DEVICES: usize = 100;

fn main() {
    divan::main();
}

/// One text, whatever the path.
struct Text(String);

impl World for Text {
    fn read(&self, _: &std::path::Path) -> std::io::Result<String> {
        Ok(self.0.clone())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

fn graph(tail: &str) -> Graph {
    let compiled = compile(std::path::Path::new("bench.mliot"), &Text(format!("{HEAD}{tail}")), &[]);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    lower(&compiled.program)
}

/// Real nodes, a source in memory.
struct Bench(Rows);

impl Parts for Bench {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        mliot::ops::build(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        ir::Schema::default()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, _: Side, _: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        Ok(Some(Box::new(MemoryFeed::new(self.0.clone(), source.gate))))
    }
}

fn batches(graph: &Graph) -> Vec<RecordBatch> {
    let gate = graph.nodes.values().find(|spec| matches!(spec.op, NodeOp::Gate(_))).expect("a gate");
    let row = |nth: usize| -> Row {
        let at = Time(0) + Duration(nth as i64 * 1_000);
        [
            (Name::from("at"), Value::Time(at)),
            ("device".into(), Value::Int((nth % DEVICES) as i64)),
            ("v".into(), Value::Float((nth * 7 % 100) as f64)),
        ]
        .into()
    };
    let rows = |batch: usize| (batch * BATCH_ROWS..(batch + 1) * BATCH_ROWS).map(row).collect::<Vec<Row>>();
    (0..BATCHES).map(|batch| to_table(&gate.schema, &rows(batch)).expect("rows of the bench")).collect()
}

const HEAD: &str = "
source s {
  columns { at: time; device: int; v: float }
  recorded jsonl(\"s.jsonl\")
  time at, lateness 500ms
}
";

fn run(bencher: Bencher, tail: &str) {
    let graph = graph(tail);
    let batches = batches(&graph);
    bencher.counter(ItemsCount::new(BATCHES * BATCH_ROWS)).with_inputs(Rows::default).bench_values(|rows| {
        let settings = Settings { batch_rows_max: BATCH_ROWS, ..Settings::default() };
        let mut engine = Engine::start(settings, &graph, &Bench(rows.clone())).expect("it starts");
        let mut out = 0;
        for batch in &batches {
            rows.give(batch.clone());
            while matches!(engine.step(), Progress::Rows(_)) {}
            for outbox in engine.outboxes_mut() {
                while let Some(rows) = outbox.take() {
                    out += rows.num_rows();
                }
            }
        }
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
