//! `mliot run`: what keeps it from starting, and what does not bring it down.

use std::fs;
use std::net::TcpListener;

use super::bench::{Bench, Running, room, wait_for};

/// The recording, then two made-up readings a second.
pub fn live(more: &str) -> String {
    let simulated = "live simulate {
    rows 2 per 1s; seed 8
    columns {
      co2      = walk(400..900, step: 20)
      light    = noise(3)
      occupied = step(every: 20s, values: [false, true])
    }
  }
  time     at";
    room("").replace("time     at", simulated) + more
}

#[test]
fn a_port_in_use_is_named_and_nothing_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = Bench::of_room().with("room.mliot", live(&format!("serve occupancy at http(port: {port})\n")));
    let ended = bench.run(&["run", "room.mliot"]);
    assert_eq!(ended.code, Some(3), "{}", ended.text());
    for part in ["E0751", "another program listens there", "room.mliot:", "help:", &port.to_string()] {
        assert!(ended.err.contains(part), "{part} in {}", ended.text());
    }
    assert!(!bench.path("out.jsonl").exists(), "nothing was begun");
}

#[test]
fn a_missing_recording_is_named_and_nothing_starts() {
    let bench = Bench::of_room().with("room.mliot", live("").replace("room.csv", "no.csv"));
    let ended = bench.run(&["run", "room.mliot"]);
    assert_eq!(ended.code, Some(3), "{}", ended.text());
    assert!(ended.err.contains("E0711") && ended.err.contains("`no.csv`"), "{}", ended.text());
}

#[test]
fn a_file_that_is_deleted_changes_nothing_and_may_come_back() {
    let bench = Bench::of_room().with("room.mliot", live(""));
    let mut running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    wait_for("a champion", || running.said().contains(" answers").then_some(()));
    fs::remove_file(bench.path("room.mliot")).unwrap();
    wait_for("a word about the file", || running.said().contains("room.mliot is gone").then_some(()));
    assert!(!running.is_over(), "{}", running.said());

    let bench = bench.with("room.mliot", live("").replace("co2 > fresh", "co2 > fresh + 1"));
    wait_for("the edit", || running.said().contains("retuned").then_some(()));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.err.contains("all written"), "{}", ended.text());
    assert!(!bench.read("out.jsonl").is_empty());
}

#[test]
fn a_broken_edit_is_said_and_changes_nothing() {
    let bench = Bench::of_room().with("room.mliot", live(""));
    let mut running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    wait_for("a champion", || running.said().contains(" answers").then_some(()));
    let bench = bench.with("room.mliot", live("").replace("co2 > fresh", "co2 > 21degC"));
    wait_for("the mistake", || running.said().contains("E0301").then_some(()));
    let bench = bench.with("room.mliot", live("").replace("  search   2", "  retrain  when drift\n  search   2"));
    wait_for("the clause", || running.said().contains("E0199").then_some(()));
    assert!(!running.is_over(), "{}", running.said());
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    drop(bench);
}

/// What is found while it runs names its place in the file, as it stands after the last edit.
#[test]
fn a_failure_of_a_running_source_is_said_at_its_place() {
    let text = "source room {
  columns {
    at:  time
    co2: float<ppm>
  }
  live csv(\"late.csv\")
  time at
}
sink out = room | to jsonl(\"out.jsonl\")
";
    let bench = Bench::new().with("room.mliot", text).with("late.csv", "at,carbon\n2026-01-01,1\n");
    let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    wait_for("the failure", || running.said().contains("E0714").then_some(()));
    wait_for("its place", || running.said().contains("[room.mliot:4:5]").then_some(()));
    let bench = bench.with("late.csv", "at,carbon,co3\n2026-01-01,1,2\n");
    let moved = format!("# Another line, and another column.\n{}", text.replace("co2:", "co3: float<ppm>; co4:"));
    let bench = bench.with("room.mliot", moved.replace("late.csv", "later.csv")).with("later.csv", "at,co3\n2026-01-01,2\n");
    wait_for("the new place", || running.said().contains("[room.mliot:5:22]").then_some(()));
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    drop(bench);
}
