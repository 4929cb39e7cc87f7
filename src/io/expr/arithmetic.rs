//! `+ - * / ^` over numbers, times and durations.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::{arity, numeric};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};

use crate::io::error::{IoError, arrow_refuses};
use crate::io::sheet::repeat;
use crate::ir::BinaryOp;

use super::{Operand, alike};

const DURATION: DataType = DataType::Duration(TimeUnit::Microsecond);

/// One of `Add Sub Mul Div Pow`.
pub(super) fn binary(op: BinaryOp, left: &Operand, right: &Operand) -> Result<Operand, IoError> {
    let one = left.one && right.one;
    let lengths = left.is_duration() || right.is_duration();
    let values = match op {
        BinaryOp::Mul if lengths => scaled(left, right)?,
        BinaryOp::Div if lengths => divided(left, right)?,
        BinaryOp::Div => floats(&left.as_floats()?, &right.as_floats()?, |a, b| a / b)?,
        BinaryOp::Pow => floats(&left.as_floats()?, &right.as_floats()?, f64::powf)?,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => {
            let (left, right) = alike(left.clone(), right.clone())?;
            let out = match op {
                BinaryOp::Add => numeric::add_wrapping(&left, &right),
                BinaryOp::Sub => numeric::sub_wrapping(&left, &right),
                _ => numeric::mul_wrapping(&left, &right),
            };
            out.map_err(arrow_refuses)?
        }
        BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Eq
        | BinaryOp::Ne
        | BinaryOp::Lt
        | BinaryOp::Le
        | BinaryOp::Gt
        | BinaryOp::Ge => {
            unreachable!("only called for arithmetic")
        }
    };
    Ok(Operand { values, one })
}

/// Number times duration, exact where the number is whole.
fn scaled(left: &Operand, right: &Operand) -> Result<ArrayRef, IoError> {
    let (length, number) = if left.is_duration() { (left, right) } else { (right, left) };
    let micros = Operand { values: cast(&length.values, &DataType::Int64).map_err(arrow_refuses)?, one: length.one };
    let product = if *number.values.data_type() == DataType::Int64 {
        numeric::mul_wrapping(&micros, number).map_err(arrow_refuses)?
    } else {
        rounded(&floats(&micros.as_floats()?, &number.as_floats()?, |a, b| a * b)?)?
    };
    cast(&product, &DURATION).map_err(arrow_refuses)
}

/// Duration by number is a duration, by duration a number.
fn divided(left: &Operand, right: &Operand) -> Result<ArrayRef, IoError> {
    let micros = |side: &Operand| {
        let values = cast(&side.values, &DataType::Int64).map_err(arrow_refuses)?;
        Operand { values, one: side.one }.as_floats()
    };
    if right.is_duration() {
        return floats(&micros(left)?, &micros(right)?, |a, b| a / b);
    }
    let quotient = rounded(&floats(&micros(left)?, &right.as_floats()?, |a, b| a / b)?)?;
    cast(&quotient, &DURATION).map_err(arrow_refuses)
}

fn rounded(values: &ArrayRef) -> Result<ArrayRef, IoError> {
    let rounded =
        values.as_primitive::<Float64Type>().unary_opt::<_, Int64Type>(|value| value.is_finite().then(|| value.round() as i64));
    Ok(Arc::new(rounded))
}

/// A function of two columns of floats, of which either may be one value for all rows.
pub(super) fn floats(left: &Operand, right: &Operand, op: fn(f64, f64) -> f64) -> Result<ArrayRef, IoError> {
    let rows = match (left.one, right.one) {
        (false, _) => left.values.len(),
        (true, _) => right.values.len(),
    };
    let whole = |side: &Operand| if side.one { repeat(&side.values, rows) } else { Ok(side.values.clone()) };
    let (left, right) = (whole(left)?, whole(right)?);
    let out =
        arity::binary::<_, _, _, Float64Type>(left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>(), op);
    Ok(Arc::new(out.map_err(arrow_refuses)?))
}
