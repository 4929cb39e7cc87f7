//! Arrow tables to bytes and back.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;

/// Batches of one schema, of which there is at least one.
pub fn to_bytes(batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut writer = FileWriter::try_new(Vec::new(), first.schema_ref())?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()?;
    writer.into_inner()
}

pub fn from_bytes(bytes: &[u8]) -> Result<Vec<RecordBatch>, ArrowError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    FileReader::try_new(Cursor::new(bytes), None)?.collect()
}

/// The only one.
pub fn one(bytes: &[u8]) -> Result<RecordBatch, ArrowError> {
    let found = from_bytes(bytes)?.into_iter().next();
    found.ok_or_else(|| ArrowError::IpcError("the table is missing".into()))
}
