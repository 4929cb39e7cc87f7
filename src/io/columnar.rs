//! Parquet and Arrow IPC files, streamed by row group or batch, only the columns that are declared.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::{FileReader, StreamReader};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::diag::Code;
use crate::ir::{Origin, SourceColumn};

use super::block::At;
use super::error::{IoError, arrow_refuses, reading_stopped};
use super::fit::{field_of, fit, fits};
use super::open::{self, Packing};
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt, repeat};
use super::spec::{Spec, absent, no_column};

/// Batches of the columns that are read.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>;

/// An open file of columns.
pub(super) struct ColumnarFile {
    spec: Arc<Spec>,
    path: PathBuf,
    file: FileAt,
    batches: Batches,
    /// Read and not yet given.
    rest: Option<RecordBatch>,
    picks: Vec<Pick>,
    unread: Ignored,
    absent: Vec<String>,
    row: u64,
}

/// Where a declared column comes from.
enum Pick {
    /// A column, or a field of a struct behind dots.
    Field(String),
    Fixed(ArrayRef),
    Row,
    Arrival,
    Null,
}

impl ColumnarFile {
    pub fn parquet(spec: &Arc<Spec>, file: &FileAt, from: Option<Mark>) -> Result<ColumnarFile, IoError> {
        let path = outside(file)?;
        let opened = open::file(path)?;
        check_begin(path, &file.found.name, b"PAR1", "parquet")?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| reading_stopped(path, error))?;
        let schema = builder.schema().clone();
        let picks = picks(spec, file, &schema)?;
        let roots: Vec<usize> = roots(&picks, &schema);
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
        let row = from.map_or(0, |mark| mark.row);
        let reader = builder.with_projection(mask).with_batch_size(spec.block_rows()).with_offset(row as usize).build();
        let reader = reader.map_err(|error| reading_stopped(path, error))?;
        let batches = Box::new(reader.map(|batch| batch.map_err(|error| error.to_string())));
        Ok(ColumnarFile::new(spec, file, batches, picks, &schema, row))
    }

    pub fn arrow(spec: &Arc<Spec>, file: &FileAt, from: Option<Mark>) -> Result<ColumnarFile, IoError> {
        let path = outside(file)?;
        let (schema, batches) = ipc(path, &file.found.name)?;
        let picks = picks(spec, file, &schema)?;
        let mut out = ColumnarFile::new(spec, file, batches, picks, &schema, 0);
        let row = from.map_or(0, |mark| mark.row);
        while out.row < row
            && let Some(batch) = out.next((row - out.row) as usize)?
        {
            out.row += batch.num_rows() as u64;
        }
        Ok(out)
    }

    fn new(spec: &Arc<Spec>, file: &FileAt, batches: Batches, picks: Vec<Pick>, schema: &Schema, row: u64) -> ColumnarFile {
        let read = roots(&picks, schema);
        let mut unread = Ignored::default();
        let names = schema.fields().iter().enumerate().filter(|(nth, _)| !read.contains(nth));
        names.for_each(|(_, field)| unread.name(field.name()));
        let there: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let absent = spec.columns.iter().filter_map(|column| match &column.origin {
            Origin::Field(name) if type_of(schema, name).is_none() => Some(absent(column, name, &file.found.name, &there)),
            Origin::Field(_) | Origin::Position(_) | Origin::Path(_) | Origin::Pattern(_) | Origin::Row | Origin::Arrival => {
                None
            }
        });
        let absent = absent.collect();
        ColumnarFile {
            spec: spec.clone(),
            path: file.found.path.clone(),
            file: file.clone(),
            batches,
            rest: None,
            picks,
            unread,
            absent,
            row,
        }
    }

    /// At most so many rows.
    fn next(&mut self, rows: usize) -> Result<Option<RecordBatch>, IoError> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.batches.next() {
                Some(batch) => batch.map_err(|error| reading_stopped(&self.path, error))?,
                None => return Ok(None),
            },
        };
        if batch.num_rows() > rows {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
            return Ok(Some(batch.slice(0, rows)));
        }
        Ok(Some(batch))
    }

    fn columns(&self, batch: &RecordBatch, at: &[At]) -> Result<Vec<ArrayRef>, IoError> {
        let fields = self.spec.declared.fields();
        let column = |(pick, to): (&Pick, &DataType)| match pick {
            Pick::Field(name) => {
                field_of(batch, name).ok_or_else(|| reading_stopped(&self.path, format!("a part has no column `{name}`")))
            }
            Pick::Fixed(one) => repeat(one, at.len()),
            Pick::Row => {
                let numbers = at.iter().map(|at| (self.file.rows_before + at.row + 1) as i64);
                cast(&Int64Array::from_iter_values(numbers), to).map_err(arrow_refuses)
            }
            Pick::Arrival => Ok(Arc::new(TimestampMicrosecondArray::from(vec![0; at.len()]).with_timezone("UTC")) as ArrayRef),
            Pick::Null => Ok(new_null_array(to, at.len())),
        };
        self.picks.iter().zip(fields.iter().map(|field| field.data_type())).map(column).collect()
    }
}

impl Records for ColumnarFile {
    fn read(&mut self) -> Result<Option<Decoded>, IoError> {
        loop {
            let Some(batch) = self.next(self.spec.block_rows())? else { return Ok(None) };
            if batch.num_rows() == 0 {
                continue;
            }
            let rows = self.row..self.row + batch.num_rows() as u64;
            self.row = rows.end;
            let at: Vec<At> = rows.map(|row| At { file: self.file.index, row }).collect();
            let columns = self.columns(&batch, &at)?;
            let name = self.file.found.name.clone();
            return fit(&self.spec, columns, at, |at| format!("{name}, row {}", at.row + 1)).map(Some);
        }
    }

    fn mark(&self) -> Mark {
        Mark { row: self.row, byte: None, line: 0 }
    }

    fn ignored(&self) -> &Ignored {
        &self.unread
    }

    fn absent(&self) -> &[String] {
        &self.absent
    }
}

/// The path of the file itself; these formats are read from their end, which a member of an archive does not show.
fn outside(file: &FileAt) -> Result<&Path, IoError> {
    match file.found.member {
        None => Ok(&file.found.path),
        Some(_) => {
            Err(IoError::new(Code::E0712, format!("`{}` stands in an archive, where tables cannot be read", file.found.name))
                .help("unpack the archive to a folder, and read the files there"))
        }
    }
}

/// The schema of a file of either kind, and its batches.
fn ipc(path: &Path, name: &str) -> Result<(SchemaRef, Batches), IoError> {
    let stopped = |error: arrow::error::ArrowError| reading_stopped(path, error);
    if Packing::of(path) == Packing::None && begins_with(path, b"ARROW1")? {
        let reader = FileReader::try_new_buffered(open::file(path)?, None).map_err(stopped)?;
        let schema = reader.schema();
        return Ok((schema, Box::new(reader.map(|batch| batch.map_err(|error| error.to_string())))));
    }
    let reader = StreamReader::try_new(open::bytes(path)?, None).map_err(|_| not_this_format(name, "arrow"))?;
    let schema = reader.schema();
    Ok((schema, Box::new(reader.map(|batch| batch.map_err(|error| error.to_string())))))
}

fn picks(spec: &Spec, file: &FileAt, schema: &Schema) -> Result<Vec<Pick>, IoError> {
    let pick = |column: &SourceColumn| {
        let name = match &column.origin {
            Origin::Field(name) => name.to_string(),
            Origin::Path(path) => path.trim_start_matches("$.").to_owned(),
            Origin::Position(nth) => match schema.fields().get((*nth as usize).saturating_sub(1)) {
                Some(field) => field.name().clone(),
                None => format!("number {nth}"),
            },
            Origin::Pattern(pattern) => return Ok(file.fixed(pattern).map_or(Pick::Null, Pick::Fixed)),
            Origin::Row => return Ok(Pick::Row),
            Origin::Arrival => return Ok(Pick::Arrival),
        };
        match type_of(schema, &name) {
            Some(found) if fits(column, &found) => Ok(Pick::Field(name)),
            Some(found) => Err(other_type(column, &name, &found, &file.found.name)),
            None if column.column.nullable => Ok(Pick::Null),
            None => {
                let there: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
                Err(no_column(column, &name, &file.found.name, &there))
            }
        }
    };
    spec.columns.iter().map(pick).collect()
}

/// Of a column, or of a field of a struct behind dots.
fn type_of(schema: &Schema, name: &str) -> Option<DataType> {
    if let Ok(field) = schema.field_with_name(name) {
        return Some(field.data_type().clone());
    }
    let mut parts = name.split('.');
    let mut found = schema.field_with_name(parts.next()?).ok()?.data_type();
    for part in parts {
        let DataType::Struct(fields) = found else { return None };
        found = fields.find(part)?.1.data_type();
    }
    Some(found.clone())
}

/// The top columns that are read, in the order of the file.
fn roots(picks: &[Pick], schema: &Schema) -> Vec<usize> {
    let read = |name: &str| {
        picks.iter().any(|pick| match pick {
            Pick::Field(wanted) => wanted == name || wanted.split('.').next() == Some(name),
            Pick::Fixed(_) | Pick::Row | Pick::Arrival | Pick::Null => false,
        })
    };
    (0..schema.fields().len()).filter(|nth| read(schema.field(*nth).name())).collect()
}

fn begins_with(path: &Path, magic: &[u8]) -> Result<bool, IoError> {
    let mut start = vec![0; magic.len()];
    let mut file = open::file(path)?;
    Ok(file.read_exact(&mut start).is_ok() && start == magic)
}

fn check_begin(path: &Path, name: &str, magic: &[u8], format: &str) -> Result<(), IoError> {
    if begins_with(path, magic)? {
        return Ok(());
    }
    let empty = open::bytes(path)?.fill_buf().is_ok_and(<[u8]>::is_empty);
    if empty {
        return Err(IoError::new(Code::E0713, format!("`{name}` is empty")).path(path).help("see whether it was copied whole"));
    }
    Err(not_this_format(name, format))
}

fn not_this_format(name: &str, format: &str) -> IoError {
    let message = format!("`{name}` is declared as `{format}` and does not begin as such a file does");
    IoError::new(Code::E0715, message).help("name the format that the file has, such as `csv(…)`")
}

fn other_type(column: &SourceColumn, name: &str, found: &DataType, file: &str) -> IoError {
    let message = format!("`{name}` in `{file}` is {found}, which cannot be read as {}", column.column.ty);
    IoError::new(Code::E0715, message).at(column.column.span).help("declare the column with a type that the file has")
}

#[cfg(test)]
mod tests;
