//! Reference data: the file of a `table`, read as a whole.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::node::{self, Ordinal};
use crate::plan::{Connection, Decode, Gate};

use super::error::IoError;
use super::intake::{End, Intake, Pending, Taken};
use super::place::{Mode, Place};

/// So many rows a table has at most.
pub const TABLE_ROWS_MAX: usize = 1_000_000;

/// How many rows are asked for at once.
const ROWS_AT_ONCE: usize = 8_192;

/// All rows of the table.
///
/// # Errors
/// Where the file cannot be opened or read, a row in it does not fit the declared columns, or it has too many.
pub fn table(table: &ir::Table, place: &Place) -> Result<RecordBatch, Diagnostic> {
    let connection =
        Connection { recorded: Some(table.recorded.clone()), live: None, keep: None, columns: table.columns.clone() };
    let decode = Decode { columns: table.columns.clone() };
    let gate = Gate { time: ir::TimeSpec::None, limits: ir::Limits::default() };
    let end = End { mode: Mode::Recorded, from: None };
    let mut intake = Intake::open(&table.name, &connection, &decode, &gate, &table.schema, place, end)?;
    let (mut pieces, mut rows) = (Vec::new(), 0);
    while let Pending::Rows { .. } = intake.pending().map_err(IoError::diagnostic)? {
        let Taken { batch, bad, .. } = intake.take(ROWS_AT_ONCE, None, Ordinal(0).plus(rows)).map_err(IoError::diagnostic)?;
        if let Some(bad) = bad.filter(|bad| bad.num_rows() > 0) {
            return Err(bad_row(table, &bad));
        }
        rows += batch.len();
        if rows > TABLE_ROWS_MAX {
            return Err(too_many_rows(table));
        }
        pieces.push(batch.rows);
    }
    let schema = node::schema(&table.schema);
    concat_batches(&schema, &pieces).map_err(|error| Diagnostic::new(Code::R0001, error.to_string()).at(table.span, ""))
}

/// E0715.
fn bad_row(table: &ir::Table, bad: &RecordBatch) -> Diagnostic {
    let text = |name: &str| {
        let column = bad.column_by_name(name)?;
        arrow::util::display::array_value_to_string(column, 0).ok().filter(|text| !text.is_empty())
    };
    let (reason, raw) = (text("reason").unwrap_or_default(), text("raw").unwrap_or_default());
    let at = text("origin").map(|origin| format!(" ({origin})")).unwrap_or_default();
    Diagnostic::new(Code::E0715, format!("a row of the table `{}` cannot be read{at}: {reason}", table.name))
        .at(table.span, format!("the row is {raw:?}"))
        .help("mend the file: a table is whole or is not used")
}

/// R0010.
fn too_many_rows(table: &ir::Table) -> Diagnostic {
    Diagnostic::new(Code::R0010, format!("the table `{}` has more than {TABLE_ROWS_MAX} rows", table.name))
        .at(table.span, "")
        .help("read it as a source, and bring its rows with `asof`")
}
