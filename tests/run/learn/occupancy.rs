//! Is a room occupied? Learned on one recording, scored on two others.

use mliot::ir::MetricKind;
use mliot::lifecycle::{Generation, InProcess, score, train};
use mliot::model::Fitted;

use super::recording::{occupancy, occupancy_task, policy};

const ONE: InProcess = InProcess { parallel: 1 };

/// Of the champion, and of always saying what is commonest there.
fn accuracy_on(generation: &Generation, families: &[&str], file: &str) -> [f64; 2] {
    let champion = &generation.members[generation.champion.unwrap()];
    let fitted = Fitted::from_bytes(&champion.bundle, "occupancy-1").unwrap();
    let scored = score(&occupancy_task(families), &fitted, &occupancy(file).unwrap(), &[]).unwrap();
    eprintln!("{file}: {:.4}, persistence {:.4}", scored.metrics["accuracy"], scored.baselines["persistence"]["accuracy"]);
    [scored.metrics["accuracy"], scored.baselines["constant"]["accuracy"]]
}

#[test]
fn logistic_regression_reaches_the_reference() {
    let Some(table) = occupancy("datatraining.txt.gz") else { return };
    let families = ["logistic"];
    let generation =
        train(&occupancy_task(&families), &policy(true, MetricKind::Accuracy, 20), &table, &ONE, &mut |_| {}).unwrap();
    eprintln!("{}", generation.report.text());
    assert!(accuracy_on(&generation, &families, "datatest.txt.gz")[0] >= 0.975);
    assert!(accuracy_on(&generation, &families, "datatest2.txt.gz")[0] >= 0.980);
}

/// The 27 hours that validate are one night and one day, on which trees are nearly always right; on other weeks they are not.
/// The stretch before, from a Friday to a Monday, says so.
#[test]
fn networks_learn_it_and_auto_is_not_fooled_by_one_day() {
    let Some(table) = occupancy("datatraining.txt.gz") else { return };
    for (families, least) in [(&["mlp"][..], [0.75, 0.75]), (&[], [0.95, 0.97])] {
        // Without optimisation a tree costs much time; the first five are one of each family.
        let policy = policy(true, MetricKind::Accuracy, 5);
        let generation = train(&occupancy_task(families), &policy, &table, &InProcess { parallel: 2 }, &mut |_| {}).unwrap();
        eprintln!("{}", generation.report.text());
        assert_eq!(generation.report.rows.stretches, 1, "the weekend before is one");
        let accuracy = generation.report.champion.as_ref().unwrap().metrics["accuracy"];
        assert!(accuracy > 0.93, "{families:?}: {accuracy}");
        for (file, least) in ["datatest.txt.gz", "datatest2.txt.gz"].into_iter().zip(least) {
            let [accuracy, constant] = accuracy_on(&generation, families, file);
            assert!(accuracy > constant.max(least), "{families:?} on {file}: {accuracy}");
        }
    }
}
