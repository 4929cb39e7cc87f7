//! What is refused before anything runs: each message as its reader sees it, with its exit code.

use super::bench::{Bench, Ended, readings, room};

fn snapshot(name: &str, ended: &Ended) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, ended.text()));
}

#[track_caller]
fn case(name: &str, bench: &Bench, args: &[&str], code: i32) {
    let ended = bench.run(args);
    assert_eq!(ended.code, Some(code), "{name}: {}", ended.text());
    assert!(!ended.err.contains("panicked"), "{name}: {}", ended.text());
    snapshot(name, &ended);
}

/// The same recording under another name or content.
#[track_caller]
fn recording(name: &str, connector: &str, file: &str, content: impl AsRef<[u8]>, code: i32) {
    let text = room("").replace("csv(\"room.csv\")", connector);
    let bench = Bench::new().with("room.mliot", text).with(file, content);
    case(name, &bench, &["replay", "room.mliot"], code);
}

#[test]
fn recordings_that_cannot_be_read() {
    recording("missing", "csv(\"no.csv\")", "room.csv", readings(9), 3);
    recording("glob_without_files", "csv(\"no*.csv\")", "room.csv", readings(9), 3);
    recording("other_format", "parquet(\"room.csv\")", "room.csv", readings(9), 3);
    recording("not_packed", "csv(\"room.csv.gz\")", "room.csv.gz", readings(9), 3);
    recording("empty", "csv(\"room.csv\")", "room.csv", "", 3);
    recording("header_only", "csv(\"room.csv\")", "room.csv", readings(0), 3);
    recording("no_such_column", "csv(\"room.csv\")", "room.csv", readings(9).replace("co2", "carbon"), 3);
}

#[test]
fn recordings_that_nothing_can_be_learned_from() {
    recording("one_class", "csv(\"room.csv\")", "room.csv", readings(4), 1);
    let nobody_told: String = readings(40).lines().map(|line| line.trim_end_matches(['0', '1']).to_owned() + "\n").collect();
    recording("no_labels", "csv(\"room.csv\")", "room.csv", nobody_told, 1);
}

#[test]
fn files_that_are_not_there() {
    let bench = Bench::of_room();
    for (name, command) in [("check", "check"), ("replay", "replay"), ("run", "run"), ("fmt", "fmt")] {
        case(&format!("no_file_{name}"), &bench, &[command, "no.mliot"], 3);
    }
    case("recording_as_pipeline", &bench, &["check", "room.csv"], 1);
}

#[test]
fn arguments_that_do_not_fit() {
    let bench = Bench::of_room();
    case("unknown_input", &bench, &["replay", "room.mliot", "--input", "rom=room.csv"], 1);
    case("input_without_file", &bench, &["replay", "room.mliot", "--input", "room=no.csv"], 3);
    case("input_without_value", &bench, &["replay", "room.mliot", "--input", "room"], 2);
    case("unknown_param", &bench, &["replay", "room.mliot", "--set", "fersh=600"], 1);
    case("param_of_another_type", &bench, &["replay", "room.mliot", "--set", "fresh=true"], 1);
    case("param_of_another_unit", &bench, &["replay", "room.mliot", "--set", "fresh=21degC"], 1);
    case("set_without_value", &bench, &["replay", "room.mliot", "--set", "fresh"], 2);
    case("no_such_command", &bench, &["rerun", "room.mliot"], 2);
    case("unknown_code", &bench, &["explain", "E0653"], 1);
}

#[test]
fn nothing_to_judge() {
    let bench = Bench::of_room();
    case("nothing_learned_yet", &bench, &["score", "room.mliot", "--input", "room=room.csv"], 3);
    let models = bench.run(&["models", "room.mliot"]);
    assert_eq!((models.code, models.out.as_str()), (Some(0), "occupancy: nothing learned yet\n"));
}

#[test]
fn a_source_without_a_recorded_file_takes_no_other_recording() {
    let text = room("").replace("recorded csv(\"room.csv\")", "live     stdin(format: csv)");
    let bench = Bench::new().with("room.mliot", text).with("room.csv", readings(9));
    case("input_for_a_live_source", &bench, &["replay", "room.mliot", "--input", "room=room.csv"], 1);
}

#[test]
fn clauses_that_are_not_in_this_version() {
    for (name, clause) in [
        ("retrain", "  retrain  when drift or every 7d\n"),
        ("promote", "  promote  when better by 1% over 500 rows\n"),
        ("rollback", "  rollback when accuracy over 10min < champion - 5%\n"),
        ("when", "  when host.battery < 20% {\n    minimize log_loss\n  }\n"),
    ] {
        let bench = Bench::of_room().with("room.mliot", room(clause));
        case(&format!("clause_{name}"), &bench, &["check", "room.mliot"], 1);
        let said = bench.run(&["check", "room.mliot"]).err;
        for command in ["replay", "run"] {
            let ended = bench.run(&[command, "room.mliot"]);
            assert_eq!((ended.code, ended.err), (Some(1), said.clone()), "{command} with {name}");
        }
    }
}

#[test]
fn a_connector_that_is_not_in_this_version_is_refused_where_it_is_read() {
    let live = "live     mqtt(\"mqtt://localhost:1883\", topic: \"rooms/lab\", format: json)\n  time     at";
    let bench = Bench::of_room().with("room.mliot", room("").replace("time     at", live));
    assert_eq!(bench.run(&["check", "room.mliot"]).code, Some(0));
    let replayed = bench.run(&["replay", "room.mliot"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.text());
    case("mqtt_under_run", &bench, &["run", "room.mliot"], 1);
}

#[test]
fn state_folders_that_cannot_be_used() {
    let bench = Bench::of_room().with("file", "no folder");
    for command in ["replay", "run", "models"] {
        case(&format!("state_is_a_file_{command}"), &bench, &[command, "room.mliot", "--state", "file"], 3);
    }
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    let bench = bench.with("state/models/occupancy/champion", "nonsense\n");
    case("champion_unreadable", &bench, &["models", "room.mliot", "--state", "state"], 3);
    let bench = bench.with("state/models/occupancy/champion", "occupancy-1\n");
    let bench = bench.with("state/models/occupancy/occupancy-1/model.safetensors", "nonsense");
    case("model_damaged", &bench, &["score", "room.mliot", "--state", "state", "--input", "room=room.csv"], 3);
}

#[test]
fn a_policy_that_nobody_can_meet() {
    for (word, code) in [("warn", 0), ("abstain", 0), ("keep champion", 0), ("stop", 1)] {
        let clause = format!("  require  accuracy >= 99.5% otherwise {word}\n");
        let bench = Bench::of_room().with("room.mliot", room(&clause));
        let ended = bench.run(&["replay", "room.mliot"]);
        assert_eq!(ended.code, Some(code), "{word}: {}", ended.text());
        snapshot(&format!("otherwise_{}", word.replace(' ', "_")), &Ended { out: String::new(), ..ended });
        let predicted =
            bench.path("out.jsonl").exists() && bench.read("out.jsonl").windows(12).any(|text| text == b"\"guess\":true");
        assert_eq!(predicted, word == "warn", "{word}");
    }
}
