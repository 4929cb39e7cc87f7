//! An answer as JSON.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use serde::Serialize;
use serde_json::Value;

use crate::base::Time;

use super::backend::Answer;

/// `{"task", "version", "rows": [{"value", "confidence"}]}`, with the reason for nulls and the fields that were not read
/// where there are any.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    task: &'a str,
    version: Option<String>,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    ignored: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    value: Value,
    /// Null for regressions, which have none.
    confidence: Option<f64>,
}

impl<'a> Body<'a> {
    pub fn new(task: &'a str, answer: Answer, ignored: BTreeSet<String>) -> Body<'a> {
        let Answer { version, values, scores, reason } = answer;
        let row = |nth| Row { value: value(&values, nth), confidence: score(scores.as_ref(), nth) };
        Body { task, version, rows: (0..values.len()).map(row).collect(), reason, ignored }
    }
}

fn score(scores: Option<&Float64Array>, row: usize) -> Option<f64> {
    scores.filter(|scores| scores.is_valid(row)).map(|scores| scores.value(row))
}

/// Times as ISO 8601, durations in seconds; what no target is made of is null.
fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Time(array.as_primitive::<TimestampMicrosecondType>().value(row)).to_string().into()
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            crate::base::Duration(array.as_primitive::<DurationMicrosecondType>().value(row)).seconds().into()
        }
        _ => Value::Null,
    }
}
