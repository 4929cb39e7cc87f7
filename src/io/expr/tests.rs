//! What the small evaluator makes of values and nulls.

use arrow::array::Float64Array;

use crate::base::{Duration, Span, Time, Unit};
use crate::io::testing::lines;
use crate::ir::Scalar;

use super::*;

fn of(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: true, span: Span::default() }
}

fn float() -> Type {
    Type::Float(Unit::one())
}

fn read(name: &str, ty: Type) -> Box<Expr> {
    Box::new(of(ExprKind::Column(name.into()), ty))
}

fn constant(value: Value, ty: Type) -> Box<Expr> {
    Box::new(of(ExprKind::Literal(value), ty))
}

fn rows() -> RecordBatch {
    let columns: [(&str, ArrayRef); 4] = [
        ("i", Arc::new(Int64Array::from(vec![Some(1), Some(-3), None]))),
        ("x", Arc::new(Float64Array::from(vec![Some(2.5), None, Some(0.0)]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("d", Arc::new(DurationMicrosecondArray::from(vec![1_000, 2_000, 3_000]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true))).unwrap()
}

fn result(kind: ExprKind, ty: Type) -> String {
    let values = evaluate(&of(kind, ty), &rows(), &[]).unwrap();
    let text = lines(&RecordBatch::try_from_iter_with_nullable([("v", values, true)]).unwrap());
    text.iter().map(|line| if line.is_empty() { "null" } else { line }).collect::<Vec<_>>().join(" ")
}

#[test]
fn numbers_times_and_durations_add_and_multiply() {
    use BinaryOp::{Add, Div, Mul, Pow, Sub};
    let (i, x, d) = (|| read("i", Type::Int), || read("x", float()), || read("d", Type::Duration));
    let binary = |op, left, right, ty| result(ExprKind::Binary(op, left, right), ty);
    assert_eq!(binary(Add, i(), constant(Value::Int(2), Type::Int), Type::Int), "3 -1 null");
    assert_eq!(binary(Div, i(), constant(Value::Int(2), Type::Int), float()), "0.5 -1.5 null");
    assert_eq!(binary(Div, constant(Value::Float(1.0), float()), x(), float()), "0.4 null null");
    assert_eq!(binary(Pow, i(), constant(Value::Int(2), Type::Int), float()), "1 9 null");
    assert_eq!(binary(Mul, i(), x(), float()), "2.5 null null");
    assert_eq!(binary(Mul, i(), d(), Type::Duration), "0.001 -0.006 null");
    assert_eq!(binary(Mul, d(), constant(Value::Float(0.5), float()), Type::Duration), "0.0005 0.001 0.0015");
    assert_eq!(binary(Div, d(), constant(Value::Duration(Duration(1_000)), Type::Duration), float()), "1 2 3");
    let start = || constant(Value::Time(Time(0)), Type::Time);
    assert_eq!(
        binary(Add, start(), d(), Type::Time),
        "1970-01-01T00:00:00.001Z 1970-01-01T00:00:00.002Z 1970-01-01T00:00:00.003Z"
    );
    assert_eq!(binary(Sub, start(), start(), Type::Duration), "0 0 0");
}

#[test]
fn null_is_unknown_and_takes_the_else_branch() {
    let b = || read("b", Type::Bool);
    let yes = || constant(Value::Bool(true), Type::Bool);
    let binary = |op, left, right| result(ExprKind::Binary(op, left, right), Type::Bool);
    assert_eq!(binary(BinaryOp::Or, b(), yes()), "true true true");
    assert_eq!(binary(BinaryOp::And, b(), yes()), "true null false");
    assert_eq!(binary(BinaryOp::Gt, read("i", Type::Int), constant(Value::Int(0), Type::Int)), "true false null");
    assert_eq!(result(ExprKind::Not(b()), Type::Bool), "false null true");
    assert_eq!(result(ExprKind::IsNull(b()), Type::Bool), "false true false");
    let one = || constant(Value::Float(1.0), float());
    assert_eq!(result(ExprKind::If(b(), one(), read("x", float())), float()), "1 null 0");
    assert_eq!(result(ExprKind::Coalesce(read("x", float()), one()), float()), "2.5 1 0");
    assert_eq!(result(ExprKind::In(read("i", Type::Int), vec![Value::Int(1), Value::Int(2)]), Type::Bool), "true false null");
}

#[test]
fn units_types_and_functions() {
    let x = || read("x", float());
    assert_eq!(result(ExprKind::Convert { value: x(), scale: 2.0, shift: 1.0 }, float()), "6 null 1");
    assert_eq!(result(ExprKind::Cast(read("i", Type::Int)), float()), "1 -3 null");
    assert_eq!(result(ExprKind::Cast(read("i", Type::Int)), Type::Duration), "0.000001 -0.000003 null");
    assert_eq!(result(ExprKind::Cast(read("i", Type::Int)), Type::Text), "1 -3 null");
    assert_eq!(result(ExprKind::Negate(read("i", Type::Int)), Type::Int), "-1 3 null");
    let call = |function, args| result(ExprKind::Call(function, args), float());
    assert_eq!(call(Scalar::Abs, vec![*read("i", Type::Int)]), "1 3 null");
    assert_eq!(call(Scalar::Sqrt, vec![*read("i", Type::Int)]), "1 null null");
    assert_eq!(call(Scalar::Greatest, vec![*read("i", Type::Int), *constant(Value::Int(0), Type::Int)]), "1 0 null");
    let hour = of(ExprKind::Call(Scalar::Hour, vec![*x()]), Type::Int);
    assert_eq!(check(&hour).unwrap_err().code, Code::E0717);
}
