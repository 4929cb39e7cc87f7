//! A typed expression together with how freely its type may still change.

use crate::base::{Duration, Name, Span, Unit};
use crate::ir::{Expr, ExprKind, Type, Value};

/// What typing an expression gives.
#[derive(Clone, Debug)]
pub struct Typed {
    pub expr: Expr,
    pub flex: Flex,
}

/// A literal, or arithmetic of literals, takes the unit of what it meets.
#[derive(Clone, Debug, PartialEq)]
pub enum Flex {
    Fixed,
    /// A number without a unit.
    Bare,
    /// A quantity of time in this many seconds; a duration unless it meets a number in a unit of time.
    Span {
        seconds: f64,
        unit: Unit,
    },
    /// `null`, whose type is not known yet.
    Null,
    /// A text that may become a value of an enum.
    Text,
}

impl Typed {
    pub fn fixed(kind: ExprKind, ty: Type, nullable: bool, span: Span) -> Typed {
        Typed { expr: Expr { kind, ty, nullable, span }, flex: Flex::Fixed }
    }

    pub fn literal(value: Value, ty: Type, span: Span) -> Typed {
        Typed::fixed(ExprKind::Literal(value), ty, false, span)
    }

    pub fn bare(value: Value, span: Span) -> Typed {
        let ty = if matches!(value, Value::Int(_)) { Type::Int } else { Type::Float(Unit::one()) };
        Typed { flex: Flex::Bare, ..Typed::literal(value, ty, span) }
    }

    pub fn null(span: Span) -> Typed {
        let mut typed = Typed::literal(Value::Null, Type::Bool, span);
        typed.expr.nullable = true;
        Typed { flex: Flex::Null, ..typed }
    }

    pub fn text(text: Name, span: Span) -> Typed {
        Typed { flex: Flex::Text, ..Typed::literal(Value::Text(text), Type::Text, span) }
    }

    pub fn span_of_time(seconds: f64, unit: Unit, span: Span) -> Typed {
        let literal = Typed::literal(Value::Duration(Duration::from_seconds(seconds)), Type::Duration, span);
        Typed { flex: Flex::Span { seconds, unit }, ..literal }
    }

    pub fn column(name: Name, ty: Type, nullable: bool, span: Span) -> Typed {
        Typed::fixed(ExprKind::Column(name), ty, nullable, span)
    }

    pub fn ty(&self) -> &Type {
        &self.expr.ty
    }

    pub fn span(&self) -> Span {
        self.expr.span
    }

    /// The unit, if it is a float.
    pub fn unit(&self) -> Option<&Unit> {
        match &self.expr.ty {
            Type::Float(unit) => Some(unit),
            _ => None,
        }
    }

    pub fn value(&self) -> Option<&Value> {
        match &self.expr.kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The same, at another place of the text.
    pub fn at(mut self, span: Span) -> Typed {
        self.expr.span = span;
        self
    }
}

/// Does the unit measure time, such as s or h?
pub fn is_time_unit(unit: &Unit) -> bool {
    unit.dimension.len() == 1 && unit.dimension.get("s") == Some(&1)
}
