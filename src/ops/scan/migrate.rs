//! A scan that takes over what another one remembers, entry by entry.

use arrow::array::{Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Int64Type;

use crate::node::{Migration, NodeError, State};

use super::super::error::unreadable;
use super::super::keys::{KeyColumns, Keys, NO_KEY};
use super::super::table::column_named;
use super::{KEYS_TABLE, NEWEST, Scan};

/// A saved state, and where each key of the new scan stands in it.
struct Saved<'a> {
    state: &'a State,
    newest: Vec<i64>,
    /// By number of the key: its row.
    places: Vec<Option<usize>>,
}

impl<'a> Saved<'a> {
    /// Keys that were not known yet are numbered behind those that were.
    fn read(state: &'a State, by: &KeyColumns, keys: &mut Keys) -> Result<Saved<'a>, NodeError> {
        let table = state.tables.get(KEYS_TABLE).ok_or_else(|| unreadable("it has no keys"))?;
        let columns = by.names().iter().map(|name| column_named(table, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        if columns.iter().zip(by.types()).any(|(column, ty)| *column.data_type() != ty) {
            return Err(unreadable("its keys are of another type"));
        }
        let ids = keys.ids(&columns, table.num_rows())?;
        let mut places = vec![None; keys.len()];
        for (row, id) in ids.into_iter().enumerate() {
            if id == NO_KEY {
                return Err(unreadable("a saved key is null"));
            }
            places[id as usize] = Some(row);
        }
        Ok(Saved { state, newest: newest(table)?, places })
    }

    fn newest(&self, key: usize) -> Option<i64> {
        self.places.get(key).copied().flatten().map(|row| self.newest[row])
    }
}

/// Nothing has been seen before the earliest time there is.
fn newest(table: &RecordBatch) -> Result<Vec<i64>, NodeError> {
    let column = column_named(table, NEWEST)?.as_primitive_opt::<Int64Type>().cloned();
    let column = column.ok_or_else(|| unreadable("its newest times are no times"))?;
    Ok((0..column.len()).map(|row| if column.is_null(row) { i64::MIN } else { column.value(row) }).collect())
}

impl Scan {
    /// Entries that are kept take the running memory, the others that of the rebuilt state, or begin empty. A key that only
    /// the rebuilt state knows is new to the entries that are kept.
    pub(super) fn take_over(&mut self, migration: &Migration) -> Result<(), NodeError> {
        let Migration { before: _, running, anew, rebuilt } = migration;
        let mut keys = Keys::new(self.by.types())?;
        let running = Saved::read(running, &self.by, &mut keys)?;
        let rebuilt = rebuilt.as_ref().map(|state| Saved::read(state, &self.by, &mut keys)).transpose()?;
        let count = keys.len();
        for entry in &mut self.entries {
            let from = if anew.contains(&entry.name) { rebuilt.as_ref() } else { Some(&running) };
            for call in &mut entry.calls {
                match from {
                    Some(saved) => {
                        let table = saved.state.tables.get(&call.name);
                        let table = table.ok_or_else(|| unreadable(format!("it has no table `{}`", call.name)))?;
                        call.take_over(table, &saved.places, count)?;
                    }
                    None => call.forget(count),
                }
            }
        }
        let newest = |key: usize| running.newest(key).or_else(|| rebuilt.as_ref()?.newest(key)).unwrap_or(i64::MIN);
        self.newest = if self.input.time.is_some() { (0..count).map(newest).collect() } else { Vec::new() };
        self.keys = keys;
        Ok(())
    }
}
