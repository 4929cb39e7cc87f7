//! What counts as good, and when to act on it.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Span};

use super::{Amount, BinaryOp, Share};

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
    /// In the metric's own unit: see [`MetricKind`].
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

/// A metric, of one class where it has one (`recall("fall")`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub kind: MetricKind,
    pub class: Option<Name>,
}

/// Shares are in 0..1, latencies in seconds, sizes in bytes, errors in the unit of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MetricKind {
    Accuracy,
    BalancedAccuracy,
    MacroF1,
    F1,
    Precision,
    Recall,
    Auc,
    LogLoss,
    Brier,
    Mae,
    Rmse,
    R2,
    Mape,
    Smape,
    Skill,
    LatencyP50,
    LatencyP99,
    Memory,
    ModelSize,
    /// Named by the language, not measured by this version.
    Pinball,
    FalseAlarms,
    Delay,
    Energy,
    Cost,
    Throughput,
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

impl MetricKind {
    pub const ALL: &[MetricKind] = &[
        MetricKind::Accuracy,
        MetricKind::BalancedAccuracy,
        MetricKind::MacroF1,
        MetricKind::F1,
        MetricKind::Precision,
        MetricKind::Recall,
        MetricKind::Auc,
        MetricKind::LogLoss,
        MetricKind::Brier,
        MetricKind::Mae,
        MetricKind::Rmse,
        MetricKind::R2,
        MetricKind::Mape,
        MetricKind::Smape,
        MetricKind::Skill,
        MetricKind::LatencyP50,
        MetricKind::LatencyP99,
        MetricKind::Memory,
        MetricKind::ModelSize,
        MetricKind::Pinball,
        MetricKind::FalseAlarms,
        MetricKind::Delay,
        MetricKind::Energy,
        MetricKind::Cost,
        MetricKind::Throughput,
    ];

    /// As the language calls it.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::Accuracy => "accuracy",
            MetricKind::BalancedAccuracy => "balanced_accuracy",
            MetricKind::MacroF1 => "macro_f1",
            MetricKind::F1 => "f1",
            MetricKind::Precision => "precision",
            MetricKind::Recall => "recall",
            MetricKind::Auc => "auc",
            MetricKind::LogLoss => "log_loss",
            MetricKind::Brier => "brier",
            MetricKind::Mae => "mae",
            MetricKind::Rmse => "rmse",
            MetricKind::R2 => "r2",
            MetricKind::Mape => "mape",
            MetricKind::Smape => "smape",
            MetricKind::Skill => "skill",
            MetricKind::LatencyP50 => "latency.p50",
            MetricKind::LatencyP99 => "latency.p99",
            MetricKind::Memory => "memory",
            MetricKind::ModelSize => "model.size",
            MetricKind::Pinball => "pinball",
            MetricKind::FalseAlarms => "false_alarms",
            MetricKind::Delay => "delay",
            MetricKind::Energy => "energy",
            MetricKind::Cost => "cost",
            MetricKind::Throughput => "throughput",
        }
    }

    pub fn named(name: &str) -> Option<MetricKind> {
        MetricKind::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Does a higher value mean better?
    pub fn higher_is_better(self) -> bool {
        match self {
            MetricKind::Accuracy
            | MetricKind::BalancedAccuracy
            | MetricKind::MacroF1
            | MetricKind::F1
            | MetricKind::Precision
            | MetricKind::Recall
            | MetricKind::Auc
            | MetricKind::R2
            | MetricKind::Skill
            | MetricKind::Throughput => true,
            MetricKind::LogLoss
            | MetricKind::Brier
            | MetricKind::Mae
            | MetricKind::Rmse
            | MetricKind::Mape
            | MetricKind::Smape
            | MetricKind::LatencyP50
            | MetricKind::LatencyP99
            | MetricKind::Memory
            | MetricKind::ModelSize
            | MetricKind::Pinball
            | MetricKind::FalseAlarms
            | MetricKind::Delay
            | MetricKind::Energy
            | MetricKind::Cost => false,
        }
    }
}
