//! Least and greatest values of types that DataFusion's accumulators leave out, and the distance between the two.

use std::cmp::Ordering;

use arrow::datatypes::DataType;

use super::super::super::cell::Cell;
use super::Fold;

#[derive(Clone, Default)]
pub(in super::super) struct Least(Cell);

#[derive(Clone, Default)]
pub(in super::super) struct Greatest(Cell);

/// The greatest less the least.
#[derive(Clone, Default)]
pub(in super::super) struct PeakToPeak {
    low: Cell,
    high: Cell,
}

/// Only of two values of one ordered type.
pub(super) fn compare(left: &Cell, right: &Cell) -> Ordering {
    match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (left, right) => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
    }
}

/// The earlier of two equal values stays.
fn replace(kept: &mut Cell, new: &Cell, when: Ordering) {
    if !new.is_null() && (kept.is_null() || compare(new, kept) == when) {
        *kept = new.clone();
    }
}

impl Fold for Least {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        args.to_vec()
    }

    fn update(&mut self, args: &[Cell]) {
        replace(&mut self.0, &args[0], Ordering::Less);
    }

    fn merge(&mut self, later: Least) {
        replace(&mut self.0, &later.0, Ordering::Less);
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.0.clone()]
    }

    fn load(&self, mut parts: Vec<Cell>) -> Least {
        Least(parts.remove(0))
    }

    fn value(&self, _: &DataType) -> Cell {
        self.0.clone()
    }
}

impl Fold for Greatest {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        args.to_vec()
    }

    fn update(&mut self, args: &[Cell]) {
        replace(&mut self.0, &args[0], Ordering::Greater);
    }

    fn merge(&mut self, later: Greatest) {
        replace(&mut self.0, &later.0, Ordering::Greater);
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.0.clone()]
    }

    fn load(&self, mut parts: Vec<Cell>) -> Greatest {
        Greatest(parts.remove(0))
    }

    fn value(&self, _: &DataType) -> Cell {
        self.0.clone()
    }
}

impl Fold for PeakToPeak {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        vec![args[0].clone(), args[0].clone()]
    }

    fn update(&mut self, args: &[Cell]) {
        replace(&mut self.low, &args[0], Ordering::Less);
        replace(&mut self.high, &args[0], Ordering::Greater);
    }

    fn merge(&mut self, later: PeakToPeak) {
        replace(&mut self.low, &later.low, Ordering::Less);
        replace(&mut self.high, &later.high, Ordering::Greater);
    }

    fn save(&self) -> Vec<Cell> {
        vec![self.low.clone(), self.high.clone()]
    }

    fn load(&self, mut parts: Vec<Cell>) -> PeakToPeak {
        PeakToPeak { low: parts.remove(0), high: parts.remove(0) }
    }

    fn value(&self, result: &DataType) -> Cell {
        match (&self.high, &self.low) {
            (Cell::Int(high), Cell::Int(low)) => high.checked_sub(*low).map_or(Cell::Null, Cell::Int),
            (high, low) => high.as_f64().zip(low.as_f64()).map_or(Cell::Null, |(high, low)| Cell::number(high - low, result)),
        }
    }
}
