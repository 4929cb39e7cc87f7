//! `mliot tap` and `mliot trace` at a running pipeline.

use serde_json::Value;

use super::bench::{Bench, Running, wait_for};

const ROOM: &str = r#"param fresh: float<ppm> = 600
source room {
  columns { at: time; device: text; co2: float<ppm> }
  live simulate {
    rows 50 per 1s by device in ["lab", "hall"]; seed 8
    columns { co2 = walk(400..900, step: 20) }
  }
  time at
}
stream air = room
  | where co2 > 420
  | set { stuffy = co2 > fresh }
stream busy = air | window 200ms by device { mean_co2 = mean(co2) }
sink out = air | to jsonl("out.jsonl")
sink slow = busy | to jsonl("slow.jsonl")
"#;

/// A run, and its folder.
fn start() -> (Bench, Running) {
    let bench = Bench::new().with("room.mliot", ROOM);
    let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    wait_for("the first rows", || bench.path("out.jsonl").metadata().is_ok_and(|data| data.len() > 0).then_some(()));
    (bench, running)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

fn ends(running: Running) {
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.err.contains("all written"), "{}", ended.text());
}

#[test]
fn rows_are_seen_under_a_condition_in_the_words_of_the_file() {
    let (bench, running) = start();
    let seen =
        bench.run(&["tap", "air", "room.mliot", "--json", "--limit", "5", "--where", "co2 > fresh and device == \"hall\""]);
    assert_eq!(seen.code, Some(0), "{}", seen.text());
    let all = lines(&seen.out);
    let names: Vec<&str> =
        all[0]["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["at", "device", "co2", "stuffy"]);
    let rows: Vec<&Value> = all.iter().filter(|event| event["event"] == "row").collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| row["row"]["device"] == "hall" && row["row"]["stuffy"] == true), "{rows:?}");
    assert!(rows.windows(2).all(|two| two[0]["at"].as_u64() < two[1]["at"].as_u64()), "{rows:?}");

    let csv = bench.run(&["tap", "air/where", "room.mliot", "--limit", "2"]);
    assert!(csv.out.starts_with("at,device,co2\n") && csv.out.lines().count() == 3, "{}", csv.text());
    let sink = bench.run(&["tap", "slow", "room.mliot", "--limit", "1", "--where", "mean_co2 > 0"]);
    assert!(sink.out.starts_with("device,mean_co2,window_start,window_end\n"), "{}", sink.text());
    ends(running);
}

#[test]
fn a_place_or_condition_that_is_wrong_is_said_and_nothing_is_shown() {
    let (bench, running) = start();
    for (place, condition, parts) in [
        ("aire", "true", ["E0201", "did you mean `air`?"]),
        ("room.late", "true", ["E0408", "nothing is late in `room`"]),
        ("air", "co2 > 21degC", ["E0301", "[--where:1:1]"]),
        ("air", "cp2 > 21", ["E0201", "[--where:1:1]"]),
        ("air", "co2 > 1 | set { a = 1 }", ["E0303", "one condition is needed"]),
        ("air", "(co2", ["E0113", "[--where:1:1]"]),
    ] {
        let ended = bench.run(&["tap", place, "room.mliot", "--limit", "1", "--where", condition]);
        assert!(ended.code == Some(1) && ended.out.is_empty(), "{}", ended.text());
        assert!(parts.iter().all(|part| ended.err.contains(part)), "{parts:?} in {}", ended.text());
    }
    ends(running);
    let nobody = bench.run(&["tap", "air", "room.mliot"]);
    assert!(nobody.code == Some(3) && nobody.err.contains("R0202"), "{}", nobody.text());
}

#[test]
fn a_tap_goes_with_its_name_through_edits() {
    let (bench, running) = start();
    let tap = Running::start(&mut bench.program(&["tap", "air", "room.mliot", "--json", "--where", "co2 > fresh"]));
    let has = |part: &str| tap.heard().contains(part);
    wait_for("a row", || has("\"row\"").then_some(()));
    let bench = bench.with("room.mliot", ROOM.replace("co2 > fresh }", "co2 > fresh; dry = co2 < 500 }"));
    wait_for("the new column", || has("\"dry\":false").then_some(()));
    let bench = bench.with("room.mliot", ROOM.replace("stream air", "stream luft").replace("= air", "= luft"));
    wait_for("that it is gone", || has("{\"event\":\"gone\",\"place\":\"air\"}").then_some(()));
    let bench = bench.with("room.mliot", ROOM.replace("fresh", "stale"));
    wait_for("that the condition does not fit", || has("\"unfit\"").then_some(()));
    let before = tap.heard().lines().count();
    let bench = bench.with("room.mliot", ROOM.replace("stuffy =", "close ="));
    wait_for("rows again", || tap.heard().lines().skip(before).any(|line| line.contains("\"close\":true")).then_some(()));
    let events: Vec<Value> = lines(&tap.heard()[..tap.heard().rfind('\n').unwrap()]);
    let rows: Vec<u64> = events.iter().filter(|event| event["event"] == "row").map(|row| row["at"].as_u64().unwrap()).collect();
    assert!(rows.windows(2).all(|two| two[0] < two[1]), "each row once, in order: {rows:?}");
    tap.interrupt();
    ends(running);
    drop(bench);
}

#[test]
fn a_row_is_followed_to_its_ends() {
    let (bench, running) = start();
    let traced = bench.run(&["trace", "room.mliot", "--json", "--where", "co2 > fresh"]).json();
    let steps = traced["steps"].as_array().unwrap();
    let step = |node: &str| steps.iter().find(|step| step["node"] == node).unwrap_or_else(|| panic!("{node} in {traced}"));
    assert_eq!(traced["source"], "room");
    assert_eq!(step("air/set")["made"], serde_json::json!([{ "column": "stuffy", "value": true }]));
    assert_eq!(step("busy/window")["fate"], "absorbed");
    assert!(step("busy/window")["where_kept"].as_str().unwrap().starts_with("for the window from 20"), "{traced}");
    assert_eq!(step("out/accept")["fate"], "passed");

    let later = (traced["at"].as_u64().unwrap() + 200).to_string();
    let text = bench.run(&["trace", "room.mliot", "--ordinal", &later]).out;
    assert!(text.starts_with(&format!("row {later} of room\n")) && text.contains("air/where"), "{text}");
    let passed = bench.run(&["trace", "room.mliot", "--ordinal", "1"]);
    assert!(passed.code == Some(3) && passed.err.contains("has passed already"), "{}", passed.text());
    let low = bench.run(&["trace", "room.mliot", "--where", "co2 < 425 and co2 <= 420"]);
    assert!(low.out.contains("ended here (where): where co2 > 420"), "{}", low.text());
    ends(running);
}

/// Nothing runs, and nothing is written; the champion of the replay before answers.
#[test]
fn a_row_of_a_recording_is_followed_with_the_models_of_now() {
    let bench = Bench::of_room();
    let replayed = bench.run(&["replay", "room.mliot"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.text());
    let written = bench.read("out.jsonl");
    let traced = bench.run(&["trace", "room.mliot", "--recorded", "--json", "--where", "co2 > 700 and light > 200"]).json();
    let steps = traced["steps"].as_array().unwrap();
    let step = |node: &str| steps.iter().find(|step| step["node"] == node).unwrap_or_else(|| panic!("{node} in {traced}"));
    let made: Vec<&str> =
        step("now/predict")["made"].as_array().unwrap().iter().map(|cell| cell["column"].as_str().unwrap()).collect();
    assert_eq!(made, ["guess", "guess_confidence", "guess_version"]);
    assert_eq!(step("now/predict")["made"][2]["value"], "occupancy-1");
    let first = bench.run(&["trace", "room.mliot", "--recorded", "--ordinal", "0"]);
    assert!(first.out.starts_with("row 0 of room\n") && first.err.contains("champion of now"), "{}", first.text());
    let none = bench.run(&["trace", "room.mliot", "--recorded", "--where", "co2 > 4999"]);
    assert!(none.code == Some(3) && none.err.contains("no row of the recordings"), "{}", none.text());
    assert_eq!(bench.read("out.jsonl"), written);
}
