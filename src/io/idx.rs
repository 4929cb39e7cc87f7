//! IDX files (the form of MNIST): one array whose first dimension counts the rows, and beside it one of labels.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::Name;
use crate::diag::Code;
use crate::ir::{Origin, SourceColumn, Type};

use super::error::{IoError, cannot_be_read, reading_stopped};
use super::open::{self, Bytes};
use super::place::Place;
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt, Sheet};
use super::spec::{Spec, no_column};

/// Numbers of one row.
const ROW_NUMBERS_MAX: u64 = crate::ir::TENSOR_NUMBERS_MAX;

const FIELDS: [&str; 2] = ["data", "labels"];

/// Two open files that go row by row.
pub(super) struct IdxFile {
    name: Name,
    data: Array,
    labels: Option<Array>,
    sheet: Sheet,
    /// By builder: is it the labels?
    is_label: Vec<bool>,
    block_rows: usize,
    rows: u64,
    row: u64,
    ignored: Ignored,
}

/// One file: its header is read, its numbers are still to come.
struct Array {
    path: PathBuf,
    bytes: Bytes,
    element: Element,
    /// How many rows, and the dimensions of each.
    rows: u64,
    shape: Vec<u32>,
    row: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl IdxFile {
    pub fn open(
        spec: &Arc<Spec>,
        file: &FileAt,
        labels: Option<&str>,
        place: &Place,
        from: Option<Mark>,
    ) -> Result<IdxFile, IoError> {
        let name = file.found.name.clone();
        let data = Array::open(file.found.path.clone(), &name, open::of(&file.found)?)?;
        let labels = labels.map(|labels| beside(labels, file, place)).transpose()?;
        if let Some(labels) = &labels {
            labels.check_labels(&data, &name)?;
        }
        let there: Vec<&str> = FIELDS.into_iter().filter(|field| *field == "data" || labels.is_some()).collect();
        let is_there = |field: &str| there.contains(&field);
        let has = |origin: &Origin| matches!(origin, Origin::Field(name) if is_there(name));
        for column in &spec.columns {
            check_column(column, &data, &name, &there)?;
        }
        let is_label = |column: &SourceColumn| match &column.origin {
            Origin::Field(field) if is_there(field) => Some(*field == *"labels"),
            _ => None,
        };
        let is_label = spec.columns.iter().filter_map(is_label).collect();
        let sheet = Sheet::new(spec, file, b'.', has);
        let (rows, block_rows) = (data.rows, spec.block_rows());
        let mut out = IdxFile { name, data, labels, sheet, is_label, block_rows, rows, row: 0, ignored: Ignored::default() };
        out.pass_over(from.map_or(0, |mark| mark.row))?;
        Ok(out)
    }

    fn pass_over(&mut self, row: u64) -> Result<(), IoError> {
        while self.row < row.min(self.rows) {
            self.next()?;
        }
        Ok(())
    }

    /// The bytes of the next row of both files.
    fn next(&mut self) -> Result<(), IoError> {
        self.data.next()?;
        if let Some(labels) = &mut self.labels {
            labels.next()?;
        }
        self.row += 1;
        Ok(())
    }

    fn append(&mut self) {
        let numbers = self.data.numbers();
        let label = self.labels.as_ref().and_then(Array::label);
        let mut why = None;
        for (builder, is_label) in self.sheet.builders.iter_mut().zip(&self.is_label) {
            let done = match (is_label, label) {
                (false, _) => builder.append_numbers(&numbers),
                (true, Some(label)) => builder.append_int(label),
                (true, None) => builder.append_null(),
            };
            if let Err(reason) = done {
                why.get_or_insert(reason);
            }
        }
        let name = self.name.clone();
        let row = self.row;
        self.sheet.end(row - 1, why, || (format!("row {row} of {name}").into_bytes(), row));
    }
}

impl Records for IdxFile {
    fn read(&mut self) -> Result<Option<Decoded>, IoError> {
        let start = self.row;
        while self.row < self.rows && ((self.row - start) as usize) < self.block_rows {
            self.next()?;
            self.append();
        }
        if self.row == start { Ok(None) } else { self.sheet.finish().map(Some) }
    }

    fn mark(&self) -> Mark {
        Mark { row: self.row, byte: None, line: 0 }
    }

    fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    fn absent(&self) -> &[String] {
        &[]
    }
}

/// The labels of this file: the path with the same values in its patterns, in the folder where the data was found.
fn beside(labels: &str, file: &FileAt, place: &Place) -> Result<Array, IoError> {
    let mut text = labels.to_owned();
    for (pattern, value) in &file.found.values {
        text = text.replace(&format!("{{{pattern}}}"), value);
    }
    let candidates = place.folders(std::path::Path::new(&text));
    let path = candidates.iter().map(|folder| folder.join(&text)).find(|path| path.exists());
    let Some(path) = path else { return Err(no_labels(&text, &file.found.name)) };
    let bytes = open::bytes(&path)?;
    Array::open(path, &text, bytes)
}

impl Array {
    fn open(path: PathBuf, name: &str, mut bytes: Bytes) -> Result<Array, IoError> {
        let mut magic = [0; 4];
        let begun = bytes.read_exact(&mut magic);
        let element = element(magic[2]).filter(|_| begun.is_ok() && magic[..2] == [0, 0] && magic[3] > 0);
        let Some(element) = element else { return Err(no_idx(name)) };
        let mut sizes = Vec::new();
        for _ in 0..magic[3] {
            let mut size = [0; 4];
            bytes.read_exact(&mut size).map_err(|error| reading_stopped(&path, error))?;
            sizes.push(u32::from_be_bytes(size));
        }
        let shape = sizes[1..].to_vec();
        let numbers = shape.iter().try_fold(1u64, |all, size| all.checked_mul((*size).into()));
        let Some(numbers) = numbers.filter(|numbers| *numbers <= ROW_NUMBERS_MAX) else { return Err(no_idx(name)) };
        let row = vec![0; numbers as usize * element.bytes()];
        Ok(Array { path, bytes, element, rows: sizes[0].into(), shape, row })
    }

    fn next(&mut self) -> Result<(), IoError> {
        self.bytes.read_exact(&mut self.row).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => reading_stopped(&self.path, "it has fewer rows than its header says"),
            _ => cannot_be_read(&self.path, &error),
        })
    }

    /// Bytes in 0..1, all others as they are.
    fn numbers(&self) -> Vec<f32> {
        let each = self.row.chunks_exact(self.element.bytes());
        match self.element {
            Element::U8 => self.row.iter().map(|byte| f32::from(*byte) / 255.0).collect(),
            Element::I8 | Element::I16 | Element::I32 | Element::F32 | Element::F64 => {
                each.map(|bytes| self.element.value(bytes) as f32).collect()
            }
        }
    }

    fn label(&self) -> Option<i64> {
        let value = self.element.value(self.row.get(..self.element.bytes())?);
        (value.fract() == 0.0).then_some(value as i64)
    }

    fn check_labels(&self, data: &Array, name: &str) -> Result<(), IoError> {
        let path = self.path.display();
        if !self.shape.is_empty() {
            return Err(IoError::new(Code::E0715, format!("`{path}` has more than one number a row, so it holds no labels"))
                .path(&self.path)
                .help("name the file of the labels"));
        }
        if self.rows != data.rows {
            let message = format!("`{name}` has {} rows and `{path}` {}, so they do not belong together", data.rows, self.rows);
            return Err(IoError::new(Code::E0715, message).path(&self.path).help("name two files of one set"));
        }
        Ok(())
    }
}

impl Element {
    fn bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 => 1,
            Element::I16 => 2,
            Element::I32 | Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// Of as many bytes, the first of them the highest.
    fn value(self, bytes: &[u8]) -> f64 {
        match (self, bytes) {
            (Element::U8, [a]) => f64::from(*a),
            (Element::I8, [a]) => f64::from(a.cast_signed()),
            (Element::I16, [a, b]) => f64::from(i16::from_be_bytes([*a, *b])),
            (Element::I32, [a, b, c, d]) => f64::from(i32::from_be_bytes([*a, *b, *c, *d])),
            (Element::F32, [a, b, c, d]) => f64::from(f32::from_be_bytes([*a, *b, *c, *d])),
            (Element::F64, [a, b, c, d, e, f, g, h]) => f64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            (Element::U8 | Element::I8 | Element::I16 | Element::I32 | Element::F32 | Element::F64, _) => f64::NAN,
        }
    }
}

fn element(code: u8) -> Option<Element> {
    Some(match code {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        _ => return None,
    })
}

/// The column reads a field that is there, in a type that holds it.
fn check_column(column: &SourceColumn, data: &Array, name: &str, there: &[&str]) -> Result<(), IoError> {
    let field = match &column.origin {
        Origin::Field(field) => field.to_string(),
        Origin::Position(nth) => format!("number {nth}"),
        Origin::Path(path) => path.to_string(),
        Origin::Pattern(_) | Origin::Row | Origin::Arrival => return Ok(()),
    };
    if !there.contains(&field.as_str()) {
        let there: Vec<String> = there.iter().map(|field| (*field).to_owned()).collect();
        return Err(no_column(column, &field, name, &there));
    }
    match &column.column.ty {
        Type::Tensor(declared) if field == "data" && !same_shape(declared, &data.shape) => Err(other_shape(column, data, name)),
        _ => Ok(()),
    }
}

/// A last dimension of one, such as the channel of a grey picture, may be declared or not.
fn same_shape(declared: &[u32], found: &[u32]) -> bool {
    declared == found || declared.strip_suffix(&[1]) == Some(found)
}

fn other_shape(column: &SourceColumn, data: &Array, name: &str) -> IoError {
    let found = Type::Tensor(data.shape.clone());
    let message = format!("each row of `{name}` is {found}, and `{}` is declared as {}", column.column.name, column.column.ty);
    IoError::new(Code::E0715, message).at(column.column.span).help(format!("declare it as `{found}`"))
}

fn no_idx(name: &str) -> IoError {
    let message = format!("`{name}` is declared as `idx` and does not begin as such a file does");
    IoError::new(Code::E0715, message).help("name the format that the file has, such as `csv(…)`")
}

fn no_labels(text: &str, data: &str) -> IoError {
    IoError::new(Code::E0711, format!("there is no file `{text}` with the labels of `{data}`"))
        .help("write the path relative to the .mliot file or to MLIOT_DATA; patterns of the data's path may stand in it")
}

#[cfg(test)]
mod tests;
