//! Columns that come as Arrow arrays to the declared types: from columnar files and from simulations.

mod numbers;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, RecordBatch, StructArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int64Type, Schema};

use crate::ir::{SourceColumn, Type};
use crate::node::{Unfit, data_type};

use super::block::{Aside, At, Bad, BadAt};
use super::column::{Cell, ColumnBuilder, Reason};
use super::error::{IoError, arrow_refuses};
use super::list::Flat;
use super::sheet::Decoded;
use super::single::decode_picture;
use super::spec::Spec;
use numbers::Numbers;

/// A row that does not fit, by its number.
type Misfit = (usize, Reason);

/// Rows whose columns stand in declared order, as decoded rows. `origin` names a row's place for the dead letter.
pub(super) fn fit(
    spec: &Spec,
    columns: Vec<ArrayRef>,
    mut at: Vec<At>,
    origin: impl Fn(At) -> String,
) -> Result<Decoded, IoError> {
    let mut misfits: Vec<Misfit> = Vec::new();
    let mut fitted = Vec::with_capacity(columns.len());
    for (column, values) in spec.columns.iter().zip(&columns) {
        let (values, wrong) = fit_one(column, values)?;
        fitted.push(values);
        misfits.extend(wrong);
    }
    if misfits.is_empty() {
        let rows = RecordBatch::try_new(spec.declared.clone(), fitted).map_err(arrow_refuses)?;
        return Ok(Decoded { rows, at, aside: Aside::default() });
    }
    // The first thing that is wrong with a row counts, in the order of the columns.
    misfits.sort_by_key(|(row, _)| *row);
    misfits.dedup_by_key(|(row, _)| *row);
    let mut kept = vec![true; at.len()];
    let mut aside = Aside::default();
    for (row, reason) in misfits {
        kept[row] = false;
        aside.bad.push(Bad::new(at[row], BadAt::Decode, reason, shown(spec, &columns, row).as_bytes(), origin(at[row])));
    }
    let kept = BooleanArray::from(kept);
    let loose: Vec<Field> = spec.declared.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let loose = RecordBatch::try_new(Arc::new(Schema::new(loose)), fitted).map_err(arrow_refuses)?;
    let good = filter_record_batch(&loose, &kept).map_err(arrow_refuses)?;
    let rows = RecordBatch::try_new(spec.declared.clone(), good.columns().to_vec()).map_err(arrow_refuses)?;
    let mut row = 0;
    at.retain(|_| {
        row += 1;
        kept.value(row - 1)
    });
    Ok(Decoded { rows, at, aside })
}

fn shown(spec: &Spec, columns: &[ArrayRef], row: usize) -> String {
    let value = |values: &ArrayRef| arrow::util::display::array_value_to_string(values, row).unwrap_or_default();
    let fields = spec.columns.iter().zip(columns).map(|(column, values)| format!("{}={}", column.column.name, value(values)));
    fields.collect::<Vec<_>>().join(", ")
}

/// Can a column of this Arrow type be read as the declared one?
pub(super) fn fits(column: &SourceColumn, from: &DataType) -> bool {
    let text = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null);
    if let DataType::Dictionary(_, values) = from {
        return fits(column, values);
    }
    let number = from.is_numeric() || *from == DataType::Boolean;
    match &column.column.ty {
        Type::Float(_) | Type::Int | Type::Bool => number || text,
        Type::Text => number || text,
        Type::Enum(_) => from.is_integer() || *from == DataType::Boolean || from.is_floating() || text,
        Type::Time => matches!(from, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) || text,
        Type::Duration => number || text || matches!(from, DataType::Duration(_)),
        Type::Bytes => text || is_binary(from),
        Type::Tensor(_) if is_binary(from) => true,
        Type::Tensor(_) | Type::Signal(_) | Type::List(_) => {
            text || matches!(from, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
        }
    }
}

fn is_binary(ty: &DataType) -> bool {
    matches!(ty, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

/// The values in the declared type, nulls where they do not fit, and which do not.
fn fit_one(column: &SourceColumn, values: &ArrayRef) -> Result<(ArrayRef, Vec<Misfit>), IoError> {
    let to = data_type(&column.column.ty);
    let values = plain(values)?;
    let simple = column.sentinels.is_empty() && column.bounds.is_none();
    match (&column.column.ty, values.data_type()) {
        (Type::Float(_), from) if from.is_numeric() => fit_floats(column, &cast(&values, &to).map_err(arrow_refuses)?),
        (Type::Time, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
        | (Type::Duration, DataType::Duration(_))
        | (Type::Bool, DataType::Boolean)
        | (Type::Text, DataType::Utf8)
        | (Type::Bytes, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
            if simple =>
        {
            with_nulls(column, cast(&values, &to).map_err(arrow_refuses)?)
        }
        (Type::Int, from) if simple && from.is_integer() && *from != DataType::UInt64 => {
            with_nulls(column, cast(&values, &to).map_err(arrow_refuses)?)
        }
        (Type::Tensor(shape), DataType::Binary) => Ok(pictures(column, shape, values.as_binary())),
        (Type::Tensor(_) | Type::Signal(_), _) => match Numbers::of(&values)? {
            Some(numbers) => Ok(flat(column, &numbers, values.len())),
            None => one_by_one(column, &values),
        },
        _ => one_by_one(column, &values),
    }
}

/// Lists of numbers; what holds a null is null.
fn flat(column: &SourceColumn, numbers: &Numbers, rows: usize) -> (ArrayRef, Vec<Misfit>) {
    let mut to = match &column.column.ty {
        Type::Tensor(shape) => Flat::tensors(shape),
        _ => Flat::signals(),
    };
    let mut wrong = Vec::new();
    for row in 0..rows {
        match numbers.add(row, &mut to) {
            Err(Unfit::Null) if !column.column.nullable => wrong.push((row, format!("`{}` is missing", column.column.name))),
            Err(Unfit::Wrong(why)) => wrong.push((row, format!("`{}` {why}", column.column.name))),
            Ok(()) | Err(Unfit::Null) => {}
        }
    }
    (to.finish(), wrong)
}

/// Without dictionaries and views, and integers and floats of 64 bits.
fn plain(values: &ArrayRef) -> Result<ArrayRef, IoError> {
    let to = match values.data_type() {
        DataType::Dictionary(_, inner) if inner.is_numeric() => inner.as_ref().clone(),
        DataType::Dictionary(..) | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        _ => return Ok(values.clone()),
    };
    cast(values, &to).map_err(arrow_refuses)
}

/// Nulls of a column that may not have any are misfits.
fn with_nulls(column: &SourceColumn, values: ArrayRef) -> Result<(ArrayRef, Vec<Misfit>), IoError> {
    let mut wrong = Vec::new();
    if !column.column.nullable && values.null_count() > 0 {
        let nulls = (0..values.len()).filter(|row| values.is_null(*row));
        wrong = nulls.map(|row| (row, format!("`{}` is missing", column.column.name))).collect();
    }
    Ok((values, wrong))
}

/// NaN and sentinels are null; the rest is finite and within bounds.
fn fit_floats(column: &SourceColumn, values: &ArrayRef) -> Result<(ArrayRef, Vec<Misfit>), IoError> {
    let values = values.as_primitive::<Float64Type>();
    let (low, high) = column.bounds.unwrap_or((f64::MIN, f64::MAX));
    let good = |value: f64| value >= low && value <= high;
    if column.sentinels.is_empty() && values.values().iter().all(|value| good(*value)) {
        return with_nulls(column, Arc::new(values.clone()));
    }
    let nulls: Vec<f64> = column.sentinels.iter().filter_map(crate::ir::Value::as_f64).collect();
    let read =
        Float64Array::from_iter(values.iter().map(|value| value.filter(|value| !value.is_nan() && !nulls.contains(value))));
    let (read, mut wrong) = with_nulls(column, Arc::new(read))?;
    let outside = read.as_primitive::<Float64Type>().iter().enumerate();
    wrong.extend(outside.filter_map(|(row, value)| {
        let value = value.filter(|value| !good(*value))?;
        Some((row, format!("`{}` is {value}, outside {low}..{high}", column.column.name)))
    }));
    Ok((read, wrong))
}

/// PNG and JPEG pictures that stand in a table.
fn pictures(column: &SourceColumn, shape: &[u32], values: &BinaryArray) -> (ArrayRef, Vec<Misfit>) {
    let mut builder = ColumnBuilder::new(column, b'.');
    let mut wrong = Vec::new();
    for (row, bytes) in values.iter().enumerate() {
        let done = match bytes.map(|bytes| decode_picture(bytes, shape)) {
            None => builder.append_null(),
            Some(Ok(picture)) => builder.append_numbers(&picture.numbers),
            Some(Err(why)) => {
                let _missing = builder.append_null();
                Err(format!("`{}`: {why}", column.column.name))
            }
        };
        if let Err(reason) = done {
            wrong.push((row, reason));
        }
    }
    (builder.finish(), wrong)
}

/// Through the builder that texts go through, which knows every rule.
fn one_by_one(column: &SourceColumn, values: &ArrayRef) -> Result<(ArrayRef, Vec<Misfit>), IoError> {
    let mut builder = ColumnBuilder::new(column, b'.');
    let mut wrong = Vec::new();
    let cells = Cells::of(values)?;
    for row in 0..values.len() {
        if let Err(reason) = builder.append(cells.get(row)) {
            wrong.push((row, reason));
        }
    }
    Ok((builder.finish(), wrong))
}

/// An array as cells.
enum Cells {
    Bools(BooleanArray),
    Ints(arrow::array::Int64Array),
    Floats(Float64Array),
    Texts(arrow::array::StringArray),
    Bytes(arrow::array::BinaryArray),
    Lists(Vec<Option<serde_json::Value>>),
}

impl Cells {
    fn of(values: &ArrayRef) -> Result<Cells, IoError> {
        let as_type = |ty: &DataType| cast(values, ty).map_err(arrow_refuses);
        Ok(match values.data_type() {
            DataType::Boolean => Cells::Bools(values.as_boolean().clone()),
            DataType::Binary => Cells::Bytes(values.as_binary::<i32>().clone()),
            DataType::Duration(_) => {
                let micros = cast(&as_type(&data_type(&Type::Duration))?, &DataType::Int64).map_err(arrow_refuses)?;
                Cells::Floats(micros.as_primitive::<Int64Type>().unary(|micros| micros as f64 / 1e6))
            }
            from if from.is_integer() && *from != DataType::UInt64 => {
                Cells::Ints(as_type(&DataType::Int64)?.as_primitive().clone())
            }
            from if from.is_numeric() => Cells::Floats(as_type(&DataType::Float64)?.as_primitive().clone()),
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Cells::Lists(lists(values)?),
            _ => Cells::Texts(as_type(&DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Cells::Bools(values) if values.is_valid(row) => Cell::Bool(values.value(row)),
            Cells::Ints(values) if values.is_valid(row) => Cell::Int(values.value(row)),
            Cells::Floats(values) if values.is_valid(row) => Cell::Float(values.value(row)),
            Cells::Texts(values) if values.is_valid(row) => Cell::Text(values.value(row).as_bytes()),
            Cells::Bytes(values) if values.is_valid(row) => Cell::Text(values.value(row)),
            Cells::Lists(values) => values[row].clone().map_or(Cell::Null, Cell::Tree),
            Cells::Bools(_) | Cells::Ints(_) | Cells::Floats(_) | Cells::Texts(_) | Cells::Bytes(_) => Cell::Null,
        }
    }
}

/// Lists of any depth as JSON.
fn lists(values: &ArrayRef) -> Result<Vec<Option<serde_json::Value>>, IoError> {
    (0..values.len()).map(|row| if values.is_null(row) { Ok(None) } else { json(values, row).map(Some) }).collect()
}

fn json(values: &ArrayRef, row: usize) -> Result<serde_json::Value, IoError> {
    let items = match values.data_type() {
        DataType::List(_) => values.as_list::<i32>().value(row),
        DataType::LargeList(_) => values.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => values.as_fixed_size_list().value(row),
        DataType::Float32 => return Ok(values.as_primitive::<Float32Type>().value(row).into()),
        _ => {
            let text = arrow::util::display::array_value_to_string(values, row).map_err(arrow_refuses)?;
            return Ok(serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
        }
    };
    (0..items.len()).map(|at| if items.is_null(at) { Ok(serde_json::Value::Null) } else { json(&items, at) }).collect()
}

/// The part of a struct column that a dotted name leads to.
pub(super) fn field_of(rows: &RecordBatch, name: &str) -> Option<ArrayRef> {
    if let Some(whole) = rows.column_by_name(name) {
        return Some(whole.clone());
    }
    let mut parts = name.split('.');
    let mut values = rows.column_by_name(parts.next()?)?.clone();
    for part in parts {
        values = values.as_any().downcast_ref::<StructArray>()?.column_by_name(part)?.clone();
    }
    Some(values)
}
