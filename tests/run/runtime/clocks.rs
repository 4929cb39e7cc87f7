//! How far time has got at a stage, and what an edit may not do to it: windows are told once, and none is passed over.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use mliot::base::{Name, Time};
use mliot::io::{Keep, Position};
use mliot::ir;
use mliot::node::{Batch, Clock, Node, NodeError, Ordinal, Ordinals};
use mliot::plan::{Graph, NodeSpec};
use mliot::runtime::{Deliver, Drawn, Engine, Fate, Feed, FeedCounts, Head, Parts, Row, Rows, Settings, Side, SourceSpec};

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row};

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
    let source = |name: &str, lateness_s: u32| {
        format!(
            "source {name} {{ columns {{ at: time; key: text; v: float }}; recorded jsonl(\"{name}.jsonl\"); time at, lateness {lateness_s}s }}"
        )
    };
    let union = if is_merged { "| union [hall] " } else { "" };
    super::classes::graph(&format!(
        "{}
{}
stream panes = lab {union}| set {{ w = v * {factor:?} }} | window 3s by key {{ total = sum(w) }}
sink out = panes | to jsonl(\"out.jsonl\")
sink rest = hall | to jsonl(\"rest.jsonl\")
",
        source("lab", 0),
        source("hall", 9)
    ))
}

fn rebuild(bench: &mut Bench, wanted: &Graph) {
    let cut = bench.engine.apply(wanted, bench.world).expect("a good edit");
    let window = cut.event.nodes.iter().find(|node| node.node == "panes/window").expect("it runs");
    assert_eq!(window.fate, Fate::Rebuilt, "{}", window.why);
}

/// What a merge with a slower source made of the clock had set windows to work again that had been told.
#[test]
fn a_window_that_is_rebuilt_behind_a_slower_clock_tells_nothing_again() {
    let world = World::with(&recordings(seconds(0..40, "a"), seconds(0..40, "b")), Nodes::Real);
    let mut bench = Bench::start(&world, &panes(false, 2.0), 4);
    bench.run_to(44);
    rebuild(&mut bench, &panes(true, 3.0));
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
    rebuild(&mut bench, &panes(false, 3.0));
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"], "a"), (0..40).step_by(3).collect::<Vec<i64>>(), "each once");
}

/// Without the source that was still open, all that is read had ended: its windows had been let go in silence.
#[test]
fn a_window_that_is_rebuilt_without_what_kept_it_open_tells_what_it_holds() {
    let world = World::with(&BTreeMap::from([("lab".into(), seconds(0..12, "a"))]), Nodes::Real);
    let schema = Pipe::new().columns();
    world.rows("hall", Side::Recorded).give(mliot::runtime::to_table(&schema, &seconds(0..3, "b")).expect("rows"));
    let mut bench = Bench::start(&world, &panes(true, 2.0), 4);
    bench.finish();
    assert!(!bench.sinks.contains_key("out"), "the hall may still say something");
    rebuild(&mut bench, &panes(false, 3.0));
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"], "a"), [0, 3, 6, 9]);
}

/// It had seen nothing yet, not even where time stood, and told all that had ended before it came.
#[test]
fn a_window_that_is_changed_before_anything_came_to_it_tells_none_that_had_ended() {
    let file = || File::default().source("lab", 0).sink("rest", "lab");
    let hop = |seconds| file().stream("panes", "lab", Pipe::new().hop(seconds, 3, "v")).sink("out", "panes").graph();
    let world = World::with(&BTreeMap::from([("lab".into(), seconds(0..20, "a"))]), Nodes::Real);
    let mut bench = Bench::start(&world, &file().graph(), 4);
    bench.run_to(10);
    bench.engine.apply(&hop(3), &world).expect("a good edit");
    bench.engine.apply(&hop(6), &world).expect("a good edit");
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"], "a"), [6, 9, 12, 15, 18], "those that end behind the ninth second");
}

/// Rows that come late for some of their windows and not for others are no reason to tell those that were over before it began.
#[test]
fn a_window_that_forgets_all_tells_none_that_had_ended() {
    let file = |by: &str| {
        super::classes::graph(&format!(
            "source lab {{ columns {{ at: time; key: text; v: float }}; recorded jsonl(\"lab.jsonl\"); time at }}
stream panes = lab | window 6s every 3s {by} {{ n = count() }}
sink out = panes | to jsonl(\"out.jsonl\")
"
        ))
    };
    let rows = [0.5, 2.5, 7.5, 8.5, 4.5, 14.5].map(|second| row(second, "a", 5.0));
    let world = World::with(&BTreeMap::from([("lab".into(), rows.to_vec())]), Nodes::Real);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &file("by key"), 4);
    bench.run_to(4);
    let before = bench.sinks["out"].len();
    bench.engine.apply(&file(""), &world).expect("a good edit");
    bench.finish();
    bench.check();
    let ends = bench.sinks["out"][before..].iter().map(|row| row["window_end"].to_string());
    let wanted = ["@1970-01-01T00:00:09Z", "@1970-01-01T00:00:15Z", "@1970-01-01T00:00:18Z"];
    assert_eq!(ends.collect::<Vec<_>>(), wanted, "its clock stands at 8.5 s");
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
    let file = |seconds| {
        let pipe = Pipe::new().filter(above("v", 1.0)).window(seconds, "v");
        File::default().source("lab", 0).stream("panes", "lab", pipe).sink("out", "panes")
    };
    // The last row only moves the clock.
    let rows = [seconds(0..6, "a"), vec![row(7.0, "a", 0.0)]].concat();
    let world = World { nodes: Nodes::Real, ..World::default() };
    world.give("lab", &rows);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &file(3).graph(), 4);
    bench.run_to(7);
    let before = bench.sinks["out"].len();
    bench.engine.apply(&file(12).graph(), &world).expect("a good edit");
    world.rows("lab", Side::Recorded).close();
    bench.finish();
    world.recorded.borrow_mut().insert("lab".into(), Rows::default());
    world.give("lab", &seconds(8..30, "a"));
    world.rows("lab", Side::Recorded).close();
    bench.engine.apply(&file(12).elsewhere("lab").graph(), &world).expect("a good edit");
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"][before..], "a"), [12, 24], "of the first one six seconds had been told");
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
