//! Text, and other values as text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray, cast::AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};

use crate::base::{Duration, Time};

use super::own::Outcome;

pub(super) fn can_print(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Boolean
            | DataType::Int64
            | DataType::Float64
            | DataType::Timestamp(TimeUnit::Microsecond, _)
            | DataType::Duration(TimeUnit::Microsecond)
    )
}

/// As the language prints it: floats in the shortest form that reads back, times as ISO 8601, durations in their largest
/// whole unit.
pub(super) fn print(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    let array = &args[0];
    let texts: StringArray = match array.data_type() {
        DataType::Boolean => array.as_boolean().iter().map(shown).collect(),
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(shown).collect(),
        DataType::Timestamp(..) => ints(array)?.iter().map(|value| shown(value.map(Time))).collect(),
        DataType::Duration(_) => ints(array)?.iter().map(|value| shown(value.map(Duration))).collect(),
        _ => ints(array)?.iter().map(shown).collect(),
    };
    Ok(Arc::new(texts))
}

fn shown<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn ints(array: &ArrayRef) -> Outcome<Int64Array> {
    Ok(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// In characters.
pub(super) fn length(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    let texts = args[0].as_string::<i32>().iter();
    Ok(Arc::new(texts.map(|text| Some(text?.chars().count() as i64)).collect::<Int64Array>()))
}

/// Without blanks, tabs and line ends around it.
pub(super) fn trim(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    Ok(Arc::new(args[0].as_string::<i32>().iter().map(|text| text.map(str::trim)).collect::<StringArray>()))
}
