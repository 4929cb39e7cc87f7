//! The scalar functions: DataFusion's where it has one that means the same, ours elsewhere.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions::{math, string};
use datafusion::logical_expr::ScalarUDF;

use crate::ir::Scalar;
use crate::node::NodeError;

use super::super::error::ill_formed;
use super::lower::{Lowered, coalesce};
use super::own::{Arrays, library, over_arrays};
use super::{arithmetic, float, signal, text, time};

/// `args` are clean; `result` is the type that the checker gave the call.
pub(super) fn call(function: Scalar, args: Vec<Lowered>, result: &DataType) -> Result<Lowered, NodeError> {
    if args.is_empty() {
        return Err(ill_formed(format!("`{}` has no argument", function.name())));
    }
    match function {
        Scalar::Abs => keeping(args, math::abs(), arithmetic::abs),
        // DataFusion's roots and logarithms fail outside their domain, where ours are null.
        Scalar::Sqrt => own_of_float("sqrt", args, float::sqrt),
        Scalar::Exp => of_floats(args, 1, math::exp()),
        Scalar::Ln => own_of_float("ln", args, float::ln),
        Scalar::Log10 => own_of_float("log10", args, float::log10),
        Scalar::Sin => of_floats(args, 1, math::sin()),
        Scalar::Cos => of_floats(args, 1, math::cos()),
        Scalar::Tan => of_floats(args, 1, math::tan()),
        Scalar::Atan2 => of_floats(args, 2, math::atan2()),
        Scalar::Floor => to_whole(args, result, math::floor()),
        Scalar::Ceil => to_whole(args, result, math::ceil()),
        Scalar::Round => round(args, result),
        Scalar::Sign => keeping(args, math::signum(), arithmetic::sign)?.into_result(result),
        Scalar::Mod => pair("mod", args, float::modulo, arithmetic::modulo),
        Scalar::Least => fold("least", args, float::least, arithmetic::least),
        Scalar::Greatest => fold("greatest", args, float::greatest, arithmetic::greatest),
        Scalar::Clamp => clamp(args),
        Scalar::Hypot => hypot(args),
        Scalar::Coalesce => first_of(args, result),
        Scalar::Year => of_time("year", args, time::year),
        Scalar::Month => of_time("month", args, time::month),
        Scalar::Day => of_time("day", args, time::day),
        Scalar::Weekday => of_time("weekday", args, time::weekday),
        Scalar::Hour => of_time("hour", args, time::hour),
        Scalar::Minute => of_time("minute", args, time::minute),
        Scalar::Second => of_time("second", args, time::second),
        Scalar::Length => own_of_text("length", args, text::length, DataType::Int64),
        Scalar::Trim => own_of_text("trim", args, text::trim, DataType::Utf8),
        Scalar::Lower => of_text(args, 1, string::lower(), DataType::Utf8),
        Scalar::Upper => of_text(args, 1, string::upper(), DataType::Utf8),
        Scalar::Contains => of_text(args, 2, string::contains(), DataType::Boolean),
        Scalar::StartsWith => of_text(args, 2, string::starts_with(), DataType::Boolean),
        Scalar::EndsWith => of_text(args, 2, string::ends_with(), DataType::Boolean),
        Scalar::Rms
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
        | Scalar::Mfcc => signal::call(function, args, result),
    }
}

impl Lowered {
    /// A whole-numbered float as an int, where the checker says that the result is one.
    fn into_result(self, result: &DataType) -> Result<Lowered, NodeError> {
        match (&self.ty, result) {
            (DataType::Float64, DataType::Int64) => {
                Ok(Lowered::new(over_arrays("whole", vec![self.clean().expr], result, float::whole), result.clone()))
            }
            _ => self.coerced(result),
        }
    }
}

fn expect(args: &[Lowered], count: usize) -> Result<(), NodeError> {
    if args.len() == count { Ok(()) } else { Err(ill_formed(format!("{} arguments where {count} are expected", args.len()))) }
}

/// The result may be NaN or infinite.
fn of_floats(args: Vec<Lowered>, count: usize, function: Arc<ScalarUDF>) -> Result<Lowered, NodeError> {
    expect(&args, count)?;
    let args = args.into_iter().map(|arg| Ok(arg.coerced(&DataType::Float64)?.expr)).collect::<Result<_, NodeError>>()?;
    Ok(Lowered::unsure(library(function, args, &DataType::Float64), DataType::Float64))
}

fn own_of_float(name: &'static str, mut args: Vec<Lowered>, body: Arrays) -> Result<Lowered, NodeError> {
    expect(&args, 1)?;
    let arg = args.remove(0).coerced(&DataType::Float64)?;
    Ok(Lowered::unsure(over_arrays(name, vec![arg.expr], &arg.ty, body), arg.ty))
}

/// One argument, whose type is the result's.
fn keeping(mut args: Vec<Lowered>, floats: Arc<ScalarUDF>, ints: Arrays) -> Result<Lowered, NodeError> {
    expect(&args, 1)?;
    let arg = args.remove(0);
    match arg.ty {
        DataType::Float64 => Ok(Lowered::new(library(floats, vec![arg.expr], &arg.ty), arg.ty)),
        DataType::Int64 | DataType::Duration(_) => Ok(Lowered::new(over_arrays("keep", vec![arg.expr], &arg.ty, ints), arg.ty)),
        ty => Err(ill_formed(format!("a number is expected, not {ty}"))),
    }
}

fn to_whole(mut args: Vec<Lowered>, result: &DataType, floats: Arc<ScalarUDF>) -> Result<Lowered, NodeError> {
    expect(&args, 1)?;
    let arg = args.remove(0);
    match arg.ty {
        DataType::Float64 => Lowered::new(library(floats, vec![arg.expr], &arg.ty), arg.ty).into_result(result),
        _ => arg.coerced(result),
    }
}

/// With one argument to whole numbers, with a second to so many decimals.
fn round(mut args: Vec<Lowered>, result: &DataType) -> Result<Lowered, NodeError> {
    if args.len() == 2 {
        let value = args.remove(0).coerced(&DataType::Float64)?;
        let args = vec![value.expr, args.remove(0).expr];
        return Lowered::unsure(over_arrays("round_to", args, &value.ty, float::round_to), value.ty)
            .clean()
            .into_result(result);
    }
    expect(&args, 1)?;
    let arg = args.remove(0);
    match arg.ty {
        DataType::Float64 => {
            Lowered::new(over_arrays("round", vec![arg.expr], &arg.ty, float::round), arg.ty).into_result(result)
        }
        _ => arg.coerced(result),
    }
}

/// Two numbers, times or durations of one type.
fn pair(name: &'static str, mut args: Vec<Lowered>, floats: Arrays, ints: Arrays) -> Result<Lowered, NodeError> {
    expect(&args, 2)?;
    let (right, left) = (args.remove(1), args.remove(0));
    of_two(name, left, right, floats, ints)
}

fn of_two(name: &'static str, left: Lowered, right: Lowered, floats: Arrays, ints: Arrays) -> Result<Lowered, NodeError> {
    let float = left.ty == DataType::Float64 || right.ty == DataType::Float64;
    if float {
        let args = vec![left.coerced(&DataType::Float64)?.expr, right.coerced(&DataType::Float64)?.expr];
        return Ok(Lowered::unsure(over_arrays(name, args, &DataType::Float64, floats), DataType::Float64).clean());
    }
    match (&left.ty, &right.ty) {
        (a, b) if a == b && is_whole(a) => {
            Ok(Lowered::new(over_arrays(name, vec![left.expr, right.expr], &left.ty, ints), left.ty))
        }
        (a, b) => Err(ill_formed(format!("`{name}` of {a} and {b}"))),
    }
}

fn is_whole(ty: &DataType) -> bool {
    matches!(ty, DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_))
}

fn fold(name: &'static str, args: Vec<Lowered>, floats: Arrays, ints: Arrays) -> Result<Lowered, NodeError> {
    let mut args = args.into_iter();
    let first = args.next().expect("a call has an argument");
    args.try_fold(first, |best, next| of_two(name, best, next, floats, ints))
}

/// `clamp(x, low, high)`; where the bounds cross, the high one holds.
fn clamp(mut args: Vec<Lowered>) -> Result<Lowered, NodeError> {
    expect(&args, 3)?;
    let (high, low, value) = (args.remove(2), args.remove(1), args.remove(0));
    let raised = of_two("greatest", value, low, float::greatest, arithmetic::greatest)?;
    of_two("least", raised, high, float::least, arithmetic::least)
}

/// The length of a vector of any number of components, without overflow between.
fn hypot(args: Vec<Lowered>) -> Result<Lowered, NodeError> {
    let mut args = args.into_iter().map(|arg| arg.coerced(&DataType::Float64));
    let first = args.next().expect("a call has an argument")?;
    args.try_fold(first, |length, next| {
        let args = vec![length.expr, next?.expr];
        Ok(Lowered::unsure(over_arrays("hypot", args, &DataType::Float64, float::hypot), DataType::Float64))
    })
}

fn first_of(args: Vec<Lowered>, result: &DataType) -> Result<Lowered, NodeError> {
    let mut args = args.into_iter().rev();
    let last = args.next().expect("a call has an argument").coerced(result)?;
    args.try_fold(last, |rest, next| coalesce(next, rest, result))
}

fn of_time(name: &'static str, mut args: Vec<Lowered>, body: Arrays) -> Result<Lowered, NodeError> {
    expect(&args, 1)?;
    let arg = args.remove(0);
    match arg.ty {
        DataType::Timestamp(..) => Ok(Lowered::new(over_arrays(name, vec![arg.expr], &DataType::Int64, body), DataType::Int64)),
        ty => Err(ill_formed(format!("`{name}` of {ty}"))),
    }
}

fn own_of_text(name: &'static str, mut args: Vec<Lowered>, body: Arrays, result: DataType) -> Result<Lowered, NodeError> {
    expect(&args, 1)?;
    let arg = args.remove(0).coerced(&DataType::Utf8)?;
    Ok(Lowered::new(over_arrays(name, vec![arg.expr], &result, body), result))
}

fn of_text(args: Vec<Lowered>, count: usize, function: Arc<ScalarUDF>, result: DataType) -> Result<Lowered, NodeError> {
    expect(&args, count)?;
    let args = args.into_iter().map(|arg| Ok(arg.coerced(&DataType::Utf8)?.expr)).collect::<Result<_, NodeError>>()?;
    Ok(Lowered::new(library(function, args, &result), result))
}
