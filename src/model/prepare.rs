//! Preprocessing: from the features of a stream to the matrix of a model.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::ir::{Column, Type};
use crate::node::data_type;

use super::column::{Encoding, NotAFeature};
use super::{Layout, Matrix, Part, Scaling};

/// What was learned about every feature, in the task's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    features: Vec<Column>,
    encodings: Vec<Encoding>,
    /// Of the features; derived, so that a row is checked without building types.
    #[serde(skip)]
    types: Vec<DataType>,
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
    pub fn learn(
        features: &[Column],
        batch: &RecordBatch,
        rows: &[usize],
        scaling: &dyn Fn(&[u32]) -> Scaling,
    ) -> Result<Preprocess, Column> {
        let groups = |feature: &Column| shape_of(&feature.ty).map(|shape| scaling(shape).groups(shape));
        let encode = |(feature, column): (&Column, _)| match Encoding::learn(column, rows, groups(feature)) {
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

    /// Which of these numbers belong together.
    pub fn layout(&self) -> Layout {
        let part = |(feature, encoding): (&Column, &Encoding)| Part {
            name: feature.name.clone(),
            width: encoding.width(),
            shape: shape_of(&feature.ty).cloned(),
        };
        Layout { parts: self.features.iter().zip(&self.encodings).map(part).collect() }
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

fn shape_of(ty: &Type) -> Option<&Vec<u32>> {
    if let Type::Tensor(shape) = ty { Some(shape) } else { None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, StringArray};
    use arrow::datatypes::{Field, Float32Type, Schema};
    use proptest::prelude::*;

    use super::*;

    fn learn(features: &[Column], batch: &RecordBatch, rows: &[usize]) -> Result<Preprocess, Column> {
        Preprocess::learn(features, batch, rows, &|_| Scaling::Elements)
    }

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
        let learned = learn(&features, &batch, &[0, 1, 2, 3]).unwrap();
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
        let learned = learn(&features, &batch, &[0, 1, 2]).unwrap();
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
        let prepared = learn(&features, &batch, &[0, 1, 2]).unwrap().apply(&batch);
        assert_eq!(prepared.usable, Some(vec![true, false, true]));
        assert_eq!(prepared.x.row(2), &[1.0, 0.0]);
    }

    #[test]
    fn channels_are_scaled_together_over_all_places() {
        let rows = vec![
            Some(vec![Some(1.0), Some(10.0), Some(3.0), Some(10.0)]),
            Some(vec![Some(5.0), Some(30.0), Some(7.0), Some(30.0)]),
        ];
        let list = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 4);
        let (field, size, values, nulls) = list.into_parts();
        let field = Arc::new(field.as_ref().clone().with_nullable(false));
        let tensors: ArrayRef = Arc::new(FixedSizeListArray::new(field, size, values, nulls));
        let (features, batch) = batch(vec![("w", Type::Tensor(vec![2, 2]), tensors)]);
        let learned = Preprocess::learn(&features, &batch, &[0, 1], &|_| Scaling::Channels).unwrap();
        let deviation = 5f32.sqrt();
        assert_eq!(learned.apply(&batch).x.row(0), &[-3.0 / deviation, -1.0, -1.0 / deviation, -1.0]);
        assert_eq!(learned.layout().parts, [Part { name: "w".into(), width: 4, shape: Some(vec![2, 2]) }]);
        let whole = Preprocess::learn(&features, &batch, &[0, 1], &|_| Scaling::Whole).unwrap();
        assert_eq!(whole.names(), learned.names());
        assert_ne!(whole, learned);
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
        let learned = learn(&features, &batch, &[0, 1]).unwrap();
        let parts = learned.layout().parts;
        let part = |name: &str, width, shape| Part { name: name.into(), width, shape };
        assert_eq!(parts, [part("a", 6, Some(vec![2, 3])), part("x", 2, None), part("b", 4, Some(vec![4]))]);
        assert_eq!(learned.layout().part("b").map(|(from, _)| from), Some(8));
        assert_eq!(learned.width(), 12);
    }

    #[test]
    fn another_type_than_the_learned_one_is_noticed() {
        let (features, numbers) = batch(vec![("x", Type::NUMBER(), Arc::new(Float64Array::from(vec![1.0])) as ArrayRef)]);
        let (_, texts) = batch(vec![("x", Type::Text, Arc::new(StringArray::from(vec!["1"])) as ArrayRef)]);
        let learned = learn(&features, &numbers, &[0]).unwrap();
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
                super::tests::learn(&features, &batch, &train).unwrap()
            };
            let changed = values.iter().enumerate().map(|(at, value)| if at < train.len() { *value } else { other });
            prop_assert_eq!(learn(values.clone()), learn(changed.collect()));
        }
    }
}
