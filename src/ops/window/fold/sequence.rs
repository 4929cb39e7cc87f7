//! Functions of neighbouring values in a window.

use arrow::datatypes::DataType;

use super::super::super::cell::Cell;
use super::Fold;

/// The mean distance between neighbours; null below two values.
#[derive(Clone, Default)]
pub(in super::super) struct MeanAbsChange {
    first: Option<f64>,
    last: f64,
    sum: f64,
    changes: i64,
}

/// How often the sign changes from one value to the next. Zeros have none and are passed over.
#[derive(Clone, Default)]
pub(in super::super) struct ZeroCrossings {
    /// Has there been any value?
    seen: bool,
    first: i64,
    last: i64,
    crossings: i64,
}

impl Fold for MeanAbsChange {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::Float64, DataType::Float64, DataType::Float64, DataType::Int64]
    }

    fn update(&mut self, args: &[Cell]) {
        if let Some(value) = args[0].as_f64() {
            self.merge(MeanAbsChange { first: Some(value), last: value, sum: 0.0, changes: 0 });
        }
    }

    fn merge(&mut self, later: MeanAbsChange) {
        let Some(next) = later.first else { return };
        if self.first.is_none() {
            *self = later;
            return;
        }
        self.sum = self.sum + (next - self.last).abs() + later.sum;
        self.changes += 1 + later.changes;
        self.last = later.last;
    }

    fn save(&self) -> Vec<Cell> {
        let first = self.first.map_or(Cell::Null, Cell::Float);
        vec![first, Cell::Float(self.last), Cell::Float(self.sum), Cell::Int(self.changes)]
    }

    fn load(&self, parts: Vec<Cell>) -> MeanAbsChange {
        let float = |nth: usize| parts[nth].as_f64().unwrap_or(0.0);
        MeanAbsChange { first: parts[0].as_f64(), last: float(1), sum: float(2), changes: parts[3].as_int().unwrap_or(0) }
    }

    fn value(&self, result: &DataType) -> Cell {
        if self.changes == 0 { Cell::Null } else { Cell::number(self.sum / self.changes as f64, result) }
    }
}

impl Fold for ZeroCrossings {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::Boolean, DataType::Int64, DataType::Int64, DataType::Int64]
    }

    fn update(&mut self, args: &[Cell]) {
        let Some(value) = args[0].as_f64() else { return };
        let sign = i64::from(value > 0.0) - i64::from(value < 0.0);
        self.merge(ZeroCrossings { seen: true, first: sign, last: sign, crossings: 0 });
    }

    fn merge(&mut self, later: ZeroCrossings) {
        self.seen |= later.seen;
        if later.first == 0 {
            return;
        }
        if self.first == 0 {
            self.first = later.first;
        } else {
            self.crossings += i64::from(self.last != later.first);
        }
        self.crossings += later.crossings;
        self.last = later.last;
    }

    fn save(&self) -> Vec<Cell> {
        vec![Cell::Bool(self.seen), Cell::Int(self.first), Cell::Int(self.last), Cell::Int(self.crossings)]
    }

    fn load(&self, parts: Vec<Cell>) -> ZeroCrossings {
        let int = |nth: usize| parts[nth].as_int().unwrap_or(0);
        ZeroCrossings { seen: parts[0] == Cell::Bool(true), first: int(1), last: int(2), crossings: int(3) }
    }

    fn value(&self, _: &DataType) -> Cell {
        if self.seen { Cell::Int(self.crossings) } else { Cell::Null }
    }
}
