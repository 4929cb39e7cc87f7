//! Preprocessing: from the features of a stream to the matrix of a model.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::ir::{Column, Type};
use crate::node::data_type;

use super::Matrix;
use super::column::{Encoding, NotAFeature};

/// What was learned about every feature, in the task's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    features: Vec<Column>,
    encodings: Vec<Encoding>,
    /// Of the features; derived, so that a row is checked without building types.
    #[serde(skip)]
    types: Vec<DataType>,
}

/// Where a feature stands in the rows of a model's matrix, and what shape it has there.
///
/// A tensor arrives as a run of f32, row-major, each element on its own scale: `shape` is as its column declares it, and
/// `columns` has as many places as the shape has numbers. A family that sees rows as flat numbers needs none of this; one that
/// sees shapes (a network) learns them from [`Preprocess::parts`], by the feature's name. A row in which a tensor is missing is
/// not among the rows that a family learns from, and is not predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    pub feature: &'a Column,
    /// Of [`Matrix`].
    pub columns: std::ops::Range<usize>,
    /// Of a tensor; none of a feature that is a number, a bool or one of several values.
    pub shape: Option<&'a [u32]>,
}

/// Rows as a model takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    pub x: Matrix,
    /// None where every row can be predicted.
    pub usable: Option<Vec<bool>>,
}

impl Preprocess {
    /// From `rows` of `batch`, whose first columns are the features. The error names the first feature that no model takes.
    pub fn learn(features: &[Column], batch: &RecordBatch, rows: &[usize]) -> Result<Preprocess, Column> {
        let encode = |(feature, column)| match Encoding::learn(column, rows) {
            Ok(encoding) => Ok(encoding),
            Err(NotAFeature) => Err(Column::clone(feature)),
        };
        let encodings = features.iter().zip(batch.columns()).map(encode).collect::<Result<_, _>>()?;
        Ok(Preprocess { features: features.to_vec(), encodings, types: Vec::new() }.ready())
    }

    /// After it was read from somewhere.
    pub fn ready(mut self) -> Preprocess {
        self.types = self.features.iter().map(|feature| data_type(&feature.ty)).collect();
        self
    }

    /// With numbers as they are; what is missing is still filled.
    pub fn unscaled(mut self) -> Preprocess {
        self.encodings = self.encodings.into_iter().map(Encoding::unscaled).collect();
        self
    }

    pub fn features(&self) -> &[Column] {
        &self.features
    }

    /// How many numbers a model gets for a row.
    pub fn width(&self) -> usize {
        self.encodings.iter().map(Encoding::width).sum()
    }

    /// The features in the order in which they stand in a row, without gaps.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut from = 0;
        let mut parts = Vec::with_capacity(self.features.len());
        for (feature, encoding) in self.features.iter().zip(&self.encodings) {
            let columns = from..from + encoding.width();
            from = columns.end;
            let shape = if let Type::Tensor(shape) = &feature.ty { Some(shape.as_slice()) } else { None };
            parts.push(Part { feature, columns, shape });
        }
        parts
    }

    /// What each of these numbers means.
    pub fn names(&self) -> Vec<String> {
        self.features.iter().zip(&self.encodings).flat_map(|(feature, encoding)| encoding.names(&feature.name)).collect()
    }

    /// The first feature that `batch` lacks or has in another type, with what it has there.
    pub fn misfit(&self, batch: &RecordBatch) -> Option<(&Column, Option<DataType>)> {
        let found = |at: usize| batch.columns().get(at).map(|column| column.data_type());
        let misfits = self.types.iter().enumerate().filter(|(at, ty)| found(*at) != Some(*ty));
        misfits.map(|(at, _)| (&self.features[at], found(at).cloned())).next()
    }

    /// Of every row of `batch`, whose first columns are the features, of the types that were learned.
    pub fn apply(&self, batch: &RecordBatch) -> Prepared {
        let mut x = Matrix::zeros(batch.num_rows(), self.width());
        let mut usable = vec![true; batch.num_rows()];
        let mut at = 0;
        for (encoding, column) in self.encodings.iter().zip(batch.columns()) {
            encoding.fill(column, &mut x, at, &mut usable);
            at += encoding.width();
        }
        let all = usable.iter().all(|usable| *usable);
        Prepared { x, usable: (!all).then_some(usable) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, StringArray};
    use arrow::datatypes::{Field, Float32Type, Schema};
    use proptest::prelude::*;

    use super::*;

    fn batch(columns: Vec<(&str, Type, ArrayRef)>) -> (Vec<Column>, RecordBatch) {
        let column = |(name, ty, _): &(&str, Type, ArrayRef)| Column {
            name: (*name).into(),
            ty: ty.clone(),
            nullable: true,
            span: Default::default(),
        };
        let features: Vec<Column> = columns.iter().map(column).collect();
        let fields: Vec<Field> = features.iter().map(crate::node::field).collect();
        let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
        (features, RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap())
    }

    #[test]
    fn a_missing_number_becomes_the_training_median_and_a_flag() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0), Some(f64::NAN), Some(900.0)]));
        let (features, batch) = batch(vec![("x", Type::NUMBER(), numbers)]);
        let learned = Preprocess::learn(&features, &batch, &[0, 1, 2, 3]).unwrap();
        assert_eq!(learned.names(), ["x", "x is missing"]);
        let x = learned.apply(&batch).x;
        // Median and mean of 1, 2, 3, 2 are 2; the standard deviation is √½.
        let unit = 0.5f32.sqrt().recip();
        assert_eq!(&x.data[..8], &[-unit, 0.0, 0.0, 1.0, unit, 0.0, 0.0, 1.0]);
        assert_eq!(x.row(4), &[(898.0 / 0.5f64.sqrt()) as f32, 0.0]);
    }

    #[test]
    fn texts_and_bools_are_told_apart_and_missing_is_a_category() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), Some("a"), None, Some("new")]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), None]));
        let (features, batch) = batch(vec![("t", Type::Text, texts), ("f", Type::Bool, flags)]);
        let learned = Preprocess::learn(&features, &batch, &[0, 1, 2]).unwrap();
        assert_eq!(learned.names(), ["t = a", "t = b", "t is missing", "f"]);
        let x = learned.apply(&batch).x;
        assert_eq!(x.row(0), &[0.0, 1.0, 0.0, 1.0]);
        assert_eq!(x.row(2), &[0.0, 0.0, 1.0, 1.0]);
        assert_eq!(x.row(3), &[0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_missing_tensor_leaves_the_row_unpredicted() {
        let rows = vec![Some(vec![Some(1.0), Some(5.0)]), None, Some(vec![Some(3.0), Some(5.0)])];
        let list = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2);
        let (field, size, values, nulls) = list.into_parts();
        let field = Arc::new(field.as_ref().clone().with_nullable(false));
        let tensors: ArrayRef = Arc::new(FixedSizeListArray::new(field, size, values, nulls));
        let (features, batch) = batch(vec![("w", Type::Tensor(vec![2]), tensors)]);
        let prepared = Preprocess::learn(&features, &batch, &[0, 1, 2]).unwrap().apply(&batch);
        assert_eq!(prepared.usable, Some(vec![true, false, true]));
        assert_eq!(prepared.x.row(2), &[1.0, 0.0]);
    }

    #[test]
    fn a_family_learns_where_each_tensor_stands_and_its_shape() {
        let list = |size: i32| {
            let rows = (0..2).map(|row| Some(vec![Some(row as f32); size as usize]));
            let (field, size, values, nulls) =
                FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, size).into_parts();
            let field = Arc::new(field.as_ref().clone().with_nullable(false));
            Arc::new(FixedSizeListArray::new(field, size, values, nulls)) as ArrayRef
        };
        let number: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
        let (features, batch) = batch(vec![
            ("a", Type::Tensor(vec![2, 3]), list(6)),
            ("x", Type::NUMBER(), number),
            ("b", Type::Tensor(vec![4]), list(4)),
        ]);
        let learned = Preprocess::learn(&features, &batch, &[0, 1]).unwrap();
        let parts: Vec<_> =
            learned.parts().into_iter().map(|part| (part.feature.name.to_string(), part.columns, part.shape)).collect();
        let (a, b): (&[u32], &[u32]) = (&[2, 3], &[4]);
        assert_eq!(parts, [("a".into(), 0..6, Some(a)), ("x".into(), 6..8, None), ("b".into(), 8..12, Some(b))]);
        assert_eq!(learned.width(), 12);
    }

    #[test]
    fn another_type_than_the_learned_one_is_noticed() {
        let (features, numbers) = batch(vec![("x", Type::NUMBER(), Arc::new(Float64Array::from(vec![1.0])) as ArrayRef)]);
        let (_, texts) = batch(vec![("x", Type::Text, Arc::new(StringArray::from(vec!["1"])) as ArrayRef)]);
        let learned = Preprocess::learn(&features, &numbers, &[0]).unwrap();
        assert!(learned.misfit(&numbers).is_none());
        assert_eq!(learned.misfit(&texts).map(|(column, found)| (&*column.name, found)), Some(("x", Some(DataType::Utf8))));
    }

    proptest! {
        /// Rows that do not train change nothing that is learned.
        #[test]
        fn only_training_rows_are_learned_from(values in prop::collection::vec(-1e6..1e6f64, 4..40), other in -1e9..1e9f64) {
            let train: Vec<usize> = (0..values.len() / 2).collect();
            let learn = |values: Vec<f64>| {
                let (features, batch) = batch(vec![("x", Type::NUMBER(), Arc::new(Float64Array::from(values)) as ArrayRef)]);
                Preprocess::learn(&features, &batch, &train).unwrap()
            };
            let changed = values.iter().enumerate().map(|(at, value)| if at < train.len() { *value } else { other });
            prop_assert_eq!(learn(values.clone()), learn(changed.collect()));
        }
    }
}
