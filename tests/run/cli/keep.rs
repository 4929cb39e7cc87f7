//! What `keep` writes while rows come in live is the recording of what comes later: the same rows in the same order.

use serde_json::{Value, json};

use crate::host::bench::Client;

use super::bench::{Bench, Running, wait_for};
use super::inputs::address;

const ROOM: &str = r#"
source room {
  columns { at: time; n: int; note: text? }
  live http(port: 0)
  keep parquet("air/")
  time at, lateness 1min
}
sink out = room | scan { before = lag(n, 1) } | to jsonl("out.jsonl")
"#;

/// Rows whose times jump back and forth by a few seconds.
fn rows(from: i64, to: i64) -> Value {
    let row = |n: i64| {
        let at = 60 + n / 10 + (n * 7) % 11;
        json!({ "at": format!("2026-01-01T00:{:02}:{:02}Z", at / 60, at % 60), "n": n, "note": if n % 3 == 0 { Value::Null } else { json!("x") } })
    };
    (from..to).map(row).collect()
}

fn written(bench: &Bench) -> Vec<Value> {
    let text = std::fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(bench: &Bench) -> Vec<i64> {
    written(bench).iter().map(|row| row["n"].as_i64().unwrap()).collect()
}

fn run(bench: &Bench) -> Running {
    Running::start(&mut bench.program(&["run", "room.mliot", "--epoch-every", "50ms"]))
}

fn post(bench: &Bench, running: &Running, from: i64, to: i64) {
    let mut client = Client::to(&address(running));
    for n in (from..to).step_by(10) {
        assert_eq!(client.ask("POST", "/rows/room", &rows(n, n + 10).to_string()).0, 202);
    }
    wait_for("the rows", || numbers(bench).contains(&(to - 1)).then_some(()));
}

fn kept(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(bench.path("air"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_replay_reads_what_was_kept_over_kills_in_the_order_of_its_arrival() {
    for format in ["parquet(\"air/\")", "jsonl(\"air/all.jsonl\")"] {
        let bench = Bench::new().with("room.mliot", ROOM.replace("parquet(\"air/\")", format));
        for round in 0..3 {
            let running = run(&bench);
            post(&bench, &running, 100 * round, 100 * round + 100);
            running.kill();
        }
        let running = run(&bench);
        post(&bench, &running, 300, 310);
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.text());
        assert!(ended.text().contains("room/keep: 310 rows written"), "{}", ended.text());
        let (live, files) = (written(&bench), kept(&bench));
        assert_eq!(numbers(&bench), (0..310).collect::<Vec<_>>());
        assert!(files.iter().all(|name| !name.starts_with('.')), "{files:?}");

        std::fs::remove_file(bench.path("out.jsonl")).unwrap();
        let replayed = bench.run(&["replay", "room.mliot"]);
        assert_eq!(replayed.code, Some(0), "{}", replayed.text());
        assert_eq!(written(&bench), live);
        assert_eq!(kept(&bench), files, "a replay keeps nothing");

        let fresh = Running::start(&mut bench.program(&["run", "room.mliot", "--fresh"]));
        wait_for("the recording", || fresh.said().contains("live, after 310 recorded rows").then_some(()));
        fresh.kill();
    }
}

#[test]
fn of_a_recording_and_what_was_kept_the_recording_comes_first() {
    let text = ROOM.replace("  live", "  recorded jsonl(\"old.jsonl\")\n  live");
    let old: String = rows(-20, 0).as_array().unwrap().iter().map(|row| format!("{row}\n")).collect();
    let bench = Bench::new().with("room.mliot", text).with("old.jsonl", old);
    let running = run(&bench);
    post(&bench, &running, 0, 20);
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    std::fs::remove_file(bench.path("out.jsonl")).unwrap();
    let replayed = bench.run(&["replay", "room.mliot"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.text());
    let (old, kept): (Vec<i64>, Vec<i64>) = numbers(&bench).into_iter().partition(|n| *n < 0);
    assert_eq!((old.len(), kept), (20, (0..20).collect()));
    assert!(numbers(&bench)[..20].iter().all(|n| *n < 0));
}
