//! The collector of a task.

use std::collections::BTreeMap;

use mliot::base::{Duration, Span};
use mliot::ir::{
    Choice, Goal, History, HoldOut, Metric, MetricKind, Models, Outlet, Policy, Read, Search, Share, Start, Target, Task,
    TaskKind, Type, Validate,
};
use mliot::node::{Batch, Node, Out};
use mliot::ops::HISTORY;
use mliot::plan::{Learn, NodeOp, NodeSpec, Slot};
use proptest::prelude::*;

use super::expression::{field, float, positive, spec};
use super::feed::{ClockKind, Feed, Row, cuts, feed};
use super::harness::{bits, build, reloaded};

const ALL: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps, ClockKind::None];

fn policy() -> Policy {
    Policy {
        name: "p".into(),
        choice: Choice {
            goal: Goal { maximize: true, metric: Metric { kind: MetricKind::Accuracy, class: None } },
            requirements: vec![],
        },
        search: Search { trials: 1, time: Duration(1), cores: None },
        validate: Validate::Last(Share(0.2)),
        seed: 7,
        retrain: None,
        promote: None,
        rollback: None,
        overrides: vec![],
        span: Span::default(),
        places: Default::default(),
    }
}

fn task(history: Option<History>, start: Option<Start>) -> NodeSpec {
    let task = Task {
        name: "t".into(),
        kind: TaskKind::Classify,
        target: Target { column: field("high", Type::Bool), value: Some(positive("x")) },
        from: Read { from: "air".into(), outlet: Outlet::Rows },
        features: vec![field("x", float()), field("n", Type::Int)],
        hold_out: Some(HoldOut::Where(positive("x"))),
        group: Some("key".into()),
        start,
        balance: false,
        weights: Some("x".into()),
        series: None,
        per: None,
        models: Models::Auto,
        history,
        policy: "p".into(),
        span: Span::default(),
    };
    spec(Slot::Task, NodeOp::Task(Box::new(Learn { task, policy: policy() })), Default::default())
}

fn step(node: &mut dyn Node, batch: &Batch) {
    let mut out = Out::default();
    out.counts.input = batch.len() as u64;
    node.batch(0, batch.clone(), &mut out).unwrap();
    assert!(out.counts.balance() && out.batches.is_empty());
}

fn tables(node: &mut dyn Node) -> BTreeMap<String, Vec<Vec<String>>> {
    node.save().unwrap().tables.iter().map(|(name, rows)| (name.to_string(), bits(rows))).collect()
}

fn collected(spec: &NodeSpec, feed: &Feed, cuts: &[usize], reload: bool) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut node = build(spec, &feed.schema());
    for batch in feed.cut(cuts) {
        step(node.as_mut(), &batch);
        if reload {
            node = reloaded(node.as_mut(), spec, &feed.schema());
        }
    }
    tables(node.as_mut())
}

fn histories() -> impl Strategy<Value = Option<History>> {
    prop_oneof![
        Just(None),
        (1i64..30).prop_map(|time| Some(History::Time(Duration(time)))),
        (1u64..20, any::<bool>()).prop_map(|(rows, reservoir)| Some(History::Rows { rows, reservoir })),
    ]
}

proptest! {
    #[test]
    fn a_history_leaves_no_trace_of_cuts_and_restarts(feed in feed(ALL), cuts in cuts(), history in histories(), rows in 0u64..5) {
        let start = Start::First { rows, by: vec!["key".into()] };
        let spec = task(history, Some(start));
        let whole = collected(&spec, &feed, &[], false);
        prop_assert_eq!(&collected(&spec, &feed, &cuts, false), &whole);
        prop_assert_eq!(&collected(&spec, &feed, &cuts, true), &whole);
        let ordinals: Vec<u64> = whole[HISTORY].iter().map(|cells| cells[0].parse().unwrap()).collect();
        prop_assert!(ordinals.windows(2).all(|two| two[0] < two[1]), "in the order of ordinals");
        let kept: Vec<&Row> = feed.rows.iter().filter(|row| row.kept).collect();
        match history {
            None => prop_assert_eq!(ordinals.len(), kept.len()),
            Some(History::Rows { rows, .. }) => prop_assert_eq!(ordinals.len(), kept.len().min(rows as usize)),
            Some(History::Time(within)) => {
                let newest = kept.iter().map(|row| row.at).max().unwrap_or(0);
                let young = kept.iter().filter(|row| feed.clock == ClockKind::None || row.at >= newest - within.0).count();
                prop_assert_eq!(ordinals.len(), young);
            }
        }
    }
}

#[test]
fn a_row_is_kept_with_all_that_its_task_needs() {
    let row = |x| Row { at: 5, key: Some("a"), x: Some(x), n: Some(3), ok: None, kept: true };
    let feed = Feed { rows: vec![row(1.5), row(-1.5)], lateness: 0, clock: ClockKind::Gate, base: 40 };
    let spec = task(None, Some(Start::Where(positive("x"))));
    let mut node = build(&spec, &feed.schema());
    step(node.as_mut(), &feed.batch(0..2));
    let history = node.save().unwrap().tables[HISTORY].clone();
    let names: Vec<String> = history.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["@ordinal", "@time", "x", "n", "@target", "@group", "@weight", "@hold_out", "@start"]);
    let cells = bits(&history);
    assert_eq!(&cells[0][..2], ["40", "5"]);
    assert_eq!((&cells[0][4..6], &cells[0][7..]), (&["true".into(), "a".into()][..], &["true".into(), "true".into()][..]));
    assert_eq!(cells[1][4], "false");
}

#[test]
fn a_changed_policy_keeps_the_history() {
    let row = Row { at: 5, key: Some("a"), x: Some(1.0), n: Some(3), ok: None, kept: true };
    let feed = Feed { rows: vec![row; 10], lateness: 0, clock: ClockKind::Gate, base: 0 };
    let mut node = build(&task(None, None), &feed.schema());
    step(node.as_mut(), &feed.batch(0..10));
    node.retune().unwrap().to(&task(Some(History::Rows { rows: 4, reservoir: false }), None)).unwrap();
    assert_eq!(node.save().unwrap().tables[HISTORY].num_rows(), 4);
}
