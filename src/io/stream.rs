//! Records that come one after the other, of a stream or of a file that grows, to rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use csv::ByteRecord;

use crate::base::Name;
use crate::ir::{CsvOptions, FileFormat};

use super::block::{At, Block};
use super::csv::{Begins, CsvDecoder, Layout, Signs, records_of};
use super::error::IoError;
use super::gate::{self, Arrival};
use super::journal::Records;
use super::json::JsonDecoder;
use super::path::Found;
use super::records::Ignored;
use super::sheet::{FileAt, Sheet};
use super::spec::Spec;

/// Decodes the records of one stream. Under `csv` with a header, the first record says which field is which.
pub(super) struct Stream {
    spec: Arc<Spec>,
    format: FileFormat,
    file: FileAt,
    /// The first record, kept for a decoder of another meaning.
    header: Option<Vec<u8>>,
    decoder: Option<Decoder>,
}

enum Decoder {
    Csv(Box<CsvDecoder>),
    Json(Box<JsonDecoder>),
}

impl Stream {
    /// Of one nameless stream, as people know it.
    pub fn new(spec: &Arc<Spec>, format: &FileFormat, name: &str) -> Stream {
        let found = Found::of(name.into(), name.into());
        Stream::of_file(spec, format, FileAt { found, index: 0, rows_before: 0, fixed: vec![] })
    }

    pub fn of_file(spec: &Arc<Spec>, format: &FileFormat, file: FileAt) -> Stream {
        Stream { spec: spec.clone(), format: format.clone(), file, header: None, decoder: None }
    }

    pub fn name(&self) -> &Name {
        &self.file.found.name
    }

    pub fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    /// Does the first record name the fields?
    pub fn has_header(&self) -> bool {
        matches!(&self.format, FileFormat::Csv(options) if options.header)
    }

    /// The signs that say where a record ends; none where each line is one.
    pub fn signs(&self) -> Option<Signs> {
        signs(&self.format)
    }

    /// Knows already which field is which?
    pub fn is_headed(&self) -> bool {
        self.decoder.is_some()
    }

    /// The first record of a stream, which is its header or a row.
    ///
    /// # Errors
    /// If it lacks a declared column; the stream is then as before.
    pub fn head(&mut self, first: &[u8]) -> Result<(), IoError> {
        if self.header.as_deref() == Some(first) && self.decoder.is_some() {
            return Ok(());
        }
        self.decoder = Some(self.decoder_for(&self.spec, Some(first))?);
        self.header = Some(first.to_vec());
        Ok(())
    }

    /// The same stream for records of another meaning, with the same header. `fixed` are the values of its path's patterns.
    pub fn retuned(&self, spec: &Arc<Spec>, fixed: Vec<(Name, ArrayRef)>) -> Result<Stream, IoError> {
        let mut stream = Stream::of_file(spec, &self.format, FileAt { fixed, ..self.file.clone() });
        stream.header = self.header.clone();
        if self.decoder.is_some() {
            stream.decoder = Some(stream.decoder_for(spec, self.header.as_deref())?);
        }
        Ok(stream)
    }

    fn decoder_for(&self, spec: &Arc<Spec>, first: Option<&[u8]>) -> Result<Decoder, IoError> {
        let FileFormat::Csv(options) = &self.format else {
            return Ok(Decoder::Json(Box::new(JsonDecoder::new(spec, &self.file)?)));
        };
        let records = records_of(first.unwrap_or_default(), options)?;
        let layout = Layout::of(spec, &self.file.found.name, options, records.first())?;
        Ok(Decoder::Csv(Box::new(CsvDecoder::new(spec, &self.file, options, layout))))
    }

    /// Records from the one numbered `from` on. The first of all has this row number, and each begins on its line. The stream
    /// must be headed.
    pub fn records(
        &mut self,
        records: &Records,
        from: usize,
        first_row: u64,
        line: impl Fn(usize) -> u64,
    ) -> Result<(), IoError> {
        let at = |nth: usize| (first_row + nth as u64, line(nth));
        match (&mut self.decoder, &self.format) {
            (Some(Decoder::Csv(decoder)), FileFormat::Csv(options)) => {
                let (text, unclosed) = mended(records, signs(&self.format));
                let whole = records_of(&text, options)?;
                for nth in from..records.len() {
                    let (row, line) = at(nth);
                    match (unclosed.get(&nth), whole.get(nth).filter(|_| whole.len() == records.len())) {
                        (Some(raw), _) => decoder.unclosed(raw.clone(), row, line),
                        (None, Some(record)) => decoder.decode(record, row, line),
                        (None, None) => one_by_one(decoder, records.get(nth), options, row, line)?,
                    }
                }
            }
            (Some(Decoder::Json(decoder)), _) => {
                for nth in from..records.len() {
                    let (row, line) = at(nth);
                    decoder.decode(records.get(nth), row, line);
                }
            }
            (Some(Decoder::Csv(_)), _) | (None, _) => unreachable!("a stream is headed before it is read"),
        }
        Ok(())
    }

    /// Everything decoded since the last time. `arrival` says when the rows at these places came.
    pub fn finish(&mut self, rows_before: u64, arrival: impl FnOnce(&[At]) -> Arrival) -> Result<Block, IoError> {
        let Some(sheet) = self.sheet() else { unreachable!("a stream is headed before it is read") };
        sheet.rows_before = rows_before;
        let decoded = sheet.finish()?;
        let arrival = arrival(&decoded.at);
        gate::timed(&self.spec, decoded, &gate::From { name: &self.file.found.name, rows_before, arrival })
    }

    fn sheet(&mut self) -> Option<&mut Sheet> {
        self.decoder.as_mut().map(|decoder| match decoder {
            Decoder::Csv(decoder) => &mut decoder.sheet,
            Decoder::Json(decoder) => &mut decoder.sheet,
        })
    }

    pub fn ignored(&self) -> Ignored {
        match &self.decoder {
            Some(Decoder::Csv(decoder)) => decoder.ignored().clone(),
            Some(Decoder::Json(decoder)) => decoder.ignored().clone(),
            None => Ignored::default(),
        }
    }
}

/// Where quotes stand so that lines do not read as one record each, a line is read by itself.
fn one_by_one(decoder: &mut CsvDecoder, text: &[u8], options: &CsvOptions, row: u64, line: u64) -> Result<(), IoError> {
    match records_of(text, options)?.as_slice() {
        [record] => decoder.decode(record, row, line),
        [] => decoder.decode(&ByteRecord::new(), row, line),
        several => {
            let reason = format!("its quotes make {} records of it", several.len());
            decoder.sheet.bad(row, reason, || (text.trim_ascii_end().to_vec(), line));
        }
    }
    Ok(())
}

/// Text in which every quote is closed, and by number the records as they were in which one was not.
fn mended(records: &Records, signs: Option<Signs>) -> (Cow<'_, [u8]>, BTreeMap<usize, Vec<u8>>) {
    let (mut text, mut unclosed) = (Cow::Borrowed(records.text.as_slice()), BTreeMap::new());
    let Some(signs) = signs.filter(|signs| text.contains(&signs.quote)) else { return (text, unclosed) };
    for nth in 0..records.len() {
        if let Begins::Unclosed(_) = signs.first(records.get(nth), true) {
            let end = records.ends[nth] as usize;
            let from = end - records.get(nth).len();
            unclosed.insert(nth, signs.mend(&mut text.to_mut()[from..end]));
        }
    }
    (text, unclosed)
}

/// The signs that say where a record ends; none where each line is one.
pub(super) fn signs(format: &FileFormat) -> Option<Signs> {
    match format {
        FileFormat::Csv(CsvOptions { separator: Some(separator), quote, .. }) => {
            Some(Signs { quote: *quote as u8, separator: *separator as u8 })
        }
        FileFormat::Csv(_)
        | FileFormat::Jsonl
        | FileFormat::Json
        | FileFormat::Parquet
        | FileFormat::Arrow
        | FileFormat::Msgpack
        | FileFormat::Wav
        | FileFormat::Images
        | FileFormat::Idx { .. } => None,
    }
}
