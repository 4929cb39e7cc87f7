//! Floats: what is not finite is null.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, cast::AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::arithmetic::pairwise;
use super::own::Outcome;

/// The same array where all is well, which is nearly always.
pub(super) fn finite(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    let floats = args[0].as_primitive::<Float64Type>();
    let all = floats.values().iter().fold(true, |all, value| all & value.is_finite());
    if all {
        return Ok(Arc::clone(&args[0]));
    }
    let cleaned: Float64Array = floats.unary_opt(|value| value.is_finite().then_some(value));
    Ok(Arc::new(cleaned))
}

/// Towards zero; null where no 64-bit int is it.
pub(super) fn whole(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    ints(&args[0], ty, f64::trunc)
}

/// To the nearest, halves away from zero; null where no 64-bit int is it.
pub(super) fn rounded(args: &[ArrayRef], ty: &DataType) -> Outcome<ArrayRef> {
    ints(&args[0], ty, f64::round)
}

fn ints(array: &ArrayRef, ty: &DataType, of: fn(f64) -> f64) -> Outcome<ArrayRef> {
    let ints: Int64Array = array.as_primitive::<Float64Type>().unary_opt::<_, Int64Type>(|value| as_int(of(value)));
    Ok(cast(&ints, ty)?)
}

fn as_int(value: f64) -> Option<i64> {
    // Both bounds are exact floats; the upper one is the first that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

pub(super) fn sqrt(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    one(args, f64::sqrt)
}

pub(super) fn ln(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    one(args, f64::ln)
}

pub(super) fn log10(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    one(args, f64::log10)
}

/// Halves away from zero.
pub(super) fn round(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    one(args, f64::round)
}

/// To so many decimals; negative ones round to tens and hundreds.
pub(super) fn round_to(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    let digits = cast(&args[1], &DataType::Float64)?;
    two(&[Arc::clone(&args[0]), digits], |value, digits| {
        let scale = 10f64.powi(digits.abs().min(400.0) as i32);
        if digits < 0.0 { (value / scale).round() * scale } else { (value * scale).round() / scale }
    })
}

pub(super) fn power(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    two(args, f64::powf)
}

pub(super) fn hypot(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    two(args, f64::hypot)
}

/// With the sign of the divisor, so that `mod(-1, 24)` is 23.
pub(super) fn modulo(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    two(args, |value, by| {
        let rest = value % by;
        if rest != 0.0 && (rest < 0.0) != (by < 0.0) { rest + by } else { rest }
    })
}

pub(super) fn least(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    two(args, |a, b| if b < a { b } else { a })
}

pub(super) fn greatest(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    two(args, |a, b| if b > a { b } else { a })
}

fn one(args: &[ArrayRef], of: impl Fn(f64) -> f64) -> Outcome<ArrayRef> {
    Ok(Arc::new(args[0].as_primitive::<Float64Type>().unary::<_, Float64Type>(of)))
}

fn two(args: &[ArrayRef], of: impl Fn(f64, f64) -> f64) -> Outcome<ArrayRef> {
    Ok(Arc::new(pairwise::<Float64Type>(&args[0], &args[1], |a, b| Some(of(a, b)))))
}
