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

/// Does it differ from the row before? Null for the first row.
pub(super) fn changed(memory: &mut [Cell], arg: Cell) -> Cell {
    let differs = if memory[1].is_null() { Cell::Null } else { Cell::Bool(memory[1] != arg) };
    memory[1] = arg;
    differs
}
