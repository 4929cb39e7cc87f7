//! Ints, times and durations: 64-bit whole numbers whose overflow is null.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, Datum, Float64Array, Int64Array, Scalar, cast::AsArray};
use arrow::compute::{binary, cast, kernels::numeric};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use datafusion::logical_expr::ColumnarValue;

use super::own::Outcome;

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>;

pub(super) fn add(args: &[ColumnarValue], rows: usize, ty: &DataType) -> Outcome<ColumnarValue> {
    checked(args, rows, ty, numeric::add, i64::checked_add)
}

pub(super) fn subtract(args: &[ColumnarValue], rows: usize, ty: &DataType) -> Outcome<ColumnarValue> {
    checked(args, rows, ty, numeric::sub, i64::checked_sub)
}

pub(super) fn multiply(args: &[ColumnarValue], rows: usize, ty: &DataType) -> Outcome<ColumnarValue> {
    checked(args, rows, ty, numeric::mul, i64::checked_mul)
}

pub(super) fn negate(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    one_int(&args[0], ty, i64::checked_neg)
}

pub(super) fn abs(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    one_int(&args[0], ty, i64::checked_abs)
}

pub(super) fn sign(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    one_int(&args[0], ty, |value| Some(value.signum()))
}

/// A negative exponent has no int as its result.
pub(super) fn power(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    two_ints(args, ty, |base, exponent| base.checked_pow(u32::try_from(exponent).ok()?))
}

/// With the sign of the divisor, so that `mod(-1, 24)` is 23.
pub(super) fn modulo(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    two_ints(args, ty, |value, by| {
        let rest = value.checked_rem(by)?;
        Some(if rest != 0 && (rest < 0) != (by < 0) { rest + by } else { rest })
    })
}

pub(super) fn least(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    two_ints(args, ty, |a, b| Some(a.min(b)))
}

pub(super) fn greatest(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    two_ints(args, ty, |a, b| Some(a.max(b)))
}

/// A duration, so many times.
pub(super) fn times_int(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    two_ints(args, ty, i64::checked_mul)
}

/// A duration times a float, to the nearest microsecond.
pub(super) fn times_float(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    let micros = cast(&cast(&args[0], &DataType::Int64)?, &DataType::Float64)?;
    let products: Float64Array =
        binary(micros.as_primitive::<Float64Type>(), args[1].as_primitive::<Float64Type>(), |a, b| a * b)?;
    super::float::rounded(&[Arc::new(products)], ty)
}

/// The fast kernel stops at an overflow, which is rare; then row by row.
fn checked(
    args: &[ColumnarValue],
    rows: usize,
    ty: &DataType,
    kernel: Kernel,
    exact: fn(i64, i64) -> Option<i64>,
) -> Outcome<ColumnarValue> {
    let left = datum(&args[0])?;
    let right = datum(&args[1])?;
    let both_constant = matches!(args, [ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)]);
    match kernel(left.as_ref(), right.as_ref()) {
        Ok(array) if both_constant && rows != 1 => {
            let value = datafusion::scalar::ScalarValue::try_from_array(&array, 0)?;
            Ok(ColumnarValue::Scalar(value))
        }
        Ok(array) => Ok(ColumnarValue::Array(array)),
        Err(_) => {
            let arrays = [args[0].to_array(rows)?, args[1].to_array(rows)?];
            Ok(ColumnarValue::Array(two_ints(&arrays, ty, exact)?))
        }
    }
}

fn datum(value: &ColumnarValue) -> Outcome<Box<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(Arc::clone(array)),
        ColumnarValue::Scalar(scalar) => Box::new(Scalar::new(scalar.to_array()?)),
    })
}

fn one_int(array: &ArrayRef, ty: &DataType, exact: impl Fn(i64) -> Option<i64>) -> Outcome<ArrayRef> {
    let ints = cast(array, &DataType::Int64)?;
    let result: Int64Array = ints.as_primitive::<Int64Type>().unary_opt(exact);
    Ok(cast(&result, ty)?)
}

fn two_ints(args: &[ArrayRef], ty: &DataType, exact: impl Fn(i64, i64) -> Option<i64>) -> Outcome<ArrayRef> {
    let (left, right) = (cast(&args[0], &DataType::Int64)?, cast(&args[1], &DataType::Int64)?);
    let result: Int64Array = pairwise::<Int64Type>(&left, &right, exact);
    Ok(cast(&result, ty)?)
}

/// Null where a side is or the function has no answer.
pub(super) fn pairwise<T: ArrowPrimitiveType>(
    left: &ArrayRef,
    right: &ArrayRef,
    of: impl Fn(T::Native, T::Native) -> Option<T::Native>,
) -> arrow::array::PrimitiveArray<T> {
    let sides = left.as_primitive::<T>().iter().zip(right.as_primitive::<T>().iter());
    sides.map(|(a, b)| of(a?, b?)).collect()
}
