//! What a model answers with: a class, or a number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use serde::{Deserialize, Serialize};

use crate::ir::{TaskKind, Type};
use crate::node::{Predictions, data_type};

use super::flags::Flags;
use super::scores::argmax;
use super::{Classes, Labels, Matrix, Purpose};

/// The target as a model learned it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    Classes {
        classes: Classes,
        ty: Type,
    },
    Number {
        ty: Type,
    },
    /// Of a detector.
    Flags(Flags),
}

/// The target's type suits no task of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetError;

/// Does this kind of task tell classes apart, or estimate a number? None for kinds that have families of their own.
pub fn kind_of(kind: TaskKind) -> Option<Purpose> {
    match kind {
        TaskKind::Classify => Some(Purpose::Classify),
        TaskKind::Regress | TaskKind::Forecast { .. } => Some(Purpose::Regress),
        TaskKind::Detect { .. } => Some(Purpose::Detect),
        TaskKind::Rank => None,
    }
}

impl Target {
    /// Learned from the rows that train; a detector's comes of its scores instead.
    pub fn learn(purpose: Purpose, ty: &Type, column: &ArrayRef, rows: &[usize]) -> Result<Target, TargetError> {
        match purpose {
            Purpose::Classify => {
                let classes = Classes::seen(column, rows.iter().copied()).ok_or(TargetError)?;
                Ok(Target::Classes { classes, ty: ty.clone() })
            }
            Purpose::Regress => match data_type(ty) {
                DataType::Int64 | DataType::Float64 | DataType::Duration(_) => Ok(Target::Number { ty: ty.clone() }),
                _ => Err(TargetError),
            },
            Purpose::Detect => Err(TargetError),
        }
    }

    /// Of `rows`, whose targets are not null.
    pub fn labels(&self, column: &ArrayRef, rows: &[usize]) -> Labels {
        match self {
            Target::Classes { classes, .. } => {
                let codes = classes.encode(column);
                let index = rows.iter().map(|row| codes[*row].unwrap_or_default()).collect();
                Labels::Classes { index, count: classes.len() }
            }
            Target::Flags(_) => Labels::Nothing,
            Target::Number { .. } => {
                let numbers = numbers(column);
                Labels::Numbers(rows.iter().map(|row| numbers.value(*row)).collect())
            }
        }
    }

    /// How many scores a model gives for a row.
    pub fn width(&self) -> usize {
        match self {
            Target::Classes { classes, .. } => classes.len(),
            Target::Number { .. } | Target::Flags(_) => 1,
        }
    }

    /// `scores` has one row of probabilities, or one number, raw of a detector, for each row of the answer; null where `usable` is false.
    pub fn answer(&self, scores: &Matrix, usable: Option<&[bool]>) -> Predictions {
        let valid = |row: usize| usable.is_none_or(|usable| usable[row]);
        match self {
            Target::Classes { classes, ty } => {
                let chosen = |row: usize| valid(row).then(|| argmax(scores.row(row)));
                let codes: Vec<Option<u32>> = (0..scores.rows).map(|row| chosen(row).map(|at| at as u32)).collect();
                let sure = |row: usize| chosen(row).map(|at| f64::from(scores.row(row)[at]));
                Predictions {
                    values: classes.decode(&codes, &data_type(ty)),
                    scores: Some((0..scores.rows).map(sure).collect()),
                }
            }
            Target::Number { ty } => {
                let value = |row: usize| valid(row).then(|| f64::from(scores.row(row)[0]));
                Predictions { values: of_type((0..scores.rows).map(value).collect(), ty), scores: None }
            }
            Target::Flags(flags) => {
                let score = |row: usize| valid(row).then(|| flags.score(scores.row(row)[0]));
                let scores: Vec<Option<f32>> = (0..scores.rows).map(score).collect();
                let flagged = scores.iter().map(|score| score.map(|score| flags.is_flagged(score)));
                Predictions {
                    values: Arc::new(flagged.collect::<BooleanArray>()),
                    scores: Some(scores.iter().map(|score| score.map(f64::from)).collect()),
                }
            }
        }
    }
}

/// Numbers, and durations in microseconds, as f64; NaN is read as null.
pub fn numbers(column: &ArrayRef) -> Float64Array {
    let plain = match column.data_type() {
        DataType::Duration(_) | DataType::Timestamp(..) => cast(column, &DataType::Int64),
        _ => Ok(column.clone()),
    };
    let floats = plain.and_then(|plain| cast(&plain, &DataType::Float64));
    let floats = floats.expect("the column is of a number's type");
    let floats = floats.as_primitive::<Float64Type>();
    floats.iter().map(|value| value.filter(|value| value.is_finite())).collect()
}

/// A duration as one, in whole microseconds; what estimates whole numbers is a number, as the language has it.
fn of_type(values: Float64Array, ty: &Type) -> ArrayRef {
    match data_type(ty) {
        ty @ DataType::Duration(_) => {
            let whole: PrimitiveArray<Int64Type> = values.unary(|value| value.round() as i64);
            cast(&whole, &ty).expect("a whole number is a duration in microseconds")
        }
        _ => Arc::new(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    #[test]
    fn an_answer_has_the_targets_type_and_its_confidence() {
        let column: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        let target = Target::learn(Purpose::Classify, &Type::Bool, &column, &[0, 1]).unwrap();
        let scores = Matrix { rows: 2, columns: 2, data: vec![0.25, 0.75, 0.5, 0.5] };
        let answer = target.answer(&scores, Some(&[true, false]));
        assert_eq!(answer.values.as_boolean(), &BooleanArray::from(vec![Some(true), None]));
        assert_eq!(answer.scores.unwrap(), Float64Array::from(vec![Some(0.75), None]));
    }

    #[test]
    fn an_estimate_of_whole_numbers_is_a_number() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![4]));
        let target = Target::learn(Purpose::Regress, &Type::Int, &column, &[0]).unwrap();
        let answer = target.answer(&Matrix { rows: 1, columns: 1, data: vec![3.5] }, None);
        assert_eq!(answer.values.as_primitive::<Float64Type>(), &Float64Array::from(vec![3.5]));
    }

    #[test]
    fn texts_are_no_numbers() {
        let column: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["a"]));
        assert_eq!(Target::learn(Purpose::Regress, &Type::Text, &column, &[0]), Err(TargetError));
    }
}
