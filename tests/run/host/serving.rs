//! Requests while the file is edited.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mliot::diag::Code;
use serde_json::json;

use super::bench::{ARRIVES, Bench, Client};

/// A simulated day as recording, then live; `serves` are its last lines.
pub fn pipeline(rise: &str, serves: &str) -> String {
    format!(
        r#"
source room {{
  columns {{
    at:       time
    device:   text
    co2:      float<ppm>
    occupied: bool?
  }}
  recorded simulate {{
    rows 1 per 1min by device in ["lab", "hall"]; seed 7; span 1d
    columns {{
      occupied = step(every: 40min, values: [false, true])
      co2      = walk(400..900, step: 20) + (if occupied then 180 else 0)
    }}
  }}
  live simulate {{
    rows 100 per 1s by device in ["lab", "hall"]; seed 8
    columns {{
      occupied = step(every: 20s, values: [false, true])
      co2      = walk(400..900, step: 20) + (if occupied then 180 else 0)
    }}
  }}
  time at, lateness 1min
}}

stream air = room
  | where co2 > 0
  | scan by device {{ rise = {rise} }}

task occupancy = classify occupied from air {{
  features [co2, rise]
}}

stream now = air | predict occupancy as guess
sink   out = now | select [at, device, guess, guess_version] | to jsonl("out.jsonl")
{serves}
"#
    )
}

pub const RISE: &str = "co2 - (previous(co2) else co2)";
pub const SERVE: &str = "serve occupancy at http(port: 0)";

#[test]
fn requests_are_answered_in_their_order_and_mistakes_are_named() {
    let bench = Bench::start(&pipeline(RISE, SERVE));
    let serving = bench.started();
    bench.trained();
    let mut client = Client::to(&serving[0]);
    let rows = json!({"rows": [{"device": "lab", "co2": 500}, {"device": "lab", "co2": 0}, {"device": "new", "co2": 700}]});
    let (status, body) = client.ask("POST", "/predict/occupancy", &rows.to_string());
    assert_eq!(status, 200, "{body}");
    let yes = json!({"value": true, "confidence": 1.0});
    let no = json!({"value": null, "confidence": null});
    assert_eq!(body["rows"], json!([yes, no, yes]), "the second row is dropped by the stream");
    assert_eq!((&body["task"], &body["version"]), (&json!("occupancy"), &json!("1")));
    assert_eq!(body["reason"], "1 of 3 rows are dropped on the way to `occupancy`");
    let (status, body) = client.ask("POST", "/predict/occupancy", r#"{"rows": [{"device": "lab", "co2": "much"}]}"#);
    assert_eq!((status, &body["error"]["column"]), (400, &json!("co2")));
    assert_eq!(client.ask("GET", "/ready", "").0, 200);
    let (_, status) = client.ask("GET", "/status", "");
    assert_eq!(status["tasks"][0]["family"], "yes");
    bench.end();
}

#[test]
fn requests_leave_no_trace_in_the_stream() {
    let bench = Bench::start(&pipeline(RISE, SERVE));
    let serving = bench.started();
    bench.trained();
    let mut client = Client::to(&serving[0]);
    for _ in 0..50 {
        let rows = json!({"rows": [{"device": "lab", "co2": 5000}, {"device": "lab", "co2": 1}]});
        assert_eq!(client.ask("POST", "/predict/occupancy", &rows.to_string()).0, 200);
    }
    let (summary, _folder) = bench.end();
    let gate = summary.status.nodes.iter().find(|node| node.name == "room/gate").unwrap();
    assert_eq!(gate.out, summary.status.rows_in);
    let scan = summary.status.nodes.iter().find(|node| node.name == "air/scan").unwrap();
    assert_eq!(scan.input, summary.status.rows_in);
}

#[test]
fn requests_are_answered_while_the_file_is_edited() {
    let bench = Bench::start(&pipeline(RISE, SERVE));
    let serving = bench.started();
    bench.trained();
    let stop = Arc::new(AtomicBool::new(false));
    let (url, ending) = (serving[0].clone(), stop.clone());
    let asking = std::thread::spawn(move || {
        let mut client = Client::to(&url);
        let body = json!({"rows": [{"device": "lab", "co2": 500}]}).to_string();
        let mut answered = 0_u32;
        while !ending.load(Ordering::Relaxed) {
            let (status, body) = client.ask("POST", "/predict/occupancy", &body);
            assert_eq!(status, 200, "{body}");
            assert_eq!(body["rows"][0]["value"], true);
            answered += 1;
        }
        answered
    });
    // Nothing of these touches the task's features, so its model goes on answering.
    for nth in 0..10 {
        match nth % 3 {
            0 => _ = bench.edit(&pipeline(RISE, &format!("{SERVE}\nsink more{nth} = air | to jsonl(\"more{nth}.jsonl\")"))),
            1 => _ = bench.refused(&pipeline(RISE, &format!("{SERVE}\nsink more = nothing | to jsonl(\"more.jsonl\")"))),
            _ => _ = bench.edit(&pipeline(RISE, SERVE)),
        }
    }
    stop.store(true, Ordering::Relaxed);
    let answered = asking.join().unwrap();
    assert!(answered > 0);
    let (summary, _folder) = bench.end();
    assert_eq!(summary.status.edits.refused, 3);
    assert_eq!(summary.status.tasks[0].version.as_deref(), Some("1"), "one training was enough");
}

#[test]
fn a_door_moves_to_another_port_and_a_taken_port_changes_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bench = Bench::start(&pipeline(RISE, SERVE));
    let serving = bench.started();
    bench.trained();
    let mut client = Client::to(&serving[0]);
    let body = json!({"rows": [{"device": "lab", "co2": 500}]}).to_string();

    let at = taken.local_addr().unwrap().port();
    let wrong = bench.refused(&pipeline(RISE, &format!("serve occupancy at http(port: {at})")));
    assert_eq!(wrong[0].code, Code::E0751, "{wrong:#?}");
    assert_eq!(client.ask("POST", "/predict/occupancy", &body).0, 200);

    bench.edit(&pipeline(RISE, &format!("serve occupancy at http(port: {free})")));
    let mut moved = Client::to(&format!("http://127.0.0.1:{free}"));
    assert_eq!(moved.ask("POST", "/predict/occupancy", &body).0, 200);

    // What is served nowhere any more has no port either; it is closed a moment after the edit.
    bench.edit(&pipeline(RISE, ""));
    drop(moved);
    let until = std::time::Instant::now() + ARRIVES;
    while std::net::TcpStream::connect(("127.0.0.1", free)).is_ok() {
        assert!(std::time::Instant::now() < until, "the port is still open");
    }
    bench.end();
}

#[test]
fn a_taken_port_keeps_a_run_from_starting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().port();
    let wrong = Bench::start(&pipeline(RISE, &format!("serve occupancy at http(port: {at})"))).failure();
    assert_eq!(wrong[0].code, Code::E0751, "{wrong:#?}");
}
