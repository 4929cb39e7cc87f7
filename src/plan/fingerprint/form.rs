//! Canonical forms of types, expressions and calls. What is left out: places in the text, how a unit is written, and
//! whether a value stands there itself or as a param.

use serde_json::json;

use crate::base::{Name, Unit};
use crate::ir::{
    AggregateCall, Column, Connector, Expr, ExprKind, GeneratedColumn, GeneratorCall, RunningCall, Simulate, Type,
};

/// JSON, in which structs keep their field order.
pub type Form = serde_json::Value;

/// What stands in a form for a column that an expression reads.
pub type See<'a> = &'a dyn Fn(&Name) -> Form;

/// The column's name itself.
pub fn by_name(name: &Name) -> Form {
    json!(name)
}

/// Nothing: all columns of a type are alike.
pub fn by_type(_: &Name) -> Form {
    Form::Null
}

pub fn ty(ty: &Type) -> Form {
    match ty {
        Type::Float(of) => json!({ "float": unit(of) }),
        Type::List(item) => json!({ "list": self::ty(item) }),
        Type::Bool
        | Type::Int
        | Type::Text
        | Type::Time
        | Type::Duration
        | Type::Bytes
        | Type::Enum(_)
        | Type::Tensor(_)
        | Type::Signal(_) => json!(ty),
    }
}

fn unit(unit: &Unit) -> Form {
    let Unit { dimension, factor, offset, text: _, difference: _ } = unit;
    json!([dimension, factor, offset])
}

pub fn column(column: &Column) -> Form {
    let Column { name, ty, nullable, span: _ } = column;
    json!([name, self::ty(ty), nullable])
}

/// Value and type of an expression, with whether it may be null.
pub fn value(expr: &Expr, see: See) -> Form {
    json!([self::expr(expr, see), ty(&expr.ty), expr.nullable])
}

pub fn expr(expr: &Expr, see: See) -> Form {
    let part = |part: &Expr| self::expr(part, see);
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => json!(["value", ty(&expr.ty), value]),
        ExprKind::Column(name) => json!(["column", ty(&expr.ty), see(name)]),
        ExprKind::Slot(nth) => json!(["slot", nth]),
        ExprKind::Not(one) => json!(["not", part(one)]),
        ExprKind::Negate(one) => json!(["negate", part(one)]),
        ExprKind::Binary(op, left, right) => json!([op, part(left), part(right)]),
        ExprKind::Call(function, args) => json!(["call", function.name(), function.version(), exprs(args, see)]),
        ExprKind::If(condition, then, otherwise) => json!(["if", part(condition), part(then), part(otherwise)]),
        ExprKind::Coalesce(one, other) => json!(["coalesce", part(one), part(other)]),
        ExprKind::IsNull(one) => json!(["is null", part(one)]),
        ExprKind::In(one, values) => json!(["in", part(one), values]),
        ExprKind::Convert { value, scale, shift } => json!(["convert", part(value), scale, shift]),
        ExprKind::Cast(one) => json!(["cast", ty(&expr.ty), part(one)]),
    }
}

fn exprs(all: &[Expr], see: See) -> Vec<Form> {
    all.iter().map(|one| expr(one, see)).collect()
}

/// A running call in full.
pub fn running(call: &RunningCall, see: See) -> Form {
    let RunningCall { function, args, settings, ty } = call;
    json!([function.name(), function.version(), exprs(args, see), settings, self::ty(ty)])
}

/// What shapes the state of a running call: not how its arguments are computed, only their types.
pub fn running_state(call: &RunningCall) -> Form {
    let RunningCall { function, args, settings, ty } = call;
    let types: Vec<Form> = args.iter().map(|arg| self::ty(&arg.ty)).collect();
    json!([function.name(), function.version(), types, settings, self::ty(ty)])
}

/// An aggregate in full.
pub fn aggregate(call: &AggregateCall, see: See) -> Form {
    let AggregateCall { function, args, settings, filter, ty } = call;
    let filter = filter.as_ref().map(|filter| expr(filter, see));
    json!([function.name(), function.version(), exprs(args, see), settings, filter, self::ty(ty)])
}

pub fn connector(connector: &Connector) -> Form {
    match connector {
        Connector::Simulate(simulate) => self::simulate(simulate),
        Connector::File(_)
        | Connector::Stdin { .. }
        | Connector::Stdout { .. }
        | Connector::Tail(_)
        | Connector::Http(_)
        | Connector::Post(_)
        | Connector::Later { .. } => json!(connector),
    }
}

fn simulate(simulate: &Simulate) -> Form {
    let Simulate { rows, per, by, seed, span, columns, faults } = simulate;
    let columns: Vec<Form> = columns.iter().map(generated).collect();
    json!({ "simulate": [rows, per, by, seed, span, columns, faults] })
}

fn generated(column: &GeneratedColumn) -> Form {
    let GeneratedColumn { name, calls, value } = column;
    let versions: Vec<(&GeneratorCall, u16)> = calls.iter().map(|call| (call, call.function.version())).collect();
    json!([name, versions, expr(value, &by_name)])
}
