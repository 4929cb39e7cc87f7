//! What a cut touches: as much as the edit changes, however large the graph.

use std::collections::BTreeMap;

use mliot::plan::Graph;
use mliot::runtime::{Fate, Row};

use super::bench::{Bench, Nodes, World};
use super::classes::graph;
use super::program::row;

/// So many streams of one source, three stages and a sink each; the first is filtered by `bound`, and `more` comes behind.
fn wide(streams: usize, bound: usize, more: &str) -> Graph {
    let mut text =
        "source lab { columns { at: time; key: text; v: float }; recorded jsonl(\"lab.jsonl\"); time at }\n".to_owned();
    for nth in 0..streams {
        let bound = if nth == 0 { bound } else { 5 };
        text +=
            &format!("stream w{nth} = lab | where v < {bound} | set {{ a = v + {nth} }} | scan by key {{ r = lag(a, 1) }}\n");
        text += &format!("sink out{nth} = w{nth} | to jsonl(\"out{nth}.jsonl\")\n");
    }
    graph(&(text + more))
}

fn rows() -> Vec<Row> {
    (0..60).map(|n| row(f64::from(n), ["a", "b"][n as usize % 2], f64::from(n % 7))).collect()
}

#[test]
fn a_retuned_stage_is_all_that_is_touched_of_a_large_graph() {
    let world = World::with(&BTreeMap::from([("lab".into(), rows())]), Nodes::Real);
    for streams in [2, 60] {
        let mut bench = Bench::start(&world, &wide(streams, 5, ""), 4);
        bench.run_to(20);
        let cut = bench.engine.apply(&wide(streams, 3, ""), &world).expect("a good edit");
        assert_eq!(cut.touched, 1, "of {streams} streams");
        let touched: Vec<&str> =
            cut.event.nodes.iter().filter(|node| node.fate != Fate::Kept).map(|node| &*node.node).collect();
        assert_eq!((touched, cut.event.nodes.len()), (vec!["w0/where"], 1 + 4 * streams), "every node is told of");
    }
}

#[test]
fn a_stream_that_comes_or_goes_leaves_the_others_as_they_stand() {
    let world = World::with(&BTreeMap::from([("lab".into(), rows())]), Nodes::Real);
    let mut bench = Bench::start(&world, &wide(30, 5, ""), 4);
    bench.run_to(20);
    let more = "sink more = lab | where v > 2 | to jsonl(\"more.jsonl\")\n";
    let came = bench.engine.apply(&wide(30, 5, more), &world).expect("a good edit");
    assert_eq!(came.touched, 2, "the filter and the end of the sink");
    bench.run_to(30);
    let gone = bench.engine.apply(&wide(30, 5, ""), &world).expect("a good edit");
    assert_eq!(gone.touched, 0);
}
