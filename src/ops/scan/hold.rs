//! Conditions over time: `since`, `for`, `hysteresis`.

use super::super::cell::Cell;

/// How long ago the condition was last true; null until it has been.
pub(super) fn since(memory: &mut [Cell], arg: Cell, time: i64) -> Cell {
    if arg == Cell::Bool(true) {
        memory[1] = Cell::Int(time);
    }
    memory[1].as_int().map_or(Cell::Null, |last| Cell::Int(time.saturating_sub(last)))
}

/// Has the condition been true on every row for this long?
pub(super) fn held(memory: &mut [Cell], arg: Cell, time: i64, duration: i64) -> Cell {
    if arg != Cell::Bool(true) {
        memory[1] = Cell::Null;
        return Cell::Bool(false);
    }
    let start = memory[1].as_int().unwrap_or(time);
    memory[1] = Cell::Int(start);
    Cell::Bool(time.saturating_sub(start) >= duration)
}

/// True from `on` on until `off` is reached; false at first. Where `on` lies below `off`, falling turns it on.
pub(super) fn hysteresis(memory: &mut [Cell], arg: Cell, on: f64, off: f64) -> Cell {
    let Some(value) = arg.as_f64() else { return memory[0].clone() };
    let rising = on >= off;
    let turns_on = if rising { value >= on } else { value <= on };
    let turns_off = if rising { value <= off } else { value >= off };
    let was_on = memory[0] == Cell::Bool(true);
    Cell::Bool(turns_on || (was_on && !turns_off))
}
