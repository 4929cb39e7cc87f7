//! The rows of one input, cell by cell, with key, time and ordinal; and columns that are made of cells again.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, cast::AsArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};

use crate::base::Name;
use crate::ir;
use crate::node::{self, Batch, NodeError, Ordinal};

use super::cell::{self, Cell, Reader};
use super::error::{failed, ill_formed, unreadable};
use super::keys::KeyColumns;
use super::table::{column_named, table};

/// How rows of one input are read.
pub(super) struct Side {
    by: KeyColumns,
    converter: RowConverter,
    time: Option<Name>,
    /// What is remembered of each row, with what it is called in the state.
    columns: Vec<(Name, DataType)>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub ordinal: Ordinal,
    /// None where a part of it is null.
    pub key: Option<OwnedRow>,
    /// In microseconds; none where it is null, or rows have none.
    pub time: Option<i64>,
    pub cells: Arc<[Cell]>,
}

pub(super) const ORDINAL: &str = "@ordinal";

impl Side {
    /// Of `input`, these columns are remembered.
    pub fn new(on: &[Name], input: &ir::Schema, columns: impl Iterator<Item = Name>) -> Result<Side, NodeError> {
        let by = KeyColumns::new(on, input)?;
        let fields: Vec<SortField> = by.types().into_iter().map(SortField::new).collect();
        // Without keys all rows have the same one.
        let fields = if fields.is_empty() { vec![SortField::new(DataType::Boolean)] } else { fields };
        let column = |name: Name| {
            let found = input.get(&name).ok_or_else(|| ill_formed(format!("no column `{name}` comes in")))?;
            Ok((name, node::data_type(&found.ty)))
        };
        let columns = columns.map(column).collect::<Result<_, NodeError>>()?;
        Ok(Side { converter: RowConverter::new(fields).map_err(failed)?, by, time: input.time.clone(), columns })
    }

    pub fn columns(&self) -> &[(Name, DataType)] {
        &self.columns
    }

    pub fn rows(&self, batch: &Batch) -> Result<Vec<Seen>, NodeError> {
        let ordinals = batch.ordinals.to_column(batch.len());
        let keys = self.keys(&self.by.read(&batch.rows)?, batch.len())?;
        let times = self.times(&batch.rows)?;
        let readers = self.readers(&batch.rows)?;
        let row = |(row, key): (usize, Option<OwnedRow>)| {
            let time = times.as_ref().filter(|times| times.is_valid(row)).map(|times| times.value(row));
            Ok(Seen { ordinal: Ordinal(ordinals[row]), key, time, cells: cells(&readers, row)? })
        };
        keys.into_iter().enumerate().map(row).collect()
    }

    /// Of each row.
    pub fn keys_of(&self, rows: &RecordBatch) -> Result<Vec<Option<OwnedRow>>, NodeError> {
        self.keys(&self.by.read(rows)?, rows.num_rows())
    }

    /// The times of rows, where they have some.
    pub fn times(&self, rows: &RecordBatch) -> Result<Option<Int64Array>, NodeError> {
        let Some(time) = &self.time else { return Ok(None) };
        let whole = cast(column_named(rows, time)?, &DataType::Int64).map_err(failed)?;
        Ok(Some(whole.as_primitive::<Int64Type>().clone()))
    }

    /// The key columns of these keys.
    pub fn key_columns<'a>(&self, keys: impl Iterator<Item = &'a OwnedRow>) -> Result<Vec<ArrayRef>, NodeError> {
        let mut columns = self.converter.convert_rows(keys.map(OwnedRow::row)).map_err(failed)?;
        columns.truncate(self.by.names().len());
        Ok(columns)
    }

    fn keys(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Option<OwnedRow>>, NodeError> {
        let all: [ArrayRef; 1] = [Arc::new(BooleanArray::from(vec![true; rows]))];
        let columns = if columns.is_empty() { &all } else { columns };
        let converted = self.converter.convert_columns(columns).map_err(failed)?;
        let key = |row: usize| columns.iter().all(|column| column.is_valid(row)).then(|| converted.row(row).owned());
        Ok((0..rows).map(key).collect())
    }

    fn readers(&self, rows: &RecordBatch) -> Result<Vec<Reader>, NodeError> {
        self.columns.iter().map(|(name, _)| Reader::of(column_named(rows, name)?)).collect()
    }

    /// Rows as a table: keys, what is remembered, time and ordinal. Columns are found again by their names.
    pub fn save<'a>(&self, rows: impl Iterator<Item = &'a Seen> + Clone) -> Result<RecordBatch, NodeError> {
        let count = rows.clone().count();
        let mut columns = self.key_columns(rows.clone().filter_map(|seen| seen.key.as_ref()))?;
        let mut fields: Vec<Field> = self.by.types().into_iter().enumerate().map(|(nth, ty)| key_field(nth, ty)).collect();
        for (nth, (name, ty)) in self.columns.iter().enumerate() {
            columns.push(cell::column(rows.clone().map(|seen| &seen.cells[nth]), ty)?);
            fields.push(Field::new(name.as_str(), ty.clone(), true));
        }
        let ordinals: Int64Array = rows.clone().map(|seen| i64::try_from(seen.ordinal.0).ok()).collect();
        let times: Int64Array = rows.map(|seen| seen.time).collect();
        for (name, column) in [(ORDINAL, ordinals), (TIME, times)] {
            columns.push(Arc::new(column));
            fields.push(Field::new(name, DataType::Int64, true));
        }
        table(&Arc::new(Schema::new(fields)), columns, count)
    }

    /// A column that was not remembered then is null.
    pub fn load(&self, saved: &RecordBatch) -> Result<Vec<Seen>, NodeError> {
        let types = self.by.types().into_iter().enumerate();
        let keys = types.map(|(nth, ty)| named(saved, key_field(nth, ty).name()).cloned()).collect::<Result<Vec<_>, _>>()?;
        if keys.iter().zip(self.by.types()).any(|(column, ty)| *column.data_type() != ty) {
            return Err(unreadable("its keys are of another type"));
        }
        let keys = self.keys(&keys, saved.num_rows())?;
        let column = |(name, ty): &(Name, DataType)| match saved.column_by_name(name) {
            Some(column) if column.data_type() == ty => Reader::of(column),
            Some(_) | None => Reader::of(&new_null_array(ty, saved.num_rows())),
        };
        let readers = self.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let (ordinals, times) = (whole(saved, ORDINAL)?, whole(saved, TIME)?);
        let row = |(row, key): (usize, Option<OwnedRow>)| {
            let ordinal = ordinals.is_valid(row).then(|| u64::try_from(ordinals.value(row)).ok()).flatten();
            let ordinal = Ordinal(ordinal.ok_or_else(|| unreadable("a saved row has no ordinal"))?);
            let key = Some(key.ok_or_else(|| unreadable("a saved key is null"))?);
            Ok(Seen { ordinal, key, time: times.is_valid(row).then(|| times.value(row)), cells: cells(&readers, row)? })
        };
        keys.into_iter().enumerate().map(row).collect()
    }
}

const TIME: &str = "@time of the row";

fn key_field(nth: usize, ty: DataType) -> Field {
    Field::new(format!("@key{nth}"), ty, true)
}

fn cells(readers: &[Reader], row: usize) -> Result<Arc<[Cell]>, NodeError> {
    readers.iter().map(|reader| reader.get(row)).collect()
}

fn named<'a>(saved: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, NodeError> {
    saved.column_by_name(name).ok_or_else(|| unreadable(format!("it has no column `{name}`")))
}

pub(super) fn whole(saved: &RecordBatch, name: &str) -> Result<Int64Array, NodeError> {
    let column = named(saved, name)?.as_primitive_opt::<Int64Type>().cloned();
    column.ok_or_else(|| unreadable(format!("its column `{name}` holds no whole numbers")))
}
