//! How far time has got at a stage, and what an edit may not do to it: windows are told once, and none is passed over.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use mliot::base::{Name, Time};
use mliot::io::{Keep, Position};
use mliot::ir;
use mliot::node::{Batch, Clock, Node, NodeError, Ordinal, Ordinals};
use mliot::plan::{Graph, NodeSpec};
use mliot::runtime::{Deliver, Drawn, Engine, Feed, FeedCounts, Head, Parts, Row, Rows, Settings, Side, SourceSpec};

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row, times};

fn seconds(of: impl Iterator<Item = i64>, key: &str) -> Vec<Row> {
    of.map(|second| row(second as f64, key, 5.0)).collect()
}

fn recordings(lab: Vec<Row>, hall: Vec<Row>) -> BTreeMap<Name, Vec<Row>> {
    BTreeMap::from([("lab".into(), lab), ("hall".into(), hall)])
}

/// Starts of the windows that were told, in seconds.
fn starts(rows: &[Row], key: &str) -> Vec<i64> {
    let of_key = rows.iter().filter(|row| row["key"] == ir::Value::Text(key.into()));
    of_key.map(|row| if let ir::Value::Time(at) = row["window_start"] { at.0 / 1_000_000 } else { panic!("no time") }).collect()
}

/// Windows of three seconds over the laboratory, and over the hall, which waits for late rows, if it is merged.
fn panes(is_merged: bool, factor: f64) -> Graph {
    let pipe = if is_merged { Pipe::new().union(&["hall"]) } else { Pipe::new() };
    File::default()
        .source("lab", 0)
        .source("hall", 9)
        .stream("panes", "lab", pipe.set("w", times("v", factor)).window(3, "w"))
        .sink("out", "panes")
        .sink("rest", "hall")
        .graph()
}

/// What a merge with a slower source made of the clock had set windows to work again that had been told.
#[test]
fn a_window_that_is_rebuilt_behind_a_slower_clock_tells_nothing_again() {
    let world = World::with(&recordings(seconds(0..40, "a"), seconds(0..40, "b")), Nodes::Real);
    let mut bench = Bench::start(&world, &panes(false, 2.0), 4);
    bench.run_to(44);
    bench.engine.apply(&panes(true, 3.0), &world).expect("a good edit");
    bench.finish();
    bench.check();
    let wanted: Vec<i64> = (0..40).step_by(3).collect();
    assert_eq!(starts(&bench.sinks["out"], "a"), wanted, "each once");
    assert_eq!(starts(&bench.sinks["out"], "b"), wanted[wanted.len() - 7..], "and the hall's where they were not over");
}

/// Time had gone on in silence to where the faster source stood, and the windows up to there were never told.
#[test]
fn a_window_that_is_rebuilt_before_a_faster_clock_passes_nothing_over() {
    let world = World::with(&recordings(seconds(0..40, "a"), seconds(0..40, "b")), Nodes::Real);
    let mut bench = Bench::start(&world, &panes(true, 2.0), 4);
    bench.run_to(44);
    bench.engine.apply(&panes(false, 3.0), &world).expect("a good edit");
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"], "a"), (0..40).step_by(3).collect::<Vec<i64>>(), "each once");
}

/// The rows of a window that had seen no clock yet were dropped with the first that came.
#[test]
fn a_window_behind_a_source_that_said_nothing_tells_its_rows_once_that_one_is_gone() {
    let file = |with: &[&str]| {
        File::default()
            .source("lab", 0)
            .source("hall", 0)
            .stream("warm", "lab", Pipe::new().filter(above("v", 9.0)))
            .stream("panes", "lab", Pipe::new().union(with).window(3, "v"))
            .sink("out", "panes")
            .sink("rest", "hall")
            .graph()
    };
    let world = World::with(&BTreeMap::from([("lab".into(), seconds(0..20, "a"))]), Nodes::Real);
    let mut bench = Bench::start(&world, &file(&["warm", "hall"]), 4);
    bench.run_to(10);
    assert!(!bench.sinks.contains_key("out"), "nobody knows what the hall still has to say");
    bench.engine.apply(&file(&["warm"]), &world).expect("a good edit");
    bench.run_to(19);
    bench.check();
    assert_eq!(starts(&bench.sinks["out"], "a"), [0, 3, 6, 9, 12, 15]);
}

/// What was known of missing rows had been forgotten at the end of what was read, and more came from elsewhere.
#[test]
fn a_longer_window_that_lacks_rows_does_not_come_after_an_end_either() {
    let file = |seconds| File::default().source("lab", 0).stream("panes", "lab", Pipe::new().window(seconds, "v"));
    let file = |seconds| file(seconds).sink("out", "panes");
    let world = World::with(&BTreeMap::from([("lab".into(), seconds(0..6, "a"))]), Nodes::Real);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &file(3).graph(), 4);
    bench.run_to(5);
    bench.engine.apply(&file(12).graph(), &world).expect("a good edit");
    bench.finish();
    let before = bench.sinks["out"].len();
    world.recorded.borrow_mut().insert("lab".into(), Rows::default());
    world.give("lab", &seconds(8..30, "a"));
    world.rows("lab", Side::Recorded).close();
    bench.engine.apply(&file(12).elsewhere("lab").graph(), &world).expect("a good edit");
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"][before..], "a"), [12, 24], "of the first one three seconds had been told");
}

/// A window that reads what has ended, and had ended itself, is told nothing again, and so is nobody below it.
#[test]
fn what_has_ended_is_not_ended_again_by_another_that_has() {
    let file = |input: &str| {
        File::default()
            .source("lab", 0)
            .source("hall", 0)
            .stream("warm", "hall", Pipe::new().filter(above("v", 1.0)))
            .stream("panes", input, Pipe::new().window(6, "v").rows(4, 1, "total"))
            .sink("out", "panes")
            .sink("rest", "hall")
            .graph()
    };
    for (first, second) in [("lab", "hall"), ("lab", "warm")] {
        let rows = [seconds(60..62, "b"), seconds(66..68, "a")].concat();
        let world = World::with(&recordings(rows, seconds(0..4, "b")), Nodes::Real);
        let mut bench = Bench::start(&world, &file(first), 3);
        bench.finish();
        let below = |states: BTreeMap<_, _>| {
            states.into_iter().find(|(key, _): &(mliot::plan::NodeKey, _)| key.to_string() == "panes/window#1")
        };
        let before = below(bench.states()).expect("it runs");
        bench.engine.apply(&file(second), &world).expect("a good edit");
        bench.check();
        assert_eq!(below(bench.states()), Some(before), "from {first} to {second}");
    }
}

/// A source that looks as if it had a row, and has none.
struct Hesitant;

impl Feed for Hesitant {
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(Head::Row(None))
    }

    fn take(&mut self, _: usize, _: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let rows = RecordBatch::new_empty(mliot::node::schema(&Pipe::new().columns()));
        let rows = Batch { rows, ordinals: Ordinals::Range(first), upto: first, clock: Clock::still(Time::MIN) };
        Ok(Drawn { rows, bad: None, read: Time::MIN })
    }

    fn retune(&mut self, _: &SourceSpec) -> Result<(), NodeError> {
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        FeedCounts::default()
    }

    fn position(&self) -> Option<Position> {
        None
    }

    fn follow(&mut self, _: &Position) {}
}

struct HallHesitates(World);

impl Parts for HallHesitates {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.0.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.0.bad()
    }

    fn deliver(&self, sink: &NodeSpec, keep: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        self.0.deliver(sink, keep)
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        if source.name() == "hall" { Ok(Some(Box::new(Hesitant))) } else { self.0.feed(source, side, from) }
    }
}

/// The turn of a source that had nothing after all had ended the round of all others, again and again.
#[test]
fn a_source_that_has_nothing_at_its_turn_does_not_hold_up_the_others() {
    let world = HallHesitates(World::with(&recordings(seconds(0..6, "a"), vec![]), Nodes::Real));
    let file = File::default().source("lab", 0).source("hall", 0).sink("out", "lab").sink("rest", "hall");
    let mut engine = Engine::start(Settings::default(), &file.graph(), &world).expect("the graph starts");
    engine.step();
    assert_eq!(engine.next(), Ordinal(6));
}
