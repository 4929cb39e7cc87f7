//! Functions of the whole run of a window's values, which need every one of them, in order.

use std::sync::Arc;

use arrow::array::{FixedSizeListArray, Float32Array};
use arrow::datatypes::{DataType, Field};
use datafusion::scalar::ScalarValue;

use super::super::super::cell::Cell;
use super::super::super::signal::{Measure, Number};
use super::Fold;

/// The values as they came, and what is made of them when the window closes.
#[derive(Clone)]
pub(in super::super) struct Samples {
    measure: Arc<Measure>,
    values: Vec<f64>,
}

impl Samples {
    pub fn new(measure: Measure) -> Samples {
        Samples { measure: Arc::new(measure), values: Vec::new() }
    }
}

impl Fold for Samples {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::List(Field::new_list_field(DataType::Float64, true).into())]
    }

    fn update(&mut self, args: &[Cell]) {
        self.values.extend(args[0].as_f64());
    }

    fn merge(&mut self, later: Samples) {
        self.values.extend(later.values);
    }

    fn save(&self) -> Vec<Cell> {
        vec![Cell::List(self.values.iter().map(|value| Cell::Float(*value)).collect())]
    }

    fn load(&self, parts: Vec<Cell>) -> Samples {
        let values = match &parts[0] {
            Cell::List(items) => items.iter().filter_map(Cell::as_f64).collect(),
            Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Text(_) | Cell::Other(_) => Vec::new(),
        };
        Samples { measure: Arc::clone(&self.measure), values }
    }

    fn value(&self, result: &DataType) -> Cell {
        match self.measure.of(&self.values) {
            Number::None => Cell::Null,
            Number::Whole(value) => Cell::Int(value),
            Number::One(value) => Cell::number(value, result),
            Number::Many(values) => tensor(values),
        }
    }
}

fn tensor(values: Vec<f32>) -> Cell {
    let item = Arc::new(Field::new_list_field(DataType::Float32, false));
    let Ok(size) = i32::try_from(values.len()) else { return Cell::Null };
    let list = FixedSizeListArray::try_new(item, size, Arc::new(Float32Array::from(values)), None);
    list.map_or(Cell::Null, |list| Cell::Other(Box::new(ScalarValue::FixedSizeList(Arc::new(list)))))
}
