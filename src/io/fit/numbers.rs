//! Lists of numbers in columnar files as tensors and signals, without a detour through text.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, LargeListArray, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type};

use crate::io::error::{IoError, arrow_refuses};
use crate::io::list::Flat;
use crate::node::{Unfit, wrong_count};

/// Lists in lists, outermost first, and the numbers in the innermost.
pub(super) struct Numbers {
    levels: Vec<Lists>,
    leaf: Float32Array,
}

enum Lists {
    Fixed(FixedSizeListArray),
    Small(ListArray),
    Large(LargeListArray),
}

impl Numbers {
    /// None where something else than numbers is in the lists.
    pub fn of(values: &ArrayRef) -> Result<Option<Numbers>, IoError> {
        let mut levels = Vec::new();
        let mut inner = values.clone();
        while let Some(lists) = Lists::of(&inner) {
            inner = lists.values();
            levels.push(lists);
        }
        let is_number = inner.data_type().is_numeric() && !matches!(inner.data_type(), DataType::Decimal128(..));
        if levels.is_empty() || !is_number {
            return Ok(None);
        }
        let leaf = cast(&inner, &DataType::Float32).map_err(arrow_refuses)?.as_primitive::<Float32Type>().clone();
        Ok(Some(Numbers { levels, leaf }))
    }

    /// Adds row `row` as one value, null where it answers with an error.
    pub fn add(&self, row: usize, to: &mut Flat) -> Result<(), Unfit> {
        let shape = to.shape().map(<[u32]>::to_vec);
        to.add(|out| self.gather(0, row, shape.as_deref(), out))
    }

    fn gather(&self, level: usize, row: usize, shape: Option<&[u32]>, out: &mut Vec<f32>) -> Result<(), Unfit> {
        let lists = &self.levels[level];
        if lists.is_null(row) {
            return Err(Unfit::Null);
        }
        let range = lists.range(row);
        self.fits(level, range.len(), shape)?;
        if level + 1 < self.levels.len() {
            return range.into_iter().try_for_each(|inner| self.gather(level + 1, inner, shape, out));
        }
        let numbers = &self.leaf.values()[range.clone()];
        if self.leaf.null_count() > 0 && range.clone().any(|at| self.leaf.is_null(at)) || numbers.iter().any(|it| it.is_nan()) {
            return Err(Unfit::Null);
        }
        match numbers.iter().find(|it| it.is_infinite()) {
            Some(_) => Err(Unfit::Wrong("holds a number that is too large for 32 bits".to_owned())),
            None => {
                out.extend_from_slice(numbers);
                Ok(())
            }
        }
    }

    /// One list may hold all numbers of a tensor; where there are more, they are nested as the shape says.
    fn fits(&self, level: usize, found: usize, shape: Option<&[u32]>) -> Result<(), Unfit> {
        let depth = self.levels.len();
        match shape {
            _ if depth == 1 => Ok(()),
            Some(shape) if shape.len() == depth && shape[level] as usize == found => Ok(()),
            Some(shape) if shape.len() == depth && level + 1 == depth => Err(wrong_count(found, shape[level] as usize)),
            Some(shape) if shape.len() == depth => {
                Err(Unfit::Wrong(format!("has {found} lists where its shape has {}", shape[level])))
            }
            Some(shape) => Err(Unfit::Wrong(format!("is nested {depth} deep where its shape has {} dimensions", shape.len()))),
            None => Err(Unfit::Wrong("holds lists, which are no samples".to_owned())),
        }
    }
}

impl Lists {
    fn of(values: &ArrayRef) -> Option<Lists> {
        match values.data_type() {
            DataType::List(_) => Some(Lists::Small(values.as_list::<i32>().clone())),
            DataType::LargeList(_) => Some(Lists::Large(values.as_list::<i64>().clone())),
            DataType::FixedSizeList(..) => Some(Lists::Fixed(values.as_fixed_size_list().clone())),
            _ => None,
        }
    }

    fn values(&self) -> ArrayRef {
        match self {
            Lists::Fixed(lists) => lists.values().clone(),
            Lists::Small(lists) => lists.values().clone(),
            Lists::Large(lists) => lists.values().clone(),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Lists::Fixed(lists) => lists.is_null(row),
            Lists::Small(lists) => lists.is_null(row),
            Lists::Large(lists) => lists.is_null(row),
        }
    }

    fn range(&self, row: usize) -> Range<usize> {
        match self {
            Lists::Fixed(lists) => {
                let from = lists.value_offset(row) as usize;
                from..from + lists.value_length() as usize
            }
            Lists::Small(lists) => lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize,
            Lists::Large(lists) => lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{FixedSizeListArray, Int64Array, ListArray};
    use arrow::datatypes::{Float64Type, Int32Type};

    use super::*;

    fn read(values: ArrayRef, shape: &[u32]) -> (ArrayRef, Vec<(usize, Unfit)>) {
        let mut flat = Flat::tensors(shape);
        let numbers = Numbers::of(&values).unwrap().unwrap();
        let wrong = (0..values.len()).filter_map(|row| numbers.add(row, &mut flat).err().map(|why| (row, why))).collect();
        (flat.finish(), wrong)
    }

    #[test]
    fn lists_of_any_number_type_are_read_and_a_null_in_one_makes_it_null() {
        let rows = [Some([1.5, 2.0].map(Some).to_vec()), None, Some(vec![Some(1.0), None]), Some(vec![Some(f64::NAN); 2])];
        let lists: ArrayRef = Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, 2));
        let (values, wrong) = read(lists.slice(0, 4), &[2]);
        assert_eq!(values.as_fixed_size_list().value(0).as_primitive::<Float32Type>().values().to_vec(), [1.5, 2.0]);
        assert_eq!((values.null_count(), wrong), (3, vec![(1, Unfit::Null), (2, Unfit::Null), (3, Unfit::Null)]));
    }

    #[test]
    fn a_slice_reads_its_own_rows() {
        let rows = (0..5).map(|row| Some(vec![Some(row), Some(row * 10)]));
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows));
        let (values, wrong) = read(lists.slice(3, 2), &[1, 2]);
        assert_eq!(wrong, []);
        assert_eq!(values.as_fixed_size_list().value(1).as_primitive::<Float32Type>().values().to_vec(), [4.0, 40.0]);
    }

    #[test]
    fn nested_lists_have_to_be_of_the_shape() {
        let inner = ListArray::from_iter_primitive::<Float64Type, _, _>((0..6).map(|row| Some(vec![Some(f64::from(row)); 3])));
        let field = arrow::datatypes::Field::new_list_field(inner.data_type().clone(), true);
        let ends = arrow::buffer::OffsetBuffer::from_lengths([2, 2, 2]);
        let lists: ArrayRef = Arc::new(ListArray::new(Arc::new(field), ends, Arc::new(inner), None));
        assert_eq!(read(lists.clone(), &[2, 3]).1, []);
        let (_, wrong) = read(lists.slice(0, 1), &[3, 2]);
        assert_eq!(wrong, [(0, Unfit::Wrong("has 2 lists where its shape has 3".into()))]);
        let (_, wrong) = read(lists.slice(0, 1), &[6]);
        assert_eq!(wrong, [(0, Unfit::Wrong("is nested 2 deep where its shape has 1 dimensions".into()))]);
    }

    #[test]
    fn what_is_no_list_of_numbers_goes_another_way() {
        assert!(Numbers::of(&(Arc::new(Int64Array::from(vec![1])) as ArrayRef)).unwrap().is_none());
    }
}
