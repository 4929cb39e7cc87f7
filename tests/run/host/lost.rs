//! A feature is edited, and with it a column of the source goes: the old features live on if they are not made of it.

use std::sync::Arc;

use serde_json::Value;

use super::bench::Bench;
use super::held::Held;

/// With a column `light` or without; the second feature is `level`.
fn pipeline(light: bool, set: &str) -> String {
    let (column, made) = if light { ("light: float<lux>", "light = walk(0..100, step: 5)") } else { ("", "") };
    format!(
        r#"
source room {{
  columns {{
    at:       time
    co2:      float<ppm>
    {column}
    occupied: bool?
  }}
  recorded simulate {{
    rows 1 per 1min; seed 7; span 1h
    columns {{
      occupied = step(every: 40min, values: [false, true])
      co2      = walk(400..900, step: 20)
      {made}
    }}
  }}
  live simulate {{
    rows 400 per 1s; seed 8
    columns {{
      occupied = step(every: 20s, values: [false, true])
      co2      = walk(400..900, step: 20)
      {made}
    }}
  }}
  time at, lateness 1min
}}

stream air = room | where co2 > 0 | set {{ {set} }} | where co2 < 100000

task occupancy = classify occupied from air {{
  features [co2, level]
}}

stream now = air | predict occupancy as guess
sink   out = now | select [at, co2, guess, guess_version] | to jsonl("out.jsonl")
"#
    )
}

/// A run of the text with a model.
fn start(text: &str) -> (Bench, Arc<Held>) {
    let learner = Arc::new(Held::default());
    let bench = Bench::learning(text, learner.clone());
    bench.started();
    learner.let_go(1);
    assert_eq!(bench.trained(), "1");
    more(&bench);
    (bench, learner)
}

fn more(bench: &Bench) {
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);
}

/// By version, in the order of the rows: whether each row's answer is that its co2 is above the bound.
fn answers(bench: Bench, bounds: &[(&str, f64)]) -> Vec<String> {
    let (summary, folder) = bench.end();
    assert_eq!(summary.undelivered, 0);
    let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut order = Vec::new();
    for row in &rows {
        let version = row["guess_version"].as_str().unwrap_or("null");
        if let Some((_, bound)) = bounds.iter().find(|(name, _)| *name == version) {
            assert_eq!(row["guess"], row["co2"].as_f64().unwrap() > *bound, "{row}");
        }
        order.push(version.to_owned());
    }
    order.dedup();
    order
}

#[test]
fn a_column_that_no_old_feature_is_made_of_may_go() {
    let (bench, learner) = start(&pipeline(true, "bright = light > 50lux; level = co2 - 600ppm"));
    let words = bench.edit(&pipeline(false, "level = co2 - 700ppm"));
    assert!(words.contains("old features go on serving `1`"), "{words}");
    more(&bench);
    // What lives on goes on living on.
    let words = bench.edit(&pipeline(false, "twice = 2 * co2; level = co2 - 800ppm"));
    assert!(words.contains("old features go on serving `1`"), "{words}");
    more(&bench);
    learner.begun(3);
    learner.let_go(2);
    learner.let_go(3);
    assert_eq!(bench.trained(), "3");
    more(&bench);
    assert_eq!(answers(bench, &[("1", 600.0), ("3", 800.0)]), ["null", "1", "3"]);
}

#[test]
fn without_a_column_that_an_old_feature_is_made_of_answers_are_null_until_the_next_model() {
    let (bench, learner) = start(&pipeline(true, "level = light - 50lux"));
    let words = bench.edit(&pipeline(false, "level = co2 - 700ppm"));
    assert!(words.contains("answers null until a new model is chosen"), "{words}");
    more(&bench);
    learner.let_go(2);
    assert_eq!(bench.trained(), "2");
    more(&bench);
    assert_eq!(answers(bench, &[("2", 700.0)]), ["null", "1", "null", "2"]);
}
