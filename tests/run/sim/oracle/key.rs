//! Keys of rows, in the order in which windows of one end are told.

use mliot::base::Name;
use mliot::ir::Value;
use mliot::runtime::Row;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Int(i64),
    Text(String),
}

pub type Key = Vec<Part>;

/// None where a part of it is null: a null key matches nothing.
pub fn key(row: &Row, by: &[Name]) -> Option<Key> {
    by.iter().map(|name| part(row.get(name)?)).collect()
}

fn part(value: &Value) -> Option<Part> {
    match value {
        Value::Int(int) => Some(Part::Int(*int)),
        Value::Text(text) => Some(Part::Text(text.to_string())),
        Value::Null => None,
        other => panic!("{other} is no key of the simulator"),
    }
}

pub fn value(part: &Part) -> Value {
    match part {
        Part::Int(int) => Value::Int(*int),
        Part::Text(text) => Value::Text(text.as_str().into()),
    }
}
