//! The program with live inputs: what it acknowledged outlives it, whatever ends it.

use std::fs::OpenOptions;
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

const FOLLOWED: &str = r#"
source room {
  columns { n: int }
  live tail("log.jsonl", from: start)
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
pub fn address(running: &Running) -> String {
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

fn run(bench: &Bench) -> Running {
    Running::start(&mut bench.program(&["run", "room.mliot", "--epoch-every", "50ms"]))
}

fn end(running: Running) {
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
}

#[test]
fn rows_that_were_acknowledged_outlive_a_kill_and_come_once() {
    let bench = Bench::new().with("room.mliot", POSTED);
    for round in 0..4 {
        let running = run(&bench);
        let mut client = Client::to(&address(&running));
        for nth in 0..10 {
            post(&mut client, 100 * round + 10 * nth..100 * round + 10 * nth + 10);
        }
        // Wherever its rows are by then.
        running.kill();
    }
    let running = run(&bench);
    wait_for("all rows", || (numbers(&bench).len() >= 400).then_some(()));
    post(&mut Client::to(&address(&running)), 400..401);
    wait_for("the last row", || numbers(&bench).contains(&400).then_some(()));
    end(running);
    assert_eq!(numbers(&bench), (0..=400).collect::<Vec<_>>());
}

/// What an edit rebuilds from rows that came once is the same when a restart makes the edit again.
#[test]
fn a_kill_behind_an_edit_that_saw_them_once_more_changes_nothing() {
    let summed = POSTED.replace("room | to", "room | scan { so_far = cumulative_sum(n) } | to");
    let bench = Bench::new().with("room.mliot", POSTED);
    let args = ["run", "room.mliot", "--json", "--epoch-every", "3600s"];
    let running = Running::start(&mut bench.program(&args));
    let at = wait_for("an address", || {
        let heard = running.heard();
        let from = heard.find("http://")?;
        heard[from..].contains("/rows/room").then(|| heard[from..].split('"').next().unwrap().to_owned())
    });
    post(&mut Client::to(&at), 0..50);
    wait_for("the rows", || (numbers(&bench).len() == 50).then_some(()));
    std::fs::write(bench.path("room.mliot"), summed).unwrap();
    wait_for("the edit", || running.heard().contains("rebuilt from the rows so far").then_some(()));
    post(&mut Client::to(&at), 50..60);
    wait_for("more rows", || (numbers(&bench).len() == 60).then_some(()));
    running.kill();

    let running = run(&bench);
    post(&mut Client::to(&address(&running)), 60..61);
    wait_for("the last row", || numbers(&bench).contains(&60).then_some(()));
    end(running);
    assert_eq!(numbers(&bench), (0..=60).collect::<Vec<_>>());
    let text = String::from_utf8(bench.read("out.jsonl")).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({ "n": 60, "so_far": 60 * 61 / 2 }));
}

/// The answer to a request was lost: it comes once more, to another process.
#[test]
fn a_request_that_is_sent_once_more_with_its_key_is_taken_once() {
    let bench = Bench::new().with("room.mliot", POSTED);
    for round in 0..3 {
        let running = run(&bench);
        let mut client = Client::to(&address(&running));
        for key in 0..=round {
            let body = json!([{ "n": 2 * key }, { "n": 2 * key + 1 }]).to_string();
            let (status, answer) = client.ask_with("POST", "/rows/room", &format!("idempotency-key: k{key}\r\n"), &body);
            let again = if key < round { json!(true) } else { Value::Null };
            let told = json!({ "status": status, "accepted": answer["accepted"], "first": answer["first"] });
            assert_eq!(told, json!({ "status": 202, "accepted": 2, "first": 2 * key }), "{answer}");
            assert_eq!(answer["repeated"], again);
        }
        let (status, _) = client.ask_with("POST", "/rows/room", "idempotency-key: k0\r\n", "{\"n\": 9}");
        assert_eq!(status, 422);
        running.kill();
    }
    let running = run(&bench);
    post(&mut Client::to(&address(&running)), 6..7);
    wait_for("the last row", || numbers(&bench).contains(&6).then_some(()));
    end(running);
    assert_eq!(numbers(&bench), (0..=6).collect::<Vec<_>>());
}

#[test]
fn a_run_that_begins_anew_knows_nothing_of_what_was_posted() {
    let bench = Bench::new().with("room.mliot", POSTED);
    let running = run(&bench);
    post(&mut Client::to(&address(&running)), 0..10);
    running.kill();
    let fresh = Running::start(&mut bench.program(&["run", "room.mliot", "--fresh"]));
    post(&mut Client::to(&address(&fresh)), 100..101);
    wait_for("the new row", || numbers(&bench).contains(&100).then_some(()));
    end(fresh);
    assert!(numbers(&bench).iter().filter(|n| **n < 10).count() <= 10);
}

#[test]
fn lines_of_a_log_that_is_rotated_come_once_whenever_the_run_is_killed() {
    let bench = Bench::new().with("room.mliot", FOLLOWED);
    let mut next = 0;
    for round in 0..4 {
        let running = run(&bench);
        for nth in 0..4 {
            let lines: String = (next..next + 50).map(|n| format!("{{\"n\":{n}}}\n")).collect();
            next += 50;
            let mut file = OpenOptions::new().create(true).append(true).open(bench.path("log.jsonl")).unwrap();
            // Half of a line stands there for a while.
            let (first, rest) = lines.split_at(lines.len() / 2 + 3);
            file.write_all(first.as_bytes()).unwrap();
            wait_for("rows", || (numbers(&bench).len() as i64 > next - 40).then_some(()));
            file.write_all(rest.as_bytes()).unwrap();
            if nth % 2 == 1 {
                let aside = format!("log.jsonl.{round}{nth}");
                std::fs::rename(bench.path("log.jsonl"), bench.path(&aside)).unwrap();
            }
        }
        // Perhaps in the middle of a file that has another name already.
        running.kill();
    }
    let running = run(&bench);
    wait_for("all rows", || (numbers(&bench).len() as i64 >= next).then_some(()));
    end(running);
    assert_eq!(numbers(&bench), (0..next).collect::<Vec<_>>());
}

#[test]
fn the_standard_input_is_read_once_and_what_was_read_outlives_a_kill() {
    let bench = Bench::new().with("room.mliot", PIPED);
    for (first, lines) in [(1, "t,n\na,1\nb,2\n"), (3, "t,n\nc,3\nd,four\ne,5\n")] {
        let mut command = bench.program(&["run", "room.mliot", "--epoch-every", "50ms"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(lines.as_bytes()).unwrap();
        wait_for("rows", || numbers(&bench).contains(&(first + if first == 1 { 1 } else { 2 })).then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let running = run(&bench);
    wait_for("the run", || running.said().contains("goes on at row").then_some(()));
    end(running);
    assert_eq!(numbers(&bench), [1, 2, 3, 5]);
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
