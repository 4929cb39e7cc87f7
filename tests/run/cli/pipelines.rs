//! Pipelines of the course, replayed over their recordings.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::bench::{Bench, data};

/// The books of a replay with so many trials; none where there are no recordings.
fn replayed(pipeline: &str, trials: u32) -> Option<Value> {
    replayed_with(pipeline, &["--set", &format!("trials={trials}")])
}

/// With what the file says.
fn replayed_as_it_is(pipeline: &str) -> Option<Value> {
    replayed_with(pipeline, &[])
}

fn replayed_with(pipeline: &str, options: &[&str]) -> Option<Value> {
    let data = data()?;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(pipeline)).unwrap();
    let bench = Bench::new().with("it.mliot", text);
    let json = bench.run_with(&data, &[&["replay", "it.mliot", "--json"], options].concat()).json();
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
    let Some(json) = replayed("09-tomorrow/transformer.mliot", 2) else { return };
    assert_eq!(json["rows"], 17_420);
    let task = &json["tasks"]["tomorrow"];
    let mae = |figures: &Value| figure(figures, "mae");
    let [now, week] = ["persistence", "seasonal 7d"].map(|name| mae(&task["hold_out_baselines"][name]));
    let champion = &task["hold_out"];
    assert!(mae(champion) < now.min(week), "{task}");
    assert!((figure(champion, "skill") - (1.0 - mae(champion) / now.min(week))).abs() < 1e-9, "{task}");
}

/// The faults of a rig are found better than by always alarming, which has a better F1 than most published detectors.
#[test]
fn the_faults_of_the_rig_are_found_better_than_by_always_alarming() {
    let Some(json) = replayed_as_it_is("10-faults/rig.mliot") else { return };
    assert_eq!(json["rows"], 37_401);
    let task = &json["tasks"]["trouble"];
    let always = figure(&task["hold_out_baselines"]["always"], "f1");
    let champion = figure(&task["hold_out"], "f1");
    assert!(champion > always + 0.03 && always > 0.6, "{champion} and {always}");
    assert_eq!(task["rows"]["held_out"], 0, "what is behind the start judges");
}

/// A column of whole numbers is estimated by numbers, and a forecast says for which hour it is.
#[test]
fn whole_numbers_are_forecast_and_too_far_ahead_is_said() {
    let text = |ahead: &str| {
        format!(
            "source s {{
  columns {{ at: time; n: int }}
  recorded csv(\"s.csv\")
  time at
}}
task soon = forecast n {ahead} ahead from s {{ models [seasonal_naive, linear] }}
sink o = s | predict soon | to jsonl(\"o.jsonl\")
"
        )
    };
    let rows: String = (0..200).map(|row| format!("2026-01-01T{:02}:{:02}:00Z,{}\n", row / 60, row % 60, row * 3)).collect();
    let bench = Bench::new().with("it.mliot", text("10min")).with("s.csv", format!("at,n\n{rows}"));
    let json = bench.run(&["replay", "it.mliot", "--json"]).json();
    assert_eq!(json["tasks"]["soon"]["champion"]["family"], "linear", "what rises is not repeated");
    let told = String::from_utf8(bench.read("o.jsonl")).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last["soon_for"], "2026-01-01T03:29:00Z");
    assert!((last["soon"].as_f64().unwrap() - (199.0 + 10.0) * 3.0).abs() < 5.0, "{last}");
    // Rows whose future validates were learned from by nobody who answers them.
    let answered = told.lines().filter(|line| !line.contains("\"soon\":null")).count();
    assert_eq!(answered, 48, "38 of the 190 whose future has come, and the ten behind them");
    let far = Bench::new().with("it.mliot", text("7d")).with("s.csv", format!("at,n\n{rows}")).run(&["replay", "it.mliot"]);
    assert_eq!(far.code, Some(1));
    assert!(far.err.contains("is followed by a value 7d later"), "{}", far.text());
}

/// Of two devices that stand at different heights each is forecast from its own past alone.
#[test]
fn series_are_told_apart() {
    let text = "source s {
  columns { at: time; d: text; x: float }
  recorded csv(\"s.csv\")
  time at
}
task soon = forecast x 10min ahead from s by d { models [seasonal_naive] }
sink o = s | predict soon | to jsonl(\"o.jsonl\")
";
    let row = |row: i32| {
        format!(
            "2026-01-01T{:02}:{:02}:00Z,a,7\n2026-01-01T{:02}:{:02}:00Z,b,{}\n",
            row / 60,
            row % 60,
            row / 60,
            row % 60,
            90 + row % 2
        )
    };
    let rows: String = (0..200).map(row).collect();
    let bench = Bench::new().with("it.mliot", text).with("s.csv", format!("at,d,x\n{rows}"));
    let json = bench.run(&["replay", "it.mliot", "--json"]).json();
    let task = &json["tasks"]["soon"];
    assert_eq!(task["champion"]["metrics"]["mae"], 0.0, "ten minutes later each is where it was");
    assert_eq!(task["baselines"]["persistence"]["mae"], 0.0);
    assert!(figure(&task["baselines"]["constant"], "mae") > 40.0);
    let task = text.replace("by d", "by [d, x]");
    let refused = Bench::new().with("it.mliot", task).run(&["check", "it.mliot"]);
    assert!(refused.text().contains("`forecast … by` several columns is not in this version"), "{}", refused.text());
}
