//! Metrics: one table says of each what it is called, which way is better, what it measures, how it reads, and how it is found.

use serde::{Deserialize, Serialize};

use crate::base::Name;

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
    Pinball,
    FalseAlarms,
    Delay,
    Energy,
    Cost,
    Throughput,
}

/// What is to be known of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricFacts {
    pub kind: MetricKind,
    /// As the language calls it.
    pub name: &'static str,
    pub better: Better,
    pub measures: Measures,
    pub reads: Reads,
    /// How differences read.
    pub differs: Differs,
    pub found: Found,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// What a metric measures, which decides the unit of its bounds and the tasks that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measures {
    /// How often the right class is found: a share.
    Classes,
    /// The loss of probabilities: a plain number.
    Probabilities,
    /// An error in the unit of the target.
    Error,
    /// An error as a share of the target, or a plain number.
    RelativeError,
    Time,
    Bytes,
    Alarms,
    /// Plain numbers that every task has.
    Other,
}

/// How a value is written for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    Percent,
    Seconds,
    Bytes,
    Number,
}

/// How a difference of two values is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Of metrics that end at 1.
    Points,
    /// As a share of the other value.
    Relative,
}

/// How a training finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// From answers and truth.
    Answers,
    /// From one loaded model that answers single rows.
    Model(ModelCost),
    /// Named by the language, not measured by this version.
    NotYet,
}

/// What a model costs where it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelCost {
    LatencyP50,
    LatencyP99,
    Memory,
    Size,
}

use Better::{Higher, Lower};
use Differs::{Points, Relative};
use Found::{Answers, Model, NotYet};
use Measures::{Alarms, Classes, Error, Other, Probabilities, RelativeError};
use Reads::{Number, Percent, Seconds};

#[rustfmt::skip]
const TABLE: [MetricFacts; 25] = [
    facts(MetricKind::Accuracy,         "accuracy",          Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::BalancedAccuracy, "balanced_accuracy", Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::MacroF1,          "macro_f1",          Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::F1,               "f1",                Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::Precision,        "precision",         Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::Recall,           "recall",            Higher, Classes,         Percent,      Points,   Answers),
    facts(MetricKind::Auc,              "auc",               Higher, Classes,         Number,       Points,   Answers),
    facts(MetricKind::LogLoss,          "log_loss",          Lower,  Probabilities,   Number,       Relative, Answers),
    facts(MetricKind::Brier,            "brier",             Lower,  Probabilities,   Number,       Points,   Answers),
    facts(MetricKind::Mae,              "mae",               Lower,  Error,           Number,       Relative, Answers),
    facts(MetricKind::Rmse,             "rmse",              Lower,  Error,           Number,       Relative, Answers),
    facts(MetricKind::R2,               "r2",                Higher, RelativeError,   Number,       Points,   Answers),
    facts(MetricKind::Mape,             "mape",              Lower,  RelativeError,   Percent,      Relative, Answers),
    facts(MetricKind::Smape,            "smape",             Lower,  RelativeError,   Percent,      Relative, Answers),
    facts(MetricKind::Skill,            "skill",             Higher, RelativeError,   Percent,      Points,   Answers),
    facts(MetricKind::LatencyP50,       "latency.p50",       Lower,  Measures::Time,  Seconds,      Relative, Model(ModelCost::LatencyP50)),
    facts(MetricKind::LatencyP99,       "latency.p99",       Lower,  Measures::Time,  Seconds,      Relative, Model(ModelCost::LatencyP99)),
    facts(MetricKind::Memory,           "memory",            Lower,  Measures::Bytes, Reads::Bytes, Relative, Model(ModelCost::Memory)),
    facts(MetricKind::ModelSize,        "model.size",        Lower,  Measures::Bytes, Reads::Bytes, Relative, Model(ModelCost::Size)),
    facts(MetricKind::Pinball,          "pinball",           Lower,  Error,           Number,       Relative, NotYet),
    facts(MetricKind::FalseAlarms,      "false_alarms",      Lower,  Alarms,          Number,       Relative, NotYet),
    facts(MetricKind::Delay,            "delay",             Lower,  Measures::Time,  Seconds,      Relative, NotYet),
    facts(MetricKind::Energy,           "energy",            Lower,  Other,           Number,       Relative, NotYet),
    facts(MetricKind::Cost,             "cost",              Lower,  Other,           Number,       Relative, NotYet),
    facts(MetricKind::Throughput,       "throughput",        Higher, Other,           Number,       Relative, NotYet),
];

const fn facts(
    kind: MetricKind,
    name: &'static str,
    better: Better,
    measures: Measures,
    reads: Reads,
    differs: Differs,
    found: Found,
) -> MetricFacts {
    MetricFacts { kind, name, better, measures, reads, differs, found }
}

impl MetricKind {
    /// In the order of the table.
    pub fn all() -> impl Iterator<Item = MetricKind> {
        TABLE.iter().map(|facts| facts.kind)
    }

    pub fn facts(self) -> &'static MetricFacts {
        &TABLE[self as usize]
    }

    /// As the language calls it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    pub fn named(name: &str) -> Option<MetricKind> {
        TABLE.iter().find(|facts| facts.name == name).map(|facts| facts.kind)
    }

    pub fn higher_is_better(self) -> bool {
        self.facts().better == Better::Higher
    }

    /// Does a training give a figure for it?
    pub fn is_measured(self) -> bool {
        self.facts().found != Found::NotYet
    }

    /// Is it what a model costs, rather than how good it is?
    pub fn is_cost(self) -> bool {
        matches!(self.facts().found, Found::Model(_))
    }

    /// Of one class, or of "the" class of two?
    pub fn is_of_a_class(self) -> bool {
        matches!(self, MetricKind::F1 | MetricKind::Precision | MetricKind::Recall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_in_its_row_under_a_name_of_its_own() {
        for (at, facts) in TABLE.iter().enumerate() {
            assert_eq!((facts.kind as usize, facts.kind.facts()), (at, facts));
            assert_eq!(MetricKind::named(facts.name), Some(facts.kind), "{}", facts.name);
        }
        // The last of the enum is the last of the table, so that none is missing.
        assert_eq!(MetricKind::Throughput as usize + 1, TABLE.len());
    }
}
