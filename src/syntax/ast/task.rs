//! What is to be learned.

use crate::base::Span;

use super::{Call, ColumnSet, Expr, Extent, Head, Ident, Keys, StreamRef};

/// `task occupancy = classify occupied from air { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub head: Head,
    pub goal: Goal,
    pub goal_span: Span,
    pub from: StreamRef,
    /// Of a forecast: one series for each key.
    pub by: Option<Keys>,
    pub features: Option<ColumnSet>,
    pub labels: Option<Labels>,
    pub hold_out: Option<HoldOut>,
    pub start: Option<Start>,
    pub group: Option<Group>,
    /// Where `balance` stands.
    pub balance: Option<Span>,
    /// `weights x`
    pub weights: Option<Expr>,
    /// `per device after 500 rows`: a model for each key that has so many.
    pub per: Option<Per>,
    pub models: Option<Models>,
    pub history: Option<History>,
    pub policy: Option<Ident>,
    pub train: Option<Train>,
    /// Of `detect`: the share to flag, `flag 1%`.
    pub flag: Option<Expr>,
    /// Of `detect`: the column that only evaluates, `truth col`.
    pub truth: Option<Ident>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    Classify(Target),
    Regress(Target),
    Forecast(Forecast),
    /// `detect anomalies`
    Detect,
    Rank(Target),
}

/// A column, or a name with an expression over row and label columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub name: Ident,
    pub was: Option<Ident>,
    pub value: Option<Expr>,
    pub span: Span,
}

/// The columns of the key, and from how many rows on it has a model of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Per {
    pub keys: Keys,
    pub after: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub column: Ident,
    pub horizon: Horizon,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Horizon {
    /// `24h ahead`: one value.
    Ahead(Expr),
    /// `next 24h every 1h`: a path.
    Next { length: Expr, every: Expr },
}

/// `labels from S on K within 1h wait 6h`: truth that arrives later.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    pub from: StreamRef,
    pub on: Keys,
    pub matching: Option<LabelMatch>,
    pub wait: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LabelMatch {
    /// `containing at`: the label's interval holds this column's value.
    Containing(Ident),
    /// `within 1h`: the nearest one.
    Within(Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub struct HoldOut {
    pub kind: HoldOutKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum HoldOutKind {
    Where(Expr),
    Last(Expr),
}

/// What the first model learns from.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub kind: StartKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StartKind {
    Where(Expr),
    /// `first 500 rows by device`
    First {
        rows: Expr,
        by: Option<Keys>,
    },
}

/// `group by subject`: a group never stands on both sides of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub by: Keys,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Models {
    pub kind: ModelsKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelsKind {
    Auto,
    List(Vec<ModelChoice>),
}

/// A family or a network, with fixed values or ranges to search.
pub type ModelChoice = Call;

/// `history 30d`, `history 1_000_000 rows reservoir`
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub extent: Extent,
    pub reservoir: Option<Span>,
    pub span: Span,
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Train {
    pub optimizer: Option<Call>,
    pub epochs: Option<Expr>,
    pub batch: Option<Expr>,
    pub patience: Option<Expr>,
    /// In the order in which they are applied.
    pub augment: Vec<Call>,
    pub span: Span,
}
