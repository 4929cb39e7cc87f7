//! Typed expressions over the columns of one row.

mod postfix;

use serde::{Deserialize, Serialize};

use crate::base::{Name, Span};

use super::{Scalar, Type, Value};

/// An expression with its type. Three-valued: null in, null out, but for `and`, `or`, `Coalesce`, `IsNull` and `If`.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    pub nullable: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Literal(Value),
    /// A `param` with the value that it has in this compilation.
    Param(Name, Value),
    Column(Name),
    /// The result of the entry's nth stateful call (running, aggregate or generator), counted from 0.
    Slot(usize),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Call(Scalar, Vec<Expr>),
    /// A null condition takes the last branch.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// The second where the first is null (`x else y`).
    Coalesce(Box<Expr>, Box<Expr>),
    /// Never null itself.
    IsNull(Box<Expr>),
    /// Is it one of these constants?
    In(Box<Expr>, Vec<Value>),
    /// `value * scale + shift`: the same quantity in another unit.
    Convert {
        value: Box<Expr>,
        scale: f64,
        shift: f64,
    },
    /// The same value as the type of this expression: int to float, int or float to duration (in microseconds), any to text.
    Cast(Box<Expr>),
}

/// Operands have equal types where they are compared. `Add` and `Sub` also take (time, duration) and (duration, duration),
/// `Sub` (time, time) giving a duration; `Mul` (number, duration) in either order; `Div` (duration, number) and (duration,
/// duration) giving a number. `Div` of ints gives a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// Where it stands in the text does not count.
impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind && self.ty == other.ty && self.nullable == other.nullable
    }
}

impl Expr {
    /// Direct parts, in order.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Param(..) | ExprKind::Column(_) | ExprKind::Slot(_) => vec![],
            ExprKind::Not(one) | ExprKind::Negate(one) | ExprKind::IsNull(one) | ExprKind::In(one, _) | ExprKind::Cast(one) => {
                vec![one]
            }
            ExprKind::Convert { value, .. } => vec![value],
            ExprKind::Binary(_, left, right) | ExprKind::Coalesce(left, right) => vec![left, right],
            ExprKind::Call(_, args) => args.iter().collect(),
            ExprKind::If(condition, then, otherwise) => vec![condition, then, otherwise],
        }
    }

    /// The columns that it reads, each visit in the order of the text; may repeat.
    pub fn columns(&self) -> Vec<Name> {
        let mut out = Vec::new();
        self.walk(&mut |expr| {
            if let ExprKind::Column(name) = &expr.kind {
                out.push(name.clone());
            }
        });
        out
    }

    /// Visits every expression in it, itself first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }
}
