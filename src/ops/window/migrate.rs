//! Windows that take over what others remember, entry by entry, from saved panes to saved panes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, cast::AsArray};
use arrow::compute::interleave;
use arrow::datatypes::{Field, Int64Type, Schema};

use crate::base::Name;
use crate::node::{Migration, NodeError, State};

use super::super::error::{failed, unreadable};
use super::super::keys::{Id, KeyColumns, Keys};
use super::super::table::{column_named, table};
use super::aggregate::{Call, Reads, entry_of};
use super::incomplete::Incomplete;
use super::saved::{PANES, START};
use super::{Parts, op};

/// A migration as a window of panes sees it.
pub(super) struct PaneMigration<'a> {
    parts: &'a Parts,
    migration: &'a Migration,
    running: &'a RecordBatch,
}

impl<'a> PaneMigration<'a> {
    pub fn new(parts: &'a Parts, migration: &'a Migration) -> Result<PaneMigration<'a>, NodeError> {
        let running = panes_of(&migration.running)?;
        let by = &parts.by;
        let mut same = by.names().iter().zip(by.types()).map(|(name, ty)| {
            let column = running.column_by_name(name);
            column.is_some_and(|column| *column.data_type() == ty)
        });
        let is_same = op(&migration.before)?.by.len() == by.names().len() && same.all(|one| one);
        if !is_same {
            return Err(unreadable("its keys are others"));
        }
        Ok(PaneMigration { parts, migration, running })
    }

    fn is_anew(&self, call: &Call) -> bool {
        self.migration.anew.contains(entry_of(&call.name))
    }

    /// Does nothing go on?
    pub fn is_all_anew(&self) -> Result<bool, NodeError> {
        let mut remembering = op(&self.parts.spec)?.entries.iter().filter(|entry| !entry.calls.is_empty()).peekable();
        Ok(remembering.peek().is_some() && remembering.all(|entry| self.migration.anew.contains(&entry.name)))
    }

    /// The starts of the running panes, rising.
    pub fn starts(&self) -> Result<&[i64], NodeError> {
        starts_of(self.running).map(|starts| &starts.values()[..])
    }

    /// The running panes with the calls of the new window: of entries that are kept as they are, of the others as the
    /// rebuilt state has them, or as of no row.
    pub fn panes(&self) -> Result<RecordBatch, NodeError> {
        let by = &self.parts.by;
        let names: Vec<&str> = [START].into_iter().chain(by.names().iter().map(|name| name.as_str())).collect();
        let mut columns = names.iter().map(|name| column_named(self.running, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let field = |(name, column): (&&str, &ArrayRef)| Field::new(*name, column.data_type().clone(), true);
        let mut fields: Vec<Field> = names.iter().zip(&columns).map(field).collect();
        let found = Found::of(self)?;
        for call in &self.parts.aggregates.calls {
            columns.extend(if self.is_anew(call) { found.columns(call)? } else { self.kept(call)? });
            fields.extend(call.state_fields());
        }
        table(&Arc::new(Schema::new(fields)), columns, self.running.num_rows())
    }

    fn kept(&self, call: &Call) -> Result<Vec<ArrayRef>, NodeError> {
        let column = |field: &Field| {
            let column = self.running.column_by_name(field.name()).filter(|column| column.data_type() == field.data_type());
            column.cloned().ok_or_else(|| unreadable(format!("it has no `{}`", field.name())))
        };
        call.state_fields().iter().map(column).collect()
    }

    /// Which windows, or values of which entries, lack rows: of what was incomplete already, and of what begins with the
    /// first window from `seen` on, which is the end of what has been seen.
    pub fn incomplete(&self, seen: Option<i64>) -> Result<Incomplete, NodeError> {
        let entries = &op(&self.parts.spec)?.entries;
        let before = Incomplete::load(&self.migration.running)?;
        let begins = |name: &Name| self.migration.anew.contains(name);
        let mut now = Incomplete { window: before.window, ..Incomplete::default() };
        for entry in entries.iter().filter(|entry| !entry.calls.is_empty()) {
            let from = match begins(&entry.name) {
                false => before.entries.get(&entry.name).copied(),
                true if self.migration.rebuilt.is_some() => None,
                true => seen,
            };
            now.entries.extend(from.map(|from| (entry.name.clone(), from)));
        }
        Ok(now)
    }
}

pub(super) fn panes_of(state: &State) -> Result<&RecordBatch, NodeError> {
    state.tables.get(PANES).ok_or_else(|| unreadable("it has no panes"))
}

fn starts_of(panes: &RecordBatch) -> Result<&Int64Array, NodeError> {
    column_named(panes, START)?.as_primitive_opt::<Int64Type>().ok_or_else(|| unreadable("its panes have no times"))
}

/// Where the groups of the running panes stand in the rebuilt ones.
struct Found<'a> {
    parts: &'a Parts,
    rebuilt: Option<&'a RecordBatch>,
    /// By running row.
    rows: Vec<Option<usize>>,
}

impl<'a> Found<'a> {
    fn of(from: &PaneMigration<'a>) -> Result<Found<'a>, NodeError> {
        let parts = from.parts;
        let rebuilt = from.migration.rebuilt.as_ref().map(panes_of).transpose()?;
        let Some(again) = rebuilt else { return Ok(Found { parts, rebuilt, rows: vec![None; from.running.num_rows()] }) };
        let mut keys = Keys::new(from.parts.by.types())?;
        let by = &from.parts.by;
        let known: HashMap<(i64, Id), usize> = groups(again, by, &mut keys)?.into_iter().zip(0..).collect();
        let running = groups(from.running, by, &mut keys)?;
        Ok(Found { parts, rebuilt, rows: running.iter().map(|group| known.get(group).copied()).collect() })
    }

    /// What the call remembers of each running group.
    fn columns(&self, call: &Call) -> Result<Vec<ArrayRef>, NodeError> {
        let none = call.nothing(&self.parts.aggregates.any_row())?;
        let Some(rebuilt) = self.rebuilt else {
            let places: Vec<(usize, usize)> = vec![(0, 0); self.rows.len()];
            return none.iter().map(|none| interleave(&[none.as_ref()], &places).map_err(failed)).collect();
        };
        let places: Vec<(usize, usize)> = self.rows.iter().map(|row| row.map_or((0, 0), |row| (1, row))).collect();
        let column = |(field, none): (&Field, &ArrayRef)| {
            let again = column_named(rebuilt, field.name())?;
            interleave(&[none.as_ref(), again.as_ref()], &places).map_err(failed)
        };
        call.state_fields().iter().zip(&none).map(column).collect()
    }
}

/// Pane and key of each row.
fn groups(panes: &RecordBatch, by: &KeyColumns, keys: &mut Keys) -> Result<Vec<(i64, Id)>, NodeError> {
    let columns = by.names().iter().map(|name| column_named(panes, name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let ids = keys.ids(&columns, panes.num_rows())?;
    Ok(starts_of(panes)?.values().iter().copied().zip(ids).collect())
}

/// For row windows: which of the values that rows wait with are the same as before, from number in the new window to number
/// in the old. None where an entry goes on of which that cannot be said.
pub(super) fn reads_kept(old: &Reads, new: &Reads, anew: &BTreeSet<Name>) -> Option<HashMap<usize, usize>> {
    let mut kept = HashMap::new();
    for (call, reads) in new.iter().filter(|(call, _)| !anew.contains(entry_of(call))) {
        let (_, before) = old.iter().find(|(before, _)| before == call)?;
        for (new, old) in (before.len() == reads.len()).then(|| reads.iter().copied().zip(before.iter().copied()))? {
            // Two calls that share a value now and remember different ones cannot both go on.
            if kept.insert(new, old).is_some_and(|other| other != old) {
                return None;
            }
        }
    }
    Some(kept)
}
