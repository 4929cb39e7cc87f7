//! What a program becomes: nodes, edges, and what their hashes depend on.

use mliot::base::{SourceId, Span, Unit};
use mliot::ir::*;
use mliot::plan::{Graph, Hashes, NodeSpec, lower};

use super::build::*;
use super::room::*;

fn edited(edit: impl FnOnce(&mut Program)) -> Graph {
    let mut program = room();
    edit(&mut program);
    lower(&program)
}

fn node<'a>(graph: &'a Graph, name: &str) -> &'a NodeSpec {
    graph.nodes.values().find(|node| node.key.to_string() == name).unwrap_or_else(|| panic!("no node {name}"))
}

fn entry_of(graph: &Graph, name: &str, entry: &str) -> Hashes {
    node(graph, name).entries[entry]
}

#[test]
fn every_declaration_becomes_its_nodes() {
    let graph = lower(&room());
    let edges: Vec<String> = graph
        .order()
        .into_iter()
        .flat_map(|key| graph.nodes[key].inputs.iter().map(move |input| format!("{} -> {key}", input.node)))
        .collect();
    let expected = [
        "air/scan -> air/set",
        "air/set -> now/predict",
        "air/set -> occupancy/task",
        "air/where -> air/scan",
        "now/predict -> record/select",
        "occupancy/task -> occupancy/serve",
        "record/select -> record/accept",
        "room/connection -> room/decode",
        "room/decode -> room/gate",
        "room/gate -> air/where",
    ];
    let mut sorted = edges.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    assert_eq!(edges[0], "room/connection -> room/decode");
    assert_eq!(graph.cycle(), None);
    assert_eq!(graph.spans.len(), graph.nodes.len());
}

#[test]
fn an_order_has_every_node_after_what_it_reads() {
    let graph = lower(&room());
    let order = graph.order();
    for (at, key) in order.iter().enumerate() {
        for input in &graph.nodes[*key].inputs {
            assert!(order[..at].contains(&&input.node), "{key} stands before {}", input.node);
        }
    }
    assert_eq!(order.len(), graph.nodes.len());
}

#[test]
fn outlets_are_found_by_name() {
    let mut program = room();
    program.streams.insert("plain".into(), stream("plain", "room", vec![]));
    let bad = Read { from: "room".into(), outlet: Outlet::Bad };
    program.streams.insert("broken".into(), Stream { input: bad.clone(), ..stream("broken", "room", vec![]) });
    let graph = lower(&program);
    let at = |read: &Read| graph.outlet(read).map(|input| (input.node.to_string(), input.outlet));
    assert_eq!(at(&from("room")), Some(("room/gate".into(), Outlet::Rows)));
    assert_eq!(at(&from("plain")), Some(("room/gate".into(), Outlet::Rows)));
    assert_eq!(at(&bad), Some(("room/decode".into(), Outlet::Bad)));
    assert_eq!(at(&from("broken")), Some(("room/decode".into(), Outlet::Bad)));
    assert_eq!(at(&from("air")), Some(("air/set".into(), Outlet::Rows)));
    assert_eq!(at(&Read { from: "air".into(), outlet: Outlet::Late }), None);
}

#[test]
fn stages_are_counted_among_their_like() {
    let graph = edited(|program| {
        let stages = &mut program.streams.get_mut("air").unwrap().stages;
        stages.insert(0, Stage { id: Some("first".into()), ..keep_if_measured(1.0) });
        stages.insert(2, keep_if_measured(2.0));
    });
    let names: Vec<String> = graph.stages("air").into_iter().map(ToString::to_string).collect();
    assert_eq!(names, ["air/where:first", "air/where", "air/where#1", "air/scan", "air/set"]);
}

#[test]
fn places_in_the_text_are_in_no_hash() {
    let moved = edited(|program| {
        let span = Span::new(SourceId(0), 7, 9);
        program.sources.get_mut("room").unwrap().span = span;
        let air = program.streams.get_mut("air").unwrap();
        air.stages.iter_mut().for_each(|stage| stage.span = span);
        program.tasks.get_mut("occupancy").unwrap().span = span;
    });
    assert!(moved == lower(&room()));
}

#[test]
fn a_param_is_its_value() {
    let (graph, retuned) = (lower(&room()), edited(|program| set_fresh(program, param("fresh", 500.0, ppm()))));
    let renamed = edited(|program| set_fresh(program, param("stale", 450.0, ppm())));
    let literal = edited(|program| set_fresh(program, number(450.0, ppm())));
    let stuffy = |graph: &Graph| entry_of(graph, "air/set", "stuffy");
    assert_ne!(stuffy(&retuned).sem, stuffy(&graph).sem);
    assert_eq!(stuffy(&retuned), Hashes { sem: stuffy(&retuned).sem, ..stuffy(&graph) });
    assert_eq!(stuffy(&renamed), stuffy(&graph));
    assert_eq!(stuffy(&literal), stuffy(&graph));
}

fn set_fresh(program: &mut Program, value: Expr) {
    let stuffy = entry("stuffy", compare(BinaryOp::Gt, read(&column("co2", ppm())), value));
    program.streams.get_mut("air").unwrap().stages[2] = set(vec![stuffy]);
}

#[test]
fn how_a_unit_is_written_does_not_count() {
    let speed = |text: &str| Type::Float(Unit { text: text.into(), ..Unit::base("m".into()) });
    let hashes = |ty: Type| {
        let graph = edited(|program| {
            program.sources.get_mut("room").unwrap().columns[4].column.ty = ty;
        });
        node(&graph, "room/decode").hashes
    };
    assert_eq!(hashes(speed("m")), hashes(speed("metre")));
    assert_ne!(hashes(speed("m")), hashes(ppm()));
}

#[test]
fn a_scan_keeps_its_state_over_arithmetic_round_its_calls() {
    let halved = |graph: &mut Program| {
        let mut entry = rise(Running::Previous, vec![]);
        entry.value = minus(entry.value, number(1.0, ppm()));
        graph.streams.get_mut("air").unwrap().stages[1] = scan(entry);
    };
    let (before, after) = (entry_of(&lower(&room()), "air/scan", "rise"), entry_of(&edited(halved), "air/scan", "rise"));
    assert_ne!(before.sem, after.sem);
    assert_eq!((before.state, before.flow), (after.state, after.flow));
}

#[test]
fn a_scan_with_another_call_has_another_state() {
    let lag = |program: &mut Program| {
        program.streams.get_mut("air").unwrap().stages[1] = scan(rise(Running::Lag, vec![Value::Int(5)]));
    };
    let (before, after) = (lower(&room()), edited(lag));
    assert_ne!(entry_of(&before, "air/scan", "rise").state, entry_of(&after, "air/scan", "rise").state);
    assert_ne!(node(&before, "occupancy/task").hashes.flow, node(&after, "occupancy/task").hashes.flow);
}

#[test]
fn flow_follows_columns_to_their_fields_and_no_further() {
    let other_field = edited(|program| {
        program.sources.get_mut("room").unwrap().columns[1].origin = Origin::Field("Temp2".into());
    });
    let other_rows = edited(|program| {
        program.streams.get_mut("air").unwrap().stages[0] = keep_if_measured(10.0);
        program.sources.get_mut("room").unwrap().live = Some(mqtt("rooms/hall/air"));
    });
    let before = lower(&room());
    let task = |graph: &Graph| node(graph, "occupancy/task").hashes.flow;
    let rise = |graph: &Graph| entry_of(graph, "air/scan", "rise").flow;
    assert_ne!(task(&other_field), task(&before));
    assert_eq!(rise(&other_field), rise(&before));
    assert_eq!(task(&other_rows), task(&before));
    assert_eq!(rise(&other_rows), rise(&before));
}

#[test]
fn a_graph_survives_json() {
    let graph = lower(&room());
    let text = serde_json::to_string(&graph).unwrap();
    assert!(serde_json::from_str::<Graph>(&text).unwrap() == graph);
}
