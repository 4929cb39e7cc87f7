//! Real nodes between a source in memory and sinks that keep what they get.

use arrow::array::RecordBatch;
use mliot::base::{Duration, Name, Time};
use mliot::compile::{World, compile};
use mliot::io::{Keep, Position};
use mliot::ir::{self, Value};
use mliot::node::{Node, NodeError};
use mliot::plan::{Graph, NodeOp, NodeSpec, lower};
use mliot::runtime::{Deliver, Engine, Feed, Kept, MemoryFeed, Parts, Progress, Row, Rows, Side, SourceSpec, to_table};

/// Of event time between two rows.
const STEP: Duration = Duration(1_000);

const HEAD: &str = "
source s {
  columns { at: time; device: int; v: float }
  recorded jsonl(\"s.jsonl\")
  time at, lateness 500ms
}
";

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

/// Of a file with the source `s` (`at`, `device`, `v`) and what is written in `tail`.
pub fn graph(tail: &str) -> Graph {
    let compiled = compile(std::path::Path::new("bench.mliot"), &Text(format!("{HEAD}{tail}")), &[]);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    lower(&compiled.program)
}

/// Builds the nodes that the program builds; the source gives what is put into these rows.
pub struct Memory(pub Rows);

impl Parts for Memory {
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

/// `count` batches of `rows` rows, devices in turn, a millisecond apart.
pub fn batches(graph: &Graph, count: usize, rows: usize, devices: usize) -> Vec<RecordBatch> {
    let gate = graph.nodes.values().find(|spec| matches!(spec.op, NodeOp::Gate(_))).expect("a gate");
    let row = |nth: usize| -> Row {
        [
            (Name::from("at"), Value::Time(Time(0) + Duration(nth as i64 * STEP.0))),
            ("device".into(), Value::Int((nth % devices) as i64)),
            ("v".into(), Value::Float((nth * 7 % 100) as f64)),
        ]
        .into()
    };
    let batch = |nth: usize| (nth * rows..(nth + 1) * rows).map(row).collect::<Vec<Row>>();
    (0..count).map(|nth| to_table(&gate.schema, &batch(nth)).expect("rows of the bench")).collect()
}

/// Lets the batches in one by one and takes what reaches the sinks; how many rows that were.
pub fn carry(engine: &mut Engine, rows: &Rows, batches: &[RecordBatch]) -> usize {
    let mut out = 0;
    for batch in batches {
        rows.give(batch.clone());
        while matches!(engine.step(), Progress::Rows(_)) {}
        for outbox in engine.outboxes_mut() {
            while let Some(rows) = outbox.take() {
                out += rows.num_rows();
            }
        }
    }
    out
}
