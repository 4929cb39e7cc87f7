//! Panes as a table, and back.

use std::sync::Arc;

use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use crate::base::Time;
use crate::node::{NodeError, State};

use super::super::error::{failed, unreadable};
use super::super::keys::{KeyColumns, Keys, NO_KEY};
use super::super::table::{column_named, table};
use super::aggregate::{Aggregates, Call};
use super::pane::{Pane, state_columns};

/// The column with the starts of panes.
pub(super) const START: &str = "@pane";
const WATERMARK: &str = "watermark";

/// The table that holds panes.
pub(super) const PANES: &str = "panes";

/// The table that holds the watermark of a window.
pub(super) const CLOCK: &str = "clock";

pub(in crate::ops) fn save_clock(watermark: Time) -> Result<RecordBatch, NodeError> {
    let schema = Schema::new(vec![Field::new(WATERMARK, DataType::Int64, true)]);
    table(&Arc::new(schema), vec![Arc::new(Int64Array::from(vec![watermark.0]))], 1)
}

pub(in crate::ops) fn load_clock(saved: &RecordBatch) -> Result<Time, NodeError> {
    let column = column_named(saved, WATERMARK)?.as_primitive_opt::<Int64Type>();
    let watermark = column.filter(|column| column.len() == 1 && column.null_count() == 0);
    watermark.map(|column| Time(column.value(0))).ok_or_else(|| unreadable("its watermark is no time"))
}

/// The watermark of a saved window.
pub(super) fn clock_of(state: &State) -> Result<Time, NodeError> {
    load_clock(state.tables.get(CLOCK).ok_or_else(|| unreadable("it has no watermark"))?)
}

/// One row per pane and key: the pane's start, the key, the states of the calls.
pub(super) fn save_panes<'a>(
    panes: impl Iterator<Item = (i64, &'a mut Pane)>,
    by: &KeyColumns,
    keys: &Keys,
    aggregates: &Aggregates,
) -> Result<RecordBatch, NodeError> {
    let mut fields = vec![Field::new(START, DataType::Int64, true)];
    fields.extend(by.names().iter().zip(by.types()).map(|(name, ty)| Field::new(name.as_str(), ty, true)));
    fields.extend(aggregates.calls.iter().flat_map(Call::state_fields));
    let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); fields.len()];
    for (start, pane) in panes {
        let mut row: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![start; pane.keys.len()]))];
        row.extend(keys.columns(pane.keys.iter().copied())?);
        row.extend(pane.states()?.iter().flatten().cloned());
        pieces.iter_mut().zip(row).for_each(|(pieces, piece)| pieces.push(piece));
    }
    let columns = pieces.iter().zip(&fields).map(|(pieces, field)| joined(pieces, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let rows = columns[0].len();
    table(&Arc::new(Schema::new(fields)), columns, rows)
}

pub(super) fn load_panes(
    saved: &RecordBatch,
    by: &KeyColumns,
    keys: &mut Keys,
    aggregates: &Aggregates,
) -> Result<Vec<(i64, Pane)>, NodeError> {
    let starts = column_named(saved, START)?;
    let starts = starts.as_primitive_opt::<Int64Type>().ok_or_else(|| unreadable("its panes have no times"))?;
    let key_columns = by.names().iter().map(|name| column_named(saved, name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let ids = keys.ids(&key_columns, saved.num_rows())?;
    if ids.contains(&NO_KEY) {
        return Err(unreadable("a saved key is null"));
    }
    let states = state_columns(saved, aggregates)?;
    let mut panes = Vec::new();
    let mut from = 0;
    for run in starts.values().chunk_by(|a, b| a == b) {
        let slice = |column: &ArrayRef| column.slice(from, run.len());
        let states = states.iter().map(|columns| columns.iter().map(slice).collect()).collect();
        panes.push((run[0], Pane::frozen(ids[from..from + run.len()].to_vec(), states)));
        from += run.len();
    }
    Ok(panes)
}

pub(super) fn joined(pieces: &[ArrayRef], ty: &DataType) -> Result<ArrayRef, NodeError> {
    match pieces {
        [] => Ok(new_empty_array(ty)),
        [one] => Ok(Arc::clone(one)),
        pieces => concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(failed),
    }
}
