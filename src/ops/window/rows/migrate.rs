//! Windows of rows that take over the rows that wait in others.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};

use crate::node::{Migration, Node, NodeError, State};
use crate::plan::NodeSpec;

use super::super::super::error::unreadable;
use super::super::super::table::{column_named, table};
use super::super::aggregate::{Reads, reads};
use super::super::migrate::reads_kept;
use super::super::op;
use super::super::output::wants_last_time;
use super::super::saved::clock_of;
use super::{KEYS, READ, ROWS, RowWindow, table_of};

impl RowWindow {
    /// Where other rows wait in the rebuilt state it is taken as a whole: an entry is of the same rows as its neighbours.
    pub(super) fn take_over(&mut self, migration: &Migration) -> Result<(), NodeError> {
        if op(&migration.before)?.shape != op(&self.parts.spec)?.shape {
            return Err(unreadable("it is of other windows"));
        }
        if let Some(rebuilt) = &migration.rebuilt
            && !self.same_rows(&migration.running, rebuilt)?
        {
            return self.load(rebuilt.clone());
        }
        let rows = self.migrated_rows(migration)?;
        self.watermark = clock_of(&migration.running)?;
        self.load_keys(table_of(&migration.running, KEYS)?)?;
        self.load_rows(&rows)
    }

    /// The rows that wait, with the values that the new entries read: those of entries that are kept as they are, the others
    /// from the rebuilt state, which holds the same rows.
    fn migrated_rows(&self, migration: &Migration) -> Result<RecordBatch, NodeError> {
        let Migration { before, running, anew, rebuilt } = migration;
        let running = table_of(running, ROWS)?;
        let (old, new) = (self.reads(before)?, self.reads(&self.parts.spec)?);
        let kept = reads_kept(&old, &new, anew).ok_or_else(|| unreadable("its entries read other values"))?;
        let rebuilt = rebuilt.as_ref().map(|state| table_of(state, ROWS)).transpose()?;
        let column = |(nth, field): (usize, &Field)| match (kept.get(&nth), rebuilt) {
            (Some(old), _) => column_named(running, &format!("{READ}{old}")).cloned(),
            (None, Some(rebuilt)) => column_named(rebuilt, field.name()).cloned(),
            (None, None) if running.num_rows() == 0 => Ok(arrow::array::new_empty_array(field.data_type())),
            (None, None) => Err(unreadable("rows that wait lack what the new entries read")),
        };
        let mut fields = self.key_fields();
        let mut columns = self.key_columns(running)?;
        let reads = self.read_fields();
        for read in reads.iter().enumerate().map(column) {
            columns.push(read?);
        }
        fields.extend(reads);
        table(&Arc::new(Schema::new(fields)), columns, running.num_rows())
    }

    fn reads(&self, spec: &NodeSpec) -> Result<Reads, NodeError> {
        reads(&op(spec)?.entries, &self.parts.input, wants_last_time(spec))
    }

    /// Do the same rows wait in both states?
    fn same_rows(&self, running: &State, rebuilt: &State) -> Result<bool, NodeError> {
        let (a, b) = (table_of(running, ROWS)?, table_of(rebuilt, ROWS)?);
        let same_keys = a.num_rows() == b.num_rows() && self.key_columns(a)? == self.key_columns(b)?;
        Ok(same_keys && table_of(running, KEYS)? == table_of(rebuilt, KEYS)?)
    }
}
