//! Other recordings: a prediction of numbers, rare failures with texts as features, a stream that persistence wins.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use mliot::base::Duration;
use mliot::ir::{MetricKind, Policy, Search, TaskKind, Type, Validate};
use mliot::lifecycle::{InProcess, train};

use super::recording::{column, data, numbers, policy, read_csv, table, task, trues, with};

const TWO: InProcess = InProcess { parallel: 2 };

/// Machines that fail, told by numbers and by a text: `ai4i2020`.
#[test]
fn failures_of_machines_are_found_better_by_trees_than_by_lines() {
    let Some(folder) = data() else { return };
    let rows = read_csv(folder.join("ai4i2020/ai4i2020.csv.gz"));
    let rows: Vec<Vec<String>> = rows.into_iter().step_by(2).collect();
    let kind: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[2].as_str())));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("kind", kind),
        ("air", numbers(&rows, 3)),
        ("process", numbers(&rows, 4)),
        ("speed", numbers(&rows, 5)),
        ("torque", numbers(&rows, 6)),
        ("wear", numbers(&rows, 7)),
        ("@target", trues(&rows, 8)),
    ];
    let features = columns[..6].iter().map(|(name, array)| {
        let text = array.data_type() == &arrow::datatypes::DataType::Utf8;
        column(name, if text { Type::Text } else { Type::NUMBER() })
    });
    let task = task("failure", TaskKind::Classify, column("fails", Type::Bool), features.collect(), &["logistic", "forest"]);
    let task = with(task, "forest", "trees", 30);
    let policy = Policy { validate: Validate::Folds(3), ..policy(true, MetricKind::F1, 2) };
    let generation = train(&task, &policy, &table(columns), &TWO, &mut |_| {}).unwrap();
    eprintln!("{}", generation.report.text());
    let f1 = |at: usize| generation.report.candidates[at].metrics["f1"];
    assert!(f1(0) > 0.1 && f1(0) < 0.5, "logistic: {}", f1(0));
    assert!(f1(1) > f1(0) + 0.15, "forest: {}", f1(1));
    assert!(generation.report.candidates[1].metrics["auc"] > 0.92);
}

/// Electricity prices: the class before says the class now.
#[test]
fn persistence_is_printed_where_it_wins() {
    let Some(folder) = data() else { return };
    let rows = read_csv(folder.join("elec2/electricity.csv.gz"));
    let names = ["date", "day", "period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"];
    let used = [1, 2, 4, 5, 6, 7];
    let mut columns: Vec<(&str, ArrayRef)> = used.map(|at| (names[at], numbers(&rows, at))).to_vec();
    let classes = StringArray::from_iter_values(rows.iter().map(|row| row[8].trim_matches('\'')));
    columns.push(("@target", Arc::new(classes)));
    let features = columns[..6].iter().map(|(name, _)| column(name, Type::NUMBER())).collect();
    let task = task("price", TaskKind::Classify, column("class", Type::Text), features, &["logistic"]);
    let policy = Policy {
        validate: Validate::Prequential,
        search: Search { trials: 1, time: Duration::from_seconds(60.0), cores: None },
        ..policy(true, MetricKind::Accuracy, 1)
    };
    let generation = train(&task, &policy, &table(columns), &TWO, &mut |_| {}).unwrap();
    eprintln!("{}", generation.report.text());
    let persistence = generation.report.baselines["persistence"]["accuracy"];
    assert!((0.84..0.87).contains(&persistence), "{persistence}");
    assert!(generation.report.champion.unwrap().metrics["accuracy"] < persistence);
}
