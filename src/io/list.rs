//! Columns whose values are lists: tensors and signals as flat numbers, and lists of any type.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use serde_json::Value as Json;

use crate::ir::{Type, tensor_numbers};
use crate::node::{Unfit, signal_of, tensor_of, wrong_count};

use super::column::{Cell, ColumnBuilder};

/// Arrow counts the numbers of a block in 32 bits.
const NUMBERS_MAX: usize = i32::MAX as usize / 2;

/// f32 numbers, of a fixed shape (a tensor) or any count (a signal).
pub(super) struct Flat {
    /// Of a tensor.
    shape: Option<Vec<u32>>,
    /// How many numbers its shape holds; 0 of a signal.
    size: usize,
    values: Vec<f32>,
    ends: Vec<i32>,
    valid: Vec<bool>,
}

/// A list of any type.
pub(super) struct Nested {
    item: ColumnBuilder,
    ends: Vec<i32>,
    valid: Vec<bool>,
    count: i32,
}

impl Flat {
    pub fn tensors(shape: &[u32]) -> Flat {
        let size = tensor_numbers(shape).expect("the checker bounds a tensor's size");
        Flat { shape: Some(shape.to_vec()), size, ..Flat::signals() }
    }

    pub fn signals() -> Flat {
        Flat { shape: None, size: 0, values: Vec::new(), ends: Vec::new(), valid: Vec::new() }
    }

    /// Of a tensor.
    pub fn shape(&self) -> Option<&[u32]> {
        self.shape.as_deref()
    }

    /// Adds what `gather` appends as one value; null where it answers with an error.
    pub fn add(&mut self, gather: impl FnOnce(&mut Vec<f32>) -> Result<(), Unfit>) -> Result<(), Unfit> {
        let from = self.values.len();
        let gathered = gather(&mut self.values).and_then(|()| self.fits(self.values.len() - from));
        if gathered.is_err() {
            self.values.truncate(from);
            self.append_null();
            return gathered;
        }
        self.close(true);
        Ok(())
    }

    /// Adds one value, null where it answers with an error.
    pub fn append(&mut self, tree: &Json) -> Result<(), Unfit> {
        match self.shape.clone() {
            Some(shape) => self.add(|out| tensor_of(tree, &shape, out)),
            None => self.add(|out| signal_of(tree, out)),
        }
    }

    fn fits(&self, count: usize) -> Result<(), Unfit> {
        if self.shape.is_some() && count != self.size {
            return Err(wrong_count(count, self.size));
        }
        match self.values.len() > NUMBERS_MAX {
            true => Err(Unfit::Wrong(format!("has {count} numbers, more than a block can hold"))),
            false => Ok(()),
        }
    }

    pub fn append_null(&mut self) {
        self.values.extend(std::iter::repeat_n(0.0, self.size));
        self.close(false);
    }

    fn close(&mut self, valid: bool) {
        self.ends.push(self.values.len() as i32);
        self.valid.push(valid);
    }

    pub fn finish(&mut self) -> ArrayRef {
        let item = Arc::new(Field::new_list_field(DataType::Float32, false));
        let values = Arc::new(Float32Array::from(std::mem::take(&mut self.values)));
        let (ends, nulls) = (offsets(&mut self.ends), nulls(&mut self.valid));
        match self.shape {
            Some(_) => Arc::new(FixedSizeListArray::new(item, self.size as i32, values, nulls)),
            None => Arc::new(ListArray::new(item, ends, values, nulls)),
        }
    }
}

impl Nested {
    pub fn new(item: &Type) -> Nested {
        Nested { item: ColumnBuilder::element("an element", item), ends: Vec::new(), valid: Vec::new(), count: 0 }
    }

    /// Adds one value, null where it answers with an error.
    pub fn append(&mut self, tree: &Json) -> Result<(), String> {
        let Json::Array(items) = tree else {
            self.append_null();
            return Err(format!("is {tree}, which is no list"));
        };
        let mut done = Ok(());
        for item in items {
            let added = self.item.append(cell(item));
            done = done.and(added.map_err(|why| format!("does not fit: {why}")));
            self.count += 1;
        }
        self.close(done.is_ok());
        done
    }

    pub fn append_null(&mut self) {
        self.close(false);
    }

    fn close(&mut self, valid: bool) {
        self.ends.push(self.count);
        self.valid.push(valid);
    }

    pub fn finish(&mut self) -> ArrayRef {
        let values = self.item.finish();
        let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        self.count = 0;
        Arc::new(ListArray::new(item, offsets(&mut self.ends), values, nulls(&mut self.valid)))
    }
}

/// A JSON value as a cell.
pub(super) fn cell(value: &Json) -> Cell<'_> {
    match value {
        Json::Null => Cell::Null,
        Json::Bool(value) => Cell::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Cell::Int(whole),
            None => Cell::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Cell::Text(text.as_bytes()),
        Json::Array(_) | Json::Object(_) => Cell::Tree(value.clone()),
    }
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let starts = std::iter::once(0).chain(std::mem::take(ends));
    OffsetBuffer::new(ScalarBuffer::from_iter(starts))
}

fn nulls(valid: &mut Vec<bool>) -> Option<NullBuffer> {
    let nulls = NullBuffer::from(std::mem::take(valid));
    (nulls.null_count() > 0).then_some(nulls)
}
