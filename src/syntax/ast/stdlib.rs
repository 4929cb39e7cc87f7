//! What only the files of `stdlib/` declare: functions and units.

use crate::base::Span;

use super::{Expr, Ident, Number, Type, UnitExpr};

/// `function mean(x: float<U>?) -> float<U>? { kind aggregate; unit keeps; state []; example [1.0, 3.0] -> 2.0 }`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: Ident,
    pub params: Vec<FunctionParam>,
    pub result: Type,
    pub kind: Option<FunctionKind>,
    pub unit: Option<UnitRule>,
    /// The arguments that shape its state.
    pub state: Vec<Ident>,
    pub examples: Vec<Example>,
}

/// `n: int = 1`, `span: duration | int`, `columns: float…`
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParam {
    pub name: Ident,
    /// Any of these; never empty.
    pub types: Vec<Type>,
    pub variadic: bool,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    Row,
    Running,
    Aggregate,
    Window,
}

/// What it does to the unit of its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitRule {
    Keeps,
    Difference,
    PerTime,
    Refuses,
}

/// `example [1.0, 3.0], 2 -> 2.0`: the arguments, and what comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub args: Vec<Expr>,
    pub result: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UnitDeclaration {
    pub name: Ident,
    pub body: UnitBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum UnitBody {
    /// `unit m`
    Base,
    /// `unit km = 1000m`, `unit percent = 0.01`, `unit degC = K + 273.15 difference K`
    Derived {
        /// 1 where none is written.
        factor: Number,
        /// None for a pure number.
        of: Option<UnitExpr>,
        /// Where a scale has a zero of its own: added to a value in `of`.
        offset: Option<Number>,
        /// What two values of the scale differ by.
        difference: Option<UnitExpr>,
    },
}
