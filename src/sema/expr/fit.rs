//! When a value can stand where another type is wanted, and how it is brought there.

use crate::base::{Name, Unit};
use crate::ir::{EnumItem, Expr, ExprKind, Type, Value};

use super::fold;
use super::typed::{Flex, Typed, is_time_unit};

/// Why it cannot.
#[derive(Clone, Debug, PartialEq)]
pub enum Misfit {
    /// Both are numbers, of different kinds of units.
    Unit,
    Type,
    /// The enum has no such value.
    NotAnItem(Name),
}

/// The value as this type.
pub fn fit(typed: Typed, want: &Type) -> Result<Typed, Misfit> {
    match (want, &typed.flex) {
        (_, Flex::Null) => Ok(retyped(typed, want)),
        (Type::Float(unit), Flex::Bare) => Ok(number_in(typed, unit)),
        (Type::Float(unit), Flex::Span { seconds, .. }) if is_time_unit(unit) => {
            let value = Value::Float(seconds / unit.factor);
            Ok(Typed::literal(value, want.clone(), typed.span()))
        }
        (Type::Float(_), Flex::Span { .. }) => Err(Misfit::Unit),
        (Type::Enum(items), Flex::Text) => item_of(typed, items, want),
        _ if typed.ty() == want => Ok(Typed { flex: Flex::Fixed, ..typed }),
        _ => fit_fixed(typed, want),
    }
}

fn fit_fixed(typed: Typed, want: &Type) -> Result<Typed, Misfit> {
    match (want, typed.ty().clone()) {
        (Type::Float(to), Type::Float(from)) => convert(typed, &from, to),
        (Type::Float(to), Type::Int) => convert(to_float(typed), &Unit::one(), to),
        (Type::Float(to), Type::Duration) if is_time_unit(to) => Ok(in_unit(seconds_of(typed), to)),
        (Type::Int, Type::Float(_)) => Err(Misfit::Type),
        (Type::Duration, Type::Float(from)) if is_time_unit(&from) => Ok(to_duration(typed, &from)),
        (Type::Text, Type::Enum(_)) => Ok(cast(typed, Type::Text)),
        _ => Err(Misfit::Type),
    }
}

/// Both as one type, of which the left one has a say first.
pub fn meet(left: Typed, right: Typed) -> Result<(Typed, Typed), Misfit> {
    let loose = |typed: &Typed| typed.flex != Flex::Fixed;
    let fraction = |typed: &Typed| typed.flex == Flex::Bare && matches!(typed.ty(), Type::Float(_));
    match (loose(&left), loose(&right)) {
        // A whole number that meets a fraction becomes one.
        (true, false) if fraction(&left) && *right.ty() == Type::Int => Ok((number_in(left, &Unit::one()), to_float(right))),
        (false, true) if fraction(&right) && *left.ty() == Type::Int => Ok((to_float(left), number_in(right, &Unit::one()))),
        (true, false) => Ok((fit(left, &right.expr.ty)?, right)),
        (false, true) => {
            let want = left.expr.ty.clone();
            Ok((left, fit(right, &want)?))
        }
        (true, true) => meet_loose(left, right),
        (false, false) => meet_fixed(left, right),
    }
}

fn meet_loose(left: Typed, right: Typed) -> Result<(Typed, Typed), Misfit> {
    match (&left.flex, &right.flex) {
        (Flex::Null, _) => Ok((retyped(left, &right.expr.ty.clone()), right)),
        (_, Flex::Null) => {
            let ty = left.expr.ty.clone();
            Ok((left, retyped(right, &ty)))
        }
        (Flex::Bare, Flex::Bare) if left.ty() == right.ty() => Ok((left, right)),
        (Flex::Bare, Flex::Bare) => Ok((number_in(left, &Unit::one()), number_in(right, &Unit::one()))),
        _ if left.ty() == right.ty() => Ok((left, right)),
        _ => Err(Misfit::Type),
    }
}

fn meet_fixed(left: Typed, right: Typed) -> Result<(Typed, Typed), Misfit> {
    let (a, b) = (left.ty().clone(), right.ty().clone());
    match (&a, &b) {
        _ if a == b => Ok((left, right)),
        (Type::Int, Type::Float(_)) => Ok((fit(left, &b)?, right)),
        (Type::Enum(_), Type::Enum(_)) => Ok((cast(left, Type::Text), cast(right, Type::Text))),
        (Type::Enum(_), Type::Text) => Ok((cast(left, Type::Text), right)),
        (Type::Float(_), Type::Duration) => Ok((fit(left, &b)?, right)),
        _ => Ok((left, fit(right, &a)?)),
    }
}

/// A number that has no unit yet, in this one, its figures unchanged.
pub fn number_in(typed: Typed, unit: &Unit) -> Typed {
    Typed { expr: figures_in(typed.expr, unit), flex: Flex::Fixed }
}

/// Literals, and choices between them.
fn figures_in(expr: Expr, unit: &Unit) -> Expr {
    let Expr { kind, nullable, span, .. } = expr;
    let kind = match kind {
        ExprKind::Literal(value) => ExprKind::Literal(value.as_f64().map_or(value, Value::Float)),
        ExprKind::If(condition, then, otherwise) => {
            ExprKind::If(condition, Box::new(figures_in(*then, unit)), Box::new(figures_in(*otherwise, unit)))
        }
        other => other,
    };
    Expr { kind, ty: Type::Float(unit.clone()), nullable, span }
}

pub fn to_float(typed: Typed) -> Typed {
    match (typed.ty(), &typed.flex) {
        (_, Flex::Bare) => number_in(typed, &Unit::one()),
        (Type::Int, _) => cast(typed, Type::Float(Unit::one())),
        _ => typed,
    }
}

/// A duration as a number of seconds.
pub fn seconds_of(typed: Typed) -> Typed {
    let span = typed.span();
    let nullable = typed.expr.nullable;
    let second = Typed::literal(Value::Duration(crate::base::Duration::SECOND), Type::Duration, span).expr;
    let kind = ExprKind::Binary(crate::ir::BinaryOp::Div, Box::new(typed.expr), Box::new(second));
    let number = Expr { kind, ty: Type::Float(Unit::one()), nullable, span };
    let seconds = Unit::base("s".into());
    folded(Expr { kind: converted(number, 1.0, 0.0), ty: Type::Float(seconds), nullable, span })
}

fn in_unit(typed: Typed, to: &Unit) -> Typed {
    let from = typed.unit().cloned().unwrap_or_else(Unit::one);
    convert(typed, &from, to).expect("both units measure time")
}

fn convert(typed: Typed, from: &Unit, to: &Unit) -> Result<Typed, Misfit> {
    let (scale, shift) = from.conversion(to).map_err(|_| Misfit::Unit)?;
    Ok(convert_by(typed, scale, shift, to))
}

/// `value * scale + shift`, in the given unit.
pub fn convert_by(typed: Typed, scale: f64, shift: f64, to: &Unit) -> Typed {
    let ty = Type::Float(to.clone());
    if (scale, shift) == (1.0, 0.0) && typed.unit().is_some_and(|unit| unit == to) {
        return retyped(typed, &ty);
    }
    let Expr { nullable, span, .. } = typed.expr;
    folded(Expr { kind: converted(typed.expr, scale, shift), ty, nullable, span })
}

fn converted(value: Expr, scale: f64, shift: f64) -> ExprKind {
    ExprKind::Convert { value: Box::new(value), scale, shift }
}

fn to_duration(typed: Typed, from: &Unit) -> Typed {
    let micros = Unit { factor: 1e-6, text: "us".into(), ..Unit::base("s".into()) };
    let scale = from.factor / micros.factor;
    cast(convert_by(typed, scale, 0.0, &micros), Type::Duration)
}

pub fn cast(typed: Typed, ty: Type) -> Typed {
    let Expr { nullable, span, .. } = typed.expr;
    folded(Expr { kind: ExprKind::Cast(Box::new(typed.expr)), ty, nullable, span })
}

fn retyped(mut typed: Typed, ty: &Type) -> Typed {
    typed.expr.ty = ty.clone();
    Typed { flex: Flex::Fixed, ..typed }
}

/// As a literal, where it is calculated from literals; params stay, so that they can be retuned.
pub fn folded(expr: Expr) -> Typed {
    let mut has_param = false;
    expr.walk(&mut |part| has_param |= matches!(part.kind, ExprKind::Param(..)));
    match fold::value_of(&expr) {
        Some(value) if !has_param => Typed::literal(value, expr.ty, expr.span),
        _ => Typed { expr, flex: Flex::Fixed },
    }
}

fn item_of(typed: Typed, items: &[EnumItem], want: &Type) -> Result<Typed, Misfit> {
    match typed.value() {
        Some(Value::Text(text)) if !items.iter().any(|item| item.text == *text) => Err(Misfit::NotAnItem(text.clone())),
        _ => Ok(retyped(typed, want)),
    }
}
