//! What counts as good, and when to act on it.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Span};

use super::{Amount, BinaryOp, Metric, Share};

/// A constrained objective. Clauses that were not written hold the language's defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub name: Name,
    pub choice: Choice,
    pub search: Search,
    pub validate: Validate,
    pub seed: u64,
    /// `retrain when …`.
    pub retrain: Option<Trigger>,
    pub promote: Option<Promote>,
    pub rollback: Option<Trigger>,
    /// `when TRIGGER { … }`: another choice while it holds.
    pub overrides: Vec<Override>,
    #[serde(skip)]
    pub span: Span,
    #[serde(skip)]
    pub places: ClausePlaces,
}

/// Where the clauses that act later stand; empty where they are not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClausePlaces {
    pub retrain: Span,
    pub promote: Span,
    pub rollback: Span,
    /// Of the first `when`.
    pub when: Span,
}

/// What is chosen from a generation of measured models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub goal: Goal,
    pub requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    pub maximize: bool,
    pub metric: Metric,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    pub when: Trigger,
    pub choice: Choice,
}

/// `require latency.p99 <= 2ms otherwise warn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    pub metric: Metric,
    /// One of the comparisons.
    pub op: BinaryOp,
    /// In the metric's own unit: see [`MetricKind`](super::MetricKind).
    pub bound: f64,
    pub otherwise: Otherwise,
    /// As the author wrote it, for reports: `latency.p99 <= 2ms`.
    pub text: Name,
    #[serde(skip)]
    pub span: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Otherwise {
    #[default]
    Warn,
    Abstain,
    KeepChampion,
    Stop,
}

/// What bounds the search; the first reached ends it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    pub trials: u32,
    pub time: Duration,
    pub cores: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Validate {
    Last(Share),
    Random(Share),
    Folds(u32),
    Prequential,
}

/// `promote when better by 0.5% over 500 rows with confidence 95%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promote {
    /// Points for metrics bounded by 0 and 1, else relative to the champion.
    pub better_by: f64,
    pub over: Option<Amount>,
    pub confidence: Option<f64>,
}

/// A condition over metrics and host figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Trigger {
    Any(Vec<Trigger>),
    All(Vec<Trigger>),
    Every(Duration),
    /// The detector's name (`adwin`, `ks`, …) or the default one.
    Drift {
        detector: Option<Name>,
    },
    Measured {
        metric: Metric,
        over: Option<Amount>,
        op: BinaryOp,
        bound: f64,
        for_: Option<Duration>,
    },
    /// `macro_f1 over 10min < champion - 5%`.
    BelowChampion {
        metric: Metric,
        over: Option<Amount>,
        by: f64,
    },
    Host {
        figure: HostFigure,
        op: BinaryOp,
        bound: f64,
        for_: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostFigure {
    Cpu,
    Memory,
    Battery,
}
