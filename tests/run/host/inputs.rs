//! Rows that come in live: posted over HTTP, and added to files that are followed.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use mliot::diag::Code;
use mliot::host::Limits;
use mliot::server;
use serde_json::{Value, json};

use super::bench::{Bench, Client, Counting};

/// Readings come in by POST, and a wall's by a file; `set` and `more` are what an edit changes.
fn pipeline(set: &str, more: &str) -> String {
    format!(
        r#"
source room {{
  columns {{
    device: text
    co2:    float<ppm> in 0..5000
  }}
  live http(port: 0)
}}

source wall {{
  columns {{
    co2: float<ppm>
  }}
  live tail("wall/*.jsonl")
}}

sink out  = room | set {{ stuffy = co2 > 800{set} }} | to jsonl("out.jsonl")
sink walls = wall | to jsonl("walls.jsonl")
{more}
"#
    )
}

fn post(client: &mut Client, body: &Value) -> (u16, Value) {
    client.ask("POST", "/rows/room", &body.to_string())
}

fn row(nth: u32) -> Value {
    json!({ "device": "lab", "co2": nth })
}

fn add(bench: &Bench, name: &str, text: &str) {
    let path = bench.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn numbers(bench: &Bench, name: &str) -> Vec<u32> {
    bench.rows(name).iter().map(|row| row["co2"].as_f64().unwrap() as u32).collect()
}

#[test]
fn rows_that_are_posted_are_taken_whole_or_not_at_all() {
    let bench = Bench::start(&pipeline("", ""));
    let at = bench.started();
    assert!(at[0].ends_with("/rows/room"), "{at:?}");
    let mut client = Client::to(&at[0]);
    assert_eq!(post(&mut client, &row(1)), (202, json!({"source": "room", "accepted": 1, "first": 0})));
    assert_eq!(post(&mut client, &json!([row(2), row(3)])).1["first"], 1);
    assert_eq!(post(&mut client, &json!({"rows": [row(4)]})).0, 202);
    assert_eq!(client.ask("POST", "/rows/room", &format!("{}\n{}\n", row(5), row(6))).1["accepted"], 2);

    let (status, body) = post(&mut client, &json!([row(7), {"device": "lab", "co2": 9000}, {"co2": 1}]));
    let reasons = json!([
        {"row": 1, "reason": "`co2` is 9000, outside 0..5000"},
        {"row": 2, "reason": "`device` is missing"},
    ]);
    assert_eq!((status, &body["error"]["bad"], &body["error"]["accepted"]), (400, &reasons, &json!(0)));
    assert_eq!(client.ask("POST", "/rows/room", "co2=400").0, 400);
    assert_eq!(client.ask("GET", "/rows/room", "").0, 405);
    let (status, body) = client.ask("POST", "/rows/rom", "{}");
    assert_eq!(
        (status, body["error"]["message"].as_str().unwrap().contains("did you mean `/rows/room`?")),
        (404, true),
        "{body}"
    );

    bench.grows_to("out.jsonl", 6);
    assert_eq!(numbers(&bench, "out.jsonl"), [1, 2, 3, 4, 5, 6]);
    let (_, metrics) = client.ask("GET", "/metrics", "");
    assert_eq!(metrics, Value::Null, "metrics are text");
    let (summary, _folder) = bench.end();
    assert_eq!((summary.status.rows_in, summary.undelivered), (6, 0));
}

#[test]
fn a_client_hears_what_is_too_much_and_who_may_not() {
    let server = server::Limits { rows_max: 2, body_bytes_max: 300, ..server::Limits::default() };
    let limits = Limits { server, ..Limits::default() };
    let bench = Bench::with(&pipeline("", ""), |parts| parts, limits, Arc::<Counting>::default());
    let at = bench.started();
    let mut client = Client::to(&at[0]);
    assert_eq!(post(&mut client, &json!([row(1), row(2), row(3)])).0, 413);
    assert_eq!(post(&mut client, &json!([{"device": "x".repeat(400), "co2": 1}])).0, 413);
    let (status, body) = client.ask_with("POST", "/rows/room", "origin: http://elsewhere.example\r\n", &row(1).to_string());
    assert_eq!((status, body["error"]["message"].as_str().unwrap().contains("another site")), (403, true), "{body}");
    let (status, _) = client.ask_with("POST", "/rows/room", "origin: http://bench\r\n", &row(1).to_string());
    assert_eq!(status, 202);
    bench.end();
}

/// The connection survives edits of columns and of what is below; nothing is lost and nothing is doubled.
#[test]
fn edits_while_rows_are_posted_lose_nothing() {
    let bench = Bench::start(&pipeline("", ""));
    let at = bench.started();
    let url = at[0].clone();
    let posting = std::thread::spawn(move || {
        let mut client = Client::to(&url);
        for nth in 0..300 {
            assert_eq!(post(&mut client, &json!([row(2 * nth), row(2 * nth + 1)])).0, 202);
        }
    });
    bench.edit(&pipeline("; high = co2 > 1000", ""));
    bench.edit(&pipeline("; high = co2 > 1000", "sink more = room | to jsonl(\"more.jsonl\")"));
    let columns = pipeline("; high = co2 > 1000", "").replace("in 0..5000", "in 0..4000");
    assert!(!bench.edit(&columns).is_empty());
    posting.join().unwrap();
    bench.grows_to("out.jsonl", 600);
    assert_eq!(numbers(&bench, "out.jsonl"), (0..600).collect::<Vec<_>>());
    let (summary, _folder) = bench.end();
    assert_eq!(summary.status.rows_in, 600);
}

#[test]
fn a_file_is_followed_through_its_rotation_while_the_pipeline_is_edited() {
    let bench = Bench::start(&pipeline("", ""));
    bench.started();
    add(&bench, "wall/a.jsonl", "{\"co2\":1}\n{\"co2\"");
    bench.grows_to("walls.jsonl", 1);
    add(&bench, "wall/a.jsonl", ":2}\nnonsense\n{\"co2\":3}\n");
    bench.grows_to("walls.jsonl", 3);
    bench.edit(&pipeline("; high = co2 > 1000", ""));
    std::fs::rename(bench.path("wall/a.jsonl"), bench.path("wall/a.jsonl.1")).unwrap();
    add(&bench, "wall/a.jsonl", "{\"co2\":4}\n");
    bench.grows_to("walls.jsonl", 4);
    assert_eq!(numbers(&bench, "walls.jsonl"), [1, 2, 3, 4]);
    let (summary, _folder) = bench.end();
    let decode = summary.status.nodes.iter().find(|node| node.name == "wall/decode").unwrap();
    assert_eq!(decode.dropped.get("bad"), Some(&1), "{decode:?}");
}

/// A port that is taken refuses the edit that wants it; what runs goes on.
#[test]
fn a_source_at_a_port_that_is_taken_changes_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = Bench::start(&pipeline("", ""));
    let at = bench.started();
    let wrong = bench.refused(&pipeline("", "").replace("port: 0", &format!("port: {port}")));
    assert_eq!(wrong[0].code, Code::E0751);
    let mut client = Client::to(&at[0]);
    assert_eq!(post(&mut client, &row(1)).0, 202);
    bench.grows_to("out.jsonl", 1);
    bench.end();
}

/// One listener answers for a task and takes rows.
#[test]
fn rows_come_in_at_the_port_at_which_a_task_is_served() {
    let more = "task which = classify device from room { features [co2] }\nserve which at http(port: 0)";
    let bench = Bench::start(&pipeline("", more));
    let at = bench.started();
    assert_eq!(at.len(), 2, "{at:?}");
    let host = |url: &str| url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    assert_eq!(host(&at[0]), host(&at[1]));
    let mut client = Client::to(&at[0]);
    assert_eq!(post(&mut client, &row(900)).0, 202);
    assert_eq!(client.ask("GET", "/health", "").0, 200);
    // Whether something was learned of one row is another matter.
    assert_ne!(client.ask("POST", "/predict/which", "{\"rows\": []}").0, 404);
    bench.end();
}
