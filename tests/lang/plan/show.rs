//! Graphs and differences as people and programs read them.

use mliot::ir::*;
use mliot::plan::{diff, dot, graph_json, graph_text, lower, plan_json, plan_text};
use serde_json::json;

use super::build::*;
use super::room::*;

#[test]
fn the_graph_is_a_tree_of_declarations() {
    let mut program = room();
    program.streams.insert("plain".into(), stream("plain", "room", vec![]));
    let expected = r#"
source room: at time, temperature float<degC>, humidity float<percent>, light float<lux>, co2 float<ppm>, 1 more
  connection  recorded csv "occupancy/datatraining.txt.gz", live mqtt
  decode      6 columns
  gate        time from at, lateness 1min, idle 30s
  stream plain = room
  stream air: at time, temperature float<degC>, humidity float<percent>, light float<lux>, co2 float<ppm>, 3 more
    where  by co2
    scan   rise
    set    stuffy
    task occupancy: classify occupied from temperature, humidity, light, co2, rise; policy frugal
      serve  http 127.0.0.1:8080
    stream now: at time, temperature float<degC>, humidity float<percent>, light float<lux>, co2 float<ppm>, 6 more
      predict  occupancy as guess
      sink record: at time, guess bool, guess_confidence float, guess_version text
        select  at, guess, guess_confidence, guess_version
        accept  jsonl "occupancy.jsonl"
"#;
    assert_eq!(graph_text(&lower(&program)), expected.trim_start());
}

#[test]
fn the_graph_is_drawn_with_a_frame_per_declaration() {
    let text = dot(&lower(&room()));
    for line in [
        "digraph mliot {",
        "  subgraph \"cluster_room\" {",
        "    \"air/where\" [label=\"where\\nby co2\"];",
        "    \"room/connection\" [label=\"connection\\nrecorded csv \\\"occupancy/datatraining.txt.gz\\\", live mqtt\"];",
        "  \"room/gate\" -> \"air/where\";",
        "  \"occupancy/task\" -> \"now/predict\" [style=dashed];",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\nis not in\n{text}");
    }
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn a_plan_is_a_table_and_a_summary() {
    let mut after = room();
    let stages = &mut after.streams.get_mut("air").unwrap().stages;
    stages[0] = keep_if_measured(10.0);
    stages[1] = scan(rise(Running::Lag, vec![Value::Int(5)]));
    after.sinks.remove("record");
    let diff = diff(&lower(&room()), &lower(&after));
    let expected = "\
air/where    retuned   lets other rows through from now on, for all below
air.rise     reset     its functions changed, so what it remembers cannot be read; begins empty: rows that came live to `room` cannot be read again
occupancy    shadowed  features: `rise` changed; a model has to be trained on them and promoted
now/predict  shadowed  its predictions follow `occupancy`
record       removed   no longer in the file

2 nodes removed, 1 reset, 2 shadowed, 1 retuned, 5 same; 7 nodes change together, the rest does not pause
";
    assert_eq!(plan_text(&diff), expected);
}

#[test]
fn programs_read_the_same_plan() {
    let mut after = room();
    after.streams.get_mut("air").unwrap().stages[2] = set(vec![stuffy(500.0)]);
    let plan = plan_json(&diff(&lower(&room()), &lower(&after)));
    let expected = json!({
        "nothing_to_do": false,
        "changes": [
            { "name": "air.stuffy", "class": "retuned", "why": "fresh is 500ppm, was 450ppm", "memory": "kept" }
        ],
        "renames": [],
        "nodes": { "retuned": 1, "same": 10 },
        "together": [["air/set"]],
        "rejected": [],
    });
    assert_eq!(plan, expected);
}

#[test]
fn programs_read_the_same_graph() {
    let graph = graph_json(&lower(&room()));
    let nodes = graph["nodes"].as_array().unwrap();
    let gate = nodes.iter().find(|node| node["name"] == "room/gate").unwrap();
    assert_eq!(nodes.len(), 11);
    assert_eq!(gate["inputs"], json!([{ "node": "room/decode", "outlet": "rows" }]));
    assert_eq!(gate["columns"][4], json!({ "name": "co2", "type": "float<ppm>", "nullable": false }));
}
