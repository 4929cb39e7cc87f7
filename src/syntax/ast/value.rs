//! Literals.

use crate::base::{Name, Span};

use super::UnitExpr;

/// Written with a point or an exponent it is a float, otherwise an int.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

/// A number with its unit: `2.56s`, `9.81m/s^2`, `20%` (whose unit is `percent`).
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    pub value: Number,
    pub unit: UnitExpr,
    pub span: Span,
}

/// `"…"` with its escapes resolved, or raw `'…'`; the span includes the quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub value: Name,
    pub span: Span,
}
