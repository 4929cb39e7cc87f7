//! `mliot replay --report DIR --sensitivity N`: a page beside the JSON, and how much of the figures is chance.

use std::fs;

use super::bench::{Bench, readings, room};

#[test]
fn a_report_is_written_beside_what_is_printed() {
    let bench =
        Bench::new().with("room.csv", readings(400)).with("room.mliot", room("").replace("[logistic]", "[logistic, tree]"));
    let printed = bench.run(&["replay", "room.mliot", "--state", "state", "--report", "out/here", "--json"]).json();
    let written: serde_json::Value = serde_json::from_slice(&bench.read("out/here/report.json")).unwrap();
    assert_eq!(written, printed);
    let evidence = &printed["tasks"]["occupancy"]["evidence"];
    let of = |name: &str| evidence["interval"][name].as_f64().unwrap();
    assert!(of("low") <= of("value") && of("value") <= of("high") && of("low") < of("high"), "{evidence}");
    assert_eq!(of("value"), printed["tasks"]["occupancy"]["champion"]["metrics"]["accuracy"].as_f64().unwrap());
    let rows: u64 = evidence["calibration"].as_array().unwrap().iter().map(|bin| bin["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 80, "every judged row is in one step of confidence");
    let page = String::from_utf8(bench.read("out/here/report.html")).unwrap();
    for part in ["<!doctype html>", "room.mliot", "occupancy-1", "The search", "80 rows", "the last 20% of the rows"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let again = bench.run(&["replay", "room.mliot", "--state", "state", "--json"]).json();
    assert_eq!(again["tasks"]["occupancy"]["evidence"], *evidence, "a training that is not made again knows it, too");

    fs::write(bench.path("file"), "").unwrap();
    let refused = bench.run(&["replay", "room.mliot", "--state", "state", "--report", "file/here"]);
    assert_eq!(refused.code, Some(3), "{}", refused.text());
    assert!(refused.err.contains("E0719") && refused.err.contains("--report DIR"), "{}", refused.text());
}

#[test]
fn chance_is_measured_where_somebody_asks() {
    let text = room("").replace("[logistic]", "[forest(trees: 5)]").replace("maximize accuracy", "minimize log_loss");
    let bench = Bench::new().with("room.csv", readings(400)).with("room.mliot", text);
    let asked = ["replay", "room.mliot", "--state", "state", "--sensitivity", "3"];
    let report = bench.run(&[&asked[..], &["--json"]].concat()).json();
    let task = &report["tasks"]["occupancy"];
    let sensitivity = &task["sensitivity"];
    let of = |name: &str| sensitivity[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!((of("seeds").len(), of("orders").len()), (3, 3), "{sensitivity}");
    assert_eq!(sensitivity["own"], task["champion"]["metrics"]["log_loss"]);
    assert!(of("seeds").iter().any(|other| *other != sensitivity["own"].as_f64().unwrap()), "another seed, another forest");
    let said = bench.run(&asked);
    assert!(said.out.contains("with 3 other seeds") && said.out.contains("in 3 other orders"), "{}", said.text());
    assert!(
        bench.run(&["replay", "room.mliot", "--state", "state", "--json"]).json()["tasks"]["occupancy"]["sensitivity"]
            .is_null()
    );
}
