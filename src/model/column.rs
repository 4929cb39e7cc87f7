//! How one feature becomes numbers. Everything here is learned from rows that train, and from no others.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, PrimitiveArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use serde::{Deserialize, Serialize};

use super::Matrix;

/// A text feature keeps at most this many values apart; rarer ones look like values that were never seen.
const CATEGORIES_MAX: usize = 64;

/// What was learned about a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Encoding {
    /// `(value or median - mean) / scale`; behind it 1 where the value is missing, if any was in training.
    Number { median: f64, mean: f64, scale: f64, flag: bool },
    /// 1 for true; behind it 1 where the value is missing, if any was in training.
    Bool { flag: bool },
    /// A column for each value (sorted); behind them one for missing, if any was in training. Other values are all zero.
    Category { values: Vec<String>, flag: bool },
    /// Each element on its own scale. A row without it cannot be predicted.
    Tensor { means: Vec<f32>, scales: Vec<f32> },
    /// `size` elements, each on the scale of its place among so many neighbours as there are means: its channel.
    Channels { size: usize, means: Vec<f32>, scales: Vec<f32> },
}

/// The feature is of a type that no model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFeature;

impl Encoding {
    /// From `rows` of the column; of a tensor, every `groups`-th element is on one scale, all of their own if there are as many.
    pub fn learn(column: &ArrayRef, rows: &[usize], groups: Option<usize>) -> Result<Encoding, NotAFeature> {
        match column.data_type() {
            DataType::Boolean => Ok(Encoding::Bool { flag: has_null(column, rows) }),
            DataType::Utf8 => Ok(categories(column, rows)),
            DataType::FixedSizeList(item, size) if item.data_type() == &DataType::Float32 => {
                let size = *size as usize;
                let groups = groups.filter(|groups| *groups > 0 && size.is_multiple_of(*groups)).unwrap_or(size);
                Ok(elements(column, rows, size, groups))
            }
            _ => Ok(number(&Numbers::of(column).ok_or(NotAFeature)?, rows)),
        }
    }

    /// With numbers as they are.
    pub fn unscaled(self) -> Encoding {
        match self {
            Encoding::Number { median, flag, .. } => Encoding::Number { median, mean: 0.0, scale: 1.0, flag },
            Encoding::Tensor { means, .. } => {
                Encoding::Tensor { scales: vec![1.0; means.len()], means: vec![0.0; means.len()] }
            }
            Encoding::Channels { size, means, .. } => {
                Encoding::Channels { size, scales: vec![1.0; means.len()], means: vec![0.0; means.len()] }
            }
            Encoding::Bool { .. } | Encoding::Category { .. } => self,
        }
    }

    /// How many columns it becomes.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number { flag, .. } | Encoding::Bool { flag } => 1 + usize::from(*flag),
            Encoding::Category { values, flag } => values.len() + usize::from(*flag),
            Encoding::Tensor { means, .. } => means.len(),
            Encoding::Channels { size, .. } => *size,
        }
    }

    /// What each of its columns means.
    pub fn names(&self, feature: &str) -> Vec<String> {
        let missing = |flag: &bool| flag.then(|| format!("{feature} is missing"));
        match self {
            Encoding::Number { flag, .. } | Encoding::Bool { flag } => {
                std::iter::once(feature.to_owned()).chain(missing(flag)).collect()
            }
            Encoding::Category { values, flag } => {
                values.iter().map(|value| format!("{feature} = {value}")).chain(missing(flag)).collect()
            }
            Encoding::Tensor { .. } | Encoding::Channels { .. } => {
                (0..self.width()).map(|at| format!("{feature}[{at}]")).collect()
            }
        }
    }

    /// Writes every row of `column` into `out` from column `at` on (where all is zero before), and clears `usable` where a
    /// row cannot be predicted. `column` is of the type that was learned.
    pub fn fill(&self, column: &ArrayRef, out: &mut Matrix, at: usize, usable: &mut [bool]) {
        match self {
            Encoding::Number { median, mean, scale, flag } => {
                let numbers = Numbers::of(column).expect("the column's type was checked");
                for row in 0..column.len() {
                    let value = numbers.get(row);
                    let cells = &mut out.row_mut(row)[at..];
                    cells[0] = ((value.unwrap_or(*median) - mean) / scale) as f32;
                    if *flag && value.is_none() {
                        cells[1] = 1.0;
                    }
                }
            }
            Encoding::Bool { flag } => {
                let values = column.as_boolean();
                for row in 0..column.len() {
                    let cells = &mut out.row_mut(row)[at..];
                    cells[0] = f32::from(values.is_valid(row) && values.value(row));
                    if *flag && values.is_null(row) {
                        cells[1] = 1.0;
                    }
                }
            }
            Encoding::Category { values, flag } => {
                let texts = column.as_string::<i32>();
                for row in 0..column.len() {
                    let found = match texts.is_valid(row) {
                        true => values.binary_search_by(|value| value.as_str().cmp(texts.value(row))).ok(),
                        false => flag.then_some(values.len()),
                    };
                    if let Some(found) = found {
                        out.row_mut(row)[at + found] = 1.0;
                    }
                }
            }
            Encoding::Tensor { means, scales } => fill_tensor(column, means, scales, (out, at, means.len()), usable),
            Encoding::Channels { size, means, scales } => fill_tensor(column, means, scales, (out, at, *size), usable),
        }
    }
}

/// `to` is the matrix, the first column, and how many columns.
fn fill_tensor(column: &ArrayRef, means: &[f32], scales: &[f32], to: (&mut Matrix, usize, usize), usable: &mut [bool]) {
    let (out, at, size) = to;
    for (row, usable) in usable.iter_mut().enumerate() {
        let Some(tensor) = tensor(column, row) else {
            *usable = false;
            continue;
        };
        let cells = &mut out.row_mut(row)[at..at + size];
        for (cells, values) in cells.chunks_mut(means.len()).zip(tensor.values().chunks(means.len())) {
            let scaled = means.iter().zip(scales).zip(values);
            cells.iter_mut().zip(scaled).for_each(|(cell, ((mean, scale), value))| *cell = (value - mean) / scale);
        }
    }
}

fn has_null(column: &ArrayRef, rows: &[usize]) -> bool {
    column.null_count() > 0 && rows.iter().any(|row| column.is_null(*row))
}

fn number(numbers: &Numbers, rows: &[usize]) -> Encoding {
    let mut known: Vec<f64> = rows.iter().filter_map(|row| numbers.get(*row)).collect();
    let flag = known.len() < rows.len();
    let median = median(&mut known);
    let values = || rows.iter().map(|row| numbers.get(*row).unwrap_or(median));
    let (mean, scale) = mean_and_scale(values);
    Encoding::Number { median, mean, scale, flag }
}

/// Sorts; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The scale is the standard deviation; 1 where nothing varies.
fn mean_and_scale<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let count = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let scale = variance.sqrt();
    // Below this the spread is rounding of the values themselves.
    let noise = mean.abs() * 1e-12;
    (mean, if scale.is_finite() && scale > noise { scale } else { 1.0 })
}

fn categories(column: &ArrayRef, rows: &[usize]) -> Encoding {
    let texts = column.as_string::<i32>();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| texts.is_valid(**row)) {
        *counts.entry(texts.value(*row)).or_default() += 1;
    }
    let mut frequent: Vec<(&str, usize)> = counts.into_iter().collect();
    frequent.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    frequent.truncate(CATEGORIES_MAX);
    let mut values: Vec<String> = frequent.into_iter().map(|(value, _)| value.to_owned()).collect();
    values.sort_unstable();
    Encoding::Category { values, flag: has_null(column, rows) }
}

fn elements(column: &ArrayRef, rows: &[usize], size: usize, groups: usize) -> Encoding {
    let mut sums = vec![(0.0f64, 0.0f64); groups];
    let mut count = 0.0f64;
    for tensor in rows.iter().filter_map(|row| tensor(column, *row)) {
        for values in tensor.values().chunks(groups) {
            count += 1.0;
            for ((mean, squares), value) in sums.iter_mut().zip(values) {
                // Welford's update: one pass, no cancellation.
                let value = f64::from(*value);
                let before = value - *mean;
                *mean += before / count;
                *squares += before * (value - *mean);
            }
        }
    }
    let scale = |(mean, squares): &(f64, f64)| match (squares / count.max(1.0)).sqrt() {
        scale if scale > mean.abs() * 1e-6 && scale.is_finite() => scale as f32,
        _ => 1.0,
    };
    let means: Vec<f32> = sums.iter().map(|(mean, _)| *mean as f32).collect();
    let scales: Vec<f32> = sums.iter().map(scale).collect();
    if groups == size { Encoding::Tensor { means, scales } } else { Encoding::Channels { size, means, scales } }
}

/// A row's tensor; None where it is null or holds what is no number.
fn tensor(column: &ArrayRef, row: usize) -> Option<Float32Array> {
    let list = column.as_fixed_size_list();
    let value = list.is_valid(row).then(|| list.value(row))?;
    let value = value.as_primitive::<Float32Type>().clone();
    value.values().iter().all(|value| value.is_finite()).then_some(value)
}

/// A column of numbers of any of the language's types.
enum Numbers<'a> {
    Float(&'a PrimitiveArray<Float64Type>),
    Int(&'a PrimitiveArray<Int64Type>),
    Time(&'a PrimitiveArray<TimestampMicrosecondType>),
    Duration(&'a PrimitiveArray<DurationMicrosecondType>),
}

impl Numbers<'_> {
    fn of(column: &ArrayRef) -> Option<Numbers<'_>> {
        Some(match column.data_type() {
            DataType::Float64 => Numbers::Float(column.as_primitive_opt()?),
            DataType::Int64 => Numbers::Int(column.as_primitive_opt()?),
            DataType::Timestamp(..) => Numbers::Time(column.as_primitive_opt()?),
            DataType::Duration(_) => Numbers::Duration(column.as_primitive_opt()?),
            _ => return None,
        })
    }

    /// What is not finite is missing.
    fn get(&self, row: usize) -> Option<f64> {
        match self {
            Numbers::Float(array) => array.is_valid(row).then(|| array.value(row)).filter(|value| value.is_finite()),
            Numbers::Int(array) => array.is_valid(row).then(|| array.value(row) as f64),
            Numbers::Time(array) => array.is_valid(row).then(|| array.value(row) as f64),
            Numbers::Duration(array) => array.is_valid(row).then(|| array.value(row) as f64),
        }
    }
}
