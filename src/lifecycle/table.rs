//! What a task node collects, taken apart: features, target, and the hidden columns beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, UInt64Type};
use arrow::row::{RowConverter, SortField};

use crate::base::Hash;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Task, TaskKind};

use super::series::shifted;

/// Rows in the order of their ordinals.
#[derive(Clone, Debug)]
pub struct Table {
    /// The features in the task's order, and behind them the columns of the key where every key has its own model.
    pub features: RecordBatch,
    /// Of a forecast the value at the later time, of a path the last one.
    pub target: ArrayRef,
    /// Of a path the values at the steps before the last.
    pub before: Vec<ArrayRef>,
    pub ordinals: Vec<u64>,
    /// Event times in microseconds, where the stream has them.
    pub times: Option<Vec<i64>>,
    /// Of a forecast over many series: the one of each row, numbered in order of appearance.
    pub series: Option<Vec<u32>>,
    /// The group of each row, numbered in order of appearance.
    pub groups: Option<Vec<u32>>,
    /// A row whose weight is missing, zero or less counts as unlabelled.
    pub weights: Option<Vec<f64>>,
    pub hold_out: Option<Vec<bool>>,
    pub start: Option<Vec<bool>>,
    /// May the row be learned from?
    pub labelled: Vec<bool>,
}

impl Table {
    /// Takes `batch` apart: `@ordinal`, the features, `@target`, and `@time`, `@series`, `@group`, `@weight`, `@hold_out`, `@start`
    /// where they are.
    pub fn read(task: &Task, batch: &RecordBatch) -> Result<Table, Vec<Diagnostic>> {
        let batch = in_order(task, batch)?;
        let column = |name: &str| batch.column_by_name(name);
        let missing = |name: &str| vec![lacks(task, name)];
        let target = column("@target").ok_or_else(|| missing("@target"))?.clone();
        let times = column("@time").map(times);
        let series = column("@series").map(groups);
        let mut later = Vec::new();
        for step in task.kind.steps() {
            let times = times.as_ref().ok_or_else(|| missing("@time"))?;
            later.push(shifted(&target, times, series.as_deref(), step.0));
        }
        let target = later.pop().unwrap_or(target);
        let ordinals = column("@ordinal").ok_or_else(|| missing("@ordinal"))?;
        let ordinals = ordinals.as_primitive::<UInt64Type>().values().to_vec();
        let features = features(task, &batch)?;
        let weights = column("@weight").map(weights);
        let known = |row: usize| target.is_valid(row) && !is_nan(&target, row);
        let weighs = |row: usize| weights.as_ref().is_none_or(|weights| weights[row] > 0.0);
        // A detector learns from rows of which nobody knows the truth, too.
        let is_detect = matches!(task.kind, TaskKind::Detect { .. });
        let labelled = (0..batch.num_rows()).map(|row| (is_detect || known(row)) && weighs(row)).collect();
        Ok(Table {
            features,
            ordinals,
            times,
            series,
            groups: column("@group").map(groups),
            weights,
            hold_out: column("@hold_out").map(trues),
            start: column("@start").map(trues),
            labelled,
            target,
            before: later,
        })
    }

    pub fn rows(&self) -> usize {
        self.ordinals.len()
    }

    /// The targets of all steps of a path, the last one's last; of everything else the only one.
    pub fn targets(&self) -> impl Iterator<Item = &ArrayRef> {
        self.before.iter().chain([&self.target])
    }

    pub fn labelled_rows(&self) -> Vec<usize> {
        (0..self.rows()).filter(|row| self.labelled[*row]).collect()
    }
}

/// Of the rows whatever their order, and of their order. Ordinals do not count: a replay draws others than the live run.
pub fn digests(batch: &RecordBatch) -> (Hash, Hash) {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns()).filter(|(field, _)| field.name() != "@ordinal");
    let columns: Vec<(SortField, ArrayRef)> =
        columns.map(|(field, array)| (SortField::new(field.data_type().clone()), array.clone())).collect();
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let converter = RowConverter::new(fields).and_then(|converter| converter.convert_columns(&arrays));
    let rows = converter.expect("every type of the language has a row format");
    let mut hashes: Vec<Hash> = rows.iter().map(|row| Hash::of_bytes(row.as_ref())).collect();
    let order = Hash::of(&(&names, &hashes));
    hashes.sort_unstable();
    (Hash::of(&(&names, &hashes)), order)
}

/// Task nodes collect in order; a table from elsewhere is sorted, equal ordinals staying as they stand.
pub fn in_order(task: &Task, batch: &RecordBatch) -> Result<RecordBatch, Vec<Diagnostic>> {
    let Some(ordinals) = batch.column_by_name("@ordinal").and_then(|column| column.as_primitive_opt::<UInt64Type>()) else {
        return Err(vec![lacks(task, "@ordinal")]);
    };
    if ordinals.values().is_sorted() {
        return Ok(batch.clone());
    }
    let rows = ordinals.values().iter().copied().zip(0..ordinals.len() as u64);
    let mut rows: Vec<(u64, u64)> = rows.collect();
    rows.sort_unstable();
    let order = UInt64Array::from_iter_values(rows.into_iter().map(|(_, row)| row));
    Ok(take_record_batch(batch, &order).expect("the order is one of the batch's own rows"))
}

fn features(task: &Task, batch: &RecordBatch) -> Result<RecordBatch, Vec<Diagnostic>> {
    let find = |name: &str| batch.column_by_name(name).cloned().ok_or_else(|| lacks(task, name));
    let mut arrays = Vec::new();
    let mut fields = Vec::new();
    let mut missing = Vec::new();
    let features = task.features.iter().map(|column| (column, column.name.to_string()));
    let keys = task.per.iter().flat_map(|per| &per.columns).map(|column| (column, format!("@per {}", column.name)));
    for (feature, place) in features.chain(keys) {
        match find(&place) {
            Ok(array) => {
                fields.push(crate::node::field(feature).with_nullable(true));
                arrays.push(array);
            }
            Err(lack) => missing.push(lack),
        }
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    if arrays.is_empty() {
        return Err(vec![no_features(task)]);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| vec![other_types(task, &error.to_string())])
}

fn is_nan(target: &ArrayRef, row: usize) -> bool {
    target.as_primitive_opt::<Float64Type>().is_some_and(|target| !target.value(row).is_finite())
}

fn trues(column: &ArrayRef) -> Vec<bool> {
    let column: &BooleanArray = column.as_boolean();
    column.iter().map(|value| value == Some(true)).collect()
}

fn times(column: &ArrayRef) -> Vec<i64> {
    let column = cast(column, &DataType::Int64).expect("times are whole microseconds");
    column.as_primitive::<Int64Type>().iter().map(|time| time.unwrap_or(i64::MIN)).collect()
}

fn weights(column: &ArrayRef) -> Vec<f64> {
    let column = cast(column, &DataType::Float64).expect("weights are numbers");
    let usable = |weight: Option<f64>| weight.filter(|weight| weight.is_finite() && *weight > 0.0).unwrap_or_default();
    column.as_primitive::<Float64Type>().iter().map(usable).collect()
}

fn groups(column: &ArrayRef) -> Vec<u32> {
    let converter = RowConverter::new(vec![SortField::new(column.data_type().clone())]);
    let rows = converter.and_then(|converter| converter.convert_columns(std::slice::from_ref(column)));
    let rows = rows.expect("every type of the language has a row format");
    let mut known: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut number = |row: &[u8]| {
        let next = known.len() as u32;
        *known.entry(row.to_vec()).or_insert(next)
    };
    rows.iter().map(|row| number(row.as_ref())).collect()
}

fn lacks(task: &Task, column: &str) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("the rows of the task `{}` lack the column `{column}`", task.name))
        .at(task.span, "")
        .help("give the task a stream that has its features and its target")
}

fn no_features(task: &Task) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("the task `{}` has no features", task.name))
        .at(task.span, "")
        .help("name at least one column in `features`")
}

fn other_types(task: &Task, why: &str) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("the rows of the task `{}` are of other types than its features: {why}", task.name))
        .at(task.span, "")
        .help("give the task the stream that it was declared over")
}
