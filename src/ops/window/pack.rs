//! `tensor([ax..gz])`: the rows of a window as one run of f32.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, FixedSizeListArray, Float32Array, Float32Builder, Float64Array,
    ListBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::common::{DataFusionError, internal_err, not_impl_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

/// Row-major: row after row, in each its columns. It does not go cell by cell, as folds do: a window of 128 rows and nine
/// columns has 1,152 numbers.
pub(super) struct Pack {
    /// Numbers of a whole tensor.
    size: usize,
    groups: Vec<Packed>,
}

/// What one group has gathered.
#[derive(Clone, Default)]
struct Packed {
    values: Vec<f32>,
    /// A value was null, or too large for f32: the tensor is null.
    missing: bool,
}

type Outcome<T> = Result<T, DataFusionError>;

impl Pack {
    pub fn new(size: usize) -> Pack {
        Pack { size, groups: Vec::new() }
    }

    /// Of a saved state: the numbers, and whether one is missing.
    pub fn state() -> Vec<DataType> {
        vec![DataType::List(item(true)), DataType::Boolean]
    }

    fn grow(&mut self, groups: usize) {
        if self.groups.len() < groups {
            self.groups.resize_with(groups, Packed::default);
        }
    }
}

impl Packed {
    fn add(&mut self, columns: &[&Float64Array], row: usize) {
        for column in columns {
            let value = column.value(row) as f32;
            self.missing |= column.is_null(row) || !value.is_finite();
            self.values.push(value);
        }
    }

    /// Windows that stayed incomplete have fewer numbers.
    fn is_whole(&self, size: usize) -> bool {
        !self.missing && self.values.len() == size
    }
}

fn item(nullable: bool) -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float32, nullable))
}

impl GroupsAccumulator for Pack {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Outcome<()> {
        self.grow(total_num_groups);
        let columns: Vec<&Float64Array> = values.iter().filter_map(|column| column.as_primitive_opt::<Float64Type>()).collect();
        if columns.len() != values.len() {
            return internal_err!("a column of a tensor holds no floats");
        }
        for (row, group) in group_indices.iter().enumerate() {
            if opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                self.groups[*group].add(&columns, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Outcome<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let mut values = Vec::with_capacity(groups.len() * self.size);
        for group in &groups {
            match group.is_whole(self.size) {
                true => values.extend_from_slice(&group.values),
                false => values.extend(std::iter::repeat_n(0.0, self.size)),
            }
        }
        let valid = NullBuffer::from_iter(groups.iter().map(|group| group.is_whole(self.size)));
        let valid = Some(valid).filter(|valid| valid.null_count() > 0);
        let values = Arc::new(Float32Array::from(values));
        Ok(Arc::new(FixedSizeListArray::try_new(item(false), self.size as i32, values, valid)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Outcome<Vec<ArrayRef>> {
        let mut values = ListBuilder::new(Float32Builder::new());
        let mut missing = BooleanBuilder::new();
        for group in emit_to.take_needed(&mut self.groups) {
            values.values().append_slice(&group.values);
            values.append(true);
            missing.append_value(group.missing);
        }
        Ok(vec![Arc::new(values.finish()), Arc::new(missing.finish())])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Outcome<()> {
        self.grow(total_num_groups);
        let [lists, missing] = values else { return internal_err!("a saved tensor has two parts") };
        let (Some(lists), Some(missing)) = (lists.as_list_opt::<i32>(), missing.as_boolean_opt()) else {
            return internal_err!("a saved tensor holds numbers and a mark");
        };
        for (row, group) in group_indices.iter().enumerate() {
            let group = &mut self.groups[*group];
            group.values.extend_from_slice(lists.value(row).as_primitive::<Float32Type>().values());
            group.missing |= missing.value(row);
        }
        Ok(())
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Outcome<Vec<ArrayRef>> {
        not_impl_err!("states are made by groups only")
    }

    fn size(&self) -> usize {
        self.groups.iter().map(|group| size_of::<Packed>() + group.values.capacity() * size_of::<f32>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns(rows: &[[Option<f64>; 2]]) -> Vec<ArrayRef> {
        (0..2).map(|nth| Arc::new(rows.iter().map(|row| row[nth]).collect::<Float64Array>()) as ArrayRef).collect()
    }

    fn packed(pack: &mut Pack) -> Vec<Option<Vec<f32>>> {
        let out = pack.evaluate(EmitTo::All).unwrap();
        let out = out.as_fixed_size_list();
        let value = |row| out.value(row).as_primitive::<Float32Type>().values().to_vec();
        (0..out.len()).map(|row| out.is_valid(row).then(|| value(row))).collect()
    }

    #[test]
    fn rows_follow_each_other_and_a_null_or_too_few_make_it_null() {
        let mut pack = Pack::new(4);
        let rows = [[1.0, 2.0], [10.0, 20.0], [3.0, 4.0], [30.0, 1e300], [7.0, 8.0]].map(|row| row.map(Some));
        pack.update_batch(&columns(&rows), &[0, 1, 0, 1, 2], None, 4).unwrap();
        pack.update_batch(&columns(&[[Some(5.0), None], [Some(5.0), Some(6.0)]]), &[3, 3], None, 4).unwrap();
        assert_eq!(packed(&mut pack), [Some(vec![1.0, 2.0, 3.0, 4.0]), None, None, None]);
    }

    proptest! {
        /// Saving and loading anywhere in between changes nothing.
        #[test]
        fn a_saved_state_goes_on(
            rows in prop::collection::vec([prop::option::weighted(0.95, -9.0..9.0f64), prop::option::of(-9.0..9.0f64)], 0..40),
            cut in 0usize..40,
        ) {
            let cut = cut.min(rows.len());
            let groups: Vec<usize> = (0..rows.len()).map(|row| row % 3).collect();
            let mut whole = Pack::new(12);
            whole.update_batch(&columns(&rows), &groups, None, 3).unwrap();
            let mut first = Pack::new(12);
            first.update_batch(&columns(&rows[..cut]), &groups[..cut], None, 3).unwrap();
            let state = first.state(EmitTo::All).unwrap();
            prop_assert_eq!(state.iter().map(|part| part.data_type().clone()).collect::<Vec<_>>(), Pack::state());
            let mut second = Pack::new(12);
            second.merge_batch(&state, &[0, 1, 2], 3).unwrap();
            second.update_batch(&columns(&rows[cut..]), &groups[cut..], None, 3).unwrap();
            prop_assert_eq!(packed(&mut second), packed(&mut whole));
        }
    }
}
