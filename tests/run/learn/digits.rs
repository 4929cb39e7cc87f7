//! Families that are tried only where they are listed, beside those of scikit-learn (`reference/digits.py`).

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use mliot::diag::Code;
use mliot::ir::{MetricKind, Policy, Share, Task, TaskKind, Type, Validate};
use mliot::lifecycle::{InProcess, score, train};
use mliot::model::Fitted;

use super::recording::{column, data, numbers, policy, read_plain, table, task, with};

const TWO: InProcess = InProcess { parallel: 2 };
const PIXELS: usize = 64;

/// Handwritten digits, eight by eight.
fn digits(part: &str, every: usize) -> Option<RecordBatch> {
    let rows = read_plain(data()?.join(format!("optdigits/optdigits.{part}.csv.gz")));
    let rows: Vec<Vec<String>> = rows.into_iter().step_by(every).collect();
    let names = names();
    let mut columns: Vec<(&str, ArrayRef)> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), numbers(&rows, at))).collect();
    let digit = rows.iter().map(|row| row[PIXELS].trim().parse::<i64>().ok());
    columns.push(("@target", Arc::new(digit.collect::<Int64Array>())));
    Some(table(columns))
}

fn names() -> Vec<String> {
    (0..PIXELS).map(|at| format!("p{at}")).collect()
}

fn reads_digits(families: &[&str]) -> Task {
    let features = names().iter().map(|name| column(name, Type::NUMBER())).collect();
    task("digit", TaskKind::Classify, column("digit", Type::Int), features, families)
}

#[test]
fn listed_families_read_digits_as_well_as_those_of_scikit_learn() {
    let (Some(learned), Some(others)) = (digits("tra", 1), digits("tes", 4)) else { return };
    for (family, k, wanted) in [("naive_bayes", None, 0.7067), ("knn", Some(5), 0.9689), ("knn", Some(1), 0.9600)] {
        let task = reads_digits(&[family]);
        let task = k.map_or(task.clone(), |k| with(task, family, "k", k));
        // What serves is fitted to all rows, and neighbours are slow to ask without optimisation.
        let policy = Policy { validate: Validate::Random(Share(0.02)), ..policy(true, MetricKind::Accuracy, 1) };
        let generation = train(&task, &policy, &learned, &TWO, &mut |_| {}).unwrap();
        let champion = Fitted::from_bytes(&generation.members[0].bundle, "digit-1").unwrap();
        let found = score(&task, &champion, &others, &[]).unwrap().metrics["accuracy"];
        assert!((found - wanted).abs() < 0.01, "{family} {k:?}: {found} beside {wanted}");
    }
}

#[test]
fn a_setting_out_of_its_bounds_is_refused() {
    let task = with(reads_digits(&["knn"]), "knn", "k", 0);
    let few = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
    let wrong = train(&task, &policy(true, MetricKind::Accuracy, 1), &few, &TWO, &mut |_| {}).unwrap_err();
    assert_eq!(wrong[0].code, Code::E0555);
}
