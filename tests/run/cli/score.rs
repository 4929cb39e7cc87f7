//! What was learned from one recording, judged on two others (occupancy of an office).

use std::fs;
use std::path::Path;

use super::bench::{Bench, data};

#[test]
fn a_logistic_regression_knows_the_office_in_weeks_that_it_has_not_seen() {
    let Some(data) = data() else { return };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/01-first-light/occupancy.mliot");
    let text = fs::read_to_string(file).unwrap();
    let bench = Bench::new().with("occupancy.mliot", text.replace("models   auto", "models   [logistic]"));
    let learned = bench.run_with(&data, &["replay", "occupancy.mliot", "--json"]).json();
    assert_eq!(learned["tasks"]["occupancy"]["champion"]["family"], "logistic");
    for (file, rows, least) in [("datatest.txt.gz", 2_665, 0.975), ("datatest2.txt.gz", 9_752, 0.98)] {
        let input = format!("room={}", data.join("occupancy").join(file).display());
        let scored = bench.run_with(&data, &["score", "occupancy.mliot", "--input", &input, "--json"]).json();
        let task = &scored["tasks"]["occupancy"];
        assert_eq!(task["rows"], rows, "{file}");
        assert_eq!(task["unanswered"], 0, "{file}");
        let accuracy = task["metrics"]["accuracy"].as_f64().unwrap();
        assert!(accuracy >= least, "{file}: {accuracy}");
    }
}
