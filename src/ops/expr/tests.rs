//! What expressions give, at the edges above all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use crate::base::{Duration, Span, Time};
use crate::ir::{Aggregate, BinaryOp, Column, Expr, ExprKind, Scalar, Schema, Type, Value};

use super::super::{evaluate_constant, evaluate_scalar};
use super::{Expression, Scope};

const F: fn(f64) -> (Value, Type) = |value| (Value::Float(value), Type::NUMBER());
const I: fn(i64) -> (Value, Type) = |value| (Value::Int(value), Type::Int);
const T: fn(&str) -> (Value, Type) = |text| (Value::Text(text.into()), Type::Text);
const B: fn(bool) -> (Value, Type) = |value| (Value::Bool(value), Type::Bool);
const AT: fn(i64) -> (Value, Type) = |micros| (Value::Time(Time(micros)), Type::Time);
const D: fn(i64) -> (Value, Type) = |micros| (Value::Duration(Duration(micros)), Type::Duration);

fn null(ty: Type) -> (Value, Type) {
    (Value::Null, ty)
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: true, span: Span::default() }
}

fn literal((value, ty): (Value, Type)) -> Expr {
    expr(ExprKind::Literal(value), ty)
}

fn binary(op: BinaryOp, left: (Value, Type), right: (Value, Type), ty: Type) -> Value {
    let kind = ExprKind::Binary(op, Box::new(literal(left)), Box::new(literal(right)));
    evaluate_constant(&expr(kind, ty)).unwrap()
}

fn scalar(function: Scalar, args: &[(Value, Type)], ty: Type) -> Value {
    evaluate_scalar(function, args, &ty).unwrap()
}

#[test]
fn what_does_not_exist_is_null() {
    let number = Type::NUMBER;
    assert_eq!(binary(BinaryOp::Div, F(1.0), F(0.0), number()), Value::Null);
    assert_eq!(binary(BinaryOp::Div, I(1), I(0), number()), Value::Null);
    assert_eq!(binary(BinaryOp::Mul, F(1e300), F(1e300), number()), Value::Null);
    assert_eq!(binary(BinaryOp::Add, I(i64::MAX), I(1), Type::Int), Value::Null);
    assert_eq!(binary(BinaryOp::Sub, AT(i64::MIN), D(1), Type::Time), Value::Null);
    assert_eq!(binary(BinaryOp::Mul, D(i64::MAX), F(2.0), Type::Duration), Value::Null);
    assert_eq!(binary(BinaryOp::Pow, I(10), I(40), Type::Int), Value::Null);
    assert_eq!(scalar(Scalar::Sqrt, &[F(-1.0)], number()), Value::Null);
    assert_eq!(scalar(Scalar::Ln, &[F(0.0)], number()), Value::Null);
    assert_eq!(scalar(Scalar::Abs, &[I(i64::MIN)], Type::Int), Value::Null);
    assert_eq!(scalar(Scalar::Mod, &[I(1), I(0)], Type::Int), Value::Null);
}

#[test]
fn arithmetic_keeps_its_types() {
    assert_eq!(binary(BinaryOp::Div, I(1), I(2), Type::NUMBER()), Value::Float(0.5));
    assert_eq!(binary(BinaryOp::Add, I(1), F(0.5), Type::NUMBER()), Value::Float(1.5));
    assert_eq!(binary(BinaryOp::Add, AT(5), D(7), Type::Time), Value::Time(Time(12)));
    assert_eq!(binary(BinaryOp::Add, D(7), AT(5), Type::Time), Value::Time(Time(12)));
    assert_eq!(binary(BinaryOp::Sub, AT(5), AT(7), Type::Duration), Value::Duration(Duration(-2)));
    assert_eq!(binary(BinaryOp::Mul, I(3), D(7), Type::Duration), Value::Duration(Duration(21)));
    assert_eq!(binary(BinaryOp::Mul, D(3), F(0.5), Type::Duration), Value::Duration(Duration(2)));
    assert_eq!(binary(BinaryOp::Div, D(3), I(2), Type::Duration), Value::Duration(Duration(2)));
    assert_eq!(binary(BinaryOp::Div, D(3), D(2), Type::NUMBER()), Value::Float(1.5));
    assert_eq!(binary(BinaryOp::Pow, F(2.0), I(3), Type::NUMBER()), Value::Float(8.0));
    assert_eq!(binary(BinaryOp::Pow, I(2), I(10), Type::Int), Value::Int(1024));
}

#[test]
fn logic_has_three_values() {
    let none = || null(Type::Bool);
    assert_eq!(binary(BinaryOp::And, B(false), none(), Type::Bool), Value::Bool(false));
    assert_eq!(binary(BinaryOp::And, B(true), none(), Type::Bool), Value::Null);
    assert_eq!(binary(BinaryOp::Or, none(), B(true), Type::Bool), Value::Bool(true));
    assert_eq!(binary(BinaryOp::Eq, null(Type::NUMBER()), F(1.0), Type::Bool), Value::Null);
}

#[test]
fn the_two_zeros_are_one() {
    for (op, holds) in [
        (BinaryOp::Eq, true),
        (BinaryOp::Ne, false),
        (BinaryOp::Lt, false),
        (BinaryOp::Le, true),
        (BinaryOp::Gt, false),
        (BinaryOp::Ge, true),
    ] {
        assert_eq!(binary(op, F(-0.0), F(0.0), Type::Bool), Value::Bool(holds), "{op:?}");
        assert_eq!(binary(op, F(0.0), F(-0.0), Type::Bool), Value::Bool(holds), "{op:?}");
    }
    let zero = ExprKind::In(Box::new(literal(F(-0.0))), vec![Value::Float(0.0)]);
    assert_eq!(evaluate_constant(&expr(zero, Type::Bool)).unwrap(), Value::Bool(true));
}

#[test]
fn membership_skips_null() {
    let one_of = |of: (Value, Type), values: Vec<Value>| {
        evaluate_constant(&expr(ExprKind::In(Box::new(literal(of)), values), Type::Bool)).unwrap()
    };
    assert_eq!(one_of(I(2), vec![Value::Int(1), Value::Null]), Value::Bool(false));
    assert_eq!(one_of(I(1), vec![Value::Int(1), Value::Null]), Value::Bool(true));
    assert_eq!(one_of(null(Type::Int), vec![Value::Int(1)]), Value::Null);
    assert_eq!(one_of(I(1), vec![]), Value::Bool(false));
    assert_eq!(one_of(T("a"), vec![Value::Text("a".into())]), Value::Bool(true));
}

#[test]
fn scalar_functions_give_what_their_page_says() {
    let n = Type::NUMBER;
    type Case = (Scalar, Vec<(Value, Type)>, Type, Value);
    let cases: Vec<Case> = vec![
        (Scalar::Abs, vec![F(-2.5)], n(), Value::Float(2.5)),
        (Scalar::Abs, vec![D(-3)], Type::Duration, Value::Duration(Duration(3))),
        (Scalar::Sqrt, vec![I(9)], n(), Value::Float(3.0)),
        (Scalar::Exp, vec![F(0.0)], n(), Value::Float(1.0)),
        (Scalar::Ln, vec![F(1.0)], n(), Value::Float(0.0)),
        (Scalar::Log10, vec![F(1000.0)], n(), Value::Float(3.0)),
        (Scalar::Sin, vec![F(0.0)], n(), Value::Float(0.0)),
        (Scalar::Cos, vec![F(0.0)], n(), Value::Float(1.0)),
        (Scalar::Tan, vec![F(0.0)], n(), Value::Float(0.0)),
        (Scalar::Atan2, vec![F(1.0), F(1.0)], n(), Value::Float(std::f64::consts::FRAC_PI_4)),
        (Scalar::Floor, vec![F(-1.5)], n(), Value::Float(-2.0)),
        (Scalar::Ceil, vec![F(-1.5)], Type::Int, Value::Int(-1)),
        (Scalar::Round, vec![F(2.5)], n(), Value::Float(3.0)),
        (Scalar::Round, vec![F(-2.5)], Type::Int, Value::Int(-3)),
        (Scalar::Round, vec![F(2.345), I(1)], n(), Value::Float(2.3)),
        (Scalar::Sign, vec![F(-7.0)], n(), Value::Float(-1.0)),
        (Scalar::Sign, vec![F(0.0)], n(), Value::Float(0.0)),
        (Scalar::Sign, vec![I(7)], Type::Int, Value::Int(1)),
        (Scalar::Mod, vec![I(-1), I(24)], Type::Int, Value::Int(23)),
        (Scalar::Mod, vec![F(5.5), F(2.0)], n(), Value::Float(1.5)),
        (Scalar::Mod, vec![I(1), I(-3)], Type::Int, Value::Int(-2)),
        (Scalar::Least, vec![F(3.0), I(1), F(2.0)], n(), Value::Float(1.0)),
        (Scalar::Least, vec![F(3.0), null(n())], n(), Value::Null),
        (Scalar::Greatest, vec![AT(3), AT(9)], Type::Time, Value::Time(Time(9))),
        (Scalar::Clamp, vec![F(7.0), I(0), I(5)], n(), Value::Float(5.0)),
        (Scalar::Clamp, vec![I(-7), I(0), I(5)], Type::Int, Value::Int(0)),
        (Scalar::Hypot, vec![F(3.0), F(4.0)], n(), Value::Float(5.0)),
        (Scalar::Hypot, vec![F(2.0), F(3.0), F(6.0)], n(), Value::Float(7.0)),
        (Scalar::Coalesce, vec![null(n()), F(2.0), F(3.0)], n(), Value::Float(2.0)),
        (Scalar::Year, vec![AT(-1)], Type::Int, Value::Int(1969)),
        (Scalar::Month, vec![AT(-1)], Type::Int, Value::Int(12)),
        (Scalar::Day, vec![AT(0)], Type::Int, Value::Int(1)),
        (Scalar::Weekday, vec![AT(0)], Type::Int, Value::Int(4)),
        (Scalar::Hour, vec![AT(-1)], Type::Int, Value::Int(23)),
        (Scalar::Minute, vec![AT(61_000_000)], Type::Int, Value::Int(1)),
        (Scalar::Second, vec![AT(61_900_000)], Type::Int, Value::Int(1)),
        (Scalar::Length, vec![T("größe")], Type::Int, Value::Int(5)),
        (Scalar::Lower, vec![T("ABC")], Type::Text, Value::Text("abc".into())),
        (Scalar::Upper, vec![T("abc")], Type::Text, Value::Text("ABC".into())),
        (Scalar::Trim, vec![T(" a\t")], Type::Text, Value::Text("a".into())),
        (Scalar::Contains, vec![T("abc"), T("b")], Type::Bool, Value::Bool(true)),
        (Scalar::StartsWith, vec![T("abc"), T("b")], Type::Bool, Value::Bool(false)),
        (Scalar::EndsWith, vec![T("abc"), T("bc")], Type::Bool, Value::Bool(true)),
    ];
    for (function, args, ty, expected) in &cases {
        assert_eq!(evaluate_scalar(*function, args, ty).as_ref(), Ok(expected), "{}{args:?}", function.name());
    }
    // Functions of samples, which are aggregates as well, have a test of their own.
    for function in Scalar::ALL.iter().filter(|function| Aggregate::named(function.name()).is_none()) {
        assert!(cases.iter().any(|case| case.0 == *function), "no case for `{}`", function.name());
    }
}

#[test]
fn everything_can_be_text() {
    for (value, text) in [
        (F(21.0), "21"),
        (F(0.1), "0.1"),
        (I(-3), "-3"),
        (B(true), "true"),
        (D(1_500_000), "1500ms"),
        (AT(0), "1970-01-01T00:00:00Z"),
        (T("a"), "a"),
    ] {
        let cast = expr(ExprKind::Cast(Box::new(literal(value))), Type::Text);
        assert_eq!(evaluate_constant(&cast).unwrap(), Value::Text(text.into()));
    }
}

fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Span::default() }
}

fn rows() -> (Schema, RecordBatch) {
    let columns = vec![column("x", Type::NUMBER()), column("n", Type::Int), column("ok", Type::Bool)];
    let schema = Schema { columns, time: None, clock_by: vec![] };
    let x: Float64Array = vec![Some(1.0), Some(f64::NAN), None, Some(f64::INFINITY), Some(-0.0)].into();
    let n: Int64Array = vec![Some(1), Some(i64::MAX), None, Some(i64::MIN), Some(0)].into();
    let ok: BooleanArray = vec![Some(true), Some(false), None, Some(true), None].into();
    let arrays: Vec<ArrayRef> = vec![Arc::new(x), Arc::new(n), Arc::new(ok)];
    let batch = RecordBatch::try_new(crate::node::schema(&schema), arrays).unwrap();
    (schema, batch)
}

fn of(name: &str, ty: Type) -> Box<Expr> {
    Box::new(expr(ExprKind::Column(name.into()), ty))
}

fn evaluate(kind: ExprKind, ty: Type) -> ArrayRef {
    let (schema, batch) = rows();
    Expression::compile(&expr(kind, ty), &Scope::of(&schema)).unwrap().evaluate(&batch).unwrap()
}

#[test]
fn floats_from_outside_are_read_as_finite_or_null() {
    let floats = |kind| evaluate(kind, Type::NUMBER()).as_primitive::<Float64Type>().iter().collect::<Vec<_>>();
    let x = || of("x", Type::NUMBER());
    assert_eq!(floats(x().kind), [Some(1.0), None, None, None, Some(0.0)]);
    let converted = ExprKind::Convert { value: x(), scale: 2.0, shift: 1.0 };
    assert_eq!(floats(converted), [Some(3.0), None, None, None, Some(1.0)]);
    let chosen = ExprKind::If(of("ok", Type::Bool), x(), Box::new(literal(F(7.0))));
    assert_eq!(floats(chosen), [Some(1.0), Some(7.0), Some(7.0), None, Some(7.0)]);
    let filled = ExprKind::Coalesce(x(), Box::new(literal(F(7.0))));
    assert_eq!(floats(filled), [Some(1.0), Some(7.0), Some(7.0), Some(7.0), Some(0.0)]);
    let nulls = evaluate(ExprKind::IsNull(x()), Type::Bool);
    assert_eq!(nulls.as_boolean().iter().collect::<Option<Vec<_>>>().unwrap(), [false, true, true, true, false]);
}

#[test]
fn ints_that_overflow_are_null_row_by_row() {
    let ints = |kind| evaluate(kind, Type::Int).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
    let n = || of("n", Type::Int);
    let sum = ExprKind::Binary(BinaryOp::Add, n(), Box::new(literal(I(1))));
    assert_eq!(ints(sum), [Some(2), None, None, Some(i64::MIN + 1), Some(1)]);
    assert_eq!(ints(ExprKind::Negate(n())), [Some(-1), Some(-i64::MAX), None, None, Some(0)]);
}

#[test]
fn a_condition_keeps_only_what_is_true() {
    let (schema, batch) = rows();
    let above = ExprKind::Binary(BinaryOp::Gt, of("x", Type::NUMBER()), Box::new(literal(F(0.5))));
    let mask = Expression::compile(&expr(above, Type::Bool), &Scope::of(&schema)).unwrap().mask(&batch).unwrap();
    assert_eq!(mask, BooleanArray::from(vec![true, false, false, false, false]));
    assert_eq!(mask.null_count(), 0);
}

#[test]
fn what_does_not_fit_is_refused_when_compiled() {
    let (schema, _) = rows();
    let scope = Scope::of(&schema);
    for kind in [
        ExprKind::Column("y".into()),
        ExprKind::Slot(0),
        ExprKind::Binary(BinaryOp::Add, of("x", Type::NUMBER()), Box::new(literal(T("a")))),
        ExprKind::Call(Scalar::Sqrt, vec![]),
        ExprKind::Call(Scalar::Lower, vec![literal(F(1.0))]),
    ] {
        let refused = Expression::compile(&expr(kind.clone(), Type::NUMBER()), &scope);
        assert_eq!(refused.unwrap_err().code, crate::diag::Code::R0001, "{kind:?}");
    }
}
