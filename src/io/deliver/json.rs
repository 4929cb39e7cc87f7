//! One JSON array of objects.

use std::fs::File;
use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;

use crate::io::error::IoError;
use crate::ir::Schema;

use super::Deliver;
use super::aside::Aside;
use super::target::writing_stopped;
use super::text::{columns, json_object};

pub(super) struct ArraySink {
    columns: Vec<String>,
    aside: Aside,
    out: BufWriter<File>,
    text: Vec<u8>,
    empty: bool,
}

impl ArraySink {
    pub fn new(schema: &Schema, aside: Aside) -> Result<ArraySink, IoError> {
        let file = aside.create()?;
        let columns = schema.columns.iter().map(|column| column.name.to_string()).collect();
        Ok(ArraySink { columns, aside, out: BufWriter::new(file), text: Vec::new(), empty: true })
    }

    fn write(&mut self) -> Result<(), IoError> {
        self.out.write_all(&self.text).map_err(|error| writing_stopped(&self.aside.path, error))?;
        self.text.clear();
        Ok(())
    }
}

impl Deliver for ArraySink {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        let columns = columns(rows, &self.columns)?;
        for row in 0..rows.num_rows() {
            self.text.extend_from_slice(if std::mem::take(&mut self.empty) { b"[\n" } else { b",\n" });
            json_object(&mut self.text, &self.columns, &columns, row);
        }
        self.write()
    }

    fn finish(&mut self) -> Result<(), IoError> {
        self.text.extend_from_slice(if self.empty { b"[]\n" } else { b"\n]\n" });
        self.write()?;
        self.out.flush().map_err(|error| writing_stopped(&self.aside.path, error))?;
        self.aside.finish()
    }
}
