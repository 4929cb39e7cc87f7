//! Types and the units inside them.

use crate::base::Span;

use super::{Ident, Quantity, Text};

/// `float<ppm>?`
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub kind: TypeKind,
    pub nullable: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    Bool,
    Int(Option<UnitExpr>),
    Float(Option<UnitExpr>),
    Text,
    Time,
    Duration,
    Bytes,
    Enum(Vec<EnumItem>),
    Tensor(Vec<Dim>),
    /// `signal<8kHz>`: the rate.
    Signal(Quantity),
    /// `signal<R>`, of any rate, in `stdlib/` only.
    AnySignal(Ident),
    List(Box<Type>),
    /// One capital letter, in `stdlib/` only.
    Variable(Ident),
}

/// `"walking"`, or coded `1: "walking"`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumItem {
    pub code: Option<i64>,
    pub text: Text,
    pub span: Span,
}

/// One dimension of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Dim {
    pub kind: DimKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DimKind {
    Fixed(u32),
    /// In a network's parameters: bound when the network is built.
    Named(Ident),
}

/// A product of powers, `m/s^2` being `m^1 s^-2`. Empty only for a pure number, which no spelling gives.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitExpr {
    pub factors: Vec<UnitFactor>,
    pub span: Span,
}

/// The name is a unit, or in `stdlib/` one capital letter that is none: a unit variable.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFactor {
    pub unit: Ident,
    /// Negative below the line; never 0.
    pub power: i8,
}
