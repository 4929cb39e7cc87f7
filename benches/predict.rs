//! From feature rows to predictions, preprocessing included: one row, as a sensor sends it, and 1,000 rows, for each family.
//!
//! Features are eight numbers with a few gaps, the target has two classes; what is measured is the same call that the
//! `predict` stage makes. The constant stands beside them as the floor.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};
use divan::Bencher;
use divan::counter::ItemsCount;
use mliot::base::Span;
use mliot::ir::{Column, Schema, Type};
use mliot::model::{Config, Control, FitRequest, Fitted, Purpose, family};
use mliot::node::{Predictor, schema};

const FEATURES: usize = 8;
const LEARNED_ROWS: usize = 4_000;
const FAMILIES: [&str; 6] = ["constant", "logistic", "tree", "forest", "boosted", "mlp"];

fn main() {
    divan::main();
}

fn features() -> Schema {
    let column =
        |nth: usize| Column { name: format!("f{nth}").into(), ty: Type::NUMBER(), nullable: true, span: Span::default() };
    Schema { columns: (0..FEATURES).map(column).collect(), time: None, clock_by: vec![] }
}

/// In -1..1, without a pattern that a tree could read off.
fn value(row: usize, feature: usize) -> f64 {
    let mixed = (row * FEATURES + feature).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
    mixed as f64 / (1_u64 << 52) as f64 - 1.0
}

fn rows(count: usize) -> RecordBatch {
    // One value in 97 is missing.
    let at = |row: usize, feature: usize| (!(row * FEATURES + feature).is_multiple_of(97)).then(|| value(row, feature));
    let column = |feature| Arc::new((0..count).map(|row| at(row, feature)).collect::<Float64Array>()) as ArrayRef;
    RecordBatch::try_new(schema(&features()), (0..FEATURES).map(column).collect()).expect("the columns are of the schema")
}

fn learned(name: &str) -> Fitted {
    let family = family(name).expect("a family of this name");
    let table = rows(LEARNED_ROWS);
    let label = |row: usize| value(row, 0) + 0.5 * value(row, 1) > 0.1 * value(row, 2);
    let target: ArrayRef = Arc::new((0..LEARNED_ROWS).map(|row| Some(label(row))).collect::<BooleanArray>());
    let request = FitRequest {
        family,
        config: &family.config(&Config::default()),
        seed: 7,
        purpose: Purpose::Classify,
        features: &features().columns,
        table: &table,
        target: &target,
        target_type: &Type::Bool,
        rows: &(0..LEARNED_ROWS).collect::<Vec<_>>(),
        weights: None,
        balance: false,
        before: &[],
        per: None,
        flag: 0.0,
    };
    request.fit(&Control::default()).expect("the rows can be learned")
}

fn predict(bencher: Bencher, family: &str, count: usize) {
    let (model, rows) = (learned(family), rows(count));
    bencher.counter(ItemsCount::new(count)).bench(|| model.predict(&rows).expect("the rows have the features"));
}

#[divan::bench(args = FAMILIES, sample_count = 500)]
fn one_row(bencher: Bencher, family: &str) {
    predict(bencher, family, 1);
}

#[divan::bench(args = FAMILIES)]
fn rows_1000(bencher: Bencher, family: &str) {
    predict(bencher, family, 1_000);
}
