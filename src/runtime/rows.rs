//! Rows as plain values: written by hand in a `test`, read by people in its outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DurationMicrosecondArray, FixedSizeListArray, Float32Array, Float64Array,
    Int64Array, ListArray, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Field, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType,
};

use crate::base::{Duration, Name, Time};
use crate::diag::Code;
use crate::ir::{Column, Schema, Type, Value};
use crate::node::{self, NodeError};

/// One row by column.
pub type Row = BTreeMap<Name, Value>;

/// Rows as a table of this schema; a column that a row lacks is null there.
///
/// # Errors
/// Where a value is not of its column's type, or the type cannot be written by hand.
pub fn to_table(schema: &Schema, rows: &[Row]) -> Result<RecordBatch, NodeError> {
    let columns = schema.columns.iter().map(|column| to_array(column, rows)).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let table = RecordBatch::try_new_with_options(node::schema(schema), columns, &options);
    table.map_err(|error| NodeError::new(Code::R0001, error.to_string()))
}

fn to_array(column: &Column, rows: &[Row]) -> Result<ArrayRef, NodeError> {
    let values = || rows.iter().map(|row| row.get(&column.name).unwrap_or(&Value::Null));
    macro_rules! gather {
        ($array:ty, $pick:expr) => {
            Arc::new(values().map(|value| picked(column, value, $pick)).collect::<Result<$array, NodeError>>()?)
        };
    }
    Ok(match &column.ty {
        Type::Bool => gather!(BooleanArray, |value| if let Value::Bool(bool) = value { Some(*bool) } else { None }),
        Type::Int => gather!(Int64Array, |value| if let Value::Int(int) = value { Some(*int) } else { None }),
        Type::Float(_) => gather!(Float64Array, Value::as_f64),
        Type::Text | Type::Enum(_) => {
            gather!(StringArray, |value| if let Value::Text(text) = value { Some(text.to_string()) } else { None })
        }
        Type::Time => {
            let times: TimestampMicrosecondArray = values()
                .map(|value| picked(column, value, |value| if let Value::Time(time) = value { Some(time.0) } else { None }))
                .collect::<Result<_, _>>()?;
            Arc::new(times.with_timezone("UTC"))
        }
        Type::Duration => {
            gather!(DurationMicrosecondArray, |value| if let Value::Duration(it) = value { Some(it.0) } else { None })
        }
        Type::Tensor(shape) => Arc::new(tensors(column, shape.iter().product(), values())?),
        Type::List(item) => Arc::new(lists(column, item, values())?),
        Type::Signal(_) => Arc::new(signals(column, values())?),
        Type::Bytes => return Err(unwritable(column)),
    })
}

/// Null stays null; anything else has to be of the right kind.
fn picked<T>(column: &Column, value: &Value, pick: impl Fn(&Value) -> Option<T>) -> Result<Option<T>, NodeError> {
    match value {
        Value::Null => Ok(None),
        given => pick(given).map(Some).ok_or_else(|| of_another_type(column, given)),
    }
}

fn tensors<'a>(column: &Column, size: u32, values: impl Iterator<Item = &'a Value>) -> Result<FixedSizeListArray, NodeError> {
    let mut flat: Vec<f32> = Vec::new();
    let mut valid = Vec::new();
    for value in values {
        match value {
            Value::Null => flat.extend(std::iter::repeat_n(0.0, size as usize)),
            Value::List(items) if items.len() == size as usize => flat.extend(numbers(column, value, items)?),
            other => return Err(of_another_type(column, other)),
        }
        valid.push(!matches!(value, Value::Null));
    }
    let item = Arc::new(Field::new_list_field(DataType::Float32, false));
    let size = i32::try_from(size).map_err(|_| unwritable(column))?;
    FixedSizeListArray::try_new(item, size, Arc::new(Float32Array::from(flat)), Some(valid.into()))
        .map_err(|error| NodeError::new(Code::R0001, error.to_string()))
}

fn signals<'a>(column: &Column, values: impl Iterator<Item = &'a Value>) -> Result<ListArray, NodeError> {
    let (mut flat, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let samples = match value {
            Value::Null => Vec::new(),
            Value::List(items) => numbers(column, value, items)?,
            other => return Err(of_another_type(column, other)),
        };
        lengths.push(samples.len());
        flat.extend(samples);
        valid.push(!matches!(value, Value::Null));
    }
    let item = Arc::new(Field::new_list_field(DataType::Float32, false));
    ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(Float32Array::from(flat)), Some(valid.into()))
        .map_err(|error| NodeError::new(Code::R0001, error.to_string()))
}

/// As f32.
fn numbers(column: &Column, whole: &Value, items: &[Value]) -> Result<Vec<f32>, NodeError> {
    let numbers = items.iter().map(|item| item.as_f64().map(|number| number as f32));
    numbers.collect::<Option<Vec<f32>>>().ok_or_else(|| of_another_type(column, whole))
}

fn lists<'a>(column: &Column, item: &Type, values: impl Iterator<Item = &'a Value>) -> Result<ListArray, NodeError> {
    let item = Column { ty: item.clone(), nullable: true, ..column.clone() };
    let (mut rows, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let items = match value {
            Value::Null => &[],
            Value::List(items) => items.as_slice(),
            other => return Err(of_another_type(column, other)),
        };
        rows.extend(items.iter().map(|value| Row::from([(item.name.clone(), value.clone())])));
        lengths.push(items.len());
        valid.push(!matches!(value, Value::Null));
    }
    let field = Arc::new(Field::new_list_field(node::data_type(&item.ty), true));
    ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), to_array(&item, &rows)?, Some(valid.into()))
        .map_err(|error| NodeError::new(Code::R0001, error.to_string()))
}

fn of_another_type(column: &Column, value: &Value) -> NodeError {
    NodeError::new(Code::R0001, format!("`{}` is {}, and {value} is not", column.name, column.ty))
}

fn unwritable(column: &Column) -> NodeError {
    NodeError::new(Code::E0199, format!("rows with `{}: {}` cannot be written by hand in this version", column.name, column.ty))
}

/// The rows of a table, hidden columns left out.
pub fn from_table(table: &RecordBatch) -> Vec<Row> {
    let schema = table.schema();
    let visible = || schema.fields().iter().zip(table.columns()).filter(|(field, _)| !field.name().starts_with('@'));
    (0..table.num_rows())
        .map(|row| visible().map(|(field, column)| (Name::from(field.name().as_str()), value(column, row))).collect())
        .collect()
}

fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Value::Float(node::shortest(column.as_primitive::<Float32Type>().value(row))),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).into()),
        DataType::Timestamp(..) => Value::Time(Time(column.as_primitive::<TimestampMicrosecondType>().value(row))),
        DataType::Duration(_) => Value::Duration(Duration(column.as_primitive::<DurationMicrosecondType>().value(row))),
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row)),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        // Bytes have no form in the language; their length says most of it.
        other => Value::Text(format!("({other})").into()),
    }
}

fn list(items: &ArrayRef) -> Value {
    Value::List((0..items.len()).map(|at| value(items, at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Span, Unit};

    fn column(name: &str, ty: Type) -> Column {
        Column { name: name.into(), ty, nullable: true, span: Span::default() }
    }

    fn schema() -> Schema {
        let columns = vec![
            column("at", Type::Time),
            column("on", Type::Bool),
            column("n", Type::Int),
            column("x", Type::Float(Unit::one())),
            column("word", Type::Text),
            column("gap", Type::Duration),
            column("pair", Type::Tensor(vec![2])),
            column("words", Type::List(Box::new(Type::Text))),
            column("sound", Type::Signal(8_000)),
        ];
        Schema { columns, time: Some("at".into()), clock_by: vec![] }
    }

    #[test]
    fn rows_written_by_hand_are_read_back() {
        let row: Row = [
            ("at".into(), Value::Time(Time(5))),
            ("on".into(), Value::Bool(true)),
            ("n".into(), Value::Int(3)),
            ("x".into(), Value::Float(1.5)),
            ("word".into(), Value::Text("far".into())),
            ("gap".into(), Value::Duration(Duration(7))),
            ("pair".into(), Value::List(vec![Value::Float(1.0), Value::Float(2.0)])),
            ("words".into(), Value::List(vec![Value::Text("far".into()), Value::Null])),
            ("sound".into(), Value::List(vec![Value::Float(0.1), Value::Float(-0.3)])),
        ]
        .into();
        let nothing: Row = schema().columns.iter().map(|column| (column.name.clone(), Value::Null)).collect();
        let rows = vec![row, nothing];
        assert_eq!(from_table(&to_table(&schema(), &rows).unwrap()), rows);
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_its_column() {
        let rows = [Row::from([("n".into(), Value::Text("three".into()))])];
        let error = to_table(&schema(), &rows).unwrap_err();
        assert_eq!(error.message, "`n` is int, and \"three\" is not");
    }
}
