//! Functions of values and the time between them: `ewma`, `rate`.

use super::super::cell::Cell;

/// The mean of all values so far, each weighted by `2^(-age / half-life)`, age in event time: the sum and the weights decay
/// by that factor between two rows. Values of one time weigh alike; the first value is its own mean.
pub(super) fn ewma(memory: &mut [Cell], arg: Cell, time: i64, half_life: f64) -> Cell {
    let Some(value) = arg.as_f64() else { return Cell::Null };
    let age = memory[3].as_int().map_or(0.0, |last| time as f64 - last as f64);
    let decay = (-age / half_life).exp2();
    let sum = memory[1].as_f64().unwrap_or(0.0) * decay + value;
    let weight = memory[2].as_f64().unwrap_or(0.0) * decay + 1.0;
    memory[1] = Cell::Float(sum);
    memory[2] = Cell::Float(weight);
    memory[3] = Cell::Int(time);
    finite(sum / weight)
}

/// The change since the row before, per second; null for the first row and between rows of one time.
pub(super) fn rate(memory: &mut [Cell], arg: Cell, time: i64) -> Cell {
    let Some(value) = arg.as_f64() else { return Cell::Null };
    let before = memory[1].as_f64().zip(memory[2].as_int());
    memory[1] = Cell::Float(value);
    memory[2] = Cell::Int(time);
    before.map_or(Cell::Null, |(last, at)| finite((value - last) / ((time as f64 - at as f64) / 1e6)))
}

fn finite(value: f64) -> Cell {
    if value.is_finite() { Cell::Float(value) } else { Cell::Null }
}
