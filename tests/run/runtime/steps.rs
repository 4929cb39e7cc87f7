//! Stepping: the same rows give the same bytes, however they are cut into batches and whatever else happens.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::Value;
use mliot::plan::Graph;
use mliot::runtime::{Progress, Row, Side};
use proptest::prelude::*;

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row, times};
use super::reference::BREAKS;

/// Two sources, a fork that meets itself again, running sums, windows over a union, and windows of two clocks in one stream,
/// whose order is that of the rows at which they fired.
pub fn example() -> File {
    File::default()
        .source("lab", 1)
        .source("hall", 2)
        .stream("warm", "lab", Pipe::new().filter(above("v", 3.0)))
        .stream("sums", "warm", Pipe::new().sum("so_far", "v").set("twice", times("so_far", 2.0)))
        .stream("both", "lab", Pipe::new().union(&["hall", "warm"]))
        .stream("all", "both", Pipe::new().sum("so_far", "v"))
        .stream("panes", "both", Pipe::new().filter(above("v", 1.0)).window(5, "v"))
        .stream("short", "lab", Pipe::new().window(3, "v"))
        .stream("fired", "short", Pipe::windowed().union(&["panes"]))
        .sink("to_sums", "sums")
        .sink("to_all", "all")
        .sink("to_panes", "panes")
        .sink("to_fired", "fired")
}

pub fn nodes() -> impl Strategy<Value = Nodes> {
    prop_oneof![Just(Nodes::Reference), Just(Nodes::Real)]
}

/// Rows of a source: mostly in order of time, with some that are late.
pub fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..4_000i64, -4_000..1_500i64, 0..3u8, 0..100u8), 0..most).prop_map(|draws| {
        let mut now = 0;
        let one = |(gap, jitter, key, v): (i64, i64, u8, u8)| {
            now += gap / 4;
            row(((now + jitter.min(0) / 2).max(0)) as f64 / 1e3, ["a", "b", "c"][key as usize], f64::from(v) / 10.0)
        };
        draws.into_iter().map(one).collect()
    })
}

pub fn recordings(most: usize) -> impl Strategy<Value = BTreeMap<Name, Vec<Row>>> {
    (rows(most), rows(most)).prop_map(|(lab, hall)| BTreeMap::from([("lab".into(), lab), ("hall".into(), hall)]))
}

fn run(graph: &Graph, recordings: &BTreeMap<Name, Vec<Row>>, batch_rows_max: usize, nodes: Nodes) -> BTreeMap<Name, Vec<Row>> {
    let world = World::with(recordings, nodes);
    let mut bench = Bench::start(&world, graph, batch_rows_max);
    bench.finish();
    bench.check();
    bench.sinks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_size_of_batches_gives_equal_rows(recordings in recordings(60), size in 1usize..40, nodes in nodes()) {
        let graph = example().graph();
        let (whole, cut) = (run(&graph, &recordings, 10_000, nodes), run(&graph, &recordings, size, nodes));
        for (sink, rows) in &whole {
            prop_assert_eq!(rows, &cut[sink], "{} in batches of {}", sink, size);
        }
        prop_assert_eq!(whole.len(), cut.len());
        prop_assert_eq!(whole, run(&graph, &recordings, size, Nodes::Reference), "real nodes give what plain ones give");
    }

    /// Rows that come bit by bit, as long as each bit is complete, are the same rows.
    #[test]
    fn a_recording_given_in_parts_is_the_recording(rows in rows(60), cut in 0usize..60) {
        let graph = File::default()
            .source("lab", 1)
            .stream("sums", "lab", Pipe::new().filter(above("v", 2.0)).sum("so_far", "v"))
            .stream("panes", "lab", Pipe::new().window(5, "v"))
            .sink("to_sums", "sums")
            .sink("to_panes", "panes")
            .graph();
        let whole = run(&graph, &BTreeMap::from([("lab".into(), rows.clone())]), 16, Nodes::Reference);
        let world = World::default();
        let mut bench = Bench::start(&world, &graph, 16);
        let cut = cut.min(rows.len());
        world.give("lab", &rows[..cut]);
        bench.finish();
        world.give("lab", &rows[cut..]);
        world.rows("lab", Side::Recorded).close();
        bench.finish();
        bench.check();
        prop_assert_eq!(whole, bench.sinks);
    }
}

#[test]
fn a_merge_behind_two_sources_is_in_order_of_event_time() {
    let graph = File::default()
        .source("lab", 0)
        .source("hall", 0)
        .stream("both", "lab", Pipe::new().union(&["hall"]))
        .sink("out", "both")
        .graph();
    let lab: Vec<Row> = (0..50).map(|n| row(f64::from(n) * 2.0, "lab", 1.0)).collect();
    let hall: Vec<Row> = (0..50).map(|n| row(f64::from(n) * 3.0, "hall", 1.0)).collect();
    let sinks = run(&graph, &BTreeMap::from([("lab".into(), lab), ("hall".into(), hall)]), 7, Nodes::Reference);
    let order: Vec<(String, String)> = sinks["out"].iter().map(|row| (row["at"].to_string(), row["key"].to_string())).collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order.len(), 100);
    assert_eq!(order, sorted, "ties go to the source whose name comes first");
}

/// Where the end of one source lets time go on for a window behind a union, its rows stand at that end, before those of a
/// window that fires later.
#[test]
fn what_an_end_sets_free_stands_at_the_end() {
    let graph = example().graph();
    // The last row of the hall stands at 16.5s, so its clock at 14.5s, and that of the lab at 15.4s.
    let lab: Vec<Row> = (0..400).map(|nth| row(f64::from(nth) / 10.0, "a", 5.0)).collect();
    let hall: Vec<Row> = (0..17).map(|second| row(f64::from(second) + 0.5, "a", 5.0)).collect();
    let recordings = BTreeMap::from([("lab".into(), lab), ("hall".into(), hall)]);
    for nodes in [Nodes::Reference, Nodes::Real] {
        let fired = |size: usize| -> Vec<(String, String)> {
            let sinks = run(&graph, &recordings, size, nodes);
            sinks["to_fired"].iter().map(|row| (row["window_start"].to_string(), row["window_end"].to_string())).collect()
        };
        let (one_by_one, at_once) = (fired(1), fired(10_000));
        assert_eq!(one_by_one, at_once, "{nodes:?}");
    }
}

#[test]
fn a_node_that_fails_drops_and_counts_while_the_others_run_on() {
    let graph = File::default()
        .source("lab", 0)
        .stream("warm", "lab", Pipe::new().filter(above("v", 3.0)))
        .stream("sums", "lab", Pipe::new().sum("so_far", "v"))
        .stream("panes", "warm", Pipe::new().window(5, "v"))
        .sink("to_panes", "panes")
        .sink("to_sums", "sums")
        .graph();
    let mut rows: Vec<Row> = (0..20).map(|n| row(f64::from(n), "a", 5.0)).collect();
    rows[10].insert("v".into(), Value::Float(BREAKS * 2.0));
    let world = World::with(&BTreeMap::from([("lab".into(), rows)]), Nodes::Reference);
    let mut bench = Bench::start(&world, &graph, 1);
    bench.finish();
    let findings = bench.engine.take_findings();
    assert_eq!(findings.len(), 1, "said once: {findings:?}");
    assert!(findings[0].message.contains("warm/where"), "{}", findings[0].message);
    let report = bench.engine.node_reports().into_iter().find(|node| node.name == "warm/where").expect("it is there");
    assert_eq!((report.input, report.passed, report.dropped["failed"]), (20, 10, 10));
    assert_eq!(bench.sinks["to_sums"].len(), 20, "what does not depend on it runs on");
    let counted: i64 = bench.sinks["to_panes"].iter().map(|row| if let Value::Int(n) = row["n"] { n } else { 0 }).sum();
    assert_eq!(counted, 10, "time goes on behind it: its windows close with what came");
    bench.check();
}

#[test]
fn a_sink_that_nobody_empties_holds_back_its_sources_and_loses_nothing() {
    let graph = File::default().source("lab", 0).sink("out", "lab").graph();
    let rows: Vec<Row> = (0..100_000).map(|n| row(f64::from(n), "a", 1.0)).collect();
    let world = World::with(&BTreeMap::from([("lab".into(), rows)]), Nodes::Reference);
    let mut bench = Bench::start(&world, &graph, 8_192);
    let mut steps = 0;
    while bench.engine.step() != Progress::Blocked {
        steps += 1;
        assert!(steps < 100, "it blocks");
    }
    let waiting: usize = bench.engine.outboxes().map(|outbox| outbox.waiting()).sum();
    assert!(waiting <= mliot::runtime::OUTBOX_ROWS_MAX + 8_192, "{waiting} rows wait");
    bench.finish();
    assert_eq!(bench.sinks["out"].len(), 100_000);
    bench.check();
}

#[test]
fn recordings_warm_up_what_runs_live_and_no_sink_writes_them() {
    let graph = File::default()
        .source("lab", 0)
        .live("lab")
        .stream("sums", "lab", Pipe::new().sum("so_far", "v"))
        .sink("out", "sums")
        .graph();
    let world = World::default();
    world.give("lab", &[row(1.0, "a", 10.0), row(2.0, "a", 20.0)]);
    world.rows("lab", Side::Recorded).close();
    let settings = mliot::runtime::Settings { life: mliot::runtime::Life::Run, ..Default::default() };
    let mut engine = mliot::runtime::Engine::start(settings, &graph, &world).expect("it starts");
    while matches!(engine.step(), Progress::Rows(_)) {}
    let schema = Pipe::new().columns();
    let live = mliot::runtime::to_table(&schema, &[row(3.0, "a", 5.0)]).expect("a row");
    world.rows("lab", Side::Live).give(live);
    while matches!(engine.step(), Progress::Rows(_)) {}
    let outbox = engine.outbox_mut(&"out".into()).expect("the sink");
    assert_eq!((outbox.muted, outbox.accepted), (2, 1));
    let rows = mliot::runtime::from_table(&outbox.take().expect("one batch"));
    assert_eq!(rows[0]["so_far"], Value::Float(35.0), "the sum remembers the recording");
}

#[test]
fn a_source_that_fails_ends_and_the_others_run_on() {
    let graph = File::default()
        .source("lab", 0)
        .source("hall", 0)
        .stream("both", "lab", Pipe::new().union(&["hall"]))
        .stream("panes", "both", Pipe::new().window(5, "v"))
        .sink("out", "panes")
        .graph();
    let rows = |key: &str| -> Vec<Row> { (0..40).map(|n| row(f64::from(n), key, 2.0)).collect() };
    let world = World::with(&BTreeMap::from([("lab".into(), rows("a")), ("hall".into(), rows("b"))]), Nodes::Reference);
    *world.breaks.borrow_mut() = Some(("hall".into(), 12));
    let mut bench = Bench::start(&world, &graph, 7);
    bench.finish();
    let findings = bench.engine.take_findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code.as_str(), "R0711");
    let counted = |key: &str| -> i64 {
        let own = bench.sinks["out"].iter().filter(|row| row["key"] == Value::Text(key.into()));
        own.map(|row| if let Value::Int(n) = row["n"] { n } else { 0 }).sum()
    };
    assert_eq!((counted("a"), counted("b")), (40, 12));
    bench.check();
}
