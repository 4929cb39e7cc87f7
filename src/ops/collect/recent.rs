//! The last rows of a stream, by number and by age.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch, UInt64Array, cast::AsArray};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt64Type};

use crate::base::{Duration, Name};
use crate::node::NodeError;

use super::super::error::{failed, unreadable};
use super::super::table::{column_named, table, widened};
use super::HISTORY;

/// Small pieces are joined up to this many rows.
const PIECE_ROWS: usize = 65_536;

/// Pieces in the order in which they came, each with the running numbers of its rows as one more column at the end. The first
/// may still hold rows that are due to leave; `save` never does.
pub(super) struct Recent {
    schema: SchemaRef,
    numbered: SchemaRef,
    most: usize,
    /// Rows older than the newest time by more than this leave.
    within: Option<Duration>,
    pieces: VecDeque<RecordBatch>,
    rows: usize,
    /// How many rows have come by; the last `most` of them may stay, whatever became of those between.
    seen: u64,
    /// The newest time seen, in microseconds.
    newest: i64,
}

const NUMBER: &str = "@number";
const NUMBERS: &str = "numbers";
const PROGRESS: &str = "progress";
const SEEN: &str = "seen";
const NEWEST: &str = "newest";

impl Recent {
    pub fn new(schema: SchemaRef, most: usize, within: Option<Duration>) -> Recent {
        let mut fields = schema.fields().to_vec();
        fields.push(Arc::new(Field::new(NUMBER, DataType::UInt64, true)));
        let numbered = Arc::new(Schema::new(fields));
        Recent { schema, numbered, most, within, pieces: VecDeque::new(), rows: 0, seen: 0, newest: i64::MIN }
    }

    pub fn push(&mut self, rows: RecordBatch) -> Result<usize, NodeError> {
        let numbers: UInt64Array = (self.seen..self.seen + rows.num_rows() as u64).map(Some).collect();
        self.add(rows, numbers)
    }

    /// `numbers` rise.
    fn add(&mut self, rows: RecordBatch, numbers: UInt64Array) -> Result<usize, NodeError> {
        if let Some(newest) = times(&rows)?.and_then(|times| arrow::compute::max(&times)) {
            self.newest = self.newest.max(newest);
        }
        self.seen = numbers.values().last().map_or(self.seen, |last| last + 1);
        self.rows += rows.num_rows();
        self.pieces.push_back(widened(&rows, &self.numbered, vec![Arc::new(numbers)])?);
        self.join_last()?;
        self.forget()
    }

    /// Joins pieces of like size, so that each row is copied a few times only, however small the batches are.
    fn join_last(&mut self) -> Result<(), NodeError> {
        while let [.., before, last] = self.pieces.make_contiguous()
            && before.num_rows() <= 2 * last.num_rows()
            && before.num_rows() + last.num_rows() <= PIECE_ROWS
        {
            let joined = concat_batches(&self.numbered, [&*before, &*last]).map_err(failed)?;
            self.pieces.truncate(self.pieces.len() - 2);
            self.pieces.push_back(joined);
        }
        Ok(())
    }

    /// Whole pieces only; what is left of the first is cut off when the history is looked at.
    fn forget(&mut self) -> Result<usize, NodeError> {
        let mut left = 0;
        while let Some(first) = self.pieces.front() {
            let beyond = numbers(first).last().is_some_and(|number| *number < self.first_number());
            let newest = times(first)?.and_then(|times| arrow::compute::max(&times));
            let too_old = newest.zip(self.oldest()).is_some_and(|(newest, oldest)| newest < oldest);
            if !beyond && !too_old {
                break;
            }
            left += first.num_rows();
            self.rows -= first.num_rows();
            self.pieces.pop_front();
        }
        Ok(left)
    }

    fn oldest(&self) -> Option<i64> {
        self.within.map(|within| self.newest.saturating_sub(within.0))
    }

    /// The least number that may stay.
    fn first_number(&self) -> u64 {
        self.seen.saturating_sub(self.most as u64)
    }

    /// Exactly the rows that belong to the history, numbered.
    fn exact(&self) -> Result<RecordBatch, NodeError> {
        let all = concat_batches(&self.numbered, &self.pieces).map_err(failed)?;
        let from = numbers(&all).partition_point(|number| *number < self.first_number());
        let last = all.slice(from, all.num_rows() - from);
        match (self.oldest(), times(&last)?) {
            (Some(oldest), Some(times)) => {
                let young: BooleanArray = times.iter().map(|time| Some(time.is_none_or(|time| time >= oldest))).collect();
                filter_record_batch(&last, &young).map_err(failed)
            }
            _ => Ok(last),
        }
    }

    pub fn save(&mut self, tables: &mut BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        let exact = self.exact()?;
        let columns = exact.columns();
        let (number, columns) = columns.split_last().expect("the numbers are a column");
        tables.insert(HISTORY.into(), table(&self.schema, columns.to_vec(), exact.num_rows())?);
        let field = Field::new(NUMBER, DataType::UInt64, true);
        tables.insert(NUMBERS.into(), table(&Arc::new(Schema::new(vec![field])), vec![Arc::clone(number)], exact.num_rows())?);
        tables.insert(PROGRESS.into(), self.progress()?);
        self.rows = exact.num_rows();
        self.pieces = VecDeque::from([exact]);
        Ok(())
    }

    /// A history without numbers, as another kind leaves it, is numbered anew.
    pub fn load(&mut self, tables: &BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        let history = tables.get(HISTORY).ok_or_else(|| unreadable("it has no history"))?.clone();
        *self = Recent::new(SchemaRef::clone(&self.schema), self.most, self.within);
        let (Some(saved), Some(progress)) = (tables.get(NUMBERS), tables.get(PROGRESS)) else {
            return self.push(history).map(|_| ());
        };
        let numbers = column_named(saved, NUMBER)?.as_primitive_opt::<UInt64Type>().cloned();
        let numbers = numbers.filter(|numbers| numbers.len() == history.num_rows());
        self.add(history, numbers.ok_or_else(|| unreadable("the rows of its history have no numbers"))?)?;
        self.resume(progress)
    }

    fn progress(&self) -> Result<RecordBatch, NodeError> {
        let fields = vec![Field::new(SEEN, DataType::UInt64, true), Field::new(NEWEST, DataType::Int64, true)];
        let seen = Arc::new(UInt64Array::from(vec![self.seen]));
        table(&Arc::new(Schema::new(fields)), vec![seen, Arc::new(Int64Array::from(vec![self.newest]))], 1)
    }

    /// The last row and the newest one may have left the history.
    fn resume(&mut self, progress: &RecordBatch) -> Result<(), NodeError> {
        let seen = column_named(progress, SEEN)?.as_primitive_opt::<UInt64Type>().and_then(|seen| seen.values().first());
        let newest = column_named(progress, NEWEST)?.as_primitive_opt::<Int64Type>().and_then(|newest| newest.values().first());
        let (seen, newest) = seen.zip(newest).ok_or_else(|| unreadable("it does not say how many rows it has seen"))?;
        (self.seen, self.newest) = (*seen, *newest);
        Ok(())
    }
}

fn numbers(rows: &RecordBatch) -> &[u64] {
    rows.columns().last().map_or(&[], |column| column.as_primitive::<UInt64Type>().values())
}

fn times(rows: &RecordBatch) -> Result<Option<Int64Array>, NodeError> {
    let Some(column) = rows.column_by_name("@time") else { return Ok(None) };
    let whole = cast(column, &DataType::Int64).map_err(failed)?;
    Ok(Some(whole.as_primitive::<Int64Type>().clone()).filter(|times| times.len() > times.null_count()))
}
