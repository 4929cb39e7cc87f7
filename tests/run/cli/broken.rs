//! Broken records: set aside, counted, and shown with the reason; the others go their way.

use super::bench::{Bench, readings_but};

const BROKEN: [(usize, &str); 6] = [
    (11, "nonsense"),
    (21, "2026-01-01T00:19:00Z,abc,1,0"),
    (31, "not a time,400,1,0"),
    (41, "2026-01-01T00:39:00Z,400,1,maybe"),
    (51, "2026-01-01T00:49:00Z,5001,1,0"),
    (61, "2026-01-01T00:59:00Z,-1,1,0"),
];

#[test]
fn broken_records_are_counted_and_explained() {
    let bench = Bench::of_room().with("room.csv", readings_but(&BROKEN));
    let replayed = bench.run(&["replay", "room.mliot"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.text());
    let books = replayed.out.split_once("rows/s\n").map(|(_, books)| books).unwrap_or_default();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("broken_records", books));

    let json = bench.run(&["replay", "room.mliot", "--json"]).json();
    let nodes = json["nodes"].as_array().unwrap();
    let decode = nodes.iter().find(|node| node["name"] == "room/decode").unwrap();
    assert_eq!((&decode["in"], &decode["passed"]), (&400.into(), &394.into()));
    assert_eq!(decode["dropped"], serde_json::json!({ "bad": 6 }));
    let dead = json["dead_letter"]["room"].as_array().unwrap();
    let raw: Vec<&str> = dead.iter().map(|record| record["raw"].as_str().unwrap().trim_end()).collect();
    assert_eq!(raw, BROKEN.map(|(_, text)| text));
    let origins: Vec<&str> = dead.iter().map(|record| record["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, BROKEN.map(|(line, _)| format!("room.csv:{line}")));
    assert_eq!(json["sinks"][0]["taken"], 394);
}

#[test]
fn many_broken_records_are_all_counted() {
    let broken: Vec<(usize, &str)> = (2..302).map(|line| (line, "?")).collect();
    let bench = Bench::of_room().with("room.csv", readings_but(&broken));
    let json = bench.run(&["replay", "room.mliot", "--json"]).json();
    let nodes = json["nodes"].as_array().unwrap();
    let decode = nodes.iter().find(|node| node["name"] == "room/decode").unwrap();
    assert_eq!(decode["dropped"], serde_json::json!({ "bad": 300 }));
    assert_eq!(json["dead_letter"]["room"].as_array().unwrap().len(), 100);
}

/// The line is set aside, the next ones are read, and their lines are counted rightly.
#[test]
fn a_quote_that_is_not_closed_costs_its_line() {
    let open = [(11, "2026-01-01T00:09:00Z,\"400,1,0"), (21, "2026-01-01T00:19:00Z,\"abc\",1,0"), (401, "\"")];
    let bench = Bench::of_room().with("room.csv", readings_but(&open));
    let json = bench.run(&["replay", "room.mliot", "--json"]).json();
    let dead = json["dead_letter"]["room"].as_array().unwrap();
    let told = |field: &str| dead.iter().map(|record| record[field].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(told("origin"), ["room.csv:11", "room.csv:21", "room.csv:401"]);
    assert_eq!(told("raw")[0], open[0].1);
    let reasons = told("reason");
    assert_eq!(
        (reasons[0].as_str(), reasons[2].as_str()),
        ("a quote is opened and not closed", "a quote is opened and not closed")
    );
    assert_eq!(json["sinks"][0]["taken"], 397);
}

#[test]
fn the_outlet_of_broken_records_is_a_stream() {
    let text = super::bench::room("") + "sink broken = room.bad | to csv(\"broken.csv\")\n";
    let bench = Bench::of_room().with("room.mliot", text).with("room.csv", readings_but(&BROKEN));
    let json = bench.run(&["replay", "room.mliot", "--json"]).json();
    let sinks = json["sinks"].as_array().unwrap();
    let taken = |name: &str| sinks.iter().find(|sink| sink["name"] == name).unwrap()["taken"].as_u64();
    assert_eq!((taken("broken"), taken("record")), (Some(6), Some(394)));
    let written = String::from_utf8(bench.read("broken.csv")).unwrap();
    assert_eq!(written.lines().next(), Some("reason,raw,origin"));
    assert!(written.contains("room.csv:11"), "{written}");
}

/// Whoever drops all columns has asked for rows without any, and gets as many as came.
#[test]
fn a_sink_without_columns_gets_its_rows() {
    let text = "source lab {\n  columns { at: time; v: float }\n  recorded jsonl(\"a.jsonl\")\n  time at\n}\n\
                sink out = lab | drop [at, v] | to FORMAT\n";
    let rows = "{\"at\":\"2026-01-01T00:00:00Z\",\"v\":1}\n{\"at\":\"2026-01-01T00:00:01Z\",\"v\":2}\n";
    for format in ["jsonl(\"out.jsonl\")", "parquet(\"out.parquet\")", "csv(\"out.csv\")"] {
        let bench = Bench::new().with("a.jsonl", rows).with("none.mliot", text.replace("FORMAT", format));
        let replayed = bench.run(&["replay", "none.mliot", "--json"]).json();
        assert_eq!((&replayed["sinks"][0]["taken"], &replayed["diagnostics"]), (&2.into(), &serde_json::json!([])), "{format}");
    }
}
