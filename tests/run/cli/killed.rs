//! `mliot run` killed again and again, as a power cut does it, and every row of it exactly once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use mliot::base::Time;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::bench::{Bench, Running, wait_for};

const PIPELINE: &str = r#"
source room {
  columns { at: time; device: text; co2: float<ppm> }
  live simulate {
    rows 400 per 1s by device in ["a", "b"]; seed 8
    columns { co2 = walk(400..900, step: 20) }
  }
  time at
}

stream air = room | scan by device { so_far = cumulative_sum(co2) }
stream panes = room | window 250ms by device { rows = count(); mean_co2 = mean(co2) }
sink lines  = air | to jsonl("lines.jsonl")
sink tables = air | to parquet("tables/")
sink panes_out = panes | to csv("panes.csv")
"#;

/// Means the same for every row that comes.
fn edited(nth: usize) -> String {
    PIPELINE.replace("sink lines  = air |", &format!("sink lines  = air | where co2 > {nth} |"))
}

fn run(bench: &Bench) -> Running {
    let args = ["run", "room.mliot", "--json", "--epoch-every", "60ms"];
    Running::start(&mut bench.program(&args))
}

/// Whole lines only: the last may be being written.
fn lines(bench: &Bench) -> Vec<Value> {
    let text = fs::read_to_string(bench.path("lines.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
}

fn tables(bench: &Bench) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    let mut names: Vec<_> = fs::read_dir(bench.path("tables")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
        let reader = builder.unwrap_or_else(|error| panic!("{}: {error}", path.display())).build().unwrap();
        reader.for_each(|batch| rows.extend(keys(&batch.unwrap())));
    }
    rows
}

fn keys(rows: &RecordBatch) -> Vec<(i64, String)> {
    let (at, device) = (rows.column(0).as_primitive::<TimestampMicrosecondType>(), rows.column(1).as_string::<i32>());
    (0..rows.num_rows()).map(|row| (at.value(row), device.value(row).to_owned())).collect()
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_every_row_once() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    for kill in 1..=5 {
        let mut running = run(&bench);
        let before = lines(&bench).len();
        wait_for("rows", || (lines(&bench).len() > before + 60 * kill).then_some(()));
        assert!(!running.is_over(), "{}", running.said());
        // An edit that is said to be applied is applied, whatever comes next.
        fs::write(bench.path("room.mliot"), edited(kill)).unwrap();
        if kill % 2 == 1 {
            wait_for("the edit", || running.heard().contains("edit_applied").then_some(()));
        }
        running.kill();
    }
    let running = run(&bench);
    let before = lines(&bench).len();
    wait_for("rows", || (lines(&bench).len() > before + 100).then_some(()));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.out.contains("\"recovered\""), "{}", ended.text());

    // Ticks of the simulation stand 2.5 ms apart: none is missing, none is there twice.
    let lines = lines(&bench);
    let mut by_device: BTreeMap<String, Vec<(i64, f64, f64)>> = BTreeMap::new();
    for line in &lines {
        let at = Time::parse(line["at"].as_str().unwrap()).unwrap().0;
        let of = by_device.entry(line["device"].as_str().unwrap().to_owned()).or_default();
        of.push((at, line["co2"].as_f64().unwrap(), line["so_far"].as_f64().unwrap()));
    }
    assert_eq!(by_device.len(), 2);
    for (device, rows) in &by_device {
        let mut sum = 0.0;
        for (nth, (at, co2, so_far)) in rows.iter().enumerate() {
            assert_eq!(*at, rows[0].0 + nth as i64 * 2_500, "{device}, row {nth}");
            sum += co2;
            assert!((so_far - sum).abs() <= 1e-9 * sum, "{device}, row {nth}: {so_far} instead of {sum}");
        }
    }

    let mut from_tables = tables(&bench);
    from_tables.sort();
    let mut from_lines: Vec<(i64, String)> =
        by_device.iter().flat_map(|(device, rows)| rows.iter().map(|(at, _, _)| (*at, device.clone()))).collect();
    from_lines.sort();
    assert_eq!(from_tables.len(), from_lines.len());
    assert_eq!(from_tables, from_lines);

    // A window that is closed has all of its rows, and is there once.
    let text = String::from_utf8(bench.read("panes.csv")).unwrap();
    let mut panes: BTreeMap<(Time, String), u64> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let before = panes.insert((Time::parse(fields[3]).unwrap(), fields[0].to_owned()), fields[1].parse().unwrap());
        assert_eq!(before, None, "{line} is there twice");
    }
    assert!(panes.len() > 4, "{text}");
    let first = panes.keys().next().unwrap().0;
    let short: Vec<_> = panes.iter().filter(|((start, _), rows)| *start != first && **rows != 100).collect();
    assert!(short.is_empty(), "{short:?}");

    let shown = bench.run(&["state", "room.mliot", "--json"]).json();
    assert_eq!(shown["sinks"][0]["waiting"], 0, "{shown:#}");
    assert!(shown["sources"][0]["rows"].as_u64().unwrap() as usize >= lines.len(), "{shown:#}");
    let left = fs::read_dir(bench.path("tables"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0, "nothing is left aside");
}

#[test]
fn a_fresh_run_says_what_it_puts_aside_and_another_may_not_run_beside_it() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = run(&bench);
    wait_for("rows", || (lines(&bench).len() > 50).then_some(()));
    let other = bench.run(&["run", "room.mliot"]);
    assert_eq!(other.code, Some(3), "{}", other.text());
    assert!(other.err.contains("R0103"), "{}", other.text());
    running.interrupt();
    assert_eq!(running.end().code, Some(0));

    let fresh = Running::start(&mut bench.program(&["run", "room.mliot", "--fresh"]));
    wait_for("a word about it", || fresh.said().contains("begins anew").then_some(()));
    wait_for("a beginning", || fresh.said().contains("live, after 0 recorded rows").then_some(()));
    fresh.interrupt();
    let ended = fresh.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(!ended.err.contains("goes on at row"), "{}", ended.text());
}

#[test]
fn an_edit_made_while_nothing_runs_is_an_edit() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = run(&bench);
    wait_for("rows", || (lines(&bench).len() > 100).then_some(()));
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    let before = lines(&bench);

    let bench = bench.with("room.mliot", PIPELINE.replace("sink lines  = air |", "sink lines  = air | where co2 > 0 |"));
    let running = run(&bench);
    wait_for("rows", || (lines(&bench).len() > before.len() + 100).then_some(()));
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    let after = lines(&bench);
    let of_a = |rows: &[Value]| rows.iter().filter(|row| row["device"] == "a").cloned().collect::<Vec<Value>>();
    let (all, known) = (of_a(&after), of_a(&before).len());
    // The sum of the stage before it goes on.
    let step = |nth: usize| all[nth]["so_far"].as_f64().unwrap() - all[nth - 1]["so_far"].as_f64().unwrap();
    assert!((step(known) - all[known]["co2"].as_f64().unwrap()).abs() < 1e-6, "{:?}", &all[known - 1..=known]);
}

/// Rows that cannot be read again, from the standard input.
const STREAM: &str = r#"
source room {
  columns { at: time; n: int }
  live stdin(format: jsonl)
  time at
}

stream sums = room | scan { so_far = cumulative_sum(n) }
sink lines  = sums | to jsonl("lines.jsonl")
"#;

fn readings(from: u64, to: u64) -> String {
    (from..to).map(|n| format!("{{\"at\": \"2026-01-01T00:00:{:02}.{:03}Z\", \"n\": {n}}}\n", n / 1_000, n % 1_000)).collect()
}

#[test]
fn rows_that_cannot_be_read_again_are_kept_in_the_log() {
    let bench = Bench::new().with("room.mliot", STREAM);
    let args = ["run", "room.mliot", "--json", "--epoch-every", "50ms"];
    let mut input = None;
    for round in 0..3u64 {
        let mut running = Running::start(bench.program(&args).stdin(Stdio::piped()));
        let mut stdin = running.take_input();
        stdin.write_all(readings(round * 100, round * 100 + 100).as_bytes()).unwrap();
        stdin.flush().unwrap();
        wait_for("rows", || (lines(&bench).len() as u64 == round * 100 + 100).then_some(()));
        // Lines of the log are handed to the system within the time of a group, and an epoch stands behind them.
        let all = format!("\"at\":{}", round * 100 + 100);
        wait_for("an epoch", || {
            running.heard().lines().any(|line| line.contains("\"epoch\"") && line.contains(&all)).then_some(())
        });
        running.kill();
        input = Some(stdin);
    }
    drop(input);
    let ended = bench.run(&["state", "room.mliot", "--json"]).json();
    assert_eq!(ended["sources"][0]["rows"], 300, "{ended:#}");
    let lines = lines(&bench);
    let numbers: Vec<u64> = lines.iter().map(|line| line["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..300).collect::<Vec<u64>>());
    assert_eq!(lines[299]["so_far"], 300 * 299 / 2);
}
