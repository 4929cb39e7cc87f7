//! Small helpers over record batches and states, shared by the nodes.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use crate::base::Hash;
use crate::node::{NodeError, State};

use super::error::{failed, ill_formed, unreadable};

/// The form in which this version writes states.
pub(super) const FORMAT: u16 = 1;

/// Of `rows` rows even if there are no columns.
pub(super) fn table(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, NodeError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(SchemaRef::clone(schema), columns, &options).map_err(failed)
}

/// The same rows with more columns at the end.
pub(super) fn widened(rows: &RecordBatch, schema: &SchemaRef, more: Vec<ArrayRef>) -> Result<RecordBatch, NodeError> {
    let columns = rows.columns().iter().cloned().chain(more).collect();
    table(schema, columns, rows.num_rows())
}

pub(super) fn column_named<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, NodeError> {
    rows.column_by_name(name).ok_or_else(|| ill_formed(format!("no column `{name}`")))
}

/// Refuses what another version of the program or another shape of the stage has written.
pub(super) fn expect_state(state: &State, hash: Hash) -> Result<(), NodeError> {
    if state.format != FORMAT {
        return Err(unreadable(format!("its format is {}, this version reads {FORMAT}", state.format)));
    }
    if state.hash != hash {
        return Err(unreadable("it was shaped by another definition of the stage"));
    }
    Ok(())
}
