//! What is to be learned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Span};

use super::network::Network;
use super::{Column, Expr, Read, Value};

/// A task; its policy stands beside it in the program, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub name: Name,
    pub kind: TaskKind,
    pub target: Target,
    pub from: Read,
    /// Of a forecast over many series: the column that tells them apart.
    pub series: Option<Name>,
    /// In the order of the stream's schema, with their types there.
    pub features: Vec<Column>,
    pub hold_out: Option<HoldOut>,
    /// One group never stands on both sides of a split.
    pub group: Option<Name>,
    pub start: Option<Start>,
    pub balance: bool,
    pub weights: Option<Name>,
    /// A model per key, with a shared one until there is enough.
    #[serde(default)]
    pub per: Option<Per>,
    pub models: Models,
    pub history: Option<History>,
    /// A key of [`Program::policies`](super::Program::policies).
    pub policy: Name,
    #[serde(skip)]
    pub span: Span,
}

/// Who has a model of his own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Per {
    /// The columns that make the key, with their types in the task's stream.
    pub columns: Vec<Column>,
    /// From so many labelled rows among those that a fit learns from.
    pub rows: u64,
}

/// Enough rows for a key to have a model of its own, where the task does not say: the families of the portfolio want some
/// hundreds, and with fewer the shared model of all keys is nearly always better.
pub const PER_ROWS: u64 = 500;

/// Steps of a path that are forecast at most, a week of hours: each of them has a model of its own.
pub const PATH_STEPS_MAX: usize = 168;

impl TaskKind {
    /// Of a forecast: how far ahead its values are, the furthest last. Empty of all others.
    pub fn steps(self) -> Vec<Duration> {
        match self {
            TaskKind::Forecast { ahead, every: None } => vec![ahead],
            TaskKind::Forecast { ahead, every: Some(every) } => {
                (1..=ahead.0 / every.0.max(1)).take(PATH_STEPS_MAX).map(|nth| Duration(nth * every.0)).collect()
            }
            TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => Vec::new(),
        }
    }

    /// Is its answer a list of values, one for each step?
    pub fn is_path(self) -> bool {
        matches!(self, TaskKind::Forecast { every: Some(_), .. })
    }
}

impl Task {
    /// What a model reads of a row: its features, then what makes its key.
    pub fn door(&self) -> impl Iterator<Item = &Column> {
        self.features.iter().chain(self.per.iter().flat_map(|per| &per.columns))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskKind {
    Classify,
    Regress,
    /// This far ahead of each row; or on the way there, at every step.
    Forecast {
        ahead: Duration,
        #[serde(default)]
        every: Option<Duration>,
    },
    /// This share of rows is flagged where no truth tunes the threshold.
    Detect {
        flag: f64,
    },
    Rank,
}

/// What is predicted: a column, or an expression over columns (`name = EXPR`). `Detect` has none but its `truth`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub column: Column,
    /// None where the column is one of the stream's own.
    pub value: Option<Expr>,
}

/// Rows that nothing but the headline number ever sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HoldOut {
    Where(Expr),
    Last(Share),
}

/// A fraction in 0..1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share(pub f64);

/// What the first model learns from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Start {
    Where(Expr),
    First { rows: u64, by: Vec<Name> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Models {
    /// The portfolio.
    Auto,
    Listed(Vec<Candidate>),
}

/// A family with fixed values and ranges to search: `forest(trees: 50..400)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// `logistic`, `linear`, `mlp`, `forest`, `constant`, `persistence`, …
    pub family: Name,
    pub settings: BTreeMap<Name, Choices>,
    /// Where the family is a `network` of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    #[serde(skip)]
    pub span: Span,
}

/// What a setting may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Choices {
    One(Dimension),
    /// Such as `hidden: [16..128, 16..64]`.
    Each(Vec<Dimension>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Dimension {
    Fixed(Value),
    /// Both ends included; whole numbers where both ends are ints.
    Range(Value, Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    Time(Duration),
    Rows { rows: u64, reservoir: bool },
}
