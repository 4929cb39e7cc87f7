//! A feature is edited while the file runs: the old model goes on with the old features until a new one takes over, both at
//! one row, whatever else is edited meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::base::Name;
use mliot::host::{HostEvent, Said};
use mliot::node::Ordinal;
use mliot::runtime::Event;
use serde_json::Value;

use super::bench::Bench;
use super::held::Held;

/// `rise` is how far co2 has come since so many rows of the device before.
fn pipeline(back: usize) -> String {
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
    rows 1 per 1min by device in ["lab", "hall"]; seed 7; span 1h
    columns {{
      occupied = step(every: 40min, values: [false, true])
      co2      = walk(400..900, step: 20)
    }}
  }}
  live simulate {{
    rows 200 per 1s by device in ["lab", "hall"]; seed 8
    columns {{
      occupied = step(every: 20s, values: [false, true])
      co2      = walk(400..900, step: 20)
    }}
  }}
  time at, lateness 1min
}}

stream air = room
  | where co2 > 0
  | scan by device {{ rise = co2 - (lag(co2, {back}) else co2) }}

task occupancy = classify occupied from air {{
  features [co2, rise]
}}

stream now = air | predict occupancy as guess
sink   out = now | select [at, device, co2, rise, guess, guess_version] | to jsonl("out.jsonl")
serve  occupancy at http(port: 0)
"#
    )
}

struct Shadow {
    bench: Bench,
    learner: Arc<Held>,
    /// The first live row.
    live: Ordinal,
}

impl Shadow {
    /// `rise` looks one row back, and a model knows it.
    fn start() -> Shadow {
        let learner = Arc::new(Held::default());
        let bench = Bench::learning(&pipeline(1), learner.clone());
        let live = bench.wait("live", |said| match said {
            Said::Engine(Event::WentLive { at }) => Some(*at),
            _ => None,
        });
        let shadow = Shadow { bench, learner, live };
        shadow.learner.let_go(1);
        shadow.promoted("1");
        shadow.more(100);
        shadow
    }

    fn promoted(&self, wanted: &str) -> Ordinal {
        let found = self.bench.wait_host("model", |event| match event {
            HostEvent::Trained { at, version, .. } => Some((*at, version.clone())),
            HostEvent::TrainingFailed { why, .. } => panic!("{why:#?}"),
            _ => None,
        });
        assert_eq!(found.1, wanted);
        found.0
    }

    fn more(&self, rows: usize) {
        self.bench.grows_to("out.jsonl", self.bench.count("out.jsonl") + rows);
    }

    /// Another `rise`, and the training for it has begun as the nth.
    fn edit(&self, back: usize, nth: usize) {
        let words = self.bench.edit(&pipeline(back));
        assert!(words.contains("old features go on serving `1`"), "{words}");
        self.learner.begun(nth);
        self.more(100);
    }

    /// All rows, after every one was accounted for, and what still ran hidden at the end.
    fn end(self) -> (Vec<Value>, Vec<String>) {
        let (summary, folder) = self.bench.end();
        let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((summary.undelivered, rows.len() as u64), (0, summary.status.rows_in - self.live.0));
        let names = summary.status.nodes.into_iter().map(|node| node.name);
        (rows, names.filter(|name| name.contains('@')).collect())
    }
}

/// Every row from the first model on is answered by the versions in their order, each by the rise that it was trained on,
/// which looks so many rows back. Gives the rows at which they begin.
fn answered(rows: &[Value], versions: &[(&str, usize)]) -> Vec<usize> {
    let begin = rows.iter().position(|row| !row["guess"].is_null()).expect("something is answered");
    let back: BTreeMap<&str, usize> = versions.iter().copied().collect();
    let mut past: BTreeMap<Name, Vec<f64>> = BTreeMap::new();
    let mut order: Vec<(&str, usize)> = Vec::new();
    for (nth, row) in rows.iter().enumerate() {
        let (co2, past) = (row["co2"].as_f64().unwrap(), past.entry(row["device"].as_str().unwrap().into()).or_default());
        past.push(co2);
        if nth < begin {
            continue;
        }
        let version = row["guess_version"].as_str().unwrap_or_else(|| panic!("row {nth} has no answer: {row}"));
        let before = past[past.len() - 1 - back[version]];
        assert_eq!(row["guess"], co2 - before > 0.0, "row {nth} is answered by {version} on other features: {row}");
        if order.last().is_none_or(|(last, _)| *last != version) {
            order.push((version, nth));
        }
    }
    assert_eq!(
        order.iter().map(|(version, _)| *version).collect::<Vec<_>>(),
        versions.iter().map(|(version, _)| *version).collect::<Vec<_>>()
    );
    order.into_iter().map(|(_, nth)| nth).collect()
}

/// How often the file's own rise, which the rows show, was not the one that the answer came from.
fn apart(rows: &[Value]) -> usize {
    rows.iter().filter(|row| row["guess"].as_bool().is_some_and(|guess| guess != (row["rise"].as_f64().unwrap() > 0.0))).count()
}

#[test]
fn the_champion_goes_on_with_old_features_and_both_switch_at_one_row() {
    let shadow = Shadow::start();
    shadow.edit(3, 2);
    shadow.learner.let_go(2);
    let at = shadow.promoted("2");
    shadow.more(100);
    let live = shadow.live;
    let (rows, hidden) = shadow.end();
    let begins = answered(&rows, &[("1", 1), ("2", 3)]);
    assert_eq!(begins[1] as u64, at.0 - live.0, "it is said at which row they switch");
    assert!(apart(&rows) > 0, "for a while the rows had another rise than the model");
    assert_eq!(apart(&rows[begins[1]..]), 0, "and then the same");
    assert_eq!(hidden, Vec::<String>::new());
}

#[test]
fn another_edit_of_the_feature_discards_the_challenger_and_trains_anew() {
    let shadow = Shadow::start();
    shadow.edit(3, 2);
    shadow.edit(5, 3);
    shadow.learner.unwanted(2);
    // The discarded one comes to an end first: nobody takes its model.
    shadow.learner.let_go(2);
    shadow.learner.done(2);
    shadow.more(100);
    shadow.learner.let_go(3);
    shadow.promoted("3");
    shadow.more(100);
    let learner = shadow.learner.clone();
    let (rows, hidden) = shadow.end();
    answered(&rows, &[("1", 1), ("3", 5)]);
    assert_eq!((learner.trainings(), hidden), (3, Vec::new()));
}

#[test]
fn an_edit_that_is_taken_back_leaves_the_champion_and_no_shadow() {
    let shadow = Shadow::start();
    shadow.edit(3, 2);
    let words = shadow.bench.edit(&pipeline(1));
    assert!(!words.contains("serving"), "{words}");
    shadow.learner.unwanted(2);
    shadow.learner.let_go(2);
    shadow.learner.done(2);
    shadow.more(200);
    let learner = shadow.learner.clone();
    let (rows, hidden) = shadow.end();
    answered(&rows, &[("1", 1)]);
    assert_eq!(apart(&rows[rows.len() - 200..]), 0);
    assert_eq!((learner.trainings(), hidden), (2, Vec::new()), "nothing had to be learned for it");
}
