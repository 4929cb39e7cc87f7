//! Mistakes that the simulator has found, each as small as it can be.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::Value;
use mliot::node::{Batch, Node, NodeError, Ordinal, Out, Port, State};
use mliot::plan::Graph;
use mliot::runtime::{Row, Rows};

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row, times};

fn seconds(of: impl Iterator<Item = i64>, key: &str) -> Vec<Row> {
    of.map(|second| row(second as f64, key, 5.0)).collect()
}

fn recordings(lab: Vec<Row>, hall: Vec<Row>) -> BTreeMap<Name, Vec<Row>> {
    BTreeMap::from([("lab".into(), lab), ("hall".into(), hall)])
}

fn both() -> File {
    File::default().source("lab", 0).source("hall", 0).stream("both", "lab", Pipe::new().union(&["hall"])).sink("out", "both")
}

/// A merge had left out what had once ended, for ever, and its rows had waited on the edge.
#[test]
fn a_source_that_had_ended_and_is_read_from_elsewhere_goes_on_behind_a_merge() {
    let world = World::with(&recordings(seconds(0..4, "a"), seconds(0..40, "b")), Nodes::Real);
    let mut bench = Bench::start(&world, &both().graph(), 5);
    bench.run_to(30);
    let more = Rows::default();
    world.recorded.borrow_mut().insert("lab".into(), more);
    world.give("lab", &seconds(30..36, "a"));
    world.rows("lab", mliot::runtime::Side::Recorded).close();
    bench.engine.apply(&both().elsewhere("lab").graph(), &world).expect("a good edit");
    bench.finish();
    bench.check();
    let from_lab = bench.sinks["out"].iter().filter(|row| row["key"] == Value::Text("a".into())).count();
    assert_eq!(from_lab, 10, "four from before, six from elsewhere");
}

fn hopping(every: i64) -> Graph {
    File::default().source("lab", 0).stream("panes", "lab", Pipe::new().hop(6, every, "v")).sink("out", "panes").graph()
}

/// A window that had begun anew had told windows that had ended before, from rows that came late for them.
#[test]
fn a_window_that_begins_anew_tells_none_that_had_ended() {
    let rows = [0.5, 2.5, 7.5, 8.5, 4.5, 5.5, 14.5].map(|second| row(second, "a", 5.0));
    let world = World::with(&BTreeMap::from([("lab".into(), rows.to_vec())]), Nodes::Real);
    let mut bench = Bench::start(&world, &hopping(2), 5);
    bench.run_to(4);
    bench.engine.apply(&hopping(3), &world).expect("a good edit");
    let before = bench.sinks.get("out").map_or(0, Vec::len);
    bench.finish();
    bench.check();
    let ends = bench.sinks["out"][before..].iter().map(|row| row["window_end"].clone());
    let ended = Value::Time(mliot::base::Time(8_500_000));
    assert!(ends.clone().count() > 0);
    assert!(ends.into_iter().all(|end| end.to_string() > ended.to_string()), "{:?}", &bench.sinks["out"][before..]);
}

fn breakable(bound: f64, factor: f64) -> Graph {
    File::default()
        .source("lab", 0)
        .stream("warm", "lab", Pipe::new().filter(above("v", bound)))
        .stream("other", "lab", Pipe::new().set("w", times("v", factor)))
        .sink("to_warm", "warm")
        .sink("to_other", "other")
        .graph()
}

/// An edit of something else had set a failed node to work again, with half a batch in its state.
#[test]
fn a_node_that_failed_is_whole_again_only_when_it_is_changed() {
    let mut rows = seconds(0..40, "a");
    rows[5].insert("v".into(), Value::Float(super::reference::BREAKS * 2.0));
    let world = World::with(&BTreeMap::from([("lab".into(), rows)]), Nodes::Reference);
    let mut bench = Bench::start(&world, &breakable(1.0, 2.0), 1);
    bench.run_to(10);
    bench.engine.apply(&breakable(1.0, 3.0), &world).expect("another node changes");
    bench.run_to(20);
    assert_eq!(bench.sinks["to_warm"].len(), 5, "it gives nothing more");
    bench.engine.apply(&breakable(2.0, 3.0), &world).expect("the node itself changes");
    bench.finish();
    assert_eq!(bench.sinks["to_warm"].len(), 5 + 20, "and now it does");
    assert_eq!(bench.engine.take_findings().len(), 1, "said once");
    bench.check();
}

/// Panics at its first row.
struct Panics;

impl Node for Panics {
    fn batch(&mut self, _: Port, _: Batch, _: &mut Out) -> Result<(), NodeError> {
        panic!("a mistake of ours")
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, mliot::base::Hash::default()))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }
}

/// A panic in one node had ended the whole engine.
#[test]
fn a_node_that_panics_fails_alone() {
    let mut world = World::with(&BTreeMap::from([("lab".into(), seconds(0..20, "a"))]), Nodes::Reference);
    world.instead = Some(("warm/where", || Box::new(Panics)));
    let mut bench = Bench::start(&world, &breakable(1.0, 2.0), 4);
    bench.finish();
    let findings = bench.engine.take_findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].message.contains("a mistake of ours"), "{}", findings[0].message);
    assert_eq!(bench.sinks["to_other"].len(), 20, "what does not depend on it runs on");
    bench.check();
}

/// A window that had come to read what had ended let go of its rows at that old ordinal, behind a merge that was further.
#[test]
fn what_an_end_sets_free_for_a_new_reader_stands_at_the_cut() {
    let file = |input: &str| {
        File::default()
            .source("lab", 0)
            .source("hall", 0)
            .stream("panes", input, Pipe::new().window(5, "v"))
            .stream("short", "hall", Pipe::new().window(3, "v"))
            .stream("fired", "short", Pipe::windowed().union(&["panes"]))
            .sink("out", "fired")
            .graph()
    };
    let world = World::with(&recordings(seconds(0..4, "a"), seconds(0..60, "b")), Nodes::Real);
    let mut bench = Bench::start(&world, &file("hall"), 7);
    bench.run_to(40);
    let ended = bench.sinks["out"].len();
    bench.engine.apply(&file("lab"), &world).expect("a good edit");
    bench.finish();
    bench.check();
    let after: Vec<String> = bench.sinks["out"][ended..].iter().map(|row| row["window_end"].to_string()).collect();
    assert_eq!(after[0], "@1970-01-01T00:00:40Z", "the open window of five seconds first: {after:?}");
}

/// What such a stage held back to the end had come by the clock of what it reads, and was late.
#[test]
fn what_a_stage_holds_back_to_the_end_is_not_late_behind_it() {
    use super::classes::graph;
    let graph = graph(
        "source lab { columns { at: time; key: text; v: float }; recorded jsonl(\"lab.jsonl\"); time at }\n\
         sink out = lab | top 2 by v within 5s | window 1s by key { n = count() } | to jsonl(\"out.jsonl\")\n",
    );
    let rows = vec![row(15.2, "a", 4.5), row(16.8, "b", 3.75)];
    for size in [1, 10] {
        let world = World::with(&BTreeMap::from([("lab".into(), rows.clone())]), Nodes::Real);
        let mut bench = Bench::start(&world, &graph, size);
        bench.finish();
        bench.check();
        assert_eq!(bench.sinks["out"].len(), 2, "one window for each row");
    }
}
