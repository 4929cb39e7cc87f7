//! What every trial of a task works on.

use std::sync::OnceLock;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use crate::diag::Diagnostic;
use crate::ir::Task;
use crate::model::Purpose;

use super::{Table, wire};

/// A task with its rows, in both of their forms.
pub struct Data {
    pub task: Task,
    pub purpose: Purpose,
    pub table: Table,
    /// As the task node collected it.
    pub batch: RecordBatch,
    /// The same as bytes for workers; made once, when the first worker needs them.
    encoded: OnceLock<Result<Vec<u8>, String>>,
}

impl Data {
    pub fn new(task: &Task, purpose: Purpose, batch: &RecordBatch) -> Result<Data, Vec<Diagnostic>> {
        let table = Table::read(task, batch)?;
        Ok(Data { task: task.clone(), purpose, table, batch: batch.clone(), encoded: OnceLock::new() })
    }

    /// Arrow IPC.
    pub fn encoded(&self) -> Result<&[u8], String> {
        let encode = || wire::encode(&self.batch).map_err(|error: ArrowError| error.to_string());
        self.encoded.get_or_init(encode).as_deref().map_err(Clone::clone)
    }
}
