//! Constants as DataFusion's and Arrow's values, and back.

use arrow::array::{Array, ArrayRef, cast::AsArray, new_null_array};
use arrow::datatypes::{DataType, DurationMicrosecondType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::scalar::ScalarValue;

use crate::base::{Duration, Time};
use crate::ir::Value;
use crate::node::NodeError;

use super::super::error::{failed, ill_formed};

/// Fails where the value is not of the type.
pub fn scalar_value(value: &Value, ty: &DataType) -> Result<ScalarValue, NodeError> {
    match (value, ty) {
        (Value::Null, ty) => ScalarValue::try_new_null(ty).map_err(failed),
        (Value::Bool(value), DataType::Boolean) => Ok(ScalarValue::Boolean(Some(*value))),
        (Value::Int(value), DataType::Int64) => Ok(ScalarValue::Int64(Some(*value))),
        (Value::Int(value), DataType::Float64) => Ok(ScalarValue::Float64(Some(*value as f64))),
        (Value::Float(value), DataType::Float64) => Ok(ScalarValue::Float64(value.is_finite().then_some(*value))),
        (Value::Text(text), DataType::Utf8) => Ok(ScalarValue::Utf8(Some(text.to_string()))),
        (Value::Time(time), DataType::Timestamp(TimeUnit::Microsecond, zone)) => {
            Ok(ScalarValue::TimestampMicrosecond(Some(time.0), zone.clone()))
        }
        (Value::Duration(value), DataType::Duration(TimeUnit::Microsecond)) => {
            Ok(ScalarValue::DurationMicrosecond(Some(value.0)))
        }
        (Value::List(items), DataType::List(field)) => {
            let items = items.iter().map(|item| scalar_value(item, field.data_type())).collect::<Result<Vec<_>, _>>()?;
            Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, field.data_type())))
        }
        (value, ty) => Err(ill_formed(format!("{value} is no value of Arrow type {ty}"))),
    }
}

/// A column of constants.
pub fn literal_array(values: &[Value], ty: &DataType) -> Result<ArrayRef, NodeError> {
    if values.is_empty() {
        return Ok(new_null_array(ty, 0));
    }
    let scalars = values.iter().map(|value| scalar_value(value, ty)).collect::<Result<Vec<_>, _>>()?;
    ScalarValue::iter_to_array(scalars).map_err(failed)
}

/// Null for what the language has no constant of (tensors, bytes).
pub fn value_at(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).into()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Value::Time(Time(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            Value::Duration(Duration(array.as_primitive::<DurationMicrosecondType>().value(row)))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::List((0..items.len()).map(|at| value_at(&items, at)).collect())
        }
        _ => Value::Null,
    }
}
