//! Expressions over columns, and sets of columns.

use crate::base::{Span, Time};

use super::{Ident, Number, Quantity, Text};

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Null,
    Bool(bool),
    Number(Number),
    Quantity(Quantity),
    Text(Text),
    Time(Time),
    Name(Ident),
    Call(Call),
    List(Vec<Expr>),
    Record(Record),
    /// Both ends are included.
    Range {
        low: Box<Expr>,
        high: Box<Expr>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    /// `op_span` is the operator's own place.
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x is null`; `negated` for `x is not null`.
    IsNull {
        operand: Box<Expr>,
        negated: bool,
    },
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Match {
        subject: Box<Expr>,
        arms: Vec<MatchArm>,
    },
    /// `tensor([ax..gz])`: the rows of a row window.
    Tensor(ColumnSet),
    /// A column set as an argument of any other function, where it cannot be read as a list: `all except […]`, `matching "…"`.
    Columns(ColumnSet),
    /// Round brackets as written; they mean nothing by themselves.
    Paren(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Power,
    Multiply,
    Divide,
    Add,
    Subtract,
    /// `x else y`: y where x is null.
    Else,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    And,
    Or,
}

/// `name(positional…, key: value…)`, or a name alone where a call may stand (`relu`, `ensemble`).
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: Ident,
    pub args: Vec<Arg>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: Option<Ident>,
    pub value: Expr,
    pub span: Span,
}

/// `{ a: 1; b: 2 }`
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub fields: Vec<Field>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: Ident,
    pub value: Expr,
}

/// `1 or 2 -> "on"`; the last one may be `else -> "off"`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchArm {
    /// Empty for `else`.
    pub patterns: Vec<Pattern>,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

/// Values are literals: numbers and quantities, possibly with a minus, times, bools or text.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    Null,
    Value(Expr),
    Range { low: Expr, high: Expr },
}

/// `[a, b]`, `[ax..gz]`, `all`, `all except [a]`, `matching "acc_*"`
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSet {
    pub kind: ColumnSetKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnSetKind {
    List(Vec<ColumnItem>),
    All,
    AllExcept(Box<ColumnSet>),
    Matching(Text),
}

/// A column, or the columns from one to another in declared order, both included.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnItem {
    One(Ident),
    Range { first: Ident, last: Ident },
}

impl Expr {
    /// The expression inside any round brackets.
    pub fn bare(&self) -> &Expr {
        if let ExprKind::Paren(inner) = &self.kind { inner.bare() } else { self }
    }
}

impl ColumnItem {
    pub fn span(&self) -> Span {
        match self {
            ColumnItem::One(name) => name.span,
            ColumnItem::Range { first, last } => first.span.to(last.span),
        }
    }
}

impl BinaryOp {
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Power => "^",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Else => "else",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::In => "in",
            BinaryOp::NotIn => "not in",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
        }
    }

    /// Comparisons do not chain.
    pub fn is_comparison(self) -> bool {
        use BinaryOp::*;
        match self {
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | In | NotIn => true,
            Power | Multiply | Divide | Add | Subtract | Else | And | Or => false,
        }
    }
}
