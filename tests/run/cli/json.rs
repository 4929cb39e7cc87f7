//! What scripts read: one shape for every command that fails, and a run that is nothing but events.

use serde_json::Value;

use super::bench::{Bench, Running, room, wait_for};

/// The codes of the only line of standard output.
#[track_caller]
fn codes(bench: &Bench, args: &[&str], code: i32) -> Vec<String> {
    let ended = bench.run(args);
    assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.text());
    assert_eq!(ended.out.lines().count(), 1, "{args:?}: {}", ended.text());
    let said: Value = serde_json::from_str(&ended.out).unwrap();
    let found = said["diagnostics"].as_array().unwrap_or_else(|| panic!("{args:?}: {said}"));
    let codes: Vec<String> = found.iter().map(|found| found["code"].as_str().unwrap().to_owned()).collect();
    // People see the same on standard error, but for `check`, whose result the messages are.
    let told = |code: &&String| args[0] == "check" || ended.err.contains(code.as_str());
    assert!(codes.iter().all(|code| told(&code)), "{args:?}: {}", ended.text());
    codes
}

#[test]
fn a_file_with_errors_gives_every_command_the_same_object() {
    let bench = Bench::of_room().with("room.mliot", room("").replace("co2 > fresh", "co3 > fresh"));
    for command in ["check", "plan", "graph", "test", "replay", "models", "run"] {
        assert_eq!(codes(&bench, &[command, "room.mliot", "--json"], 1), ["E0201"], "{command}");
    }
    assert_eq!(codes(&bench, &["score", "room.mliot", "--json", "--input", "room=room.csv"], 1), ["E0201"]);
}

#[test]
fn failures_of_the_world_are_objects_too() {
    let bench = Bench::of_room();
    for command in ["check", "plan", "graph", "test", "replay", "models", "run"] {
        assert_eq!(codes(&bench, &[command, "no.mliot", "--json"], 3), ["E0207"], "{command}");
    }
    assert_eq!(codes(&bench, &["score", "room.mliot", "--json", "--input", "room=room.csv"], 3), ["E0558"]);
    assert_eq!(codes(&bench, &["replay", "room.mliot", "--json", "--state", "room.csv"], 3), ["R0503"]);
    let bench = bench.with("room.mliot", room("").replace("room.csv", "no.csv"));
    assert_eq!(codes(&bench, &["replay", "room.mliot", "--json"], 3), ["E0711"]);
}

#[test]
fn a_replay_lists_its_warnings_beside_its_results() {
    let bench = Bench::of_room().with("room.mliot", room("  require  accuracy >= 99.5% otherwise warn\n"));
    let json = bench.run(&["replay", "room.mliot", "--json"]).json();
    let found = json["diagnostics"].as_array().unwrap();
    assert!(found.iter().any(|found| found["level"] == "warning"), "{json:#}");
    assert!(json["tasks"]["occupancy"]["champion"].is_object());
}

const LIVE: &str = r#"
source room {
  columns { at: time; co2: float<ppm> }
  live simulate { rows 50 per 1s; seed 8; columns { co2 = walk(400..900, step: 20) } }
  time at
}
sink screen = room | to stdout(format: FORMAT)
"#;

/// Rows of a sink on the standard output are events among the others, whatever its format.
#[test]
fn a_run_writes_nothing_but_events() {
    for format in ["jsonl", "csv"] {
        let text = LIVE.replace("FORMAT", format);
        let bench = Bench::new().with("room.mliot", text);
        let running = Running::start(&mut bench.program(&["run", "room.mliot", "--json"]));
        wait_for("some rows", || (running.out().matches("\"row\"").count() > 20).then_some(()));
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.text());
        let events: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
        assert!(events.iter().all(|event| event["event"].is_string()), "{}", ended.out);
        let rows = named("row");
        assert!(rows.iter().all(|row| row["sink"] == "screen" && row["row"]["co2"].is_number()), "{}", ended.out);
        let stopped = named("stopped");
        assert_eq!(stopped[0]["sinks"][0]["delivered"], rows.len(), "{format}");
        assert_eq!((named("started").len(), stopped.len()), (1, 1));
    }
}

#[test]
fn a_replay_that_writes_rows_there_ends_with_its_result() {
    let text = room("").replace("to jsonl(\"out.jsonl\")", "to stdout(format: csv)");
    let bench = Bench::of_room().with("room.mliot", text);
    let ended = bench.run(&["replay", "room.mliot", "--json"]);
    let lines: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (result, rows) = lines.split_last().unwrap();
    assert_eq!((result["rows"].as_u64(), rows.len()), (Some(400), 400));
    assert!(rows.iter().all(|row| row["event"] == "row" && row["sink"] == "record"));
}
