//! Detectors beside those of scikit-learn (`reference/isolation_forest.py`).

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};
use mliot::diag::Code;
use mliot::ir::{MetricKind, Task, TaskKind, Type};
use mliot::lifecycle::{Generation, InProcess, score, train};
use mliot::model::Fitted;
use mliot::node::Predictor;

use super::recording::{column, data, numbers, policy, read_csv, table, task, trues, with};

const ONE: InProcess = InProcess { parallel: 1 };
/// Of scikit-learn 1.x, the means of 20 seeds; the forest's deviate by 0.005.
const FOREST_AUC: f64 = 0.9087;
const ZSCORE_AUC: f64 = 0.9028;

fn machines() -> Option<RecordBatch> {
    let rows = read_csv(data()?.join("ai4i2020/ai4i2020.csv.gz"));
    let names = ["air", "process", "speed", "torque", "wear"];
    let mut columns: Vec<(&str, ArrayRef)> =
        names.iter().enumerate().map(|(at, name)| (*name, numbers(&rows, at + 3))).collect();
    columns.push(("@target", trues(&rows, 8)));
    Some(table(columns))
}

fn detect(features: &[&str], families: &[&str]) -> Task {
    let features = features.iter().map(|name| column(name, Type::NUMBER())).collect();
    task("odd", TaskKind::Detect { flag: 0.01 }, column("fails", Type::Bool), features, families)
}

fn champion(generation: &Generation) -> Fitted {
    Fitted::from_bytes(&generation.members[generation.champion.unwrap()].bundle, "odd-1").unwrap()
}

#[test]
fn detectors_rank_machines_as_scikit_learn_does() {
    let Some(table) = machines() else { return };
    let names = ["air", "process", "speed", "torque", "wear"];
    for (family, wanted) in [("isolation_forest", FOREST_AUC), ("zscore", ZSCORE_AUC)] {
        let task = detect(&names, &[family]);
        let task = if family == "zscore" { task } else { with(task, family, "trees", 400) };
        let generation = train(&task, &policy(true, MetricKind::F1, 1), &table, &ONE, &mut |_| {}).unwrap();
        eprintln!("{}", generation.report.text());
        let found = generation.report.candidates[0].metrics["auc"];
        assert!((found - wanted).abs() < 0.01, "{family}: {found} beside {wanted}");
        assert!(!generation.report.candidates[0].metrics.contains_key("log_loss"), "a rank is no probability");
        // Whoever always alarms has the F1 of the share of failures.
        let baselines = &generation.report.baselines;
        assert!(baselines["always"]["recall"] == 1.0 && baselines["never"]["f1"] == 0.0);
        let scored = score(&task, &champion(&generation), &table, &[]).unwrap();
        assert_eq!((scored.rows, scored.unanswered), (10_000, 0));
        assert!(scored.metrics["f1"] > scored.baselines["always"]["f1"], "{:?}", scored.metrics);
    }
}

/// Rows around 0, of which one in a hundred stands far off; who does is known of some, of none, or of all.
fn made(known: impl Fn(usize) -> bool) -> RecordBatch {
    let noise = |row: usize, salt: usize| ((row * 7_919 + salt * 104_729) % 2_003) as f64 / 1_001.0 - 1.0;
    let odd = |row: usize| row % 100 == 37;
    let x: Float64Array = (0..1_000).map(|row| Some(noise(row, 1) + if odd(row) { 9.0 } else { 0.0 })).collect();
    let y: Float64Array = (0..1_000).map(|row| Some(noise(row, 2))).collect();
    let truth: BooleanArray = (0..1_000).map(|row| known(row).then(|| odd(row))).collect();
    table(vec![("x", Arc::new(x)), ("y", Arc::new(y)), ("@target", Arc::new(truth))])
}

#[test]
fn a_detector_learns_from_rows_that_nobody_has_judged() {
    let unknown = made(|_| false);
    let quickest = policy(false, MetricKind::LatencyP99, 2);
    let generation = train(&detect(&["x", "y"], &[]), &quickest, &unknown, &ONE, &mut |_| {}).unwrap();
    assert!(generation.report.candidates.iter().all(|candidate| !candidate.metrics.contains_key("f1")));
    let answer = champion(&generation).predict(&unknown.project(&[1, 2]).unwrap()).unwrap();
    let flagged: Vec<usize> = (0..1_000).filter(|row| trues_at(&answer.values, *row)).collect();
    assert!((8..=12).contains(&flagged.len()), "one in a hundred, as `flag` says: {flagged:?}");
    assert!(flagged.iter().filter(|row| *row % 100 == 37).count() >= 8, "{flagged:?}");
    assert!(answer.scores.unwrap().iter().all(|score| (0.0..=1.0).contains(&score.unwrap())));
}

fn trues_at(values: &ArrayRef, row: usize) -> bool {
    values.as_any().downcast_ref::<BooleanArray>().unwrap().value(row)
}

#[test]
fn truth_tunes_the_threshold_and_tells_how_good_it_is() {
    let f1 = |known: &dyn Fn(usize) -> bool, families: &[&str]| {
        let generation =
            train(&detect(&["x", "y"], families), &policy(true, MetricKind::F1, 2), &made(known), &ONE, &mut |_| {}).unwrap();
        generation.report.champion.unwrap().metrics["f1"]
    };
    assert_eq!(f1(&|_| true, &["zscore"]), 1.0, "what stands nine deviations off is found");
    assert!(f1(&|row| row % 2 == 1, &[]) > 0.9, "half of the truth is enough");
}

#[test]
fn families_of_other_tasks_and_metrics_of_probabilities_are_refused() {
    let table = made(|_| true);
    let codes = |task: &Task, metric: MetricKind| -> Vec<Code> {
        let wrong = train(task, &policy(metric.higher_is_better(), metric, 2), &table, &ONE, &mut |_| {}).unwrap_err();
        wrong.iter().map(|found| found.code).collect()
    };
    assert_eq!(codes(&detect(&["x"], &["logistic", "constant"]), MetricKind::F1), [Code::E0554, Code::E0554]);
    assert_eq!(codes(&detect(&["x"], &["half_space"]), MetricKind::F1), [Code::E0199]);
    assert_eq!(codes(&detect(&["x"], &[]), MetricKind::LogLoss), [Code::E0651]);
}
