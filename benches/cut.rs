//! What an edit costs a running graph: how long its rows wait (the pause), and how long the whole change takes (prepare and
//! cut, without the compiler). Two texts in turn, rows between them; no training beside it.
//!
//! `MLIOT_BENCH_EDITS` sets how many edits are made of each kind.

mod memory;

use std::fmt::Write;
use std::time::Instant;

use mliot::plan::Graph;
use mliot::runtime::{Engine, Rows, Settings};

const BATCH_ROWS: usize = 1_000;
const BATCHES: usize = 100;
const EDITS: usize = 200;

/// Two versions of a file.
struct Edit {
    name: &'static str,
    devices: usize,
    before: String,
    after: String,
}

fn main() {
    let edits = std::env::var("MLIOT_BENCH_EDITS").ok().and_then(|edits| edits.parse().ok()).unwrap_or(EDITS).max(1);
    println!("{edits} edits of each kind, {BATCH_ROWS} rows between two; times in microseconds");
    println!("{:<58}{:>12}{:>12}{:>14}", "edit", "pause p50", "pause p99", "whole p50");
    cases().iter().for_each(|edit| measure(edit, edits));
}

fn cases() -> Vec<Edit> {
    let small = |name, before: &str, after: &str| {
        let file = |stages: &str| format!("stream w = s {stages}\nsink out = w | to jsonl(\"out.jsonl\")\n");
        Edit { name, devices: 100, before: file(before), after: file(after) }
    };
    let window = "| where v < 50 | window 1s by device { m = mean(v) }";
    vec![
        small("retuned: a threshold above a window", window, "| where v < 60 | window 1s by device { m = mean(v) }"),
        small("added: a column behind a window", window, &format!("{window} | set {{ twice = m * 2 }}")),
        small("another state: an aggregate more", window, "| where v < 50 | window 1s by device { m = mean(v); n = count() }"),
        small("another state: a window of 2 s", window, "| where v < 50 | window 2s by device { m = mean(v) }"),
        Edit {
            name: "retuned: the same above 100,000 keys",
            devices: 100_000,
            ..small("", window, "| where v < 60 | window 1s by device { m = mean(v) }")
        },
        Edit { name: "retuned: one stage of 1,000 nodes", devices: 100, before: wide(50), after: wide(60) },
    ]
}

/// A file of some 1,000 nodes; the first filter compares with `bound`.
fn wide(bound: usize) -> String {
    let mut text = String::new();
    for nth in 0..249 {
        let bound = if nth == 0 { bound } else { 50 };
        let _ = writeln!(
            text,
            "stream w{nth} = s | where v < {bound} | set {{ a = v + {nth} }} | scan by device {{ r = lag(a, 1) }}"
        );
        let _ = writeln!(text, "sink out{nth} = w{nth} | where r > 1e9 | to jsonl(\"out{nth}.jsonl\")");
    }
    text
}

fn measure(edit: &Edit, edits: usize) {
    let graphs: Vec<Graph> = [&edit.before, &edit.after].map(|text| memory::graph(text)).into();
    let rows = Rows::default();
    let parts = memory::Memory(rows.clone());
    let settings = Settings { batch_rows_max: BATCH_ROWS, ..Settings::default() };
    let mut engine = Engine::start(settings, &graphs[0], &parts).expect("it starts");
    let batches = memory::batches(&graphs[0], BATCHES + edits, BATCH_ROWS, edit.devices);
    memory::carry(&mut engine, &rows, &batches[..BATCHES]);
    let (mut pauses, mut wholes) = (Vec::new(), Vec::new());
    for (nth, batch) in batches[BATCHES..].iter().enumerate() {
        let begun = Instant::now();
        let cut = engine.apply(&graphs[(nth + 1) % 2], &parts).expect("the edit is carried out");
        wholes.push(begun.elapsed().as_micros() as u64);
        pauses.push(cut.event.pause_us);
        memory::carry(&mut engine, &rows, std::slice::from_ref(batch));
    }
    let findings = engine.take_findings();
    assert!(findings.is_empty(), "the books do not balance: {findings:?}");
    let (pause, worst, whole) = (quantile(&mut pauses, 0.5), quantile(&mut pauses, 0.99), quantile(&mut wholes, 0.5));
    println!("{:<58}{pause:>12}{worst:>12}{whole:>14}", edit.name);
}

fn quantile(values: &mut [u64], share: f64) -> u64 {
    values.sort_unstable();
    values[((values.len() - 1) as f64 * share).round() as usize]
}
