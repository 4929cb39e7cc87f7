//! The stages of a pipeline.

use crate::base::Span;

use super::{Arg, Call, ColumnItem, ColumnSet, Expr, Ident, Keys, StreamRef, Text};

/// `| window 5s by device { … } id mean5 on change empty`
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub kind: StageKind,
    /// Fixes its identity; without one it is known by its kind and count among its like.
    pub id: Option<Ident>,
    pub on_change: Option<OnChange>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StageKind {
    Where(Where),
    Set(SetColumns),
    Select(Select),
    Drop(Drop),
    Rename(Rename),
    Scan(Scan),
    Window(Window),
    Summarize(Summarize),
    Join(Join),
    Asof(Asof),
    Lookup(Lookup),
    Resample(Resample),
    Fill(Fill),
    Dedupe(Dedupe),
    Union(Union),
    Unnest(Unnest),
    Sample(Sample),
    Limit(Limit),
    Throttle(Throttle),
    Sort(Sort),
    Predict(Predict),
    Top(Top),
    /// The use of a transform.
    Apply(Apply),
}

#[derive(Clone, Debug, PartialEq)]
pub struct OnChange {
    pub kind: OnChangeKind,
    pub span: Span,
}

/// What becomes of state that cannot be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChangeKind {
    Backfill,
    Empty,
    Reject,
}

/// `a (was b) = E`
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    pub name: Ident,
    pub was: Option<Ident>,
    pub value: Expr,
    pub span: Span,
}

/// One line of a block that makes columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Assign(Assign),
    Across(Across),
}

/// `across([ax..gz], mean, ewma(10h))`: makes `ax_mean`, `ax_ewma`, … column by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Across {
    pub columns: ColumnSet,
    /// Each takes the column as its first argument.
    pub functions: Vec<Call>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    pub condition: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SetColumns {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    pub selection: Selection,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// `[a, ax..gz, b = E]`
    Items(Vec<SelectItem>),
    /// `all except [a]`, `matching "acc_*"`, `all`
    Set(ColumnSet),
}

#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    Columns(ColumnItem),
    Assign(Assign),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    pub columns: ColumnSet,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rename {
    pub renamings: Vec<Renaming>,
}

/// `new = old`
#[derive(Clone, Debug, PartialEq)]
pub struct Renaming {
    pub new: Ident,
    pub old: Ident,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    pub by: Option<Keys>,
    pub entries: Vec<Entry>,
}

/// `window 2.56s every 1.28s align "Europe/Berlin" partial by device { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub spec: WindowSpec,
    pub align: Option<WindowAlign>,
    /// Where `partial` stands.
    pub partial: Option<Span>,
    pub by: Option<Keys>,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WindowAlign {
    /// A time zone.
    pub zone: Text,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WindowSpec {
    pub kind: WindowSpecKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WindowSpecKind {
    Time { length: Expr, every: Option<Expr> },
    Rows { count: Expr, every: Option<Expr> },
    Session { gap: Expr },
    Whole,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Summarize {
    pub by: Option<Keys>,
    pub every: Option<Expr>,
    pub entries: Vec<Entry>,
}

/// `join S on K within 5s take [x, y = z] required`
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    pub other: StreamRef,
    pub on: Keys,
    pub within: Expr,
    pub take: Option<Take>,
    pub required: Option<Span>,
}

/// The row of the other stream that had arrived last.
#[derive(Clone, Debug, PartialEq)]
pub struct Asof {
    pub other: StreamRef,
    pub on: Keys,
    pub within: Option<Expr>,
    pub take: Option<Take>,
    pub required: Option<Span>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub table: Ident,
    pub on: Keys,
    pub take: Option<Take>,
    pub required: Option<Span>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    pub items: Vec<TakeItem>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TakeItem {
    Columns(ColumnItem),
    /// `y = z`: z of the other side, called y here.
    Renamed(Renaming),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Resample {
    pub every: Expr,
    pub by: Option<Keys>,
    pub fill: FillMethod,
    /// The longest gap that is filled.
    pub within: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillMethod {
    Linear,
    Last,
    Null,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    pub entries: Vec<Assign>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dedupe {
    pub by: Keys,
    pub within: Expr,
}

/// The stream that flows in, and these.
#[derive(Clone, Debug, PartialEq)]
pub struct Union {
    pub others: Vec<StreamRef>,
    /// Written at the head of the pipeline, `union [a, b]`, where the first of them is what flows in.
    pub leads: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Unnest {
    pub column: Ident,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub share: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    pub count: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    pub count: Expr,
    pub per: Expr,
    pub by: Option<Keys>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    pub by: Keys,
    pub within: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Predict {
    pub tasks: Vec<Predicted>,
    /// Where `with probabilities` stands.
    pub probabilities: Option<Span>,
}

/// `occupancy as guess`
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    pub task: Ident,
    pub alias: Option<Ident>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    pub count: Expr,
    pub by: Expr,
    pub within: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Apply {
    pub transform: Ident,
    pub args: Vec<Arg>,
}
