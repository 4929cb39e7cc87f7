//! `predict`: each row is answered by the model that is assigned to it.

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Duration;
use mliot::ir::{Op, PredictOp, StageKind, Type};
use mliot::node::{Assignment, NodeError, Ordinal, Predictions, Predictor};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{float, stage, with};
use super::feed::{ClockKind, Feed, cuts, feed, schema};
use super::harness::{Given, build, run};

/// Answers x times a factor; null where x is.
#[derive(Debug)]
struct Times(f64, &'static str);

impl Predictor for Times {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        assert_eq!(rows.num_columns(), 1, "the features only");
        let x = rows.column(0).as_primitive::<Float64Type>();
        let values: Float64Array = x.unary(|x| x * self.0);
        Ok(Predictions { values: Arc::new(values), scores: Some(Float64Array::from(vec![self.0; x.len()])) })
    }

    fn version(&self) -> &str {
        self.1
    }
}

fn spec() -> NodeSpec {
    let added = [("guess", float()), ("guess_score", float()), ("guess_version", Type::Text), ("guess_for", Type::Time)];
    let op = PredictOp {
        task: "t".into(),
        name: "guess".into(),
        features: vec!["x".into()],
        probabilities: false,
        ahead: Some(Duration(100)),
    };
    stage(StageKind::Predict, Op::Predict(op), with(&schema(ClockKind::Gate), &added))
}

fn assigned(pieces: &[(u64, Option<f64>)]) -> Assignment {
    let model = |factor: f64| Arc::new(Times(factor, if factor < 3.0 { "1" } else { "2" })) as Arc<dyn Predictor>;
    Assignment { pieces: pieces.iter().map(|(from, factor)| (Ordinal(*from), factor.map(model))).collect() }
}

fn predicted(feed: &Feed, cuts: &[usize], pieces: &[(u64, Option<f64>)]) -> Given {
    let mut node = build(&spec(), &feed.schema());
    node.predicts().unwrap().assign(assigned(pieces));
    run(node.as_mut(), &feed.cut(cuts), feed.end())
}

proptest! {
    #[test]
    fn each_row_is_answered_by_its_model(feed in feed(&[ClockKind::Gate]), cuts in cuts(), first in 0u64..40, second in 0u64..40) {
        let (first, second) = (feed.base + first.min(second), feed.base + first.max(second));
        let pieces = [(first, Some(2.0)), (second, None), (second + 5, Some(4.0))];
        let whole = predicted(&feed, &[], &pieces);
        prop_assert_eq!(&predicted(&feed, &cuts, &pieces), &whole);
        for (ordinal, cells) in &whole.rows {
            let model = if *ordinal >= second + 5 { "2" } else if (first..second).contains(ordinal) { "1" } else { "null" };
            prop_assert_eq!(&cells[7], model, "at {}", ordinal);
            prop_assert_eq!(cells[6] == "null", model == "null");
            let ahead = if cells[5] == "null" { "null".into() } else { (cells[0].parse::<i64>().unwrap() + 100).to_string() };
            prop_assert_eq!(&cells[8], &ahead, "the time that it is about");
        }
    }
}

#[test]
fn without_a_model_all_is_null() {
    let row = super::feed::Row { at: 0, key: None, x: Some(1.0), n: None, ok: None, kept: true };
    let feed = Feed { rows: vec![row; 3], lateness: 0, clock: ClockKind::Gate, base: 0 };
    let given = predicted(&feed, &[], &[]);
    assert!(given.rows.iter().all(|(_, cells)| cells[5..].iter().all(|cell| cell == "null")));
    assert_eq!(given.counts.passed, 3);
}
