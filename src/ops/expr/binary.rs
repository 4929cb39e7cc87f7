//! Operators with two sides.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, lit};
use datafusion::scalar::ScalarValue;

use crate::ir::BinaryOp;
use crate::node::NodeError;

use super::super::error::ill_formed;
use super::lower::Lowered;
use super::own::{Values, over_arrays, over_values};
use super::{arithmetic, float};

const DURATION: DataType = DataType::Duration(TimeUnit::Microsecond);

pub(super) fn lower(op: BinaryOp, left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    match op {
        BinaryOp::Or => Ok(logic(Operator::Or, left, right)),
        BinaryOp::And => Ok(logic(Operator::And, left, right)),
        BinaryOp::Eq => compare(Operator::Eq, left, right),
        BinaryOp::Ne => compare(Operator::NotEq, left, right),
        BinaryOp::Lt => compare(Operator::Lt, left, right),
        BinaryOp::Le => compare(Operator::LtEq, left, right),
        BinaryOp::Gt => compare(Operator::Gt, left, right),
        BinaryOp::Ge => compare(Operator::GtEq, left, right),
        BinaryOp::Add => add(left, right),
        BinaryOp::Sub => subtract(left, right),
        BinaryOp::Mul => multiply(left, right),
        BinaryOp::Div => divide(left, right),
        BinaryOp::Pow => power(left, right),
    }
}

fn logic(op: Operator, left: Lowered, right: Lowered) -> Lowered {
    Lowered::new(Arc::new(BinaryExpr::new(left.expr, op, right.expr)), DataType::Boolean)
}

/// Arrow orders floats totally, so NaN must be null before and the two zeros one.
fn compare(op: Operator, left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    let (left, right) = same_number(left.clean(), right.clean());
    if left.ty != right.ty {
        return Err(ill_formed(format!("{} and {} are compared", left.ty, right.ty)));
    }
    let (left, right) = match (not_zero(&left), not_zero(&right)) {
        (false, false) => (one_zero(left), one_zero(right)),
        _ => (left, right),
    };
    Ok(logic(op, left, right))
}

/// A float constant beside which the sign of a zero does not count.
fn not_zero(side: &Lowered) -> bool {
    matches!(side.literal(), Some(ScalarValue::Float64(Some(value))) if *value != 0.0)
}

/// -0 as 0; other values as they are.
pub(super) fn one_zero(side: Lowered) -> Lowered {
    if side.ty != DataType::Float64 {
        return side;
    }
    match side.literal() {
        Some(ScalarValue::Float64(Some(value))) => Lowered::new(lit(*value + 0.0), DataType::Float64),
        _ => Lowered { expr: Arc::new(BinaryExpr::new(side.expr, Operator::Plus, lit(0.0))), ..side },
    }
}

/// Both as floats where one of them is.
fn same_number(left: Lowered, right: Lowered) -> (Lowered, Lowered) {
    match (&left.ty, &right.ty) {
        (DataType::Int64, DataType::Float64) => (left.cast(&DataType::Float64), right),
        (DataType::Float64, DataType::Int64) => (left, right.cast(&DataType::Float64)),
        _ => (left, right),
    }
}

fn add(left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    let (left, right) = same_number(left, right);
    match (&left.ty, &right.ty) {
        (DataType::Float64, DataType::Float64) => Ok(floats(Operator::Plus, left, right)),
        (DataType::Duration(_), DataType::Timestamp(..)) => Ok(exact("add", right, left, arithmetic::add)),
        (DataType::Int64, DataType::Int64) | (DataType::Duration(_) | DataType::Timestamp(..), DataType::Duration(_)) => {
            Ok(exact("add", left, right, arithmetic::add))
        }
        _ => Err(no_sum("added", &left, &right)),
    }
}

fn subtract(left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    let (left, right) = same_number(left, right);
    match (&left.ty, &right.ty) {
        (DataType::Float64, DataType::Float64) => Ok(floats(Operator::Minus, left, right)),
        (DataType::Timestamp(..), DataType::Timestamp(..)) => {
            let args = vec![left.expr, right.expr];
            Ok(Lowered::new(over_values("since", args, &DURATION, arithmetic::subtract), DURATION))
        }
        (DataType::Int64, DataType::Int64) | (DataType::Duration(_) | DataType::Timestamp(..), DataType::Duration(_)) => {
            Ok(exact("subtract", left, right, arithmetic::subtract))
        }
        _ => Err(no_sum("subtracted", &left, &right)),
    }
}

fn multiply(left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    let (left, right) = same_number(left, right);
    match (&left.ty, &right.ty) {
        (DataType::Float64, DataType::Float64) => Ok(floats(Operator::Multiply, left, right)),
        (DataType::Int64, DataType::Int64) => Ok(exact("multiply", left, right, arithmetic::multiply)),
        (DataType::Duration(_), DataType::Int64 | DataType::Float64) => Ok(scaled(left, right)),
        (DataType::Int64 | DataType::Float64, DataType::Duration(_)) => Ok(scaled(right, left)),
        _ => Err(no_sum("multiplied", &left, &right)),
    }
}

/// Always of floats: `1 / 2` is 0.5.
fn divide(left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    match (&left.ty, &right.ty) {
        (DataType::Int64 | DataType::Float64, DataType::Int64 | DataType::Float64) => Ok(quotient(left, right)),
        (DataType::Duration(_), DataType::Duration(_)) => {
            Ok(quotient(left.cast(&DataType::Int64), right.cast(&DataType::Int64)))
        }
        (DataType::Duration(_), DataType::Int64 | DataType::Float64) => {
            let micros = quotient(left.cast(&DataType::Int64), right).clean();
            Ok(Lowered::new(over_arrays("whole", vec![micros.expr], &DURATION, float::rounded), DURATION))
        }
        _ => Err(no_sum("divided", &left, &right)),
    }
}

fn quotient(left: Lowered, right: Lowered) -> Lowered {
    let as_float = |side: Lowered| if side.ty == DataType::Float64 { side.clean() } else { side.cast(&DataType::Float64) };
    floats(Operator::Divide, as_float(left), as_float(right))
}

fn power(left: Lowered, right: Lowered) -> Result<Lowered, NodeError> {
    let (left, right) = same_number(left.clean(), right.clean());
    match (&left.ty, &right.ty) {
        (DataType::Float64, DataType::Float64) => {
            let args = vec![left.expr, right.expr];
            Ok(Lowered::unsure(over_arrays("power", args, &DataType::Float64, float::power), DataType::Float64))
        }
        (DataType::Int64, DataType::Int64) => {
            let args = vec![left.expr, right.expr];
            Ok(Lowered::new(over_arrays("int_power", args, &DataType::Int64, arithmetic::power), DataType::Int64))
        }
        _ => Err(no_sum("raised", &left, &right)),
    }
}

fn floats(op: Operator, left: Lowered, right: Lowered) -> Lowered {
    Lowered::unsure(Arc::new(BinaryExpr::new(left.expr, op, right.expr)), DataType::Float64)
}

/// Of 64-bit ints, with null for what does not fit; the result has the left side's type.
fn exact(name: &'static str, left: Lowered, right: Lowered, body: Values) -> Lowered {
    Lowered::new(over_values(name, vec![left.expr, right.expr], &left.ty, body), left.ty)
}

fn scaled(duration: Lowered, by: Lowered) -> Lowered {
    let by = by.clean();
    let args = vec![duration.expr, by.expr];
    let body = if by.ty == DataType::Int64 { arithmetic::times_int } else { arithmetic::times_float };
    Lowered::new(over_arrays("times", args, &DURATION, body), DURATION)
}

fn no_sum(what: &str, left: &Lowered, right: &Lowered) -> NodeError {
    ill_formed(format!("{} and {} are {what}", left.ty, right.ty))
}
