//! Expressions whose value is known when the file is compiled.

use crate::base::{Duration, Time};
use crate::ir::{BinaryOp, Expr, ExprKind, Type, Value};

/// The value, if no column, slot or function is in it. Params have their present value.
pub fn value_of(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => Some(value.clone()),
        ExprKind::Negate(inner) => negated(value_of(inner)?),
        ExprKind::Not(inner) => match value_of(inner)? {
            Value::Bool(bool) => Some(Value::Bool(!bool)),
            _ => None,
        },
        ExprKind::Binary(op, left, right) => binary(*op, &value_of(left)?, &value_of(right)?),
        ExprKind::Convert { value, scale, shift } => finite(value_of(value)?.as_f64()? * scale + shift),
        ExprKind::Cast(inner) => cast(value_of(inner)?, &expr.ty),
        ExprKind::If(condition, then, otherwise) => {
            value_of(if value_of(condition)? == Value::Bool(true) { then } else { otherwise })
        }
        ExprKind::Coalesce(first, second) => match value_of(first)? {
            Value::Null => value_of(second),
            value => Some(value),
        },
        ExprKind::Column(_) | ExprKind::Slot(_) | ExprKind::Call(..) | ExprKind::IsNull(_) | ExprKind::In(..) => None,
    }
}

/// The operation on two constants; none where it has no finite value.
pub fn binary(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => ints(op, *a, *b),
        (Value::Bool(a), Value::Bool(b)) => match op {
            BinaryOp::And => Some(Value::Bool(*a && *b)),
            BinaryOp::Or => Some(Value::Bool(*a || *b)),
            BinaryOp::Eq => Some(Value::Bool(a == b)),
            BinaryOp::Ne => Some(Value::Bool(a != b)),
            _ => None,
        },
        (Value::Time(a), Value::Duration(b)) if op == BinaryOp::Add => Some(Value::Time(*a + *b)),
        (Value::Time(a), Value::Duration(b)) if op == BinaryOp::Sub => Some(Value::Time(*a - *b)),
        (Value::Time(a), Value::Time(b)) if op == BinaryOp::Sub => Some(Value::Duration(*a - *b)),
        (Value::Time(Time(a)), Value::Time(Time(b))) => compare(op, a.partial_cmp(b)?),
        (Value::Duration(a), Value::Duration(b)) => durations(op, *a, *b),
        (Value::Duration(a), number) => scaled(op, *a, number.as_f64()?),
        (number, Value::Duration(b)) if op == BinaryOp::Mul => scaled(op, *b, number.as_f64()?),
        (Value::Text(a), Value::Text(b)) => compare(op, a.cmp(b)),
        (a, b) => floats(op, a.as_f64()?, b.as_f64()?),
    }
}

pub fn finite(value: f64) -> Option<Value> {
    value.is_finite().then_some(Value::Float(value))
}

fn negated(value: Value) -> Option<Value> {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int),
        Value::Float(float) => Some(Value::Float(-float)),
        Value::Duration(Duration(micros)) => micros.checked_neg().map(|micros| Value::Duration(Duration(micros))),
        _ => None,
    }
}

fn ints(op: BinaryOp, a: i64, b: i64) -> Option<Value> {
    match op {
        BinaryOp::Add => a.checked_add(b).map(Value::Int),
        BinaryOp::Sub => a.checked_sub(b).map(Value::Int),
        BinaryOp::Mul => a.checked_mul(b).map(Value::Int),
        BinaryOp::Div | BinaryOp::Pow => floats(op, a as f64, b as f64),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => compare(op, a.cmp(&b)),
        BinaryOp::And | BinaryOp::Or => None,
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<Value> {
    match op {
        BinaryOp::Add => finite(a + b),
        BinaryOp::Sub => finite(a - b),
        BinaryOp::Mul => finite(a * b),
        BinaryOp::Div => finite(a / b),
        BinaryOp::Pow => finite(a.powf(b)),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            compare(op, a.partial_cmp(&b)?)
        }
        BinaryOp::And | BinaryOp::Or => None,
    }
}

fn durations(op: BinaryOp, a: Duration, b: Duration) -> Option<Value> {
    match op {
        BinaryOp::Add => a.0.checked_add(b.0).map(|micros| Value::Duration(Duration(micros))),
        BinaryOp::Sub => a.0.checked_sub(b.0).map(|micros| Value::Duration(Duration(micros))),
        BinaryOp::Div => finite(a.0 as f64 / b.0 as f64),
        BinaryOp::Mul | BinaryOp::Pow | BinaryOp::And | BinaryOp::Or => None,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => compare(op, a.cmp(&b)),
    }
}

fn scaled(op: BinaryOp, duration: Duration, by: f64) -> Option<Value> {
    let micros = match op {
        BinaryOp::Mul => duration.0 as f64 * by,
        BinaryOp::Div => duration.0 as f64 / by,
        _ => return None,
    };
    micros.is_finite().then(|| Value::Duration(Duration(micros.round() as i64)))
}

fn compare(op: BinaryOp, order: std::cmp::Ordering) -> Option<Value> {
    let holds = match op {
        BinaryOp::Eq => order.is_eq(),
        BinaryOp::Ne => order.is_ne(),
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        BinaryOp::Ge => order.is_ge(),
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow | BinaryOp::And | BinaryOp::Or => {
            return None;
        }
    };
    Some(Value::Bool(holds))
}

fn cast(value: Value, ty: &Type) -> Option<Value> {
    match (ty, value) {
        (Type::Float(_), value) => finite(value.as_f64()?),
        (Type::Duration, value) => Some(Value::Duration(Duration(value.as_f64()?.round() as i64))),
        (Type::Text, value @ Value::Text(_)) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_calculated_and_never_infinite() {
        assert_eq!(binary(BinaryOp::Add, &Value::Int(2), &Value::Float(0.5)), Some(Value::Float(2.5)));
        assert_eq!(binary(BinaryOp::Div, &Value::Int(1), &Value::Int(0)), None);
        assert_eq!(binary(BinaryOp::Add, &Value::Int(i64::MAX), &Value::Int(1)), None);
        let second = Value::Duration(Duration::SECOND);
        assert_eq!(binary(BinaryOp::Mul, &Value::Int(3), &second), Some(Value::Duration(Duration(3_000_000))));
        assert_eq!(binary(BinaryOp::Div, &second, &second), Some(Value::Float(1.0)));
        assert_eq!(binary(BinaryOp::Lt, &second, &second), Some(Value::Bool(false)));
    }
}
