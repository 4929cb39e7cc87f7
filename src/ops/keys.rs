//! Keys of rows as small numbers, in the order in which they first appear.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use crate::base::Name;
use crate::ir;
use crate::node::NodeError;

use super::error::{failed, ill_formed, too_many};
use super::expr::{Expression, Scope};

/// How many keys one stage remembers.
pub(super) const KEYS_MAX: usize = 1_000_000;

/// The number of a key.
pub(super) type Id = u32;

/// Of a row whose key is null: it matches nothing.
pub(super) const NO_KEY: Id = Id::MAX;

/// The columns that make a key, ready to be read from a batch.
#[derive(Clone, Debug)]
pub(super) struct KeyColumns {
    values: Vec<Expression>,
    names: Vec<Name>,
}

/// The keys seen so far. Without key columns there is one key, from the start.
pub(super) struct Keys {
    types: Vec<DataType>,
    values: Option<Box<dyn GroupValues>>,
    /// Bytes whose order is the order of the keys, by number.
    order: Vec<OwnedRow>,
    converter: RowConverter,
    scratch: Vec<usize>,
}

impl KeyColumns {
    pub fn new(by: &[Name], input: &ir::Schema) -> Result<KeyColumns, NodeError> {
        let scope = Scope::of(input);
        let value = |name: &Name| {
            let column = input.get(name).ok_or_else(|| ill_formed(format!("no key column `{name}` comes in")))?;
            Expression::key(column, &scope)
        };
        Ok(KeyColumns { values: by.iter().map(value).collect::<Result<_, _>>()?, names: by.to_vec() })
    }

    pub fn names(&self) -> &[Name] {
        &self.names
    }

    pub fn types(&self) -> Vec<DataType> {
        self.values.iter().map(|value| value.data_type().clone()).collect()
    }

    pub fn read(&self, rows: &arrow::array::RecordBatch) -> Result<Vec<ArrayRef>, NodeError> {
        self.values.iter().map(|value| value.evaluate(rows)).collect()
    }
}

impl Keys {
    pub fn new(types: Vec<DataType>) -> Result<Keys, NodeError> {
        let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect()).map_err(failed)?;
        let fields: Vec<Field> =
            types.iter().enumerate().map(|(at, ty)| Field::new(format!("key{at}"), ty.clone(), true)).collect();
        let values = match types.is_empty() {
            true => None,
            false => Some(new_group_values(Schema::new(fields).into(), &GroupOrdering::None).map_err(failed)?),
        };
        Ok(Keys { types, values, order: Vec::new(), converter, scratch: Vec::new() })
    }

    pub fn len(&self) -> usize {
        if self.types.is_empty() { 1 } else { self.order.len() }
    }

    /// The number of each row's key, new ones included; [`NO_KEY`] where a part of it is null.
    pub fn ids(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Id>, NodeError> {
        let nulls = columns.iter().fold(None, |nulls, column| NullBuffer::union(nulls.as_ref(), column.nulls()));
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => self.known(columns, rows),
            Some(valid) => {
                let mask = valid.inner().clone().into();
                let kept = columns.iter().map(|column| filter(column, &mask)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
                let known = self.known(&kept, rows - valid.null_count())?;
                let mut known = known.into_iter();
                Ok(valid.iter().map(|valid| if valid { known.next().unwrap_or(NO_KEY) } else { NO_KEY }).collect())
            }
        }
    }

    fn known(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Id>, NodeError> {
        let Some(values) = &mut self.values else { return Ok(vec![0; rows]) };
        values.intern(columns, &mut self.scratch).map_err(failed)?;
        if values.len() > KEYS_MAX {
            return Err(too_many("keys", KEYS_MAX));
        }
        self.remember_new(columns)?;
        Ok(self.scratch.iter().map(|id| *id as Id).collect())
    }

    /// New keys are rare, so this looks for them only where the count has grown.
    fn remember_new(&mut self, columns: &[ArrayRef]) -> Result<(), NodeError> {
        let total = self.values.as_ref().map_or(0, |values| values.len());
        let mut row = 0;
        while self.order.len() < total {
            let new = self.order.len();
            row += self.scratch[row..].iter().position(|id| *id == new).expect("a new key has a first row");
            let one: Vec<ArrayRef> = columns.iter().map(|column| column.slice(row, 1)).collect();
            self.order.push(self.converter.convert_columns(&one).map_err(failed)?.row(0).owned());
        }
        Ok(())
    }

    /// In the order of the key columns, each rising.
    pub fn compare(&self, left: Id, right: Id) -> Ordering {
        if self.types.is_empty() { Ordering::Equal } else { self.order[left as usize].cmp(&self.order[right as usize]) }
    }

    /// The key columns of these keys.
    pub fn columns(&self, ids: impl Iterator<Item = Id>) -> Result<Vec<ArrayRef>, NodeError> {
        if self.types.is_empty() {
            return Ok(Vec::new());
        }
        self.converter.convert_rows(ids.map(|id| self.order[id as usize].row())).map_err(failed)
    }

    /// Forgets all keys but these, which are numbered anew from 0 in this order.
    pub fn keep(&mut self, ids: &[Id]) -> Result<(), NodeError> {
        let columns = self.columns(ids.iter().copied())?;
        *self = Keys::new(std::mem::take(&mut self.types))?;
        self.ids(&columns, ids.len()).map(|_| ())
    }
}
