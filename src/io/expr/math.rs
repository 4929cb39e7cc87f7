//! Functions of numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::ir::Scalar;

use super::arithmetic::floats;
use super::{Operand, alike};

pub(super) fn knows(function: Scalar) -> bool {
    match function {
        Scalar::Abs
        | Scalar::Sqrt
        | Scalar::Exp
        | Scalar::Ln
        | Scalar::Log10
        | Scalar::Sin
        | Scalar::Cos
        | Scalar::Tan
        | Scalar::Atan2
        | Scalar::Floor
        | Scalar::Ceil
        | Scalar::Round
        | Scalar::Sign
        | Scalar::Mod
        | Scalar::Least
        | Scalar::Greatest
        | Scalar::Clamp
        | Scalar::Hypot
        | Scalar::Coalesce => true,
        Scalar::Year
        | Scalar::Month
        | Scalar::Day
        | Scalar::Weekday
        | Scalar::Hour
        | Scalar::Minute
        | Scalar::Second
        | Scalar::Length
        | Scalar::Lower
        | Scalar::Upper
        | Scalar::Trim
        | Scalar::Contains
        | Scalar::StartsWith
        | Scalar::EndsWith
        | Scalar::Rms
        | Scalar::ZeroCrossings
        | Scalar::PeakToPeak
        | Scalar::Crest
        | Scalar::Kurtosis
        | Scalar::Skewness
        | Scalar::Entropy
        | Scalar::Energy
        | Scalar::BandPower
        | Scalar::DominantFrequency
        | Scalar::SpectralCentroid
        | Scalar::Autocorrelation
        | Scalar::Mfcc => false,
    }
}

pub(super) fn call(function: Scalar, args: &[Operand]) -> Result<Operand, IoError> {
    match (function, args) {
        (Scalar::Abs, [x]) => keeping(x, i64::wrapping_abs, f64::abs),
        (Scalar::Floor, [x]) => keeping(x, |x| x, f64::floor),
        (Scalar::Ceil, [x]) => keeping(x, |x| x, f64::ceil),
        (Scalar::Round, [x]) => keeping(x, |x| x, f64::round),
        (Scalar::Sign, [x]) => keeping(x, i64::signum, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        (Scalar::Sqrt, [x]) => float(x, f64::sqrt),
        (Scalar::Exp, [x]) => float(x, f64::exp),
        (Scalar::Ln, [x]) => float(x, f64::ln),
        (Scalar::Log10, [x]) => float(x, f64::log10),
        (Scalar::Sin, [x]) => float(x, f64::sin),
        (Scalar::Cos, [x]) => float(x, f64::cos),
        (Scalar::Tan, [x]) => float(x, f64::tan),
        (Scalar::Atan2, [y, x]) => two(y, x, f64::atan2),
        (Scalar::Hypot, [x, y]) => two(x, y, f64::hypot),
        (Scalar::Mod, [x, y]) => modulo(x, y),
        (Scalar::Least, [first, rest @ ..]) => rest.iter().try_fold(first.clone(), |best, next| extreme(&best, next, f64::min)),
        (Scalar::Greatest, [first, rest @ ..]) => {
            rest.iter().try_fold(first.clone(), |best, next| extreme(&best, next, f64::max))
        }
        (Scalar::Clamp, [x, low, high]) => {
            let above = extreme(x, low, f64::max)?;
            extreme(&above, high, f64::min)
        }
        (Scalar::Coalesce, [first, rest @ ..]) => rest.iter().try_fold(first.clone(), coalesced),
        _ => Err(IoError::new(Code::E0717, format!("`{}` is not known here with {} arguments", function.name(), args.len()))),
    }
}

/// Ints stay ints.
fn keeping(x: &Operand, int: fn(i64) -> i64, real: fn(f64) -> f64) -> Result<Operand, IoError> {
    if *x.values.data_type() == DataType::Int64 {
        let values = x.values.as_primitive::<Int64Type>().unary::<_, Int64Type>(int);
        return Ok(Operand { values: Arc::new(values), one: x.one });
    }
    float(x, real)
}

fn float(x: &Operand, function: fn(f64) -> f64) -> Result<Operand, IoError> {
    let x = x.as_floats()?;
    let values = x.values.as_primitive::<Float64Type>().unary::<_, Float64Type>(function);
    Ok(Operand { values: Arc::new(values), one: x.one })
}

fn two(x: &Operand, y: &Operand, function: fn(f64, f64) -> f64) -> Result<Operand, IoError> {
    Ok(Operand { values: floats(&x.as_floats()?, &y.as_floats()?, function)?, one: x.one && y.one })
}

/// The remainder has the sign of the dividend, as everywhere else; by 0 it is null.
fn modulo(x: &Operand, y: &Operand) -> Result<Operand, IoError> {
    let out = two(x, y, |x, y| x % y)?;
    whole_again(out, x, y)
}

fn extreme(x: &Operand, y: &Operand, real: fn(f64, f64) -> f64) -> Result<Operand, IoError> {
    let out = two(x, y, real)?;
    whole_again(out, x, y)
}

/// An int where both were.
fn whole_again(out: Operand, x: &Operand, y: &Operand) -> Result<Operand, IoError> {
    let int = |side: &Operand| *side.values.data_type() == DataType::Int64;
    if !(int(x) && int(y)) {
        return Ok(out);
    }
    let values = arrow::compute::cast(&out.values, &DataType::Int64).map_err(arrow_refuses)?;
    Ok(Operand { values, one: out.one })
}

fn coalesced(first: Operand, second: &Operand) -> Result<Operand, IoError> {
    let (first, second) = alike(first, second.clone())?;
    let rows = if first.one { second.values.len() } else { first.values.len() };
    let first = Operand { values: first.array(rows)?, one: false };
    let there = is_not_null(&first.values).map_err(arrow_refuses)?;
    let values: ArrayRef = zip(&there, &first, &second).map_err(arrow_refuses)?;
    Ok(Operand { values, one: false })
}
