//! Models come and go while rows flow.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mliot::host::{HostEvent, Said};
use mliot::runtime::Event;

use super::bench::{Bench, Counting};
use super::serving::{RISE, pipeline};

#[test]
fn rows_are_predicted_by_null_then_by_the_model_and_by_no_other_features() {
    let learner = Arc::new(Counting::default());
    let bench = Bench::learning(&pipeline(RISE, ""), learner.clone());
    bench.started();
    assert_eq!(bench.trained(), "1");
    bench.grows_to("out.jsonl", 100);

    // Another meaning of a feature: its model answers no more, and one is learned from the recording.
    bench.edit(&pipeline("co2 - (lag(co2, 2) else co2)", ""));
    assert_eq!(bench.trained(), "2");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);

    // Back again: the kept model of then answers at once.
    bench.edit(&pipeline(RISE, ""));
    let restored = bench.wait_host("restored model", |event| match event {
        HostEvent::Restored { version, .. } => Some(version.clone()),
        _ => None,
    });
    assert_eq!(restored, "1");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);
    let (summary, folder) = bench.end();
    assert_eq!(learner.trainings.load(Ordering::SeqCst), 2);
    assert_eq!(summary.undelivered, 0);

    let text = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let versions: Vec<Option<String>> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["guess_version"].as_str().map(str::to_owned))
        .collect();
    let mut order: Vec<Option<&str>> = versions.iter().map(Option::as_deref).collect();
    order.dedup();
    let answered: Vec<&str> = order.into_iter().flatten().collect();
    assert_eq!(answered, ["1", "2", "1"], "each model answers one stretch of rows");
}

#[test]
fn a_kept_champion_answers_from_the_first_live_row() {
    let learner = Arc::new(Counting::default());
    let first = Bench::learning(&pipeline(RISE, ""), learner.clone());
    first.started();
    first.trained();
    first.end();

    let second = Bench::learning(&pipeline(RISE, ""), learner.clone());
    second.wait("assignment", |said| match said {
        Said::Engine(Event::Assigned { version: Some(version), .. }) => Some(version.clone()),
        _ => None,
    });
    second.grows_to("out.jsonl", 100);
    let rows = second.rows("out.jsonl");
    assert!(rows.iter().all(|row| row["guess_version"] == "1"), "{:?}", rows.first());
    second.end();
    assert_eq!(learner.trainings.load(Ordering::SeqCst), 1);
}

#[test]
fn an_edit_that_changes_no_column_of_a_task_trains_nothing() {
    let learner = Arc::new(Counting::default());
    let bench = Bench::learning(&pipeline(RISE, ""), learner.clone());
    bench.started();
    assert_eq!(bench.trained(), "1");
    bench.grows_to("out.jsonl", 100);

    // The stage before the task makes another column, other stages stand before and behind it, and all lines have moved.
    let more = pipeline(&format!("{RISE}; sum = co2 + 1"), "").replace("source room", "# moved\n\nsource room");
    let more = more.replace("  | where co2 > 0", "  | set { odd = co2 * 2 }\n  | where co2 > 0");
    let words = bench.edit(&more);
    assert!(words.contains("air.sum added") && !words.contains("occupancy"), "{words}");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);
    let words = bench.edit(&more.replace("co2 * 2", "co2 * 3").replace("co2 + 1", "co2 + 2"));
    assert!(words.contains("air.sum") && !words.contains("occupancy"), "{words}");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 100);

    // What a feature is made of is another matter.
    bench.edit(&pipeline("co2 - (lag(co2, 2) else co2)", ""));
    assert_eq!(bench.trained(), "2");
    bench.end();
    assert_eq!(learner.trainings.load(Ordering::SeqCst), 2);
}
