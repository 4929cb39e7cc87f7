//! Edits on disk while rows come in: nothing is lost, nothing is doubled, and a mistake changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::base::Time;
use mliot::diag::Code;
use mliot::host::{Limits, RebuildLimits};
use serde_json::Value;

use super::bench::{Bench, Counting};

/// `rate` rows a second for each of two devices, evenly spread, so that a lost or doubled row shows in the times.
fn pipeline(rate: u32, fresh: u32, scan: &str, set: &str) -> String {
    format!(
        r#"
param fresh: float<ppm> = {fresh}

source room {{
  columns {{
    at:     time
    device: text
    co2:    float<ppm>
  }}
  live simulate {{
    rows {rate} per 1s by device in ["lab", "hall"]; seed 8
    columns {{ co2 = walk(400..900, step: 20) }}
  }}
  time at, lateness 1min
}}

stream air = room
  | where co2 > 0
  | scan by device {{ {scan} }}
  | set {{ stuffy = co2 > fresh{set} }}

sink out = air | to jsonl("out.jsonl")
"#
    )
}

const RISE: &str = "rise = co2 - (previous(co2) else co2)";

/// Of each device the rows' times, in the order of the file: evenly spaced, each once.
fn nothing_lost_or_doubled(rows: &[Value], rate: u32) {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        let at = Time::parse(row["at"].as_str().unwrap()).unwrap().0;
        if let Some(before) = last.insert(row["device"].as_str().unwrap(), at) {
            assert_eq!(at - before, i64::from(1_000_000 / rate), "a row is lost or doubled before {row}");
        }
    }
    assert_eq!(last.len(), 2);
}

#[test]
fn a_retune_a_feature_a_typo_and_its_repair() {
    let bench = Bench::start(&pipeline(500, 800, RISE, ""));
    bench.started();
    bench.grows_to("out.jsonl", 200);

    let words = bench.edit(&pipeline(500, 500, RISE, ""));
    assert!(words.contains("air.stuffy retuned"), "{words}");

    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 200);
    let words = bench.edit(&pipeline(500, 500, RISE, "; high = co2 > 2 * fresh"));
    assert!(words.contains("air.high added"), "{words}");

    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 200);
    let wrong = bench.refused(&pipeline(500, 500, RISE, "; high = co3 > 2 * fresh"));
    assert!(wrong.iter().any(|found| found.code == Code::E0201), "{wrong:#?}");
    let broken = pipeline(500, 500, RISE, "; high = ");
    assert!(!bench.refused(&broken).is_empty());

    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 200);
    let words = bench.edit(&pipeline(500, 500, "rise = co2 - (lag(co2, 2) else co2)", "; high = co2 > 2 * fresh"));
    assert!(words.contains("air.rise"), "{words}");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 200);

    let (summary, folder) = bench.end();
    let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    nothing_lost_or_doubled(&rows, 500);
    assert_eq!((summary.undelivered, rows.len() as u64), (0, summary.status.rows_in));
    let edits = summary.status.edits;
    assert_eq!((edits.applied, edits.refused, edits.unchanged), (3, 2, 0));

    // Between the edits, and at each of them exactly once, the rows change what the edit says and nothing else.
    let retuned = rows.iter().position(|row| row["stuffy"] != (row["co2"].as_f64().unwrap() > 800.0));
    let wrong_after = rows.iter().skip(retuned.unwrap()).find(|row| row["stuffy"] != (row["co2"].as_f64().unwrap() > 500.0));
    assert_eq!(wrong_after, None);
    let added = rows.iter().position(|row| row.get("high").is_some()).unwrap();
    assert!(added > retuned.unwrap() && rows[added..].iter().all(|row| row.get("high").is_some()));
}

/// Rows go on while its sources are read again, and none is counted twice or left out.
#[test]
fn an_entry_that_is_added_live_has_counted_every_row_so_far() {
    const COUNTED: &str = "rise = co2 - (previous(co2) else co2); n = cumulative(count(co2))";
    let bench = Bench::start(&pipeline(2_000, 800, RISE, ""));
    bench.started();
    bench.grows_to("out.jsonl", 2_000);
    let words = bench.edit(&pipeline(2_000, 800, COUNTED, ""));
    assert!(words.contains("air.n added (new; rebuilt from the rows so far)"), "{words}");
    bench.grows_to("out.jsonl", bench.rows("out.jsonl").len() + 200);
    let (_, folder) = bench.end();
    let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    nothing_lost_or_doubled(&rows, 2_000);
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    let mut told = 0;
    for row in &rows {
        let count = counted.entry(row["device"].as_str().unwrap()).or_default();
        *count += 1;
        if let Some(n) = row.get("n") {
            assert_eq!(n.as_u64(), Some(*count));
            told += 1;
        }
    }
    assert!(told >= 200);
}

#[test]
fn an_edit_that_would_take_too_long_to_rebuild_begins_empty_and_says_so() {
    let limits = Limits { rebuild: RebuildLimits { most: std::time::Duration::ZERO }, ..Limits::default() };
    let bench = Bench::with(&pipeline(500, 800, RISE, ""), |parts| parts, limits, Arc::<Counting>::default());
    bench.started();
    bench.grows_to("out.jsonl", 200);
    let words = bench.edit(&pipeline(500, 800, "rise = co2 - (lag(co2, 2) else co2)", ""));
    assert!(words.contains("begins empty: reading its sources again took more than 0s"), "{words}");
    bench.end();
}

#[test]
fn comments_and_layout_change_nothing() {
    let bench = Bench::start(&pipeline(500, 800, RISE, ""));
    bench.started();
    let same = pipeline(500, 800, RISE, "").replace("stream air", "# Where it is stuffy.\n\n\nstream  air");
    bench.save(&same);
    bench.wait_host("unchanged edit", |event| matches!(event, mliot::host::HostEvent::EditUnchanged).then_some(()));
    let (summary, _folder) = bench.end();
    assert_eq!((summary.status.edits.unchanged, summary.status.edits.applied), (1, 0));
}

#[test]
fn an_empty_or_missing_file_is_no_program() {
    let bench = Bench::start(&pipeline(500, 800, RISE, ""));
    bench.started();
    for (act, why) in [("empty", "is empty"), ("remove", "is gone")] {
        match act {
            "empty" => std::fs::write(bench.path("room.mliot"), "").unwrap(),
            _ => std::fs::remove_file(bench.path("room.mliot")).unwrap(),
        }
        bench.wait_host(why, |event| match event {
            mliot::host::HostEvent::FileTrouble { why: said, .. } => (said == why).then_some(()),
            _ => None,
        });
        bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);
    }
    assert!(bench.edit(&pipeline(500, 500, RISE, "")).contains("air.stuffy retuned"));
    bench.end();
}

#[test]
fn a_compiler_that_stops_takes_nothing_with_it() {
    let bench = Bench::start(&pipeline(500, 800, RISE, ""));
    bench.started();
    let wrong = bench.refused(&pipeline(500, 800, RISE, " # crash"));
    assert_eq!(wrong[0].code, Code::R0952);
    assert!(wrong[0].message.contains("a mistake of ours"), "{}", wrong[0].message);
    assert!(bench.edit(&pipeline(500, 500, RISE, "")).contains("air.stuffy retuned"));
    let (summary, _folder) = bench.end();
    assert_eq!((summary.crashed, summary.undelivered), (None, 0));
}

/// Twenty edits, a third of them broken, at ten thousand rows a second.
#[test]
fn twenty_edits_at_ten_thousand_rows_a_second() {
    const RATE: u32 = 5_000;
    let bench = Bench::start(&pipeline(RATE, 800, RISE, ""));
    bench.started();
    let scans = [RISE, "rise = co2 - (lag(co2, 2) else co2)", "rise = co2 - (previous(co2) else co2); mean = ewma(co2, 5s)"];
    let (mut applied, mut refused) = (0, 0);
    for nth in 0..20_u32 {
        match nth % 6 {
            0 => _ = bench.edit(&pipeline(RATE, 500 + nth, scans[0], "")),
            1 => _ = bench.refused(&pipeline(RATE, 500, scans[0], "; odd = ")),
            2 => _ = bench.edit(&pipeline(RATE, 500, scans[0], "; high = co2 > 2 * fresh")),
            3 => _ = bench.edit(&pipeline(RATE, 500, scans[1], "; high = co2 > 2 * fresh")),
            4 => _ = bench.refused(&pipeline(RATE, 500, scans[1], "; odd = co2 > 21degC")),
            _ => _ = bench.edit(&pipeline(RATE, 500, scans[2], "")),
        }
        if matches!(nth % 6, 1 | 4) {
            refused += 1;
        } else {
            applied += 1;
        }
    }
    let seen = bench.rows("out.jsonl").len();
    bench.grows_to("out.jsonl", seen + 5_000);
    let (summary, folder) = bench.end();
    assert_eq!((summary.status.edits.applied, summary.status.edits.refused), (applied, refused));
    let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    nothing_lost_or_doubled(&rows, RATE);
    assert_eq!((summary.undelivered, rows.len() as u64), (0, summary.status.rows_in));
    eprintln!("{} rows in {:.1} s", rows.len(), summary.status.uptime_s);
}
