//! Stages of a stream: what each does to rows.

mod join;
mod keep;
mod place;
mod rank;
mod resample;

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Span};

use super::{Aggregate, Expr, Running, Schema};

pub use join::{JoinKind, JoinOp, Table, Taken};
pub use keep::{KeepOp, KeepRule};
pub use place::Use;
pub use rank::{RankOp, RankRule};
pub use resample::{Filling, ResampleOp};

/// What a stream, task or sink reads: an outlet of a source or stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Read {
    pub from: Name,
    pub outlet: Outlet,
}

/// `room`, `room.bad`, `air.late`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outlet {
    Rows,
    Bad,
    Late,
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    pub kind: StageKind,
    pub op: Op,
    /// `id NAME` fixes its identity.
    pub id: Option<Name>,
    /// The uses of transforms that it stands in, outermost first; empty for a stage of the pipeline's own.
    pub within: Vec<Use>,
    pub on_change: OnChange,
    /// What comes out.
    pub schema: Schema,
    #[serde(skip)]
    pub span: Span,
}

/// The word that the author wrote; part of a stage's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StageKind {
    Where,
    Set,
    Select,
    Drop,
    Rename,
    Scan,
    Window,
    Union,
    Predict,
    Fill,
    Unnest,
    Limit,
    Sample,
    Dedupe,
    Throttle,
    Join,
    Asof,
    Lookup,
    Summarize,
    Top,
    Sort,
    Resample,
}

/// What a stage does. Several words share one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Keeps rows for which it is true; null is not true.
    Where {
        predicate: Expr,
    },
    /// Adds columns; each entry sees the stage's input and the entries before it.
    Set {
        entries: Vec<Entry>,
    },
    /// Exactly these columns, hidden ones included (`select`, `drop`, `rename`).
    Project {
        entries: Vec<Entry>,
    },
    /// Adds columns of running expressions, one state per key.
    Scan {
        by: Vec<Name>,
        entries: Vec<ScanEntry>,
    },
    Window(WindowOp),
    /// Rows of all inputs in ordinal order; the stage's own input is port 0, these follow.
    Union {
        with: Vec<Read>,
    },
    Predict(PredictOp),
    /// Columns of the input that get other values where they are null, in their places; all entries see the row as it came in.
    Fill {
        entries: Vec<Entry>,
    },
    /// One row for each value in a column of lists; the column then holds the value.
    Unnest {
        column: Name,
    },
    Keep(KeepOp),
    /// The stage's own input is port 0, the other stream port 1.
    Join(JoinOp),
    Rank(RankOp),
    Resample(ResampleOp),
}

/// A computed column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub name: Name,
    pub value: Expr,
    #[serde(skip)]
    pub span: Span,
}

/// A column of a `scan`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanEntry {
    pub name: Name,
    /// In the order in which they are carried out; an argument may be the slot of an earlier one.
    pub calls: Vec<RunningCall>,
    /// Over the input's columns, the entries before it, and the slots.
    pub value: Expr,
    #[serde(skip)]
    pub span: Span,
}

/// One running function in an entry. `args` are values of the row; `settings` are constants that shape it:
/// `Lag`: n rows (int). `Ewma`: half-life (duration). `For`: how long (duration). `Hysteresis`: on, off (floats).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningCall {
    pub function: Running,
    pub args: Vec<Expr>,
    pub settings: Vec<super::Value>,
    /// Type of its result, which is nullable.
    pub ty: super::Type,
}

/// `window SPEC [partial] [by K] { … }`. Output: keys, entries, and for time windows `window_start`, `window_end`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowOp {
    pub shape: WindowShape,
    /// Keeps incomplete row windows at the end.
    pub partial: bool,
    pub by: Vec<Name>,
    pub entries: Vec<AggregateEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WindowShape {
    /// Aligned to 1970-01-01T00:00:00Z; tumbling where `every == size`.
    Time {
        size: Duration,
        every: Duration,
    },
    Rows {
        size: u64,
        every: u64,
    },
    /// Closes after this much event time without a row of its key.
    Session {
        gap: Duration,
    },
    /// Closes when its key's recording ends.
    Whole,
    /// All rows so far, at each multiple of `every` before which rows of the key have come since the one before.
    Cumulative {
        every: Duration,
    },
}

/// A column of a `window`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AggregateEntry {
    pub name: Name,
    pub calls: Vec<AggregateCall>,
    /// Over the slots and the keys.
    pub value: Expr,
    #[serde(skip)]
    pub span: Span,
}

/// `quantile` takes its share from `settings`; all others have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AggregateCall {
    pub function: Aggregate,
    /// Over the input's columns; empty for `count()`.
    pub args: Vec<Expr>,
    pub settings: Vec<super::Value>,
    /// `where: C`: only rows for which it is true.
    pub filter: Option<Expr>,
    /// Type of its result; nullable but for `count`.
    pub ty: super::Type,
}

/// Adds `NAME`, `NAME_confidence` (classify), `NAME_score` (detect, rank) or `NAME_for` (forecast), and `NAME_version`; nullable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictOp {
    pub task: Name,
    /// `as NAME`.
    pub name: Name,
    /// The task's features, which the input carries.
    pub features: Vec<Name>,
    pub probabilities: bool,
    /// Of a forecast: how far ahead of its row an answer is; `NAME_for` is that time.
    pub ahead: Option<Duration>,
    /// Of a forecast of a path: the distance of its steps, and then values and times are lists.
    #[serde(default)]
    pub every: Option<Duration>,
}

/// What happens when a stage's state cannot be read by its new version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OnChange {
    #[default]
    Backfill,
    Empty,
    Reject,
}

impl StageKind {
    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            StageKind::Where => "where",
            StageKind::Set => "set",
            StageKind::Select => "select",
            StageKind::Drop => "drop",
            StageKind::Rename => "rename",
            StageKind::Scan => "scan",
            StageKind::Window => "window",
            StageKind::Union => "union",
            StageKind::Predict => "predict",
            StageKind::Fill => "fill",
            StageKind::Unnest => "unnest",
            StageKind::Limit => "limit",
            StageKind::Sample => "sample",
            StageKind::Dedupe => "dedupe",
            StageKind::Throttle => "throttle",
            StageKind::Join => "join",
            StageKind::Asof => "asof",
            StageKind::Lookup => "lookup",
            StageKind::Summarize => "summarize",
            StageKind::Top => "top",
            StageKind::Sort => "sort",
            StageKind::Resample => "resample",
        }
    }
}

impl Op {
    /// Does it remember rows, or what came of them, beyond the row at hand?
    pub fn remembers(&self) -> bool {
        match self {
            Op::Scan { .. } | Op::Window(_) | Op::Keep(_) | Op::Rank(_) | Op::Resample(_) => true,
            Op::Join(join) => join.other().is_some(),
            Op::Where { .. }
            | Op::Set { .. }
            | Op::Project { .. }
            | Op::Union { .. }
            | Op::Predict(_)
            | Op::Fill { .. }
            | Op::Unnest { .. } => false,
        }
    }

    /// Other outlets that it reads beside the one that flows in, by port from 1 on.
    pub fn others(&self) -> &[Read] {
        match self {
            Op::Union { with } => with,
            Op::Join(join) => join.other().map_or(&[], std::slice::from_ref),
            Op::Where { .. }
            | Op::Set { .. }
            | Op::Project { .. }
            | Op::Scan { .. }
            | Op::Window(_)
            | Op::Predict(_)
            | Op::Fill { .. }
            | Op::Unnest { .. }
            | Op::Keep(_)
            | Op::Rank(_)
            | Op::Resample(_) => &[],
        }
    }

    /// Does it take what comes in at its other ports beside its rows, and before them, and send one batch for its rows?
    pub fn pairs_inputs(&self) -> bool {
        match self {
            Op::Predict(_) | Op::Join(_) => true,
            Op::Where { .. }
            | Op::Set { .. }
            | Op::Project { .. }
            | Op::Scan { .. }
            | Op::Window(_)
            | Op::Union { .. }
            | Op::Fill { .. }
            | Op::Unnest { .. }
            | Op::Keep(_)
            | Op::Rank(_)
            | Op::Resample(_) => false,
        }
    }

    /// The prediction that it makes, if that is what it does.
    pub fn predict(&self) -> Option<&PredictOp> {
        match self {
            Op::Predict(predict) => Some(predict),
            Op::Where { .. }
            | Op::Set { .. }
            | Op::Project { .. }
            | Op::Scan { .. }
            | Op::Window(_)
            | Op::Union { .. }
            | Op::Fill { .. }
            | Op::Unnest { .. }
            | Op::Keep(_)
            | Op::Join(_)
            | Op::Rank(_)
            | Op::Resample(_) => None,
        }
    }
}
