//! The way back of a run with models: features and the model that was trained with them come back together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mliot::host::HostEvent;
use mliot::host::control::{Answer, Request, ask};
use mliot::host::state::Disk;
use mliot::host::state::plans::{Cause, Plans};

use super::bench::{Bench, Counting};
use super::serving::{RISE, pipeline};

const WAIT: Duration = Duration::from_secs(60);

fn state(bench: &Bench) -> PathBuf {
    bench.path("state")
}

fn undo(bench: &Bench, to: Option<u64>) -> Answer {
    ask(&state(bench), &Request::Undo { to }, WAIT, |_| {}).unwrap()
}

fn plans(state: &std::path::Path) -> Vec<Cause> {
    let plans = Plans::open(state, Arc::new(Disk), |path, why| panic!("{}: {why}", path.display())).unwrap();
    plans.all().map(|plan| plan.cause.clone()).collect()
}

fn promoted(version: &str) -> Cause {
    Cause::Promoted { task: "occupancy".into(), version: Some(version.to_owned()) }
}

#[test]
fn a_model_comes_back_with_its_features_and_a_promotion_is_a_plan_of_its_own() {
    let learner = Arc::new(Counting::default());
    let bench = Bench::keeping(tempfile::tempdir().unwrap(), &pipeline(RISE, ""), |parts| parts, learner.clone());
    bench.started();
    assert_eq!(bench.trained(), "1");
    bench.grows_to("out.jsonl", 50);
    bench.edit(&pipeline("co2 - (lag(co2, 2) else co2)", ""));
    assert_eq!(bench.trained(), "2");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 50);

    // Plan 4 made the second model answer; before it the new features ran beside the old ones.
    let Answer::Applied(applied) = undo(&bench, Some(2)) else { panic!("it is not undone") };
    assert_eq!(applied.plan, Some(5));
    let restored = bench.wait_host("restored model", |event| match event {
        HostEvent::Restored { version, .. } => Some(version.clone()),
        _ => None,
    });
    assert_eq!(restored, "1");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 50);
    let state = state(&bench);
    let (summary, folder) = bench.end();
    assert!(summary.status.differs.is_some(), "the file still has the other features");
    let back = Cause::Undone { to: 2 };
    assert_eq!(plans(&state), [Cause::Started, promoted("1"), Cause::Edited, promoted("2"), back.clone()]);

    // And so it is after a restart, although the file says otherwise.
    let text = std::fs::read_to_string(folder.path().join("room.mliot")).unwrap();
    let again = Bench::keeping(folder, &text, |parts| parts, learner);
    again.started();
    let before = again.count("out.jsonl");
    again.grows_to("out.jsonl", before + 50);
    let rows = again.rows("out.jsonl");
    assert!(rows[before..].iter().all(|row| row["guess_version"] == "1"), "{:?}", rows.last());
    assert_eq!(plans(&state).last(), Some(&back));
    again.end();
}

/// Another split asks for another training of the same features.
fn validated(share: u32) -> String {
    let text = pipeline(RISE, "").replace("features [co2, rise]", "features [co2, rise]\n  policy   p");
    format!("{text}policy p {{\n  maximize accuracy\n  search   2 trials\n  validate last {share}%\n}}\n")
}

#[test]
fn a_promotion_is_taken_back_and_stays_so_over_a_restart() {
    let learner = Arc::new(Counting::default());
    let bench = Bench::keeping(tempfile::tempdir().unwrap(), &validated(20), |parts| parts, learner.clone());
    bench.started();
    assert_eq!(bench.trained(), "1");
    let Answer::Nothing { why } = undo(&bench, None) else { panic!("there was no model before") };
    assert!(why.contains("the model of occupancy, which stays"), "{why}");
    bench.grows_to("out.jsonl", 50);
    bench.edit(&validated(30));
    assert_eq!(bench.trained(), "2");
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 50);
    let Answer::Applied(applied) = undo(&bench, None) else { panic!("it is not undone") };
    assert_eq!((applied.plan, &*applied.words), (Some(5), &["occupancy `1` answers again".to_owned()][..]));
    let before = bench.count("out.jsonl") + 50;
    bench.grows_to("out.jsonl", before + 50);
    assert!(bench.rows("out.jsonl")[before..].iter().all(|row| row["guess_version"] == "1"));
    let state = state(&bench);
    let (summary, folder) = bench.end();
    assert_eq!(summary.status.differs, None, "the file is what runs");
    let kinds = [Cause::Started, promoted("1"), Cause::Edited, promoted("2"), Cause::Undone { to: 3 }];
    assert_eq!(plans(&state), kinds);

    let again = Bench::keeping(folder, &validated(30), |parts| parts, learner);
    again.started();
    let before = again.count("out.jsonl");
    again.grows_to("out.jsonl", before + 50);
    assert!(again.rows("out.jsonl")[before..].iter().all(|row| row["guess_version"] == "1"));
    assert_eq!(plans(&state).len(), 5);
    again.end();
}
