//! Expressions over one row, as plain as three-valued logic gets.

use mliot::ir::{BinaryOp, Expr, ExprKind, Schema, Type, Value};
use mliot::runtime::Row;

pub fn evaluate(expr: &Expr, row: &Row, slots: &[Value]) -> Value {
    let part = |part: &Expr| evaluate(part, row, slots);
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => value.clone(),
        ExprKind::Column(name) => row.get(name).cloned().unwrap_or(Value::Null),
        ExprKind::Slot(nth) => slots[*nth].clone(),
        ExprKind::Not(one) => truth(&part(one)).map_or(Value::Null, |truth| Value::Bool(!truth)),
        ExprKind::Negate(one) => part(one).as_f64().map_or(Value::Null, |number| Value::Float(-number)),
        ExprKind::Binary(BinaryOp::And, left, right) => both(truth(&part(left)), truth(&part(right)), false),
        ExprKind::Binary(BinaryOp::Or, left, right) => both(truth(&part(left)), truth(&part(right)), true),
        ExprKind::Binary(op, left, right) => binary(*op, &part(left), &part(right)),
        ExprKind::If(condition, then, otherwise) => match truth(&part(condition)) {
            Some(true) => part(then),
            Some(false) | None => part(otherwise),
        },
        ExprKind::Coalesce(one, other) => match part(one) {
            Value::Null => part(other),
            known => known,
        },
        ExprKind::IsNull(one) => Value::Bool(part(one) == Value::Null),
        // Only whole numbers are made fractions.
        ExprKind::Cast(one) => part(one).as_f64().map_or(Value::Null, Value::Float),
        other => panic!("{other:?} is not written by the simulator"),
    }
}

/// Is there a column of this name that could hold the value?
pub fn is_still(schema: &Schema, name: &str, value: &Value) -> bool {
    schema.get(name).is_some_and(|column| is_of(value, &column.ty))
}

pub fn is_of(value: &Value, ty: &Type) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => *ty == Type::Bool,
        Value::Int(_) => *ty == Type::Int,
        Value::Float(_) => matches!(ty, Type::Float(_)),
        Value::Text(_) => *ty == Type::Text,
        Value::Time(_) => *ty == Type::Time,
        Value::Duration(_) => *ty == Type::Duration,
        Value::List(_) => matches!(ty, Type::List(_)),
    }
}

pub fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = value { Some(*truth) } else { None }
}

/// `and` and `or`: one side alone may decide.
fn both(left: Option<bool>, right: Option<bool>, decides: bool) -> Value {
    if left == Some(decides) || right == Some(decides) {
        return Value::Bool(decides);
    }
    if left.is_some() && right.is_some() { Value::Bool(!decides) } else { Value::Null }
}

fn binary(op: BinaryOp, left: &Value, right: &Value) -> Value {
    if matches!((left, right), (Value::Null, _) | (_, Value::Null)) {
        return Value::Null;
    }
    if op == BinaryOp::Eq {
        return Value::Bool(left == right);
    }
    let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else { panic!("{op:?} of {left} and {right}") };
    match op {
        BinaryOp::Gt => Value::Bool(left > right),
        BinaryOp::Le => Value::Bool(left <= right),
        BinaryOp::Add => Value::Float(left + right),
        BinaryOp::Sub => Value::Float(left - right),
        BinaryOp::Mul => Value::Float(left * right),
        other => panic!("{other:?} is not written by the simulator"),
    }
}
