//! `run --probation`: a change that makes things worse is taken back by itself.

use std::fs::{self, OpenOptions};
use std::io::Write;

use serde_json::Value;

use super::bench::{Bench, Running, wait_for};

const PIPELINE: &str = r#"
source room {
  columns { n: int }
  live tail("log.jsonl", from: start)
}
stream counted = room | scan { so_far = cumulative(count(n)); before = previous(n) }
sink out = counted | to jsonl("out.jsonl")
"#;

fn start(bench: &Bench, probation: &str) -> Running {
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--json", "--probation", probation]));
    wait_for("a start", || running.heard().contains("\"started\"").then_some(()));
    running
}

fn rows(bench: &Bench) -> Vec<Value> {
    let text = fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A reading, each time another.
fn write(bench: &Bench, next: &mut u64) {
    let mut file = OpenOptions::new().append(true).create(true).open(bench.path("log.jsonl")).unwrap();
    writeln!(file, "{{\"n\": {next}}}").unwrap();
    *next += 1;
}

/// Readings come, until there is something.
fn meanwhile<T>(bench: &Bench, next: &mut u64, what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    wait_for(what, || {
        write(bench, next);
        there()
    })
}

fn causes(bench: &Bench) -> Vec<Value> {
    let history = bench.run(&["history", "room.mliot", "--json"]).json();
    history["plans"].as_array().unwrap().iter().map(|plan| plan["cause"].clone()).collect()
}

#[test]
fn an_edit_after_which_rows_cannot_be_read_is_taken_back_with_the_numbers() {
    let bench = Bench::new().with("room.mliot", PIPELINE).with("log.jsonl", "");
    let (running, mut next) = (start(&bench, "10min"), 0);
    meanwhile(&bench, &mut next, "rows", || (rows(&bench).len() >= 30).then_some(()));
    let mistaken = PIPELINE.replace("n: int }", "n: int from \"number\" }");
    fs::write(bench.path("room.mliot"), &mistaken).unwrap();
    meanwhile(&bench, &mut next, "the way back", || running.heard().contains("rolled_back").then_some(()));
    let lost = next;
    meanwhile(&bench, &mut next, "rows again", || {
        rows(&bench).last().is_some_and(|row| row["n"].as_u64() > Some(lost)).then_some(())
    });
    let causes = causes(&bench);
    assert_eq!((causes.len(), &causes[2]["kind"], &causes[2]["to"]), (3, &"rolled_back".into(), &1.into()), "{causes:?}");
    let why = causes[2]["why"].as_str().unwrap();
    assert!(why.starts_with("`room/decode` dropped ") && why.contains("100.0 %, before 0.0 %"), "{why}");
    assert!(running.heard().contains("R0205"), "{}", running.heard());
    assert_eq!(fs::read_to_string(bench.path("room.mliot")).unwrap(), mistaken, "the file is its owner's");
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    for (nth, row) in rows(&bench).iter().enumerate() {
        assert_eq!(row["so_far"].as_u64(), Some(nth as u64 + 1), "it goes on counting: {row}");
    }
}

#[test]
fn an_edit_that_is_no_worse_stays_and_what_it_replaced_is_let_go() {
    let bench = Bench::new().with("room.mliot", PIPELINE).with("log.jsonl", "");
    let (running, mut next) = (start(&bench, "300ms"), 0);
    meanwhile(&bench, &mut next, "rows", || (rows(&bench).len() >= 30).then_some(()));
    fs::write(bench.path("room.mliot"), PIPELINE.replace("previous(n)", "lag(n, 2)")).unwrap();
    meanwhile(&bench, &mut next, "the end of it", || running.heard().contains("probation_passed").then_some(()));
    let heard = running.heard();
    let on: Value = heard
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|event| event["event"] == "on_probation")
        .unwrap();
    assert_eq!((&on["plan"], &on["kept"]), (&2.into(), &serde_json::json!(["counted/scan"])), "{on}");
    assert_eq!(causes(&bench).len(), 2);
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
}
