//! `per device`: a model for each key that has rows enough, and one that all share for the others.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use super::bench::{Bench, Running, wait_for};

/// Three devices, of which one reads its light upside down and one has come lately.
fn pipeline(clause: &str, live: &str) -> String {
    format!(
        "source room {{
  columns {{
    at:       time
    device:   text
    light:    float<lux>
    occupied: bool?
  }}
  recorded csv(\"room.csv\")
{live}  time     at
}}

stream air = room | where light >= 0lux

task occupancy = classify occupied from air {{
  features [light]
{clause}  models   [logistic]
  policy   plain
}}

policy plain {{
  maximize accuracy
  search   1 trials, 60s
  validate last 20%
}}

stream now    = air | predict occupancy as guess
sink   record = now | select [at, device, light, occupied, guess] | to jsonl(\"out.jsonl\")
"
    )
}

fn readings() -> String {
    let mut out = String::from("at,device,light,occupied\n");
    for row in 0..1_200 {
        let there = (row / 25) % 2 == 1;
        let device = ["plain", "turned", if row > 1_000 { "late" } else { "plain" }][row % 3];
        let bright = there == (device != "turned");
        let light = 100 + if bright { 300 } else { 0 } + row * 37 % 151;
        writeln!(out, "2026-01-01T{:02}:{:02}:00Z,{device},{light},{there}", row / 60, row % 60).unwrap();
    }
    out
}

fn bench(clause: &str) -> Bench {
    Bench::new().with("room.mliot", pipeline(clause, "")).with("room.csv", readings())
}

fn replayed(bench: &Bench) -> Value {
    bench.run(&["replay", "room.mliot", "--state", "state", "--json"]).json()["tasks"]["occupancy"].clone()
}

/// How many rows of a device the sink has right, of how many that were answered.
fn right(bench: &Bench, device: &str) -> (usize, usize) {
    let text = String::from_utf8(bench.read("out.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered: Vec<Value> = rows.filter(|row| row["device"] == device && row["guess"].is_boolean()).collect();
    (answered.iter().filter(|row| row["guess"] == row["occupied"]).count(), answered.len())
}

#[test]
fn each_key_has_its_own_model_once_it_has_rows_enough() {
    let shared = bench("");
    let alone = replayed(&shared)["champion"].clone();
    assert!(alone["metrics"]["accuracy"].as_f64().unwrap() < 0.85 && alone["keys"].is_null(), "{alone}");

    let bench = bench("  per      device after 200 rows\n");
    let champion = replayed(&bench)["champion"].clone();
    assert!(champion["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{champion}");
    let keys = &champion["keys"];
    assert_eq!(
        (&keys["keys"], &keys["own"], &keys["after"], &keys["by"][0]),
        (&3.into(), &2.into(), &200.into(), &"device".into())
    );
    assert!(keys["own_score"].as_f64().unwrap() > keys["shared_score"].as_f64().unwrap() + 0.1, "{keys}");
    let of = |key: &str| keys["of"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    assert_eq!(
        (&of("turned")["own"], &of("late")["own"], &of("late")["score"]),
        (&true.into(), &false.into(), &of("late")["shared"])
    );
    let (known, answered) = right(&bench, "turned");
    assert!(known * 100 > answered * 95, "{known} of {answered}");

    let said = bench.run(&["replay", "room.mliot", "--state", "state"]);
    assert!(
        said.out.contains("per device: 2 of 3 have a model of their own, learned from 200 rows or more"),
        "{}",
        said.text()
    );
    assert!(said.out.contains("the shared model on the same rows"), "{}", said.text());
    assert_eq!(bench.run(&["verify", "occupancy", "room.mliot", "--state", "state"]).code, Some(0));
    let scored = bench.run(&["score", "room.mliot", "--state", "state", "--input", "room=room.csv", "--json"]).json();
    assert!(scored["tasks"]["occupancy"]["metrics"]["accuracy"].as_f64().unwrap() > 0.85, "{scored}");
}

#[test]
fn without_a_number_five_hundred_rows_are_enough() {
    let bench = bench("  per      device\n");
    let keys = replayed(&bench)["champion"]["keys"].clone();
    assert_eq!((&keys["after"], &keys["own"]), (&500.into(), &1.into()), "only `plain` has so many to learn from: {keys}");
}

#[test]
fn a_run_answers_each_key_by_its_own_model_and_a_request_too() {
    let live = "  live simulate {
    rows 20 per 1s by device in [\"plain\", \"turned\"]; seed 8
    columns {
      light    = 420 + noise(3)
      occupied = step(every: 5s, values: [false, true])
    }
  }
";
    let text = pipeline("  per      device after 200 rows\n", live) + "serve occupancy at http(port: 0)\n";
    let bench = Bench::new().with("room.mliot", text).with("room.csv", readings());
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--state", "state", "--json"]));
    let rows = || fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let guesses = |device: &str| -> Vec<Value> {
        let rows = rows();
        let rows = rows.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        rows.filter(|row| row["device"] == device && row["guess"].is_boolean()).map(|row| row["guess"].clone()).collect()
    };
    wait_for("predictions of both", || (guesses("plain").len() > 3 && guesses("turned").len() > 3).then_some(()));
    assert!(guesses("plain").iter().all(|guess| *guess == true), "{}", rows());
    assert!(guesses("turned").iter().all(|guess| *guess == false), "{}", rows());
    running.interrupt();
    assert_eq!(running.end().code, Some(0));

    // A restart has them again.
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--state", "state", "--json"]));
    let before = guesses("turned").len();
    wait_for("more", || (guesses("turned").len() > before + 3).then_some(()));
    assert!(guesses("turned").iter().all(|guess| *guess == false));
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
}
