//! One value of any type, for the functions that go row by row, and its way out of Arrow and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, Int64Array, Int64Builder, ListArray,
    StringArray, StringBuilder, cast::AsArray, new_empty_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::scalar::ScalarValue;

use crate::node::NodeError;

use super::error::failed;

/// Times and durations are `Int`s, in microseconds; which they are the column's type says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    List(Box<[Cell]>),
    /// Tensors, signals, bytes.
    Other(Box<ScalarValue>),
}

impl Cell {
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// Of a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            Cell::Null | Cell::Bool(_) | Cell::Text(_) | Cell::List(_) | Cell::Other(_) => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Cell::Int(value) => Some(*value),
            Cell::Null | Cell::Bool(_) | Cell::Float(_) | Cell::Text(_) | Cell::List(_) | Cell::Other(_) => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Cell::Bool(value) => Some(*value),
            Cell::Null | Cell::Int(_) | Cell::Float(_) | Cell::Text(_) | Cell::List(_) | Cell::Other(_) => None,
        }
    }

    /// A number in the column type that it stands in; whole numbers are rounded, and null where they do not fit.
    pub fn number(value: f64, ty: &DataType) -> Cell {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match ty {
            DataType::Float64 if value.is_finite() => Cell::Float(value),
            DataType::Float64 => Cell::Null,
            _ => {
                let rounded = value.round();
                if (-LIMIT..LIMIT).contains(&rounded) { Cell::Int(rounded as i64) } else { Cell::Null }
            }
        }
    }
}

/// A column read cell by cell.
pub(super) enum Reader {
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
    List(ListArray, Box<Reader>),
    Other(ArrayRef),
}

impl Reader {
    pub fn of(column: &ArrayRef) -> Result<Reader, NodeError> {
        Ok(match column.data_type() {
            DataType::Boolean => Reader::Bool(column.as_boolean().clone()),
            DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
                Reader::Int(cast(column, &DataType::Int64).map_err(failed)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Float64 => Reader::Float(column.as_primitive::<Float64Type>().clone()),
            DataType::Utf8 => Reader::Text(column.as_string::<i32>().clone()),
            DataType::List(_) => {
                let list = column.as_list::<i32>().clone();
                let items = Reader::of(list.values())?;
                Reader::List(list, Box::new(items))
            }
            _ => Reader::Other(Arc::clone(column)),
        })
    }

    pub fn get(&self, row: usize) -> Result<Cell, NodeError> {
        Ok(match self {
            Reader::Bool(column) if column.is_valid(row) => Cell::Bool(column.value(row)),
            Reader::Int(column) if column.is_valid(row) => Cell::Int(column.value(row)),
            Reader::Float(column) if column.is_valid(row) => Cell::Float(column.value(row)),
            Reader::Text(column) if column.is_valid(row) => Cell::Text(column.value(row).into()),
            Reader::List(column, items) if column.is_valid(row) => {
                let offsets = column.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                Cell::List(range.map(|at| items.get(at)).collect::<Result<_, _>>()?)
            }
            Reader::Other(column) if column.is_valid(row) => {
                Cell::Other(Box::new(ScalarValue::try_from_array(column, row).map_err(failed)?))
            }
            Reader::Bool(_) | Reader::Int(_) | Reader::Float(_) | Reader::Text(_) | Reader::List(..) | Reader::Other(_) => {
                Cell::Null
            }
        })
    }
}

/// A column of these cells, each of the type or null.
pub(super) fn column<'a>(cells: impl Iterator<Item = &'a Cell>, ty: &DataType) -> Result<ArrayRef, NodeError> {
    Ok(match ty {
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            cells.for_each(|cell| builder.append_option(cell.as_bool()));
            Arc::new(builder.finish())
        }
        DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
            let mut builder = Int64Builder::new();
            cells.for_each(|cell| builder.append_option(cell.as_int()));
            cast(&builder.finish(), ty).map_err(failed)?
        }
        DataType::Float64 => {
            let mut builder = Float64Builder::new();
            cells.for_each(|cell| builder.append_option(cell.as_f64()));
            Arc::new(builder.finish())
        }
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            cells.for_each(|cell| builder.append_option(if let Cell::Text(text) = cell { Some(text) } else { None }));
            Arc::new(builder.finish())
        }
        DataType::List(field) => {
            let lists: Vec<Option<&[Cell]>> =
                cells.map(|cell| if let Cell::List(items) = cell { Some(&**items) } else { None }).collect();
            let items = column(lists.iter().flatten().copied().flatten(), field.data_type())?;
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.map_or(0, <[Cell]>::len)));
            let nulls = NullBuffer::from_iter(lists.iter().map(Option::is_some));
            Arc::new(ListArray::try_new(Arc::clone(field), offsets, items, Some(nulls)).map_err(failed)?)
        }
        _ => others(cells, ty)?,
    })
}

fn others<'a>(cells: impl Iterator<Item = &'a Cell>, ty: &DataType) -> Result<ArrayRef, NodeError> {
    let null = ScalarValue::try_new_null(ty).map_err(failed)?;
    let values: Vec<ScalarValue> =
        cells.map(|cell| if let Cell::Other(value) = cell { (**value).clone() } else { null.clone() }).collect();
    if values.is_empty() {
        return Ok(new_empty_array(ty));
    }
    ScalarValue::iter_to_array(values).map_err(failed)
}
