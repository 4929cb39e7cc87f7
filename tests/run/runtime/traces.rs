//! Following one row: what is told of it is true, and that it is followed changes nothing.

use mliot::ir::Outlet;
use mliot::node::Ordinal;
use mliot::plan::Input;
use mliot::runtime::{RowFate, Settings, Sought, TapId, Trace, from_table};
use proptest::prelude::*;

use super::bench::{Bench, Nodes, World};
use super::edits::Text;
use super::program::{File, Pipe, above, row, times};
use super::steps::{nodes, recordings};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_row_that_is_followed_changes_nothing(
        recordings in recordings(60), at in 0u64..100, size in 1usize..30, nodes in nodes()
    ) {
        let graph = Text::first().graph();
        let world = World::with(&recordings, nodes);
        let mut alone = Bench::start(&world, &graph, size);
        alone.finish();
        let world = World::with(&recordings, nodes);
        let mut followed = Bench::start(&world, &graph, size);
        followed.engine.trace(Sought::At(Ordinal(at))).expect("nothing has come yet");
        followed.finish();
        followed.check();
        prop_assert_eq!(&followed.sinks, &alone.sinks);
        prop_assert_eq!(followed.states(), alone.states());
        prop_assert_eq!(followed.engine.next(), alone.engine.next());
        let rows: usize = recordings.values().map(Vec::len).sum();
        let trace = followed.engine.take_trace();
        prop_assert_eq!(trace.is_some(), (at as usize) < rows, "row {} of {}", at, rows);
        if let Some(trace) = trace {
            let row = from_table(&trace.row.expect("every row can be read"));
            prop_assert_eq!(row.len(), 1);
            prop_assert!(recordings[&trace.source].contains(&row[0]), "{:?} came in at {}", row, trace.source);
            for step in &trace.steps {
                prop_assert!(step.fate != RowFate::TimeWentOn || !step.out.is_empty() || step.more > 0);
            }
        }
    }
}

/// `lab | where v > 3 | set w = 2v` and a window of 5 s over it.
fn start<'a>(world: &'a World) -> Bench<'a> {
    let file = File::default()
        .source("lab", 0)
        .stream("high", "lab", Pipe::new().filter(above("v", 3.0)).set("w", times("v", 2.0)))
        .stream("panes", "high", Pipe::windowed().window(5, "v"))
        .sink("out", "high")
        .sink("slow", "panes");
    Bench::with(world, &file.graph(), Settings::default())
}

fn world() -> World {
    let rows = vec![row(1.0, "a", 1.0), row(2.0, "a", 5.0), row(3.0, "a", 7.0), row(9.0, "a", 2.0), row(10.0, "a", 4.0)];
    World::with(&[("lab".into(), rows)].into(), Nodes::Real)
}

fn traced(at: u64) -> Trace {
    let world = world();
    let mut bench = start(&world);
    bench.engine.trace(Sought::At(Ordinal(at))).unwrap();
    bench.finish();
    bench.engine.take_trace().expect("the row has come")
}

fn fates(trace: &Trace) -> Vec<(String, RowFate)> {
    trace.steps.iter().map(|step| (step.node.to_string(), step.fate.clone())).collect()
}

fn fate(node: &str, fate: RowFate) -> (String, RowFate) {
    (node.to_owned(), fate)
}

#[test]
fn a_row_ends_where_a_condition_drops_it() {
    let ended = RowFate::Dropped("where".to_owned());
    assert_eq!(fates(&traced(0)), [fate("lab/gate", RowFate::Passed), fate("high/where", ended)]);
}

#[test]
fn a_row_goes_all_its_ways() {
    let expected = [
        fate("lab/gate", RowFate::Passed),
        fate("high/where", RowFate::Passed),
        fate("high/set", RowFate::Passed),
        fate("out/accept", RowFate::Passed),
        fate("panes/window", RowFate::Absorbed),
    ];
    let trace = traced(2);
    let mut found = fates(&trace);
    found.sort_by_key(|(node, _)| expected.iter().position(|(other, _)| other == node));
    assert_eq!(found, expected);
    let set = trace.steps.iter().find(|step| step.node.to_string() == "high/set").unwrap();
    assert_eq!(from_table(&set.out[0].1)[0]["w"].as_f64(), Some(14.0));
}

/// A row that ends at a condition still moves the clock, and that closes a window.
#[test]
fn a_row_whose_time_closes_a_window_is_said_to() {
    let trace = traced(3);
    let window = trace.steps.iter().find(|step| step.node.to_string() == "panes/window").unwrap();
    assert_eq!(window.fate, RowFate::TimeWentOn);
    assert_eq!(window.out.iter().map(|(_, rows)| rows.num_rows()).sum::<usize>(), 1);
    assert!(fates(&trace).contains(&fate("high/where", RowFate::Dropped("where".to_owned()))), "{:?}", fates(&trace));
    assert!(fates(&trace).contains(&fate("slow/accept", RowFate::Passed)), "{:?}", fates(&trace));
}

#[test]
fn a_row_is_found_by_what_it_is() {
    let world = world();
    let mut bench = start(&world);
    let is_it = Box::new(|rows: &arrow::array::RecordBatch| {
        from_table(rows).iter().position(|row| row["v"].as_f64().is_some_and(|v| v > 5.0))
    });
    bench.engine.trace(Sought::Next { source: "lab".into(), is_it }).unwrap();
    bench.finish();
    assert_eq!(bench.engine.take_trace().expect("the row has come").at, Ordinal(2));
    assert!(bench.engine.take_trace().is_none(), "one wish, one row");
}

#[test]
fn a_row_that_has_passed_is_not_waited_for() {
    let world = world();
    let mut bench = start(&world);
    bench.run_to(3);
    assert_eq!(bench.engine.trace(Sought::At(Ordinal(2))), Err(Ordinal(3)));
    bench.engine.trace(Sought::At(Ordinal(3))).unwrap();
}

/// Several look at one node, and each misses only what was more than it keeps.
#[test]
fn taps_beside_each_other_see_the_same_and_count_what_they_miss() {
    let world = world();
    let mut bench = start(&world);
    let at = Input { node: bench.engine.graph().place("high").unwrap().node, outlet: Outlet::Rows };
    assert!(bench.engine.tap_as(TapId(1), &at, 100) && bench.engine.tap_as(TapId(2), &at, 2));
    for to in 0..=5 {
        bench.run_to(to);
    }
    bench.finish();
    let rows = |seen: &mliot::runtime::Tapped| seen.batches.iter().map(|(_, batch)| batch.len()).sum::<usize>();
    let (all, few) = (bench.engine.tapped_as(TapId(1), &at.node).unwrap(), bench.engine.tapped_as(TapId(2), &at.node).unwrap());
    assert_eq!((rows(&all), all.missed), (3, 0));
    assert_eq!((rows(&few), few.missed), (2, 1));
    assert!(bench.engine.untap(TapId(1), &at.node).is_some() && bench.engine.untap(TapId(1), &at.node).is_none());
}
