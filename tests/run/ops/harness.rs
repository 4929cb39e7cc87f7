//! Steps a node by hand and compares what came out, bit for bit.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::array_value_to_string;
use mliot::ir::{Outlet, Schema};
use mliot::node::{Batch, Counts, Node, Ordinal, Out};
use mliot::ops;
use mliot::plan::NodeSpec;
use proptest::test_runner::Config as ProptestConfig;

/// Each case steps several nodes row by row, so there are fewer than usual; `PROPTEST_CASES` asks for more.
pub fn cases() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { ProptestConfig::default() } else { ProptestConfig::with_cases(48) }
}

/// What a node gave for a feed, in a form that compares bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// Ordinal and columns of each row.
    pub rows: Vec<(u64, Vec<String>)>,
    pub late: Vec<(u64, Vec<String>)>,
    pub counts: Counts,
}

pub fn build(spec: &NodeSpec, input: &Schema) -> Box<dyn Node> {
    ops::build(spec, std::slice::from_ref(input)).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs all batches and the end.
pub fn run(node: &mut dyn Node, batches: &[Batch], end: Ordinal) -> Given {
    let mut given = Given::default();
    batches.iter().for_each(|batch| step(node, batch, &mut given));
    finish(node, end, &mut given);
    given
}

pub fn step(node: &mut dyn Node, batch: &Batch, given: &mut Given) {
    let mut out = Out::default();
    out.counts.input = batch.len() as u64;
    node.batch(0, batch.clone(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    assert!(out.counts.balance(), "{:?}", out.counts);
    let sent: Vec<&Batch> = out.batches.iter().filter(|(outlet, _)| *outlet == Outlet::Rows).map(|(_, batch)| batch).collect();
    assert!(sent.len() == 1 && sent[0].upto == batch.upto, "one batch with the same end");
    take(out, given);
}

pub fn finish(node: &mut dyn Node, end: Ordinal, given: &mut Given) {
    let mut out = Out::default();
    node.end(end, &mut out).unwrap_or_else(|error| panic!("{error}"));
    take(out, given);
}

fn take(out: Out, given: &mut Given) {
    given.counts.add(&out.counts);
    for (outlet, batch) in &out.batches {
        let to = if *outlet == Outlet::Late { &mut given.late } else { &mut given.rows };
        let ordinals = batch.ordinals.to_column(batch.len());
        assert!(ordinals.windows(2).all(|two| two[0] <= two[1]), "ordinals never fall");
        to.extend(ordinals.iter().copied().zip(bits(&batch.rows)));
    }
}

/// Each row's cells: floats as their bits, all else as text.
pub fn bits(rows: &RecordBatch) -> Vec<Vec<String>> {
    (0..rows.num_rows()).map(|row| rows.columns().iter().map(|column| cell(column, row)).collect()).collect()
}

fn cell(column: &ArrayRef, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "null".into(),
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            format!("{value} {:016x}", value.to_bits())
        }
        DataType::Timestamp(..) | DataType::Duration(_) => {
            array_value_to_string(&arrow::compute::cast(column, &DataType::Int64).unwrap(), row).unwrap()
        }
        _ => array_value_to_string(column, row).unwrap(),
    }
}

/// Saves after every batch, several times, and goes on in a new node that has loaded the state.
pub fn run_reloading(spec: &NodeSpec, input: &Schema, batches: &[Batch], end: Ordinal) -> Given {
    let mut given = Given::default();
    let mut node = build(spec, input);
    for batch in batches {
        step(node.as_mut(), batch, &mut given);
        node = reloaded(node.as_mut(), spec, input);
    }
    finish(node.as_mut(), end, &mut given);
    given
}

/// A new node with the state of the old one, which is as before: it gives the same state again, and so does the new one.
pub fn reloaded(node: &mut dyn Node, spec: &NodeSpec, input: &Schema) -> Box<dyn Node> {
    let state = node.save().unwrap();
    let mut new = build(spec, input);
    new.load(state.clone()).unwrap();
    let table = |state: &mliot::node::State| -> BTreeMap<String, Vec<Vec<String>>> {
        state.tables.iter().map(|(name, rows)| (name.to_string(), bits(rows))).collect()
    };
    assert_eq!(table(&node.save().unwrap()), table(&state), "saving changed the node");
    assert_eq!(table(&new.save().unwrap()), table(&state), "loading changed the state");
    new
}

/// Saves after every batch and goes on in the same node.
pub fn run_saving(node: &mut dyn Node, batches: &[Batch], end: Ordinal) -> Given {
    let mut given = Given::default();
    for batch in batches {
        step(node, batch, &mut given);
        (0..3).for_each(|_| drop(node.save().unwrap()));
    }
    finish(node, end, &mut given);
    given
}

/// The three promises of every node: cuts, restarts and saves leave no trace.
pub fn keeps_its_promises(spec: &NodeSpec, feed: &super::feed::Feed, cuts: &[usize]) -> Given {
    let input = feed.schema();
    let whole = run(build(spec, &input).as_mut(), &feed.whole(), feed.end());
    let cut = feed.cut(cuts);
    assert_eq!(run(build(spec, &input).as_mut(), &cut, feed.end()), whole, "cut at {cuts:?}");
    let single: Vec<usize> = (0..feed.rows.len()).collect();
    assert_eq!(run(build(spec, &input).as_mut(), &feed.cut(&single), feed.end()), whole, "row by row");
    assert_eq!(run_reloading(spec, &input, &cut, feed.end()), whole, "loaded at {cuts:?}");
    assert_eq!(run_saving(build(spec, &input).as_mut(), &cut, feed.end()), whole, "saved at {cuts:?}");
    whole
}
