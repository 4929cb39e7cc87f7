//! The first and the last value of a window, in the order of its rows.

use arrow::datatypes::DataType;

use super::super::super::cell::Cell;
use super::Fold;

#[derive(Clone, Default)]
pub(in super::super) struct First(Cell);

#[derive(Clone, Default)]
pub(in super::super) struct Last(Cell);

impl Fold for First {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        args.to_vec()
    }

    fn update(&mut self, args: &[Cell]) {
        if self.0.is_null() {
            self.0 = args[0].clone();
        }
    }

    fn merge(&mut self, later: First) {
        if self.0.is_null() {
            *self = later;
        }
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.0.clone()]
    }

    fn load(&self, mut parts: Vec<Cell>) -> First {
        First(parts.remove(0))
    }

    fn value(&self, _: &DataType) -> Cell {
        self.0.clone()
    }
}

impl Fold for Last {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        args.to_vec()
    }

    fn update(&mut self, args: &[Cell]) {
        self.0 = args[0].clone();
    }

    fn merge(&mut self, later: Last) {
        if !later.0.is_null() {
            *self = later;
        }
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.0.clone()]
    }

    fn load(&self, mut parts: Vec<Cell>) -> Last {
        Last(parts.remove(0))
    }

    fn value(&self, _: &DataType) -> Cell {
        self.0.clone()
    }
}
