//! Accumulators of ours, for what DataFusion has no accumulator of, or one whose state does not merge back bit for bit.

mod extreme;
mod moments;
mod order;
mod samples;
mod sequence;
mod sums;
mod tally;
mod values;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, not_impl_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use crate::node::NodeError;

use super::super::cell::{self, Cell, Reader};

pub(super) use extreme::{Greatest, Least, PeakToPeak};
pub(super) use moments::{Correlation, Slope, Stddev, Variance};
pub(super) use order::{First, Last};
pub(super) use samples::Samples;
pub(super) use sequence::{MeanAbsChange, ZeroCrossings};
pub(super) use sums::{Rms, WholeSum};
pub(super) use tally::{Distinct, Mode};
pub(super) use values::Quantile;

/// What one group remembers. Rows come in order and have no null argument; states of one group merge in order, and a
/// merge into a fresh state copies it, so that saving and loading changes no bit.
pub(super) trait Fold: Clone + Send + 'static {
    /// Types of the parts of a saved state.
    fn parts(args: &[DataType]) -> Vec<DataType>;
    fn update(&mut self, args: &[Cell]);
    fn merge(&mut self, later: Self);
    fn save(&self) -> Vec<Cell>;
    /// From what `save` gave.
    fn load(&self, parts: Vec<Cell>) -> Self;
    fn value(&self, result: &DataType) -> Cell;
}

/// Folds by group, as DataFusion drives them.
pub(super) struct Folds<F> {
    fresh: F,
    groups: Vec<F>,
    args: Vec<DataType>,
    result: DataType,
}

impl<F: Fold> Folds<F> {
    pub fn new(fresh: F, args: Vec<DataType>, result: DataType) -> Folds<F> {
        Folds { fresh, groups: Vec::new(), args, result }
    }

    fn grow(&mut self, groups: usize) {
        if self.groups.len() < groups {
            self.groups.resize(groups, self.fresh.clone());
        }
    }
}

fn outside(error: NodeError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

type Outcome<T> = Result<T, DataFusionError>;

fn readers(columns: &[ArrayRef]) -> Outcome<Vec<Reader>> {
    columns.iter().map(Reader::of).collect::<Result<_, _>>().map_err(outside)
}

impl<F: Fold> GroupsAccumulator for Folds<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Outcome<()> {
        self.grow(total_num_groups);
        let readers = readers(values)?;
        let mut args = vec![Cell::Null; values.len()];
        for (row, group) in group_indices.iter().enumerate() {
            let counts = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !counts || values.iter().any(|column| column.is_null(row)) {
                continue;
            }
            for (arg, reader) in args.iter_mut().zip(&readers) {
                *arg = reader.get(row).map_err(outside)?;
            }
            self.groups[*group].update(&args);
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Outcome<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let cells: Vec<Cell> = groups.iter().map(|group| group.value(&self.result)).collect();
        cell::column(cells.iter(), &self.result).map_err(outside)
    }

    fn state(&mut self, emit_to: EmitTo) -> Outcome<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let saved: Vec<Vec<Cell>> = groups.iter().map(Fold::save).collect();
        let part = |(nth, ty): (usize, DataType)| cell::column(saved.iter().map(|parts| &parts[nth]), &ty).map_err(outside);
        F::parts(&self.args).into_iter().enumerate().map(part).collect()
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Outcome<()> {
        self.grow(total_num_groups);
        let readers = readers(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            let parts = readers.iter().map(|reader| reader.get(row)).collect::<Result<_, _>>().map_err(outside)?;
            let later = self.fresh.load(parts);
            self.groups[*group].merge(later);
        }
        Ok(())
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Outcome<Vec<ArrayRef>> {
        not_impl_err!("states are made by groups only")
    }

    fn size(&self) -> usize {
        size_of_val(&*self.groups)
    }
}
