//! Values and pipelines: `param`, `let`, `stream`, `transform`.

use crate::base::Span;

use super::{Arg, Expr, Head, Ident, Stage, Type};

/// `param fresh: float<ppm> = 450`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub head: Head,
    pub ty: Type,
    pub default: Expr,
}

/// `let limit = 3 * 450ppm`, or an inlined function `let rms(x) = sqrt(mean(x^2))`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub head: Head,
    /// None for a plain value.
    pub params: Option<Vec<Ident>>,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    pub head: Head,
    pub pipe: Pipe,
}

/// `transform smooth(s, k) = s | scan by k { … }`: the first parameter is the stream that flows in, so a use
/// `| smooth(device)` gives the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    pub head: Head,
    pub params: Vec<Ident>,
    pub pipe: Pipe,
}

/// `room | where … | set { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Pipe {
    pub input: StreamRef,
    pub stages: Vec<Stage>,
    pub span: Span,
}

/// `room`, or an output that comes by itself: `room.bad`, `air.late`.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRef {
    pub name: Ident,
    pub output: Option<Ident>,
    pub span: Span,
}

/// `csv("a.csv", header: false)`; round brackets may be left out where there are no options.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    pub name: Ident,
    pub args: Vec<Arg>,
    pub span: Span,
}

/// `device` or `[a, b]`; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys {
    pub columns: Vec<Ident>,
    pub span: Span,
}
