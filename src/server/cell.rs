//! One JSON value to one value of a declared column.

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, DurationMicrosecondBuilder, FixedSizeListBuilder, Float32Builder,
    Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::Field;
use serde_json::Value;
use std::sync::Arc;

use crate::base::{Duration, Time};
use crate::ir::{EnumItem, Type};
use crate::node::{Unfit, data_type, signal_of, tensor_of};

/// What was expected instead, in words.
pub type Expected = String;

/// Gathers the values of one column. A refused value adds nothing.
pub enum Cells {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Enum(Arc<[EnumItem]>, StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Duration(DurationMicrosecondBuilder),
    Bytes(BinaryBuilder),
    Tensor(Vec<u32>, FixedSizeListBuilder<Float32Builder>),
    Signal(ListBuilder<Float32Builder>),
    /// Elements one after the other, and where each list ends.
    List(Type, Box<Cells>, Vec<Option<usize>>),
}

impl Cells {
    pub fn new(ty: &Type) -> Cells {
        let item = || Arc::new(Field::new_list_field(arrow::datatypes::DataType::Float32, false));
        match ty {
            Type::Bool => Cells::Bool(BooleanBuilder::new()),
            Type::Int => Cells::Int(Int64Builder::new()),
            Type::Float(_) => Cells::Float(Float64Builder::new()),
            Type::Text => Cells::Text(StringBuilder::new()),
            Type::Enum(items) => Cells::Enum(items.clone(), StringBuilder::new()),
            Type::Time => Cells::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Type::Duration => Cells::Duration(DurationMicrosecondBuilder::new()),
            Type::Bytes => Cells::Bytes(BinaryBuilder::new()),
            Type::Tensor(shape) => {
                let size = i32::try_from(shape.iter().product::<u32>()).expect("the checker bounds a tensor's size");
                Cells::Tensor(shape.clone(), FixedSizeListBuilder::new(Float32Builder::new(), size).with_field(item()))
            }
            Type::Signal(_) => Cells::Signal(ListBuilder::new(Float32Builder::new()).with_field(item())),
            Type::List(item) => Cells::List((**item).clone(), Box::new(Cells::new(item)), Vec::new()),
        }
    }

    pub fn null(&mut self) {
        match self {
            Cells::Bool(cells) => cells.append_null(),
            Cells::Int(cells) => cells.append_null(),
            Cells::Float(cells) => cells.append_null(),
            Cells::Text(cells) | Cells::Enum(_, cells) => cells.append_null(),
            Cells::Time(cells) => cells.append_null(),
            Cells::Duration(cells) => cells.append_null(),
            Cells::Bytes(cells) => cells.append_null(),
            Cells::Tensor(_, cells) => {
                let size = cells.value_length() as usize;
                cells.values().append_slice(&vec![0.0; size]);
                cells.append(false);
            }
            Cells::Signal(cells) => cells.append(false),
            Cells::List(_, _, ends) => ends.push(None),
        }
    }

    /// A value of the type that stands for one that nothing reads.
    pub fn any(&mut self) {
        match self {
            Cells::Bool(cells) => cells.append_value(false),
            Cells::Int(cells) => cells.append_value(0),
            Cells::Float(cells) => cells.append_value(0.0),
            Cells::Text(cells) => cells.append_value(""),
            Cells::Enum(items, cells) => cells.append_value(items.first().map_or("", |item| item.text.as_str())),
            Cells::Time(cells) => cells.append_value(0),
            Cells::Duration(cells) => cells.append_value(0),
            Cells::Bytes(cells) => cells.append_value([]),
            Cells::Tensor(_, cells) => {
                let size = cells.value_length() as usize;
                cells.values().append_slice(&vec![0.0; size]);
                cells.append(true);
            }
            Cells::Signal(cells) => cells.append(true),
            Cells::List(_, items, ends) => ends.push(Some(items.len())),
        }
    }

    pub fn time(&mut self, at: Time) {
        match self {
            Cells::Time(cells) => cells.append_value(at.0),
            Cells::Bool(_)
            | Cells::Int(_)
            | Cells::Float(_)
            | Cells::Text(_)
            | Cells::Enum(..)
            | Cells::Duration(_)
            | Cells::Bytes(_)
            | Cells::Tensor(..)
            | Cells::Signal(_)
            | Cells::List(..) => self.any(),
        }
    }

    /// `value` is not null.
    pub fn put(&mut self, value: &Value) -> Result<(), Expected> {
        match self {
            Cells::Bool(cells) => bool(value).map(|bool| cells.append_value(bool)).ok_or("true or false".into()),
            Cells::Int(cells) => int(value).map(|int| cells.append_value(int)).ok_or("a whole number".into()),
            Cells::Float(cells) => value.as_f64().map(|float| cells.append_value(float)).ok_or("a number".into()),
            Cells::Text(cells) => value.as_str().map(|text| cells.append_value(text)).ok_or("a text".into()),
            Cells::Enum(items, cells) => match item(items, value) {
                Some(text) => {
                    cells.append_value(text);
                    Ok(())
                }
                None => Err(one_of(items)),
            },
            Cells::Time(cells) => match value.as_str().and_then(|text| Time::parse(text).ok()) {
                Some(time) => {
                    cells.append_value(time.0);
                    Ok(())
                }
                None => Err("a time such as \"2026-11-23T10:00:00Z\"".into()),
            },
            Cells::Duration(cells) => match value.as_f64() {
                Some(seconds) => {
                    cells.append_value(Duration::from_seconds(seconds).0);
                    Ok(())
                }
                None => Err("a number of seconds".into()),
            },
            Cells::Bytes(cells) => match bytes(value) {
                Some(bytes) => {
                    cells.append_value(bytes);
                    Ok(())
                }
                None => Err("a list of bytes, each in 0..255".into()),
            },
            Cells::Tensor(shape, cells) => put_tensor(shape, cells, value),
            Cells::Signal(cells) => put_signal(cells, value),
            Cells::List(_, items, ends) => put_list(items, ends, value),
        }
    }

    fn len(&self) -> usize {
        match self {
            Cells::Bool(cells) => cells.len(),
            Cells::Int(cells) => cells.len(),
            Cells::Float(cells) => cells.len(),
            Cells::Text(cells) | Cells::Enum(_, cells) => cells.len(),
            Cells::Time(cells) => cells.len(),
            Cells::Duration(cells) => cells.len(),
            Cells::Bytes(cells) => cells.len(),
            Cells::Tensor(_, cells) => cells.len(),
            Cells::Signal(cells) => cells.len(),
            Cells::List(_, _, ends) => ends.len(),
        }
    }

    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Cells::Bool(cells) => Arc::new(cells.finish()),
            Cells::Int(cells) => Arc::new(cells.finish()),
            Cells::Float(cells) => Arc::new(cells.finish()),
            Cells::Text(cells) | Cells::Enum(_, cells) => Arc::new(cells.finish()),
            Cells::Time(cells) => Arc::new(cells.finish()),
            Cells::Duration(cells) => Arc::new(cells.finish()),
            Cells::Bytes(cells) => Arc::new(cells.finish()),
            Cells::Tensor(_, cells) => Arc::new(cells.finish()),
            Cells::Signal(cells) => Arc::new(cells.finish()),
            Cells::List(ty, items, ends) => finish_list(ty, items, ends),
        }
    }
}

fn bool(value: &Value) -> Option<bool> {
    match value.as_i64() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(_) | None => value.as_bool(),
    }
}

/// Also one that is written `3.0`.
fn int(value: &Value) -> Option<i64> {
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(whole))
}

fn item<'a>(items: &'a [EnumItem], value: &Value) -> Option<&'a str> {
    let found = match (value.as_str(), int(value)) {
        (Some(text), _) => items.iter().find(|item| item.text == *text),
        (None, Some(code)) => items.iter().find(|item| item.code == Some(code)),
        (None, None) => None,
    };
    found.map(|item| item.text.as_str())
}

fn one_of(items: &[EnumItem]) -> Expected {
    let items: Vec<String> = items.iter().map(|item| format!("{:?}", item.text)).collect();
    format!("one of {}", items.join(", "))
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
}

/// Nested lists of the shape, or one flat list of as many numbers; null where a null is in it.
fn put_tensor(shape: &[u32], cells: &mut FixedSizeListBuilder<Float32Builder>, value: &Value) -> Result<(), Expected> {
    let (size, mut flat) = (cells.value_length() as usize, Vec::new());
    let done = tensor_of(value, shape, &mut flat);
    if matches!(done, Err(Unfit::Wrong(_))) {
        return Err(format!("{} ({size} numbers)", Type::Tensor(shape.to_vec())));
    }
    flat.resize(size, 0.0);
    cells.values().append_slice(&flat);
    cells.append(done.is_ok());
    Ok(())
}

fn put_signal(cells: &mut ListBuilder<Float32Builder>, value: &Value) -> Result<(), Expected> {
    let mut flat = Vec::new();
    let done = signal_of(value, &mut flat);
    if matches!(done, Err(Unfit::Wrong(_))) {
        return Err("a list of numbers".into());
    }
    cells.values().append_slice(&flat);
    cells.append(done.is_ok());
    Ok(())
}

/// A list is taken whole or not at all.
fn put_list(items: &mut Cells, ends: &mut Vec<Option<usize>>, value: &Value) -> Result<(), Expected> {
    let Value::Array(values) = value else { return Err("a list".into()) };
    for value in values {
        match value {
            Value::Null => items.null(),
            value => items.put(value).map_err(|expected| format!("a list, each of it {expected}"))?,
        }
    }
    ends.push(Some(items.len()));
    Ok(())
}

fn finish_list(ty: &Type, items: &mut Cells, ends: &mut Vec<Option<usize>>) -> ArrayRef {
    use arrow::array::ListArray;
    use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
    let (mut at, mut offsets, mut valid) = (0, vec![0], Vec::new());
    for end in std::mem::take(ends) {
        at = end.unwrap_or(at);
        offsets.push(i32::try_from(at).expect("a body is far shorter"));
        valid.push(end.is_some());
    }
    let field = Arc::new(Field::new_list_field(data_type(ty), true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Arc::new(ListArray::new(field, offsets, items.finish(), Some(NullBuffer::from(valid))))
}
