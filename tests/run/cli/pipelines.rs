//! Pipelines of the course, replayed over their recordings.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::bench::{Bench, data};

/// The books of a replay with so many trials; none where there are no recordings.
fn replayed(pipeline: &str, trials: u32) -> Option<Value> {
    let data = data()?;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(pipeline)).unwrap();
    let bench = Bench::new().with("it.mliot", text);
    let json = bench.run_with(&data, &["replay", "it.mliot", "--json", "--set", &format!("trials={trials}")]).json();
    balanced(&json);
    Some(json)
}

/// Every row that entered a node or an edge is accounted for.
fn balanced(json: &Value) {
    let nodes = json["nodes"].as_array().unwrap();
    assert!(!nodes.is_empty());
    for node in nodes {
        let number = |name: &str| node[name].as_u64().unwrap();
        let dropped: u64 = node["dropped"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!(number("in"), number("passed") + number("absorbed") + dropped, "{node}");
    }
    let edges = json["edges"].as_array().unwrap();
    assert!(!edges.is_empty());
    for edge in edges {
        assert_eq!(edge["sent"], edge["received"], "{edge}");
    }
}

/// What became of the rows at a node: in, passed and out.
fn rows(json: &Value, name: &str) -> [u64; 3] {
    let found = json["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name);
    let node = found.unwrap_or_else(|| panic!("no node `{name}` in {}", json["nodes"]));
    ["in", "passed", "out"].map(|field| node[field].as_u64().unwrap())
}

fn figure(of: &Value, metric: &str) -> f64 {
    of[metric].as_f64().unwrap_or_else(|| panic!("no {metric} in {of}"))
}

#[test]
fn the_market_is_judged_by_time_and_beats_the_label_of_the_half_hour_before() {
    let Some(json) = replayed("03-market/market.mliot", 1) else { return };
    assert_eq!(json["rows"], 45_312);
    assert_eq!(rows(&json, "market/gate"), [45_312; 3]);
    assert_eq!(json["sinks"][0]["taken"], 45_312);
    let task = &json["tasks"]["direction"];
    let champion = figure(&task["champion"]["metrics"], "accuracy");
    let before = figure(&task["baselines"]["persistence"], "accuracy");
    assert!(champion > before && before > figure(&task["baselines"]["constant"], "accuracy"), "{task}");
    assert_eq!(task["champion"]["requirements"][0]["met"], true);
}

#[test]
fn the_machines_that_fail_are_found() {
    let Some(json) = replayed("04-machines/machines.mliot", 2) else { return };
    assert_eq!(json["rows"], 10_000);
    assert_eq!(rows(&json, "machines/gate"), [10_000; 3]);
    let task = &json["tasks"]["failure"];
    let figures = &task["champion"]["metrics"];
    assert!(figure(figures, "f1(\"true\")") > 0.7, "{task}");
    assert_eq!(figure(&task["baselines"]["constant"], "f1(\"true\")"), 0.0);
    let [judged, _, alarms] = rows(&json, "alarms/where");
    assert_eq!(judged, 10_000);
    assert!(alarms > 0 && json["sinks"][0]["taken"] == alarms, "{}", json["sinks"]);
}

/// A forecast is judged by what came a day later, and no model answers for hours whose future it has learned from.
#[test]
fn the_oil_of_tomorrow_is_forecast_better_than_by_repeating_today() {
    let Some(json) = replayed("06-tomorrow/transformer.mliot", 2) else { return };
    assert_eq!(json["rows"], 17_420);
    let task = &json["tasks"]["tomorrow"];
    let mae = |figures: &Value| figure(figures, "mae");
    let [now, week] = ["persistence", "seasonal 7d"].map(|name| mae(&task["hold_out_baselines"][name]));
    let champion = &task["hold_out"];
    assert!(mae(champion) < now.min(week), "{task}");
    assert!((figure(champion, "skill") - (1.0 - mae(champion) / now.min(week))).abs() < 1e-9, "{task}");
}
