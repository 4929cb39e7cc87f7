//! Totals so far: `cumulative(count(x))`, `sum`, `mean`, `min`, `max`.

use std::cmp::Ordering;

use arrow::datatypes::DataType;

use super::super::cell::Cell;

pub(super) fn count(memory: &[Cell]) -> Cell {
    Cell::Int(memory[0].as_int().unwrap_or(0) + 1)
}

/// Null for ever once a sum of whole numbers has left its 64 bits.
pub(super) fn sum(memory: &mut [Cell], arg: Cell) -> Cell {
    if memory[1] == Cell::Bool(true) {
        return Cell::Null;
    }
    let sum = match (&memory[0], &arg) {
        (Cell::Null, _) => Some(arg),
        (Cell::Int(sum), Cell::Int(value)) => sum.checked_add(*value).map(Cell::Int),
        (sum, value) => {
            sum.as_f64().zip(value.as_f64()).map(|(sum, value)| sum + value).filter(|sum| sum.is_finite()).map(Cell::Float)
        }
    };
    memory[1] = Cell::Bool(sum.is_none());
    sum.unwrap_or(Cell::Null)
}

pub(super) fn mean(memory: &mut [Cell], arg: Cell, result: &DataType) -> Cell {
    let Some(value) = arg.as_f64() else { return Cell::Null };
    let sum = memory[1].as_f64().unwrap_or(0.0) + value;
    let rows = memory[2].as_int().unwrap_or(0) + 1;
    memory[1] = Cell::Float(sum);
    memory[2] = Cell::Int(rows);
    Cell::number(sum / rows as f64, result)
}

pub(super) fn least(memory: &[Cell], arg: Cell) -> Cell {
    if compare(&arg, &memory[0]) == Ordering::Less { arg } else { memory[0].clone() }
}

pub(super) fn greatest(memory: &[Cell], arg: Cell) -> Cell {
    if memory[0].is_null() || compare(&arg, &memory[0]) == Ordering::Greater { arg } else { memory[0].clone() }
}

/// Null lies above everything.
fn compare(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (_, Cell::Null) => Ordering::Less,
        (left, right) => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
    }
}
