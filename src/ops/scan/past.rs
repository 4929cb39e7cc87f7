//! Values of earlier rows: `previous`, `lag`, `changed`.

use super::super::cell::Cell;

/// The value of the row before.
pub(super) fn previous(memory: &mut [Cell], arg: Cell) -> Cell {
    std::mem::replace(&mut memory[1], arg)
}

/// The value n rows before, from a ring of n: what the new value takes the place of.
pub(super) fn lag(memory: &mut [Cell], arg: Cell) -> Cell {
    let rows = memory.len() - 2;
    let next = memory[1].as_int().unwrap_or(0) as usize % rows;
    memory[1] = Cell::Int(((next + 1) % rows) as i64);
    std::mem::replace(&mut memory[2 + next], arg)
}

/// The memory of a longer lag, with only so many cells: the newest values, and the result that a shorter lag would have had.
pub(super) fn shortened(memory: Vec<Cell>, cells: usize) -> Vec<Cell> {
    let (old, new) = (memory.len() - 2, cells - 2);
    let next = memory[1].as_int().unwrap_or(0) as usize % old;
    let mut values: Vec<Cell> = memory.into_iter().skip(2).collect();
    values.rotate_left(next);
    let result = values[old - 1 - new].clone();
    let newest = values.split_off(old - new);
    [result, Cell::Int(0)].into_iter().chain(newest).collect()
}

/// Does it differ from the row before? Null for the first row.
pub(super) fn changed(memory: &mut [Cell], arg: Cell) -> Cell {
    let differs = if memory[1].is_null() { Cell::Null } else { Cell::Bool(memory[1] != arg) };
    memory[1] = arg;
    differs
}
