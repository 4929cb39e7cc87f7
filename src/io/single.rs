//! Files of one row each: sounds and pictures. What cannot be read becomes a bad row that names its file.

mod picture;
mod sound;

use std::sync::Arc;

use crate::base::Name;
use crate::ir::{Origin, SourceColumn, Type};

use super::column::Reason;
use super::error::IoError;
use super::open;
use super::records::{Ignored, Mark, Records};
use super::sheet::{Decoded, FileAt, Sheet};
use super::spec::{Spec, no_column};

pub(super) use picture::decode as decode_picture;

/// What the file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sound,
    Picture,
}

/// An open file of one row.
pub(super) struct SingleFile {
    kind: Kind,
    file: FileAt,
    sheet: Sheet,
    /// The columns that the file's own fields fill, in the order of the sheet's builders.
    columns: Vec<(Name, SourceColumn)>,
    ignored: Ignored,
    absent: Vec<String>,
    row: u64,
}

/// What was read from a file.
pub(super) struct Content {
    /// Samples, or the elements of a picture.
    pub numbers: Vec<f32>,
    /// Of a picture: height, width, channels.
    pub shape: Vec<u32>,
    /// Samples per second.
    pub rate_hz: Option<u32>,
    pub channels: u32,
}

impl Kind {
    /// The field that has the content.
    fn main(self) -> &'static str {
        match self {
            Kind::Sound => "signal",
            Kind::Picture => "image",
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Kind::Sound => &["signal", "rate", "channels", "file"],
            Kind::Picture => &["image", "height", "width", "channels", "file"],
        }
    }
}

impl SingleFile {
    pub fn open(spec: &Arc<Spec>, file: &FileAt, kind: Kind, from: Option<Mark>) -> Result<SingleFile, IoError> {
        let has = |origin: &Origin| matches!(origin, Origin::Field(name) if kind.fields().contains(&name.as_str()));
        let there: Vec<String> = kind.fields().iter().map(|field| (*field).to_owned()).collect();
        let mut absent = Vec::new();
        for column in &spec.columns {
            let wanted = match &column.origin {
                Origin::Field(name) if !has(&column.origin) => name.to_string(),
                Origin::Position(nth) => format!("number {nth}"),
                Origin::Path(path) => path.to_string(),
                Origin::Field(_) | Origin::Pattern(_) | Origin::Row | Origin::Arrival => continue,
            };
            if !column.column.nullable {
                return Err(no_column(column, &wanted, &file.found.name, &there));
            }
            absent.push(super::spec::absent(column, &wanted, &file.found.name, &there));
        }
        let field = |column: &SourceColumn| match &column.origin {
            Origin::Field(name) if has(&column.origin) => Some((name.clone(), column.clone())),
            _ => None,
        };
        let columns = spec.columns.iter().filter_map(field).collect();
        let sheet = Sheet::new(spec, file, b'.', has);
        let row = from.map_or(0, |mark| mark.row);
        Ok(SingleFile { kind, file: file.clone(), sheet, columns, ignored: Ignored::default(), absent, row })
    }

    fn content(&self) -> Result<Content, Reason> {
        let bytes = open::whole(&self.file.found).map_err(|error| error.message)?;
        let shape = self.columns.iter().find_map(|(field, column)| match &column.column.ty {
            Type::Tensor(shape) if *field == *self.kind.main() => Some(shape.as_slice()),
            _ => None,
        });
        match self.kind {
            Kind::Sound => sound::decode(&bytes),
            Kind::Picture => picture::decode(&bytes, shape.unwrap_or_default()),
        }
    }

    /// Appends one value to every builder; answers with the first thing that is wrong.
    fn fill(&mut self, content: &Content) -> Option<Reason> {
        let mut why = None;
        for ((field, column), builder) in self.columns.iter().zip(&mut self.sheet.builders) {
            let done = match field.as_str() {
                "file" => builder.append_text(self.file.found.name.as_bytes()),
                "rate" => builder.append_int(content.rate_hz.map_or(0, i64::from)),
                "channels" => builder.append_int(content.channels.into()),
                "height" => builder.append_int(content.shape.first().map_or(0, |size| (*size).into())),
                "width" => builder.append_int(content.shape.get(1).map_or(0, |size| (*size).into())),
                _ => match other_rate(&column.column.ty, content) {
                    // Why the row is bad is said, not that the value is missing.
                    Some(reason) => {
                        let _missing = builder.append_null();
                        Err(reason)
                    }
                    None => builder.append_numbers(&content.numbers),
                },
            };
            if let Err(reason) = done {
                why.get_or_insert(reason);
            }
        }
        why
    }
}

fn other_rate(ty: &Type, content: &Content) -> Option<Reason> {
    let Type::Signal(declared) = ty else { return None };
    let found = content.rate_hz.filter(|found| found != declared)?;
    Some(format!("it has {found} samples a second, and {declared} are declared"))
}

impl Records for SingleFile {
    fn read(&mut self) -> Result<Option<Decoded>, IoError> {
        if self.row > 0 {
            return Ok(None);
        }
        self.row = 1;
        let name = self.file.found.name.clone();
        match self.content() {
            Ok(content) => {
                let why = self.fill(&content);
                self.sheet.end(0, why, || (name.as_bytes().to_vec(), 1));
            }
            Err(reason) => self.sheet.bad(0, reason, || (name.as_bytes().to_vec(), 1)),
        }
        self.sheet.finish().map(Some)
    }

    fn mark(&self) -> Mark {
        Mark { row: self.row, byte: None, line: 0 }
    }

    fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    fn absent(&self) -> &[String] {
        &self.absent
    }
}

#[cfg(test)]
mod tests;
