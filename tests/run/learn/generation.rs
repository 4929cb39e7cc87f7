//! What a training gives, on rows that are made here: two numbers, of which the first tells the class.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use mliot::base::Duration;
use mliot::diag::Code;
use mliot::ir::{
    BinaryOp, HoldOut, Metric, MetricKind, Otherwise, Policy, Requirement, Search, Share, Task, TaskKind, Type, Validate,
};
use mliot::lifecycle::{Generation, InProcess, Standing, assignment, train};
use mliot::model::Fitted;
use mliot::node::{Ordinal, Predictor};

use super::recording::{column, policy, table, task};

pub const ONE: InProcess = InProcess { parallel: 1 };

/// A fixed jumble in -1..1.
fn noise(row: usize, salt: usize) -> f64 {
    ((row * 7919 + salt * 104_729) % 2003) as f64 / 1001.0 - 1.0
}

pub fn rows(count: usize) -> RecordBatch {
    let label = |row: usize| (row * 31 + row / 7).is_multiple_of(3);
    let a: Float64Array = (0..count).map(|row| Some(f64::from(label(row)) + 0.7 * noise(row, 1))).collect();
    let b: Float64Array = (0..count).map(|row| (row % 11 != 0).then(|| noise(row, 2))).collect();
    let y: BooleanArray = (0..count).map(|row| (row % 17 != 5).then(|| label(row))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("a", Arc::new(a)), ("b", Arc::new(b)), ("@target", Arc::new(y))];
    table(columns)
}

pub fn two_numbers(families: &[&str]) -> Task {
    let features = vec![column("a", Type::NUMBER()), column("b", Type::NUMBER())];
    task("made", TaskKind::Classify, column("y", Type::Bool), features, families)
}

pub fn quick(trials: u32) -> Policy {
    policy(true, MetricKind::Accuracy, trials)
}

fn require(kind: MetricKind, op: BinaryOp, bound: f64, otherwise: Otherwise, text: &str) -> Requirement {
    Requirement { metric: Metric { kind, class: None }, op, bound, otherwise, text: text.into(), span: Default::default() }
}

fn run(task: &Task, policy: &Policy) -> Generation {
    train(task, policy, &rows(400), &ONE, &mut |_| {}).unwrap()
}

#[test]
fn a_training_repeats_itself_whatever_runs_at_once() {
    let task = two_numbers(&[]);
    // The portfolio has ten points, so that four are searched for.
    let policy = quick(14);
    let one = run(&task, &policy);
    let bundles = |generation: &Generation| -> Vec<(String, Vec<u8>)> {
        let mut bundles: Vec<(String, Vec<u8>)> =
            generation.members.iter().map(|member| (member.config.to_string(), member.bundle.clone())).collect();
        bundles.sort();
        bundles
    };
    let tried = |generation: &Generation| -> Vec<String> {
        generation.report.candidates.iter().map(|candidate| format!("{} {}", candidate.family, candidate.config)).collect()
    };
    for parallel in [1, 3] {
        let again = train(&task, &policy, &rows(400), &InProcess { parallel }, &mut |_| {}).unwrap();
        assert_eq!(tried(&one), tried(&again), "the trials do not depend on time");
        // Which models are on the Pareto front depends on measured latency; those that are on both are equal.
        let (ours, theirs) = (bundles(&one), bundles(&again));
        let both = ours.iter().filter(|(config, _)| theirs.iter().any(|(other, _)| config == other));
        let both: Vec<_> = both.collect();
        assert!(!both.is_empty());
        assert!(both.into_iter().all(|bundle| theirs.contains(bundle)));
        assert_eq!((one.digests, one.report.trials.done), (again.digests, 14));
    }
    let other = run(&task, &Policy { seed: 8, ..quick(14) });
    assert_ne!(tried(&one), tried(&other), "another seed searches elsewhere");
}

#[test]
fn no_row_is_predicted_by_a_model_that_saw_it() {
    let held = Task { hold_out: Some(HoldOut::Last(Share(0.25))), ..two_numbers(&["logistic"]) };
    for (validate, asked) in [
        (Validate::Last(Share(0.5)), [false, true, true, true]),
        (Validate::Random(Share(0.5)), [false, true, true, true]),
        (Validate::Folds(4), [true, true, true, true]),
    ] {
        let generation = run(&held, &Policy { validate, ..quick(5) });
        let champion = &generation.members[generation.champion.unwrap()];
        let load = |bundle: &Vec<u8>, name: &str| -> Arc<dyn Predictor> { Arc::new(Fitted::from_bytes(bundle, name).unwrap()) };
        let twins: Vec<Arc<dyn Predictor>> =
            champion.twins.iter().enumerate().map(|(round, twin)| load(twin, &round.to_string())).collect();
        let (assignment, torn) =
            assignment(&generation.split, &generation.ordinals, &load(&champion.bundle, "champion"), &twins);
        assert_eq!(torn, 0);
        let who = |row: usize| assignment.at(Ordinal(row as u64)).map(|model| model.version().to_owned());
        for (round, rows) in generation.split.rounds.iter().enumerate() {
            assert!(rows.validate.iter().all(|row| who(*row) == Some(round.to_string())), "judged by its twin");
            assert!(rows.train.iter().all(|row| who(*row) != Some(round.to_string())), "{validate:?}");
        }
        assert!(generation.split.hold_out.iter().all(|row| who(*row).as_deref() == Some("champion")));
        assert_eq!(who(400).as_deref(), Some("champion"), "what comes later");
        let answered = asked[0];
        assert_eq!(who(0).is_some(), answered || generation.split.rounds[0].validate.contains(&0), "{validate:?}");
    }
}

#[test]
fn the_report_tells_everything_and_goes_through_json() {
    let mut policy = quick(8);
    policy.choice.requirements = vec![
        require(MetricKind::ModelSize, BinaryOp::Le, 3_000.0, Otherwise::Warn, "model.size <= 3KB"),
        require(MetricKind::Accuracy, BinaryOp::Ge, 0.999, Otherwise::Warn, "accuracy >= 99.9%"),
    ];
    let held = Task { hold_out: Some(HoldOut::Last(Share(0.2))), ..two_numbers(&[]) };
    let generation = run(&held, &policy);
    let report = &generation.report;
    assert_eq!(generation.chosen.standing, Standing::Nearest);
    assert_eq!(generation.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [Code::W0651]);
    let champion = report.champion.as_ref().unwrap();
    assert_eq!(champion.requirements.iter().map(|requirement| requirement.met).collect::<Vec<_>>(), [true, false]);
    assert!(champion.requirements[1].words.contains("missed by"), "{}", champion.requirements[1].words);
    assert_eq!(report.baselines.keys().collect::<Vec<_>>(), ["constant", "persistence"]);
    assert!(report.hold_out["accuracy"] > report.hold_out_baselines["constant"]["accuracy"]);
    assert_eq!(report.confusion.as_ref().unwrap().counts.iter().flatten().sum::<u64>() as usize, report.rows.held_out);
    let text = report.text();
    for part in ["made: classify y", "persistence", "<- champion", "accuracy >= 99.9%", "hold-out", "truth \\ answer"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let json = serde_json::to_string(report).unwrap();
    assert_eq!(&serde_json::from_str::<mliot::lifecycle::Report>(&json).unwrap(), report);
}

#[test]
fn a_requirement_that_says_stop_stops() {
    let mut policy = quick(4);
    policy.choice.requirements = vec![require(MetricKind::Accuracy, BinaryOp::Gt, 1.0, Otherwise::Stop, "accuracy > 100%")];
    let found = train(&two_numbers(&["logistic"]), &policy, &rows(400), &ONE, &mut |_| {}).unwrap_err();
    assert_eq!(found[0].code, Code::E0652);
    assert!(found[0].help.as_ref().unwrap().contains("accuracy > 100%"));
    policy.choice.requirements[0].otherwise = Otherwise::Abstain;
    let generation = run(&two_numbers(&["logistic"]), &policy);
    assert_eq!((generation.champion, generation.chosen.standing), (None, Standing::Abstains));
    assert!(!generation.members.is_empty(), "what was trained can be chosen when the policy is edited");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_trained() {
    let wrong = Policy { choice: policy(false, MetricKind::Mae, 4).choice, ..quick(4) };
    let codes = |task: &Task, policy: &Policy, table: &RecordBatch| -> Vec<Code> {
        train(task, policy, table, &ONE, &mut |_| {}).unwrap_err().iter().map(|found| found.code).collect()
    };
    assert_eq!(codes(&two_numbers(&["logistik", "linear"]), &wrong, &rows(40)), [Code::E0651, Code::E0554, Code::E0554]);
    assert_eq!(codes(&two_numbers(&[]), &quick(4), &rows(0)), [Code::E0551]);
    let lacking = rows(40).project(&[0, 1, 3]).unwrap();
    assert_eq!(codes(&two_numbers(&[]), &quick(4), &lacking), [Code::E0551]);
    let mut unknown = quick(4);
    let recall = Metric { kind: MetricKind::Recall, class: Some("ture".into()) };
    unknown.choice.goal.metric = recall;
    let found = train(&two_numbers(&[]), &unknown, &rows(40), &ONE, &mut |_| {}).unwrap_err();
    assert_eq!((found[0].code, found[0].help.as_deref()), (Code::E0651, Some("write `recall(\"true\")`, or use macro_f1")));
    let ranked = Task { kind: TaskKind::Rank, ..two_numbers(&[]) };
    assert_eq!(codes(&ranked, &quick(4), &rows(40)), [Code::E0199]);
}

#[test]
fn a_search_without_time_still_answers() {
    let policy = Policy { search: Search { trials: 50, time: Duration(1), cores: None }, ..quick(1) };
    let generation = run(&two_numbers(&[]), &policy);
    assert_eq!(generation.report.champion.unwrap().family, "constant");
}

#[test]
fn numbers_are_learned_with_their_skill() {
    let count = 600;
    let x: Float64Array = (0..count).map(|row| Some(noise(row, 3) * 10.0)).collect();
    let y: Int64Array = (0..count).map(|row| Some((x.value(row) * 30.0 + 500.0).round() as i64)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("x", Arc::new(x)), ("@target", Arc::new(y))];
    let task = task("line", TaskKind::Regress, column("y", Type::Int), vec![column("x", Type::NUMBER())], &["linear"]);
    let generation = train(&task, &policy(false, MetricKind::Mae, 3), &table(columns), &ONE, &mut |_| {}).unwrap();
    let metrics = &generation.report.champion.as_ref().unwrap().metrics;
    assert!(metrics["skill"] > 0.98 && metrics["r2"] > 0.999, "{metrics:?}");
    let best =
        ["constant", "persistence"].map(|name| generation.report.baselines[name]["mae"]).into_iter().fold(f64::MAX, f64::min);
    assert!((metrics["skill"] - (1.0 - metrics["mae"] / best)).abs() < 1e-12);
    assert!(generation.report.baselines.values().any(|figures| figures["skill"] == 0.0), "the better baseline has no skill");
}
