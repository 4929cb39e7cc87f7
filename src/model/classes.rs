//! The classes of a classifier: values of the target, in one order.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use serde::{Deserialize, Serialize};

use crate::base::Name;

/// A value of the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClassValue {
    Bool(bool),
    Int(i64),
    Text(Name),
}

/// Sorted, each once; all of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes(Vec<ClassValue>);

impl Classes {
    /// Those that occur in `target` at `rows`. None where the target is of a type that has no classes.
    pub fn seen(target: &ArrayRef, rows: impl Iterator<Item = usize>) -> Option<Classes> {
        let reader = Reader::of(target)?;
        let seen: BTreeSet<ClassValue> = rows.filter_map(|row| reader.get(row)).collect();
        Some(Classes(seen.into_iter().collect()))
    }

    /// False and true.
    pub fn of_bool() -> Classes {
        Classes(vec![ClassValue::Bool(false), ClassValue::Bool(true)])
    }

    /// All classes of all of them.
    pub fn union(all: &[&Classes]) -> Classes {
        let values: BTreeSet<ClassValue> = all.iter().flat_map(|classes| classes.0.iter().cloned()).collect();
        Classes(values.into_iter().collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &ClassValue> {
        self.0.iter()
    }

    /// These classes, and behind them those others that occur in `target` at `rows`: what a model never saw cannot be right.
    pub fn extended(&self, target: &ArrayRef, rows: &[usize]) -> Classes {
        let seen = Classes::seen(target, rows.iter().copied()).unwrap_or_default();
        let news = seen.0.into_iter().filter(|value| !self.0.contains(value));
        Classes(self.0.iter().cloned().chain(news).collect())
    }

    /// The position of each row's value; None for null and for values that are no class.
    pub fn encode(&self, target: &ArrayRef) -> Vec<Option<u32>> {
        let Some(reader) = Reader::of(target) else { return vec![None; target.len()] };
        (0..target.len()).map(|row| self.position(&reader.get(row)?)).collect()
    }

    pub fn position(&self, value: &ClassValue) -> Option<u32> {
        self.0.iter().position(|class| class == value).map(|at| at as u32)
    }

    /// The class that people call so: `true`, `3`, `fall`.
    pub fn named(&self, name: &str) -> Option<u32> {
        self.0.iter().position(|class| class.to_string() == name).map(|at| at as u32)
    }

    /// What a metric means by "the" class where two are told apart: `true`, else the larger.
    pub fn positive(&self) -> u32 {
        self.0.len().saturating_sub(1) as u32
    }

    /// An array of the target's Arrow type.
    pub fn decode(&self, classes: &[Option<u32>], ty: &DataType) -> ArrayRef {
        let values = classes.iter().map(|class| class.and_then(|at| self.0.get(at as usize)));
        match ty {
            DataType::Boolean => Arc::new(values.map(as_bool).collect::<BooleanArray>()),
            DataType::Int64 => Arc::new(values.map(as_int).collect::<Int64Array>()),
            _ => Arc::new(values.map(as_text).collect::<StringArray>()),
        }
    }
}

fn as_bool(value: Option<&ClassValue>) -> Option<bool> {
    match value? {
        ClassValue::Bool(value) => Some(*value),
        ClassValue::Int(_) | ClassValue::Text(_) => None,
    }
}

fn as_int(value: Option<&ClassValue>) -> Option<i64> {
    match value? {
        ClassValue::Int(value) => Some(*value),
        ClassValue::Bool(_) | ClassValue::Text(_) => None,
    }
}

fn as_text(value: Option<&ClassValue>) -> Option<String> {
    value.map(ToString::to_string)
}

impl std::fmt::Display for ClassValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClassValue::Bool(value) => write!(f, "{value}"),
            ClassValue::Int(value) => write!(f, "{value}"),
            ClassValue::Text(value) => f.write_str(value),
        }
    }
}

/// The target's column by its type.
enum Reader<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Text(&'a StringArray),
}

impl Reader<'_> {
    fn of(target: &ArrayRef) -> Option<Reader<'_>> {
        match target.data_type() {
            DataType::Boolean => Some(Reader::Bool(target.as_boolean())),
            DataType::Int64 => Some(Reader::Int(target.as_primitive::<Int64Type>())),
            DataType::Utf8 => Some(Reader::Text(target.as_string::<i32>())),
            _ => None,
        }
    }

    fn get(&self, row: usize) -> Option<ClassValue> {
        match self {
            Reader::Bool(array) => array.is_valid(row).then(|| ClassValue::Bool(array.value(row))),
            Reader::Int(array) => array.is_valid(row).then(|| ClassValue::Int(array.value(row))),
            Reader::Text(array) => array.is_valid(row).then(|| ClassValue::Text(array.value(row).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted_and_go_there_and_back() {
        let target: ArrayRef = Arc::new(StringArray::from(vec![Some("walk"), None, Some("sit"), Some("walk")]));
        let classes = Classes::seen(&target, 0..4).unwrap();
        let codes = classes.encode(&target);
        assert_eq!(codes, [Some(1), None, Some(0), Some(1)]);
        assert_eq!(&classes.decode(&codes, &DataType::Utf8), &target);
        assert_eq!((classes.named("sit"), classes.named("run"), classes.positive()), (Some(0), None, 1));
    }

    #[test]
    fn a_class_that_was_never_learned_stands_behind_the_learned_ones() {
        let target: ArrayRef = Arc::new(Int64Array::from(vec![5, 7, 1]));
        let learned = Classes::seen(&target, [0, 1].into_iter()).unwrap();
        let all = learned.extended(&target, &[0, 1, 2]);
        assert_eq!(all.encode(&target), [Some(0), Some(1), Some(2)]);
        assert_eq!(learned.encode(&target), [Some(0), Some(1), None]);
    }
}
