//! Parquet and Arrow IPC files.

use std::fs::File;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::io::error::IoError;
use crate::ir::Schema;
use crate::node;

use super::Deliver;
use super::aside::Aside;
use super::target::writing_stopped;

/// Rows of a Parquet file that are held in memory until they are written as one group.
const GROUP_ROWS_MAX: usize = 128 * 1024;

pub(super) struct TableSink {
    schema: SchemaRef,
    aside: Aside,
    writer: Writer,
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Arrow(Box<FileWriter<File>>),
}

impl TableSink {
    pub fn parquet(schema: &Schema, aside: Aside) -> Result<TableSink, IoError> {
        let file = aside.create()?;
        let schema = node::schema(schema);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
        let writer = writer.map_err(|error| writing_stopped(&aside.path, error))?;
        Ok(TableSink { schema, aside, writer: Writer::Parquet(Box::new(writer)) })
    }

    pub fn arrow(schema: &Schema, aside: Aside) -> Result<TableSink, IoError> {
        let file = aside.create()?;
        let schema = node::schema(schema);
        let writer = FileWriter::try_new(file, &schema).map_err(|error| writing_stopped(&aside.path, error))?;
        Ok(TableSink { schema, aside, writer: Writer::Arrow(Box::new(writer)) })
    }

    /// The visible columns, in their order.
    fn visible(&self, rows: &RecordBatch) -> Result<RecordBatch, IoError> {
        let stopped = |error: String| writing_stopped(&self.aside.path, error);
        let names = self.schema.fields().iter().map(|field| field.name());
        let columns =
            names.map(|name| rows.column_by_name(name).cloned().ok_or_else(|| stopped(format!("no column `{name}`"))));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(|error| stopped(error.to_string()))
    }
}

impl Deliver for TableSink {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        let rows = self.visible(rows)?;
        let done = match &mut self.writer {
            Writer::Parquet(writer) => writer.write(&rows).map_err(|error| error.to_string()),
            Writer::Arrow(writer) => writer.write(&rows).map_err(|error| error.to_string()),
        };
        done.map_err(|error| writing_stopped(&self.aside.path, error))
    }

    fn finish(&mut self) -> Result<(), IoError> {
        let done = match &mut self.writer {
            Writer::Parquet(writer) => writer.finish().map(|_| ()).map_err(|error| error.to_string()),
            Writer::Arrow(writer) => writer.finish().map_err(|error| error.to_string()),
        };
        done.map_err(|error| writing_stopped(&self.aside.path, error))?;
        self.aside.finish()
    }
}
