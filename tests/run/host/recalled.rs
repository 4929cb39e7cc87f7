//! Edits that want to see once more what came only once: rows that were posted, and lines of a file that is followed.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bench::{Bench, Client, Counting};

/// Two sources that are posted to and one that is followed, in one stream; `stages` are what an edit changes.
fn pipeline(field: &str, stages: &str) -> String {
    format!(
        r#"
source lab  {{ columns {{ n: int from "{field}" }}; live http(port: 0) }}
source hall {{ columns {{ n: int from "{field}" }}; live http(port: 0) }}
source wall {{ columns {{ n: int }}; live tail("wall.jsonl", from: start) }}

stream all = lab | union hall
stream summed = all {stages}
stream walls = wall {stages}
sink out = summed | to jsonl("out.jsonl")
sink wall_out = walls | to jsonl("walls.jsonl")
"#
    )
}

fn start(folder: TempDir, text: &str) -> Bench {
    Bench::keeping(folder, text, |parts| parts, Arc::<Counting>::default())
}

fn fresh(text: &str) -> Bench {
    start(tempfile::tempdir().unwrap(), text)
}

/// One row at a time, so that the order in which they are drawn is known.
fn post(bench: &Bench, clients: &mut [Client], rows: std::ops::Range<i64>) {
    for n in rows {
        let which = (n * n % 3 % 2) as usize;
        let path = ["/rows/lab", "/rows/hall"][which];
        let before = bench.count("out.jsonl");
        assert_eq!(clients[which].ask("POST", path, &json!({ "n": n, "m": -n }).to_string()).0, 202);
        bench.grows_to("out.jsonl", before + 1);
    }
}

fn clients(at: &[String]) -> Vec<Client> {
    ["/rows/lab", "/rows/hall"].iter().map(|path| Client::to(at.iter().find(|at| at.ends_with(path)).unwrap())).collect()
}

fn add(bench: &Bench, rows: std::ops::Range<i64>) {
    let text: String = rows.clone().map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let before = bench.count("walls.jsonl");
    let file = OpenOptions::new().create(true).append(true).open(bench.path("wall.jsonl"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
    bench.grows_to("walls.jsonl", before + rows.count());
}

fn last(bench: &Bench, name: &str) -> Value {
    bench.rows(name).last().unwrap().clone()
}

const SUM: &str = "| scan { so_far = cumulative_sum(n); third = lag(n, 3) }";

#[test]
fn rows_that_came_once_are_told_in_the_order_in_which_they_were_drawn() {
    let bench = fresh(&pipeline("n", ""));
    let mut clients = clients(&bench.started());
    post(&bench, &mut clients, 0..20);
    add(&bench, 0..10);
    let words = bench.edit(&pipeline("n", SUM));
    assert!(words.contains("rebuilt from the rows so far"), "{words}");
    post(&bench, &mut clients, 20..21);
    add(&bench, 10..11);
    assert_eq!(last(&bench, "out.jsonl"), json!({"n": 20, "so_far": 210, "third": 17}));
    assert_eq!(last(&bench, "walls.jsonl"), json!({"n": 10, "so_far": 55, "third": 7}));
    bench.end();
}

#[test]
fn records_that_were_posted_are_read_as_the_edit_reads_them() {
    let bench = fresh(&pipeline("n", SUM));
    let mut clients = clients(&bench.started());
    post(&bench, &mut clients, 0..10);
    let words = bench.edit(&pipeline("m", SUM));
    assert!(words.contains("rebuilt from the rows so far"), "{words}");
    post(&bench, &mut clients, 10..11);
    assert_eq!(last(&bench, "out.jsonl"), json!({"n": -10, "so_far": -55, "third": -7}));
    // Where the edit lets fewer of them pass.
    let narrow = pipeline("m", SUM).replace("from \"m\"", "in -8..0 from \"m\"");
    assert_eq!(bench.edit(&narrow).matches("rebuilt").count(), 0, "bounds are no other meaning");
    bench.end();
}

#[test]
fn what_was_before_a_restart_is_told_as_well_and_how_far_it_reaches_is_said() {
    let bench = fresh(&pipeline("n", ""));
    let mut clients_of = clients(&bench.started());
    post(&bench, &mut clients_of, 0..10);
    let (_, folder) = bench.end();
    let bench = start(folder, &pipeline("n", ""));
    clients_of = clients(&bench.started());
    post(&bench, &mut clients_of, 10..20);
    bench.edit(&pipeline("n", SUM));
    post(&bench, &mut clients_of, 20..21);
    assert_eq!(last(&bench, "out.jsonl"), json!({"n": 20, "so_far": 210, "third": 17}));
    let (_, folder) = bench.end();

    // The oldest logs are gone, as they go when there is too much of them.
    let mut logs: Vec<_> = std::fs::read_dir(folder.path().join("state/log")).unwrap().map(|log| log.unwrap().path()).collect();
    logs.sort();
    let newest = logs.pop().unwrap();
    logs.iter().for_each(|log| std::fs::remove_file(log).unwrap());
    assert!(newest.exists());
    let bench = start(folder, &pipeline("n", SUM));
    clients_of = clients(&bench.started());
    post(&bench, &mut clients_of, 21..24);
    let words = bench.edit(&pipeline("n", &SUM.replace("lag(n, 3)", "lag(n, 4)")));
    assert!(words.contains("which reach back to 20"), "{words}");
    post(&bench, &mut clients_of, 24..25);
    assert_eq!(last(&bench, "out.jsonl"), json!({"n": 24, "so_far": 300, "third": null}));
    post(&bench, &mut clients_of, 25..26);
    assert_eq!(last(&bench, "out.jsonl"), json!({"n": 25, "so_far": 325, "third": 21}));
    bench.end();
}

#[test]
fn windows_of_which_rows_are_not_told_do_not_come() {
    let timed = |more: &str| {
        format!(
            "source lab {{ columns {{ at: time; n: int }}; live http(port: 0); time at }}\n\
             stream w = lab | window 10s {{ rows = count() {more}}}\nsink out = w | to jsonl(\"out.jsonl\")\n\
             sink raw = lab | to jsonl(\"raw.jsonl\")\n"
        )
    };
    let ask = |bench: &Bench, client: &mut Client, seconds: std::ops::Range<i64>| {
        let before = bench.count("raw.jsonl");
        let rows: Vec<Value> =
            seconds.map(|s| json!({"at": format!("2026-01-01T00:{:02}:{:02}Z", s / 60, s % 60), "n": s})).collect();
        assert_eq!(client.ask("POST", "/rows/lab", &json!(rows).to_string()).0, 202);
        bench.grows_to("raw.jsonl", before + rows.len());
    };
    let bench = fresh(&timed(""));
    let mut client = Client::to(&bench.started()[0]);
    ask(&bench, &mut client, 0..15);
    let (_, folder) = bench.end();
    for log in std::fs::read_dir(folder.path().join("state/log")).unwrap().map(|log| log.unwrap().path()) {
        std::fs::remove_file(log).unwrap();
    }
    let bench = start(folder, &timed(""));
    let mut client = Client::to(&bench.started()[0]);
    ask(&bench, &mut client, 15..25);
    // Other keys, so that nothing of before is of use.
    let words = bench.edit(&timed("").replace("window 10s {", "window 10s by n {"));
    assert!(words.contains("which reach back to"), "{words}");
    ask(&bench, &mut client, 25..45);
    bench.grows_to("out.jsonl", 1 + 1 + 20);
    let starts: Vec<String> =
        bench.rows("out.jsonl")[2..].iter().map(|row| row["window_start"].as_str().unwrap().to_owned()).collect();
    assert_eq!(starts[0], "2026-01-01T00:00:20Z", "{starts:?}");
    assert_eq!(starts.len(), 20, "every row of the windows that are whole");
    bench.end();
}
