//! `x next 6h every 1h`: a value for each step, each judged, and beside it what the baselines say of that step.

use std::fmt::Write;

use serde_json::Value;

use super::bench::Bench;

/// A day that repeats itself, each at another height, an hour a row.
fn readings() -> String {
    let mut out = String::from("at,load\n");
    for row in 0..600 {
        let (day, hour) = (row / 24, row % 24);
        let load = 50.0
            + 20.0 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin()
            + 3.0 * (day * 7 % 5) as f64
            + (row * 37 % 11) as f64 * 0.05;
        writeln!(out, "2026-{:02}-{:02}T{hour:02}:00:00Z,{load:.3}", 1 + day / 28, 1 + day % 28).unwrap();
    }
    out
}

fn pipeline(hold_out: &str) -> String {
    format!(
        "source grid {{
  columns {{
    at:   time
    load: float
  }}
  recorded csv(\"grid.csv\")
  time     at
}}

stream hours = grid | scan {{ before = lag(load, 1); day_ago = lag(load, 23) }} | set {{ clock_sin = sin(hour(at) / 24 * 6.2832rad); clock_cos = cos(hour(at) / 24 * 6.2832rad) }}

task tomorrow = forecast load next 6h every 1h from hours {{
{hold_out}  models [linear, tree]
  policy plain
}}

policy plain {{
  minimize mae
  search   2 trials, 60s
  validate last 20%
}}

stream now = hours | predict tomorrow
sink   out = now | select [at, load, tomorrow, tomorrow_for] | to jsonl(\"out.jsonl\")
sink   all = now | unnest tomorrow | select [at, tomorrow] | to jsonl(\"flat.jsonl\")
"
    )
}

fn bench(hold_out: &str) -> Bench {
    Bench::new().with("grid.mliot", pipeline(hold_out)).with("grid.csv", readings())
}

fn rows(bench: &Bench, name: &str) -> Vec<Value> {
    String::from_utf8(bench.read(name)).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_path_has_a_value_and_a_time_for_each_step_and_each_step_is_judged() {
    for hold_out in ["", "  hold_out last 10%\n"] {
        let bench = bench(hold_out);
        let report = bench.run(&["replay", "grid.mliot", "--state", "state", "--report", "page", "--json"]).json();
        let task = &report["tasks"]["tomorrow"];
        let steps = task["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 6, "{task}");
        let mae = |figures: &Value| figures["mae"].as_f64().unwrap();
        for (nth, step) in steps.iter().enumerate() {
            assert_eq!(step["ahead"], (nth as i64 + 1) * 3_600_000_000, "{step}");
            let own = mae(&step["metrics"]);
            assert!(own < mae(&step["baselines"]["persistence"]) && own < mae(&step["baselines"]["seasonal 1d"]), "{step}");
        }
        assert!(mae(&steps[5]["baselines"]["persistence"]) > 3.0 * mae(&steps[0]["baselines"]["persistence"]));
        let figures = if hold_out.is_empty() { &task["champion"]["metrics"] } else { &task["hold_out"] };
        let mean = steps.iter().map(|step| mae(&step["metrics"])).sum::<f64>() / 6.0;
        assert!((mae(figures) - mean).abs() < 0.05 * mean, "all steps together: {figures} and {mean}");

        let answered: Vec<Value> = rows(&bench, "out.jsonl").into_iter().filter(|row| !row["tomorrow"].is_null()).collect();
        assert!(answered.len() > 60, "{}", answered.len());
        let first = &answered[0];
        let (values, times) = (first["tomorrow"].as_array().unwrap(), first["tomorrow_for"].as_array().unwrap());
        assert_eq!((values.len(), times.len()), (6, 6), "{first}");
        let hour = |text: &Value| text.as_str().unwrap()[11..13].parse::<u32>().unwrap();
        assert_eq!(hour(&times[5]), (hour(&first["at"]) + 6) % 24, "{first}");
        let flat = rows(&bench, "flat.jsonl").iter().filter(|row| !row["tomorrow"].is_null()).count();
        assert_eq!(flat, 6 * answered.len());

        let page = String::from_utf8(bench.read("page/report.html")).unwrap();
        assert!(page.contains("Step by step") && page.contains("seasonal 1d"), "{page}");
        assert_eq!(bench.run(&["verify", "tomorrow", "grid.mliot", "--state", "state"]).code, Some(0));
        let scored = bench.run(&["score", "grid.mliot", "--state", "state", "--input", "grid=grid.csv", "--json"]).json();
        assert!(scored["tasks"]["tomorrow"]["metrics"]["mae"].as_f64().unwrap() < 2.0, "{scored}");
    }
    let said = bench("").run(&["replay", "grid.mliot", "--state", "state"]);
    assert!(said.out.contains("mae by step"), "{}", said.text());
}

#[test]
fn steps_end_where_the_path_does() {
    for (path, code, part) in [
        ("next 7h every 2h", "E0309", "next 6h every 2h"),
        ("next 1h every 1h", "E0309", "1h ahead"),
        ("next 400h every 1h", "E0309", "at most 168 steps"),
        ("next 1h every 2h", "E0309", "next 2h every 2h"),
    ] {
        let bench = Bench::new().with("grid.mliot", pipeline("").replace("next 6h every 1h", path));
        let checked = bench.run(&["check", "grid.mliot"]);
        assert_eq!(checked.code, Some(1), "{}", checked.text());
        assert!(checked.err.contains(code) && checked.err.contains(part), "{}", checked.text());
    }
}
