//! A node that fails in the middle of a batch remembers half of it: when it is changed it begins anew, and counts nothing twice.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mliot::diag::Code;
use mliot::io::{Keep, Position};
use mliot::ir::{self, Value};
use mliot::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use mliot::plan::NodeSpec;
use mliot::runtime::{Deliver, Engine, Feed, Kept, Parts, Progress, Row, Settings, Side, SourceSpec, from_table};

use super::bench::{Nodes, World};
use super::classes::graph;
use super::program::row;

/// The real parts, but that the scan fails once, at its third batch, when it has taken it in.
struct Failing {
    world: World,
    batches: Arc<AtomicUsize>,
    built: Rc<Cell<usize>>,
}

impl Parts for Failing {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        let inner = mliot::ops::build(spec, inputs)?;
        if spec.key.to_string() != "sums/scan" {
            return Ok(inner);
        }
        self.built.set(self.built.get() + 1);
        Ok(Box::new(Fails { inner, batches: self.batches.clone() }))
    }

    fn bad(&self) -> ir::Schema {
        self.world.bad()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.world.feed(source, side, from)
    }
}

struct Fails {
    inner: Box<dyn Node>,
    batches: Arc<AtomicUsize>,
}

impl Node for Fails {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let nth = if batch.is_empty() { 0 } else { self.batches.fetch_add(1, Ordering::Relaxed) + 1 };
        self.inner.batch(port, batch, out)?;
        if nth == 3 { Err(NodeError::new(Code::R0001, "it broke in the middle")) } else { Ok(()) }
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        self.inner.end(at, out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        self.inner.save()
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        self.inner.load(state)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        self.inner.retune()
    }
}

fn text(factor: f64) -> mliot::plan::Graph {
    graph(&format!(
        "source lab {{ columns {{ at: time; key: text; v: float }}; recorded jsonl(\"lab.jsonl\"); time at }}\n\
         stream sums = lab | scan by key {{ sum = cumulative(sum(v)) * {factor:?} }}\n\
         sink out = sums | to jsonl(\"out.jsonl\")\n"
    ))
}

fn run_to(engine: &mut Engine, at: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    while engine.next() < Ordinal(at) && engine.step_until(Some(Ordinal(at))) != Progress::Ended {
        for outbox in engine.outboxes_mut() {
            while let Some(table) = outbox.take() {
                rows.extend(from_table(&table));
            }
        }
    }
    rows
}

#[test]
fn what_failed_in_the_middle_of_a_batch_begins_anew_when_it_is_changed() {
    let rows = (0..20).map(|n| row(f64::from(n), "a", 1.0)).collect();
    let world = World::with(&BTreeMap::from([("lab".into(), rows)]), Nodes::Real);
    let parts = Failing { world, batches: Arc::default(), built: Rc::default() };
    let settings = Settings { batch_rows_max: 2, ..Settings::default() };
    let mut engine = Engine::start(settings, &text(1.0), &parts).expect("it starts");
    let before = run_to(&mut engine, 10);
    assert_eq!(before.len(), 4, "two batches, then it has failed");
    engine.apply(&text(2.0), &parts).expect("a good edit");
    assert_eq!(parts.built.get(), 2, "a new node took its place");
    let after = run_to(&mut engine, 14);
    let sums: Vec<Value> = after.iter().map(|row| row["sum"].clone()).collect();
    assert_eq!(sums, [2.0, 4.0, 6.0, 8.0].map(Value::Float), "nothing of what it had taken in before it broke");
}
