//! How a recording with an event time is read: whether its files are in time order, and so whether they can be streamed.

use std::fs;
use std::sync::Arc;

use crate::io::error::IoError;
use crate::io::open::Packing;
use crate::io::records::Mark;
use crate::io::sheet::FileAt;
use crate::io::spec::Spec;
use crate::ir::TimeSpec;

use super::Shelf;
use super::merge::{Merge, Run};

/// Recordings of text up to this size are read whole and put in order in memory, which spares the survey.
/// In tests the limit lies among the sizes of small files, so that they go both ways.
const READ_WHOLE_BYTES: u64 = if cfg!(test) { 600 } else { 32 * 1024 * 1024 };

/// A packed byte is reckoned as so many.
const UNPACKED: u64 = 8;

/// What one reading of the times of a file tells.
struct Survey {
    rows: u64,
    /// None where no row has a time.
    first: Option<i64>,
    sorted: bool,
}

/// One run per file that is in time order, and one per file that must be sorted in memory.
pub(super) fn plan(shelf: &mut Shelf) -> Result<Merge, IoError> {
    let small = size(&shelf.files) <= READ_WHOLE_BYTES;
    if small && shelf.format.is_text() {
        return Ok(Merge::of(vec![Run::whole(0..shelf.files.len())]));
    }
    let spec = Arc::new(only_time(&shelf.spec));
    let (mut runs, mut rows) = (Vec::new(), 0);
    for nth in 0..shelf.files.len() {
        shelf.files[nth].rows_before = rows;
        let survey = survey(&spec, shelf, nth)?;
        rows += survey.rows;
        runs.extend(survey.first.map(|first| if survey.sorted { Run::stream(nth, first) } else { Run::whole(nth..nth + 1) }));
    }
    Ok(Merge::of(runs))
}

fn size(files: &[FileAt]) -> u64 {
    let of = |file: &FileAt| {
        let bytes = fs::metadata(&file.found.path).map_or(0, |meta| meta.len());
        if Packing::of(&file.found.path) == Packing::None { bytes } else { bytes.saturating_mul(UNPACKED) }
    };
    files.iter().map(of).sum()
}

/// The columns from which the time is worked out, without the others' bad rows.
fn only_time(spec: &Spec) -> Spec {
    let read = match &spec.time {
        TimeSpec::Column { expr, .. } => expr.columns(),
        TimeSpec::None | TimeSpec::Arrival | TimeSpec::Every { .. } => Vec::new(),
    };
    let columns: Vec<_> = spec.columns.iter().filter(|column| read.contains(&column.column.name)).cloned().collect();
    spec.with_columns(columns)
}

fn survey(spec: &Arc<Spec>, shelf: &Shelf, nth: usize) -> Result<Survey, IoError> {
    let file = &shelf.files[nth];
    let mut records = shelf.open_file(spec, file, None::<Mark>)?;
    let (mut first, mut newest, mut sorted) = (None::<i64>, i64::MIN, true);
    while let Some(decoded) = records.read()? {
        let from = crate::io::gate::From {
            name: &file.found.name,
            rows_before: file.rows_before,
            arrival: crate::io::gate::Arrival::Unknown,
        };
        let block = crate::io::gate::timed(spec, decoded, &from)?;
        for at in block.time.iter().flat_map(|time| time.iter()) {
            sorted &= *at >= newest;
            newest = newest.max(*at);
            first = Some(first.map_or(*at, |first| first.min(*at)));
        }
    }
    Ok(Survey { rows: records.mark().row, first, sorted })
}
