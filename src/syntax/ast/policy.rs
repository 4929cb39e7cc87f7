//! What counts as good, and when to act on it.

use crate::base::Span;

use super::{Arg, Call, Expr, Head, Ident};

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub head: Head,
    pub clauses: PolicyClauses,
    /// Other optima while something holds, the first that holds counts.
    pub whens: Vec<When>,
}

/// `when host.battery < 20% { minimize energy }`
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    pub condition: Trigger,
    pub clauses: PolicyClauses,
    pub span: Span,
}

/// What a policy, and each `when` of it, may say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyClauses {
    pub objective: Option<Objective>,
    pub requirements: Vec<Requirement>,
    pub search: Option<Search>,
    pub validate: Option<Validate>,
    pub seed: Option<Expr>,
    pub retrain: Option<Trigger>,
    pub promote: Option<Promote>,
    pub rollback: Option<Trigger>,
    /// `cascade(loss: 0.1%)`, `ensemble`, …
    pub allow: Vec<Call>,
    pub priority: Option<Priority>,
    pub share: Option<Expr>,
    /// `keep previous 1h`, `keep removed 10min`
    pub keep: Vec<Keep>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    pub direction: ObjectiveDirection,
    pub metric: Metric,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectiveDirection {
    Maximize,
    Minimize,
}

/// `recall("fall") >= 95% otherwise warn`
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    pub comparison: Comparison,
    pub otherwise: Option<Otherwise>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Otherwise {
    pub kind: OtherwiseKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherwiseKind {
    Warn,
    Abstain,
    KeepChampion,
    Stop,
}

/// `NAME[(args)] [per D] [over W]`, the name possibly with parts: `latency.p99`, `host.cpu`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Never empty.
    pub path: Vec<Ident>,
    pub args: Vec<Arg>,
    pub per: Option<Expr>,
    pub over: Option<Extent>,
    pub span: Span,
}

/// A stretch of the past: of time, or of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Extent {
    Duration(Expr),
    Rows(Expr),
}

/// `macro_f1 over 10min < champion - 5% for 30s`
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub metric: Metric,
    pub op: CompareOp,
    pub op_span: Span,
    pub bound: Bound,
    /// It must hold for so long.
    pub held_for: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Value(Expr),
    /// The champion's figure, possibly with a margin.
    Champion {
        margin: Option<Margin>,
        span: Span,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Margin {
    pub sign: MarginSign,
    pub by: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarginSign {
    Plus,
    Minus,
}

/// When to act.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub kind: TriggerKind,
    pub span: Span,
}

#[expect(clippy::large_enum_variant, reason = "a policy has a handful; readers match without a pointer")]
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// At least two.
    Or(Vec<Trigger>),
    /// At least two.
    And(Vec<Trigger>),
    /// `drift`, `drift(ks, on: [light, co2], p: 1%)`
    Drift(Vec<Arg>),
    Every(Expr),
    Compare(Comparison),
    /// Round brackets as written.
    Paren(Box<Trigger>),
}

/// `40 trials, 60s, 1 core`
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub trials: Option<Expr>,
    pub time: Option<Expr>,
    pub cores: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Validate {
    pub kind: ValidateKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ValidateKind {
    Last(Expr),
    Random(Expr),
    Folds(Expr),
    Prequential,
}

/// `promote when better by 1% over 500 rows with confidence 95%`
#[derive(Clone, Debug, PartialEq)]
pub struct Promote {
    pub by: Option<Expr>,
    pub over: Option<Extent>,
    pub confidence: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Priority {
    pub level: PriorityLevel,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriorityLevel {
    High,
    Normal,
    Low,
}

/// How long what is no longer used rests, so that it can be brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    pub what: Kept,
    pub length: Expr,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Previous,
    Removed,
}

impl CompareOp {
    pub fn text(self) -> &'static str {
        match self {
            CompareOp::Equal => "==",
            CompareOp::NotEqual => "!=",
            CompareOp::Less => "<",
            CompareOp::LessOrEqual => "<=",
            CompareOp::Greater => ">",
            CompareOp::GreaterOrEqual => ">=",
        }
    }
}
