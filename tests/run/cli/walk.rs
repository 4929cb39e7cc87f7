//! The first chapter, walked through as its README says it: its commands are run, its edits are saved into a copy of the
//! file while that runs, and what it shows is what must be seen. The README is the script, so the two cannot drift apart.

mod readme;
mod walker;

use std::fs;
use std::path::Path;

use serde_json::Value;

use readme::{Change, steps};
use walker::Walker;

const CHAPTER: &str = "pipelines/01-first-light";

#[test]
fn what_the_first_chapter_says_is_what_happens() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(CHAPTER).join("README.md")).unwrap();
    // What follows are other commands, which end by themselves and have tests of their own.
    let walk = text.split_once("## Tests live in the file").expect("the chapter has this part").0;
    let mut walker = Walker::new(CHAPTER, "room.mliot", 8080);
    let (mut changes, mut taken) = (Vec::new(), 0);
    for step in steps(walk) {
        changes.extend(walker.take(&step));
        taken += 1;
    }
    assert!(taken > 12 && changes.len() == 4, "{taken} steps with {} edits were found in the README", changes.len());
    let (rows, err) = walker.done();
    answers_are_never_missing_again(&rows);
    the_threshold_changes_at_one_row(&rows, &changes[0]);
    every_row_is_written_once(&rows, &err);
}

/// Before the first model predictions are null; afterwards none is, whatever was edited.
fn answers_are_never_missing_again(rows: &[Value]) {
    let first = rows.iter().position(|row| !row["guess"].is_null()).expect("a model has answered");
    assert!(first > 0, "the first rows come before the first model");
    let missing: Vec<&Value> = rows[first..].iter().filter(|row| row["guess"].is_null()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

fn the_threshold_changes_at_one_row(rows: &[Value], change: &Change) {
    let threshold = |line: &str| line.rsplit_once("= ").and_then(|(_, value)| value.parse::<f64>().ok()).expect("a threshold");
    let (before, after) = (threshold(&change.from), threshold(&change.to));
    let holds = |row: &Value, bound: f64| row["stuffy"] == (row["co2"].as_f64().unwrap() > bound);
    let with_the_new = rows.iter().rev().take_while(|row| holds(row, after)).count();
    let with_the_old = rows.iter().take_while(|row| holds(row, before)).count();
    assert!(with_the_old + with_the_new >= rows.len(), "{with_the_old} rows, then {with_the_new} of {}", rows.len());
    assert!(with_the_old < rows.len(), "the edit is seen in the rows");
}

/// Times rise, and the closing books have as many rows as there are lines.
fn every_row_is_written_once(rows: &[Value], err: &str) {
    let times: Vec<&str> = rows.iter().map(|row| row["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "rows are out of order or doubled");
    let books = format!("  screen: {} rows written\n", rows.len());
    assert!(err.ends_with(&books), "{books}{err}");
}
