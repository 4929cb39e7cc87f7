//! `predict`: each row is answered by the model that is assigned to it.

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Duration;
use mliot::ir::Outlet;
use mliot::ir::{Op, PredictOp, StageKind, Type};
use mliot::node::{Assignment, Batch, Counts, Node, NodeError, Ordinal, Out, Predictions, Predictor};
use mliot::ops;
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{float, stage, with};
use super::feed::Row;
use super::feed::{ClockKind, Feed, cuts, feed, schema};
use super::harness::{Given, bits, build, run};

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
        every: None,
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

/// What comes out of a `predict` with features of its own, batch by batch, and what it counted. With `reload` it is saved and
/// loaded between the features of a span and their rows.
fn paired(
    rows: &[Batch],
    features: &[Batch],
    inputs: &[mliot::ir::Schema; 2],
    pieces: &[(u64, Option<f64>)],
    reload: bool,
) -> (Rows, Counts) {
    let fresh = || {
        let mut node = ops::build(&spec(), inputs).unwrap();
        node.predicts().unwrap().assign(assigned(pieces));
        node
    };
    let mut node: Box<dyn Node> = fresh();
    let (mut given, mut counts) = (Vec::new(), Counts::default());
    for (rows, features) in rows.iter().zip(features) {
        let mut out = Out::default();
        out.counts.input = (rows.len() + features.len()) as u64;
        node.batch(1, features.clone(), &mut out).unwrap();
        assert!(out.batches.is_empty(), "features alone let nothing out");
        if reload {
            let state = node.save().unwrap();
            assert_eq!(node.save().unwrap(), state, "saving changes nothing");
            node = fresh();
            node.load(state).unwrap();
        }
        node.batch(0, rows.clone(), &mut out).unwrap();
        assert!(out.counts.balance(), "{:?}", out.counts);
        counts.add(&out.counts);
        let [(Outlet::Rows, batch)] = &out.batches[..] else { panic!("one batch a span") };
        assert_eq!(batch.upto, rows.upto);
        given.extend(batch.ordinals.to_column(batch.len()).iter().copied().zip(bits(&batch.rows)));
    }
    (given, counts)
}

type Rows = Vec<(u64, Vec<String>)>;

proptest! {
    /// The features of the second input are other values than those that pass, and some rows have none.
    #[test]
    fn features_of_their_own_are_those_of_the_same_ordinal(
        feed in feed(&[ClockKind::Gate]), cuts in cuts(), missing in prop::collection::vec(any::<bool>(), 64), change in 0u64..40,
    ) {
        let pieces = [(feed.base, Some(2.0)), (feed.base + change, Some(4.0))];
        let is_missing = |nth: usize| missing.get(nth).copied().unwrap_or(false);
        let other = |row: &Row| Row { x: row.x.map(|x| x + 0.5), ..row.clone() };
        let own = Feed { rows: feed.rows.iter().map(other).collect(), ..feed.clone() };
        let without = |batch: &Batch| {
            let ordinals = batch.ordinals.to_column(batch.len());
            let mask: arrow::array::BooleanArray =
                ordinals.iter().map(|at| Some(!is_missing((at - feed.base) as usize))).collect();
            batch.filter(&mask).unwrap()
        };
        let features = |cuts: &[usize]| -> Vec<Batch> { own.cut(cuts).iter().map(without).collect() };
        let inputs = [feed.schema(), own.schema()];
        let whole = paired(&feed.cut(&[]), &features(&[]), &inputs, &pieces, false);
        prop_assert_eq!(&paired(&feed.cut(&cuts), &features(&cuts), &inputs, &pieces, false), &whole);
        prop_assert_eq!(&paired(&feed.cut(&cuts), &features(&cuts), &inputs, &pieces, true), &whole);
        // Fed with the same values at its only input, an old model says the same.
        let alone = predicted(&own, &[], &pieces);
        let passing = predicted(&feed, &[], &pieces);
        prop_assert_eq!(whole.0.len(), alone.rows.len(), "none is lost or doubled");
        for (((at, cells), (_, alone)), (_, passing)) in whole.0.iter().zip(&alone.rows).zip(&passing.rows) {
            prop_assert_eq!(&cells[..5], &passing[..5], "the rows themselves are the first input's");
            match is_missing((at - feed.base) as usize) {
                true => prop_assert!(cells[5..].iter().all(|cell| cell == "null")),
                false => prop_assert_eq!(&cells[5..], &alone[5..]),
            }
        }
        prop_assert_eq!(whole.1.passed, whole.0.len() as u64);
    }
}
