//! `+ - * / ^` and their units.

use crate::base::{Span, Unit, UnitError};
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, Expr, ExprKind, Type, Value};
use crate::syntax::ast;

use super::fit::{Misfit, convert_by, fit, folded, meet, number_in, seconds_of, to_float};
use super::fold;
use super::mismatch::disagree;
use super::typed::Flex;
use super::{Typed, Typer, phrase};

impl<'a> Typer<'_, 'a> {
    pub(super) fn unary(&mut self, op: ast::UnaryOp, operand: &'a ast::Expr, span: Span) -> Option<Typed> {
        match op {
            ast::UnaryOp::Not => self.not(operand, span),
            ast::UnaryOp::Minus => {
                let typed = self.expr(operand)?;
                self.negated(typed, span)
            }
        }
    }

    fn negated(&mut self, typed: Typed, span: Span) -> Option<Typed> {
        let is_literal = typed.value().is_some();
        match (typed.ty(), &typed.flex) {
            (_, Flex::Span { seconds, unit }) => Some(Typed::span_of_time(-seconds, unit.clone(), span)),
            (Type::Float(unit), _) if unit.has_offset() && !is_literal => self.refuse(own_zero("turned around", &typed)),
            (Type::Int | Type::Float(_) | Type::Duration, flex) => {
                let flex = flex.clone();
                let Expr { ty, nullable, .. } = typed.expr.clone();
                let expr = Expr { kind: ExprKind::Negate(Box::new(typed.expr)), ty, nullable, span };
                Some(Typed { flex, ..folded(expr) })
            }
            _ => self.refuse(no_arithmetic("-", &typed)),
        }
    }

    pub(super) fn arithmetic(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Typed> {
        let (left, right) = (self.expr(left), self.expr(right));
        let (left, right) = (left?, right?);
        for side in [&left, &right] {
            if !matches!(side.ty(), Type::Int | Type::Float(_) | Type::Duration | Type::Time) && side.flex != Flex::Null {
                return self.refuse(no_arithmetic(symbol(op), side));
            }
        }
        match op {
            BinaryOp::Add | BinaryOp::Sub => self.sum(op, left, right, span),
            BinaryOp::Mul => self.product(left, right, span),
            BinaryOp::Div => self.quotient(left, right, span),
            BinaryOp::Pow => self.power(left, right, span),
            BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge => unreachable!("only arithmetic comes here"),
        }
    }

    fn sum(&mut self, op: BinaryOp, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        match (left.ty(), right.ty()) {
            (Type::Time, Type::Time) if op == BinaryOp::Sub => Some(build(op, left, right, Type::Duration, span)),
            (Type::Time, Type::Time) => self.refuse(two_instants(&left, &right)),
            (Type::Time, _) => self.instant_sum(op, left, right, span),
            (_, Type::Time) if op == BinaryOp::Add => self.instant_sum(op, right, left, span),
            (Type::Float(unit), _) if unit.has_offset() => self.offset_sum(op, left, right, span),
            (_, Type::Float(unit)) if unit.has_offset() => match op {
                BinaryOp::Add => self.offset_sum(op, right, left, span),
                _ => self.refuse(own_zero("subtracted from a difference", &right)),
            },
            _ => match meet(left.clone(), right.clone()) {
                Ok((left, right)) => {
                    let ty = left.ty().clone();
                    Some(build(op, left, right, ty, span))
                }
                Err(misfit) => self.refuse(disagree(&left, &right, &misfit, self.shape)),
            },
        }
    }

    fn instant_sum(&mut self, op: BinaryOp, time: Typed, by: Typed, span: Span) -> Option<Typed> {
        match fit(by.clone(), &Type::Duration) {
            Ok(by) => Some(build(op, time, by, Type::Time, span)),
            Err(misfit) => self.refuse(disagree(&time, &by, &misfit, self.shape)),
        }
    }

    /// A value of a scale with a zero of its own, and another one (only `-`) or a difference.
    fn offset_sum(&mut self, op: BinaryOp, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        let unit = left.unit().cloned().unwrap_or_else(Unit::one);
        let step = Unit { offset: 0.0, difference: None, ..unit.clone() };
        let other = match &right.flex {
            Flex::Bare => number_in(right, &step),
            _ => right,
        };
        match other.unit() {
            Some(same) if same.has_offset() && op == BinaryOp::Add => self.refuse(own_zero("added", &left)),
            Some(same) if same.has_offset() => self.difference(left, other, &unit, span),
            _ => match fit(other.clone(), &Type::Float(step)) {
                Ok(other) => Some(build(op, left, other, Type::Float(unit), span)),
                Err(misfit) => self.refuse(disagree(&left, &other, &misfit, self.shape)),
            },
        }
    }

    fn difference(&mut self, left: Typed, right: Typed, unit: &Unit, span: Span) -> Option<Typed> {
        let right = match fit(right.clone(), &Type::Float(unit.clone())) {
            Ok(right) => right,
            Err(misfit) => return self.refuse(disagree(&left, &right, &misfit, self.shape)),
        };
        let difference = unit.of_difference();
        let step = Unit { offset: 0.0, difference: None, ..unit.clone() };
        let raw = build(BinaryOp::Sub, left, right, Type::Float(step), span);
        Some(convert_by(raw, unit.factor / difference.factor, 0.0, &difference))
    }

    fn product(&mut self, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        match (left.ty(), right.ty()) {
            (Type::Duration, Type::Duration) => self.refuse(two_durations(&left, &right)),
            (Type::Duration, _) if is_pure(&right) => Some(scaled(left, right, BinaryOp::Mul, span)),
            (_, Type::Duration) if is_pure(&left) => Some(scaled(right, left, BinaryOp::Mul, span)),
            (Type::Int, Type::Int) => Some(build(BinaryOp::Mul, left, right, Type::Int, span)),
            _ => self.combined(BinaryOp::Mul, left, right, span),
        }
    }

    fn quotient(&mut self, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        match (left.ty(), right.ty()) {
            (Type::Duration, Type::Duration) => Some(build(BinaryOp::Div, left, right, Type::Float(Unit::one()), span)),
            (Type::Duration, _) if is_pure(&right) => Some(scaled(left, right, BinaryOp::Div, span)),
            _ => self.combined(BinaryOp::Div, left, right, span),
        }
    }

    /// Numbers whose units multiply or divide.
    fn combined(&mut self, op: BinaryOp, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        if let Some(time) = [&left, &right].into_iter().find(|side| *side.ty() == Type::Time) {
            return self.refuse(no_arithmetic(symbol(op), time));
        }
        let bare = left.flex == Flex::Bare && right.flex == Flex::Bare;
        let (left, right) = (measured(left), measured(right));
        let (a, b) = (left.unit().cloned().unwrap_or_else(Unit::one), right.unit().cloned().unwrap_or_else(Unit::one));
        let unit = if op == BinaryOp::Mul { a.times(&b) } else { a.per(&b) };
        let unit = match unit {
            Ok(unit) => unit,
            Err(UnitError::Power) => return self.refuse(power_too_high(span)),
            Err(UnitError::Offset | UnitError::Mismatch) => {
                let scale = if a.has_offset() { &left } else { &right };
                return self.refuse(own_zero("multiplied or divided", scale));
            }
        };
        let mut out = build(op, left, right, Type::Float(unit), span);
        if bare && out.value().is_some() {
            out.flex = Flex::Bare;
        }
        Some(out)
    }

    fn power(&mut self, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        let bare = left.flex == Flex::Bare && right.flex == Flex::Bare;
        let exponent = right.value().and_then(Value::as_f64);
        let base = measured(left);
        if *base.ty() == Type::Time {
            return self.refuse(no_arithmetic("^", &base));
        }
        let unit = base.unit().cloned().unwrap_or_else(Unit::one);
        let right = match fit(right.clone(), &Type::Float(Unit::one())) {
            Ok(right) => right,
            Err(misfit) => return self.refuse(super::unfit(&right, &Type::NUMBER(), &misfit, "an exponent", self.shape)),
        };
        let unit = match (unit.is_one(), exponent) {
            (true, _) => Ok(unit),
            (false, Some(exponent)) if exponent.fract() == 0.0 && exponent.abs() <= 8.0 => unit.power(exponent as i8),
            (false, _) => return self.refuse(no_root(&base, &unit, right.span())),
        };
        let unit = match unit {
            Ok(unit) => unit,
            Err(UnitError::Power) => return self.refuse(power_too_high(span)),
            Err(UnitError::Offset | UnitError::Mismatch) => return self.refuse(own_zero("raised", &base)),
        };
        let mut out = build(BinaryOp::Pow, base, right, Type::Float(unit), span);
        out.expr.nullable |= exponent.is_none_or(|exponent| exponent < 0.0 || exponent.fract() != 0.0);
        if bare && out.value().is_some() {
            out.flex = Flex::Bare;
        }
        Some(out)
    }
}

/// A number without a dimension (a literal without a unit, an int, a share).
fn is_pure(typed: &Typed) -> bool {
    match typed.ty() {
        Type::Int => true,
        Type::Float(unit) => unit.dimension.is_empty(),
        _ => false,
    }
}

/// `duration * number` and `duration / number`.
fn scaled(duration: Typed, number: Typed, op: BinaryOp, span: Span) -> Typed {
    let number = fit(to_float(number), &Type::Float(Unit::one())).expect("a pure number has no dimension");
    build(op, duration, number, Type::Duration, span)
}

/// As a float whose unit may be combined: a literal quantity of time in its own unit, a duration in seconds.
fn measured(typed: Typed) -> Typed {
    match (&typed.flex, typed.ty()) {
        (Flex::Span { seconds, unit }, _) => {
            Typed::literal(Value::Float(seconds / unit.factor), Type::Float(unit.clone()), typed.span())
        }
        (_, Type::Duration) => seconds_of(typed),
        _ => to_float(typed),
    }
}

/// The operation; literals are calculated. A division may give null, since what is not finite is read as null.
fn build(op: BinaryOp, left: Typed, right: Typed, ty: Type, span: Span) -> Typed {
    let bare = left.flex == Flex::Bare && right.flex == Flex::Bare;
    let spans = match (&left.flex, &right.flex) {
        (Flex::Span { unit, .. }, _) | (_, Flex::Span { unit, .. }) => Some(unit.clone()),
        _ => None,
    };
    let divides_by_zero = op == BinaryOp::Div && !right.value().is_some_and(is_not_zero);
    let nullable = left.expr.nullable || right.expr.nullable || divides_by_zero;
    let kind = ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr));
    let out = folded(Expr { kind, ty, nullable, span });
    let flex = match (out.value(), spans) {
        (Some(Value::Duration(duration)), Some(unit)) => Flex::Span { seconds: duration.seconds(), unit },
        (Some(Value::Int(_) | Value::Float(_)), _) if bare => Flex::Bare,
        _ => Flex::Fixed,
    };
    Typed { flex, ..out }
}

fn is_not_zero(value: &Value) -> bool {
    match value {
        Value::Duration(duration) => duration.0 != 0,
        other => other.as_f64().is_some_and(|figure| figure != 0.0),
    }
}

pub(super) fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Pow => "^",
    }
}

/// E0302: `degC` counts from a zero of its own, so sums and products of its values mean nothing.
pub(super) fn own_zero(what: &str, typed: &Typed) -> Diagnostic {
    let unit = typed.unit().map_or(String::new(), |unit| unit.to_string());
    let difference = typed.unit().map_or(String::new(), |unit| unit.of_difference().to_string());
    Diagnostic::new(Code::E0302, format!("values of {unit} cannot be {what}, since {unit} has a zero of its own"))
        .at(typed.span(), phrase(typed.ty()))
        .help(format!("use differences, which are in {difference}: `x - previous(x)`, `x - 20{unit}`"))
}

/// E0303.
fn no_arithmetic(symbol: &str, typed: &Typed) -> Diagnostic {
    let out = Diagnostic::new(Code::E0303, format!("`{symbol}` calculates with numbers, not with {}", phrase(typed.ty())))
        .at(typed.span(), phrase(typed.ty()));
    match typed.ty() {
        Type::Bool => out.help("write `if x then 1 else 0` to get a number"),
        Type::Time => out.help("subtract another instant to get a duration, or take a part of it, such as `hour(at)`"),
        _ => out.help("use numbers with or without a unit, durations or instants"),
    }
}

/// E0309.
fn power_too_high(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "the unit of this would have a power above 127")
        .at(span, "")
        .help("divide by the unit first, such as `x / 1m`")
}

/// E0303.
fn two_instants(left: &Typed, right: &Typed) -> Diagnostic {
    Diagnostic::new(Code::E0303, "two instants cannot be added")
        .at(left.span(), "an instant")
        .at(right.span(), "an instant")
        .help("subtract them to get the duration between, or add a duration such as `5min`")
}

/// E0303.
fn two_durations(left: &Typed, right: &Typed) -> Diagnostic {
    Diagnostic::new(Code::E0303, "two durations cannot be multiplied")
        .at(left.span(), "a duration")
        .at(right.span(), "a duration")
        .help("divide one of them by `1s` to get a number")
}

/// E0301.
fn no_root(base: &Typed, unit: &Unit, at: Span) -> Diagnostic {
    Diagnostic::new(Code::E0301, "a number with a unit can only be raised to a whole number that is written here")
        .at(at, "not a whole number up to 8")
        .at(base.span(), format!("in {unit}"))
        .help("use `sqrt(x)` for a root, or divide by the unit first, such as `x / 1m`")
}

/// Keeps the door to folding in one place for the other operators.
pub(super) fn fold_literals(op: BinaryOp, left: &Typed, right: &Typed) -> Option<Value> {
    fold::binary(op, left.value()?, right.value()?)
}

/// Two values that do not meet, and why.
type Sides = Box<(Typed, Typed, Misfit)>;

/// Both as one type, or both as they were and why not.
pub(super) fn meeting(left: Typed, right: Typed) -> Result<(Typed, Typed), Sides> {
    meet(left.clone(), right.clone()).map_err(|misfit| Box::new((left, right, misfit)))
}
