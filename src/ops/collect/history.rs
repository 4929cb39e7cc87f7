//! How far back a task remembers.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::base::Name;
use crate::ir;
use crate::node::NodeError;

use super::recent::Recent;
use super::reservoir::Reservoir;

/// What a task keeps where it does not say, and at most, in rows.
pub(super) const ROWS_DEFAULT: usize = 1_000_000;

pub(super) enum History {
    /// The last rows.
    Recent(Recent),
    /// A sample of all.
    Reservoir(Reservoir),
}

impl History {
    pub fn new(task: &ir::Task, seed: u64, schema: SchemaRef) -> History {
        let most = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX).max(1);
        match task.history {
            None => History::Recent(Recent::new(schema, ROWS_DEFAULT, None)),
            Some(ir::History::Time(time)) => History::Recent(Recent::new(schema, ROWS_DEFAULT, Some(time))),
            Some(ir::History::Rows { rows, reservoir: false }) => History::Recent(Recent::new(schema, most(rows), None)),
            Some(ir::History::Rows { rows, reservoir: true }) => History::Reservoir(Reservoir::new(schema, most(rows), seed)),
        }
    }

    /// Returns how many rows, these or earlier ones, were let go.
    pub fn push(&mut self, rows: RecordBatch) -> Result<usize, NodeError> {
        match self {
            History::Recent(recent) => recent.push(rows),
            History::Reservoir(reservoir) => reservoir.push(rows),
        }
    }

    pub fn save(&mut self, tables: &mut BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        match self {
            History::Recent(recent) => recent.save(tables),
            History::Reservoir(reservoir) => reservoir.save(tables),
        }
    }

    pub fn load(&mut self, tables: &BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        match self {
            History::Recent(recent) => recent.load(tables),
            History::Reservoir(reservoir) => reservoir.load(tables),
        }
    }
}
