//! Features that come in beside the rows that they belong to: of each ordinal, until its rows have come.

use std::ops::Range;

use arrow::array::{RecordBatch, UInt64Array, cast::AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::node::{Batch, NodeError, Ordinal, State};

use super::super::error::{failed, unreadable};
use super::super::table::table;

const WAITING: &str = "waiting";

/// Holds no more than one span of its input: the rows of a span follow its features at once.
pub(super) struct Waiting {
    schema: SchemaRef,
    rows: RecordBatch,
    ordinals: Vec<u64>,
}

impl Waiting {
    /// `schema` is that of the features.
    pub fn new(schema: SchemaRef) -> Waiting {
        Waiting { rows: RecordBatch::new_empty(schema.clone()), schema, ordinals: Vec::new() }
    }

    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// `features` are those of the rows of `batch`.
    pub fn put(&mut self, batch: &Batch, features: &RecordBatch) -> Result<(), NodeError> {
        self.rows = if self.ordinals.is_empty() {
            features.clone()
        } else {
            concat_batches(&self.schema, [&self.rows, features]).map_err(failed)?
        };
        self.ordinals.extend(batch.ordinals.to_column(batch.len()).iter());
        Ok(())
    }

    /// For each row of `batch` the place of its features. Several rows of one ordinal are paired in their order, and only
    /// where there are as many features.
    pub fn places(&self, batch: &Batch) -> Vec<Option<usize>> {
        let ordinals = batch.ordinals.to_column(batch.len());
        let mut places = Vec::with_capacity(ordinals.len());
        let (mut at, mut waiting) = (0, 0);
        while let Some(ordinal) = ordinals.get(at) {
            let rows = run(&ordinals, at, *ordinal);
            let features = run(&self.ordinals, waiting, *ordinal);
            let fits = rows.len() == features.len();
            places.extend(rows.clone().zip(features.start..).map(|(_, place)| fits.then_some(place)));
            (at, waiting) = (rows.end, features.end);
        }
        places
    }

    /// Forgets what belongs to ordinals before `upto`.
    pub fn drop_before(&mut self, upto: Ordinal) {
        let gone = self.ordinals.partition_point(|ordinal| *ordinal < upto.0);
        self.ordinals.drain(..gone);
        self.rows = if self.ordinals.is_empty() {
            RecordBatch::new_empty(self.schema.clone())
        } else {
            self.rows.slice(gone, self.rows.num_rows() - gone)
        };
    }

    pub fn save(&self, state: &mut State) -> Result<(), NodeError> {
        if self.ordinals.is_empty() {
            return Ok(());
        }
        let mut columns = self.rows.columns().to_vec();
        columns.push(std::sync::Arc::new(UInt64Array::from(self.ordinals.clone())));
        state.tables.insert(WAITING.into(), table(&self.saved(), columns, self.ordinals.len())?);
        Ok(())
    }

    pub fn load(&mut self, state: &State) -> Result<(), NodeError> {
        *self = Waiting::new(self.schema.clone());
        let Some(saved) = state.tables.get(WAITING) else { return Ok(()) };
        if saved.schema() != self.saved() {
            return Err(unreadable("its features are others"));
        }
        let (ordinals, features) = saved.columns().split_last().ok_or_else(|| unreadable("it has no columns"))?;
        self.ordinals = ordinals.as_primitive::<UInt64Type>().values().to_vec();
        self.rows = table(&self.schema, features.to_vec(), self.ordinals.len())?;
        Ok(())
    }

    fn saved(&self) -> SchemaRef {
        let ordinal = Field::new("@ordinal", DataType::UInt64, false);
        let fields = self.schema.fields().iter().cloned().chain([ordinal.into()]);
        Schema::new(fields.collect::<Vec<_>>()).into()
    }
}

/// Where `ordinal` stands among rising ordinals, from `from` on.
fn run(ordinals: &[u64], from: usize, ordinal: u64) -> Range<usize> {
    let start = from + ordinals[from..].partition_point(|other| *other < ordinal);
    let rows = ordinals[start..].partition_point(|other| *other == ordinal);
    start..start + rows
}
