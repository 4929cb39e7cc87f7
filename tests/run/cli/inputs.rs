//! The program with live inputs: what it acknowledged outlives it, whatever ends it.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::host::bench::Client;

use super::bench::{Bench, Running, wait_for};

const POSTED: &str = r#"
source room {
  columns { n: int }
  live http(port: 0)
}
sink out = room | to jsonl("out.jsonl")
"#;

const PIPED: &str = r#"
source room {
  columns { n: int; t: text }
  live stdin(format: csv)
}
sink out = room | to jsonl("out.jsonl")
"#;

/// Where it takes rows, once it says so.
fn address(running: &Running) -> String {
    wait_for("an address", || {
        let said = running.said();
        let from = said.find("http://")?;
        said[from..].contains("/rows/room").then(|| said[from..].split_whitespace().next().unwrap().to_owned())
    })
}

fn numbers(bench: &Bench) -> Vec<i64> {
    let text = std::fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_i64().unwrap()).collect()
}

fn post(client: &mut Client, rows: std::ops::Range<i64>) {
    let rows: Vec<Value> = rows.map(|n| json!({ "n": n })).collect();
    let count = rows.len();
    let (status, body) = client.ask("POST", "/rows/room", &Value::from(rows).to_string());
    assert_eq!((status, &body["accepted"]), (202, &json!(count)), "{body}");
}

#[test]
fn rows_that_were_acknowledged_outlive_a_kill() {
    let bench = Bench::new().with("room.mliot", POSTED);
    for round in 0..3 {
        let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
        let mut client = Client::to(&address(&running));
        for nth in 0..10 {
            post(&mut client, 100 * round + 10 * nth..100 * round + 10 * nth + 10);
        }
        // Dropped, it is killed at once, wherever its rows are by then.
        drop(running);
    }
    let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    let found = wait_for("all rows", || {
        let mut found = numbers(&bench);
        found.sort_unstable();
        found.dedup();
        (found.len() >= 300).then_some(found)
    });
    assert_eq!(found, (0..300).collect::<Vec<_>>());
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
}

#[test]
fn two_runs_do_not_share_a_journal() {
    let bench = Bench::new().with("room.mliot", POSTED);
    let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    address(&running);
    let second = bench.run(&["run", "room.mliot"]);
    assert_eq!(second.code, Some(3), "{}", second.text());
    for part in ["R0714", "is used by", "room.mliot:", "help:"] {
        assert!(second.err.contains(part), "{part} in {}", second.text());
    }
}

#[test]
fn the_standard_input_is_kept_until_it_was_worked_on() {
    let bench = Bench::new().with("room.mliot", PIPED);
    let mut child = bench.program(&["run", "room.mliot"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(b"t,n\na,1\nb,2\n").unwrap();
    wait_for("the first rows", || (numbers(&bench).len() == 2).then_some(()));
    pipe.write_all(b"c,three\nd,4\n").unwrap();
    wait_for("the last row", || numbers(&bench).contains(&4).then_some(()));
    drop(pipe);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(numbers(&bench), [1, 2, 4]);
    assert!(bench.path(".mliot/room/journal/room").is_dir());
}

/// The course's chapter as its text tells it, but that the port is free.
#[test]
fn the_chapter_of_live_inputs_does_what_it_says() {
    let chapter = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/05-live/live.mliot");
    let text = std::fs::read_to_string(chapter).unwrap();
    let text = text.replace("port: 8081", "port: 0");
    let bench = Bench::new().with("room.mliot", &text);
    let running = Running::start(&mut bench.program(&["run", "room.mliot"]));
    let url = wait_for("an address", || {
        let said = running.said();
        Some(said[said.find("http://")?..].split_whitespace().next().unwrap().to_owned())
    });
    assert!(url.ends_with("/rows/meters"), "{url}");
    let reading = |place: &str, temperature: f64| format!("{{\"place\": \"{place}\", \"temperature\": {temperature}}}\n");
    let bench = bench.with("climate.jsonl", reading("bench", 21.0) + &reading("bench", 25.0));
    let hot = |count: usize| {
        wait_for("hot places", || {
            let text = std::fs::read_to_string(bench.path("hot.jsonl")).unwrap_or_default();
            (text.lines().count() == count).then_some(text)
        })
    };
    hot(1);
    let mut client = Client::to(&url);
    let (status, body) = client.ask("POST", "/rows/meters", &(reading("door", 25.5) + &reading("roof", 31.0)));
    assert_eq!((status, body), (202, json!({"source": "meters", "accepted": 2, "first": 0})));
    let (status, body) = client.ask("POST", "/rows/meters", &reading("roof", 310.0));
    let bad = json!([{"row": 0, "reason": "`temperature` is 310, outside -40..80"}]);
    assert_eq!((status, &body["error"]["bad"]), (400, &bad));
    hot(3);
    std::fs::rename(bench.path("climate.jsonl"), bench.path("climate.jsonl.1")).unwrap();
    let bench = bench.with("climate.jsonl", reading("bench", 30.0) + "nonsense\n");
    let bench = bench.with("room.mliot", text.replace("= 24", "= 22"));
    wait_for("the edit", || running.said().contains("retuned").then_some(()));
    assert_eq!(client.ask("POST", "/rows/meters", &reading("door", 23.0)).0, 202);
    let last = wait_for("hot places", || {
        let text = std::fs::read_to_string(bench.path("hot.jsonl")).unwrap_or_default();
        (text.lines().count() == 5).then_some(text)
    });
    assert!(last.contains("\"temperature\":30.0") && last.contains("\"temperature\":23.0"), "{last}");
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
}
