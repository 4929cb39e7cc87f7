//! Rows that one source passes on to another over HTTP, killed on the way: a receiver that remembers keys has each of them once.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::host::bench::Client;

use super::bench::{Bench, Running, wait_for};

fn pipeline(port: u16) -> String {
    format!(
        r#"
source a {{ columns {{ n: int }}; live http(port: {port}) }}
source b {{ columns {{ n: int in 0..1000 }}; live http(port: {port}) }}
sink relay = a | to http("http://127.0.0.1:{port}/rows/b", rows: 7)
sink out = b | to jsonl("out.jsonl")
"#
    )
}

fn numbers(bench: &Bench) -> Vec<i64> {
    let text = std::fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_i64().unwrap()).collect()
}

#[test]
fn rows_that_are_posted_on_come_once_over_kills_and_what_is_refused_is_counted() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let bench = Bench::new().with("room.mliot", pipeline(port));
    let start = || {
        let running = Running::start(&mut bench.program(&["run", "room.mliot", "--epoch-every", "50ms"]));
        wait_for("a beginning", || running.said().contains("/rows/b").then_some(()));
        running
    };
    let url = format!("http://127.0.0.1:{port}");
    let post = |rows: std::ops::Range<i64>| {
        let rows: Vec<Value> = rows.map(|n| json!({ "n": n })).collect();
        assert_eq!(Client::to(&url).ask("POST", "/rows/a", &json!(rows).to_string()).0, 202);
    };
    for round in 0..4 {
        let running = start();
        for nth in 0..5 {
            post(100 * round + 20 * nth..100 * round + 20 * nth + 20);
        }
        wait_for("some of them", || numbers(&bench).contains(&(100 * round + 30)).then_some(()));
        running.kill();
    }
    let running = start();
    wait_for("all of them", || (numbers(&bench).len() >= 400).then_some(()));
    post(5_000..5_003);
    let refused = "relay: 3 rows given up (the answer was 400 Bad Request";
    wait_for("a refusal", || running.said().contains(refused).then_some(()));
    post(400..401);
    wait_for("the last one", || numbers(&bench).contains(&400).then_some(()));
    running.interrupt();
    let ended = running.end();
    assert_eq!(numbers(&bench), (0..=400).collect::<Vec<_>>(), "{}", ended.text());
    assert_eq!(ended.code, Some(0), "{}", ended.text());
}
