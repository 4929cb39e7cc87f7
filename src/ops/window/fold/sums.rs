//! Sums of whole numbers, and the root of the mean square.

use arrow::datatypes::DataType;

use super::super::super::cell::Cell;
use super::Fold;

/// Of ints or durations; null where it leaves 64 bits on the way.
#[derive(Clone, Default)]
pub(in super::super) struct WholeSum {
    sum: Option<i64>,
    overflowed: bool,
}

#[derive(Clone, Default)]
pub(in super::super) struct Rms {
    squares: f64,
    rows: i64,
}

impl WholeSum {
    fn add(&mut self, value: i64) {
        match self.sum.unwrap_or(0).checked_add(value) {
            Some(sum) => self.sum = Some(sum),
            None => self.overflowed = true,
        }
    }
}

impl Fold for WholeSum {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::Int64, DataType::Boolean]
    }

    fn update(&mut self, args: &[Cell]) {
        if let Some(value) = args[0].as_int() {
            self.add(value);
        }
    }

    fn merge(&mut self, later: WholeSum) {
        self.overflowed |= later.overflowed;
        if let Some(sum) = later.sum {
            self.add(sum);
        }
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.sum.map_or(Cell::Null, Cell::Int), Cell::Bool(self.overflowed)]
    }

    fn load(&self, parts: Vec<Cell>) -> WholeSum {
        WholeSum { sum: parts[0].as_int(), overflowed: parts[1] == Cell::Bool(true) }
    }

    fn value(&self, _: &DataType) -> Cell {
        if self.overflowed { Cell::Null } else { self.sum.map_or(Cell::Null, Cell::Int) }
    }
}

impl Fold for Rms {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::Float64, DataType::Int64]
    }

    fn update(&mut self, args: &[Cell]) {
        if let Some(value) = args[0].as_f64() {
            self.squares += value * value;
            self.rows += 1;
        }
    }

    fn merge(&mut self, later: Rms) {
        self.squares += later.squares;
        self.rows += later.rows;
    }

    fn save(&self) -> Vec<Cell> {
        vec![Cell::Float(self.squares), Cell::Int(self.rows)]
    }

    fn load(&self, parts: Vec<Cell>) -> Rms {
        Rms { squares: parts[0].as_f64().unwrap_or(0.0), rows: parts[1].as_int().unwrap_or(0) }
    }

    fn value(&self, result: &DataType) -> Cell {
        if self.rows == 0 { Cell::Null } else { Cell::number((self.squares / self.rows as f64).sqrt(), result) }
    }
}
