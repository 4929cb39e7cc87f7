//! Where rows come from: `source` and `table`.

use crate::base::Span;

use super::{Assign, ColumnItem, Connector, Doc, Expr, Head, Ident, Keys, Text, Type};

#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub head: Head,
    pub columns: Option<Columns>,
    pub recorded: Option<Feed>,
    pub live: Option<Feed>,
    pub keep: Option<Connector>,
    pub time: Option<TimeClause>,
}

/// Slowly changing reference data.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub head: Head,
    pub columns: Option<Columns>,
    pub recorded: Option<Feed>,
    pub key: Option<Keys>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    pub columns: Vec<Column>,
    pub span: Span,
}

/// `co2 (was gas): float<ppm> null [-200] in 0..5000 from "CO2"`
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub doc: Option<Doc>,
    pub names: ColumnNames,
    pub was: Option<Ident>,
    pub ty: Type,
    pub null: Option<NullValues>,
    /// A range expression, both ends literals.
    pub bounds: Option<Expr>,
    pub origin: Option<Origin>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnNames {
    One(Ident),
    /// `[ax, ay, az]`, `[s1..s21]`: a range counts up the number at the end.
    Many {
        items: Vec<ColumnItem>,
        span: Span,
    },
}

/// `null [-200, "NaN"]`: values that mean nothing was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct NullValues {
    pub values: Vec<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub kind: OriginKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OriginKind {
    /// A header, or a JSON path if it begins with `$`.
    Field(Text),
    /// Counted from 1.
    Position(u32),
    /// The number of the row.
    Row,
    /// When the row arrived.
    Arrival,
}

/// What stands behind `recorded` or `live`.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    pub kind: FeedKind,
    pub span: Span,
}

#[expect(clippy::large_enum_variant, reason = "a source has two at most")]
#[derive(Clone, Debug, PartialEq)]
pub enum FeedKind {
    Connector(Connector),
    Simulate(Simulate),
}

/// A seeded generator of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulate {
    pub rows: Option<SimulatedRows>,
    pub seed: Option<Expr>,
    /// How much virtual time it covers (`span 7d`).
    pub length: Option<Expr>,
    /// Later ones may use earlier ones.
    pub columns: Vec<Assign>,
    /// What goes wrong, in the order written.
    pub faults: Vec<Fault>,
    pub span: Span,
}

/// `rows 10 per 1s by device in ["lab", "hall"]`
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedRows {
    pub count: Expr,
    pub per: Expr,
    pub by: Option<SimulatedKey>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedKey {
    pub column: Ident,
    pub values: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// `drift temperature + 3 after 3d`
    Drift { column: Ident, change: DriftChange, by: Expr, after: Expr },
    /// `late 1% by 5s`
    Late { share: Expr, by: Expr },
    /// `drop 0.1%`
    Drop { share: Expr },
    /// `duplicate 0.1%`
    Duplicate { share: Expr },
    /// `spike co2 x 10 0.01%`
    Spike { column: Ident, factor: Expr, share: Expr },
    /// `gap 10min every 1d`
    Gap { length: Expr, every: Expr },
    /// `delay occupied 1h`
    Delay { column: Ident, by: Expr },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftChange {
    Add,
    Subtract,
    Multiply,
}

/// `time at, lateness 1min, idle 30s, ahead 5min`
#[derive(Clone, Debug, PartialEq)]
pub struct TimeClause {
    pub basis: TimeBasis,
    pub lateness: Option<Expr>,
    pub idle: Option<Expr>,
    pub ahead: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TimeBasis {
    /// The order of the rows is the time.
    None,
    /// `every 30min from @1996-05-07T00:00:00Z`
    Every { every: Expr, from: Expr, by: Option<Keys> },
    /// A column or an expression; with `by` each key has its own clock.
    At { time: Expr, by: Option<Keys> },
}
