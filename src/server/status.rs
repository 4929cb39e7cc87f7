//! How a running pipeline is doing, as plain data: for `/metrics`, `/status`, the page and the terminal.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::runtime::{EdgeReport, NodeReport, SourceReport};

/// One look at everything. Counters only rise while their node lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// The file's name.
    pub pipeline: String,
    /// Changes with every change of the graph.
    pub plan: String,
    pub stage: Stage,
    pub uptime_s: f64,
    /// Rows that entered, all sources together.
    pub rows_in: u64,
    pub sources: Vec<SourceReport>,
    pub nodes: Vec<NodeReport>,
    pub edges: Vec<EdgeReport>,
    /// Nodes that have failed and are not stepped any more, with the reason.
    pub failed: BTreeMap<String, String>,
    pub tasks: Vec<TaskStatus>,
    pub sinks: Vec<SinkStatus>,
    pub edits: Edits,
    /// The last change in words.
    pub last_change: Option<String>,
    /// How the file differs from what runs, if it does.
    pub differs: Option<String>,
    pub rates: Rates,
    /// What happened lately, the newest first.
    pub lately: Vec<Happened>,
}

/// Means over the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rates {
    /// Over how long, in seconds.
    pub over_s: f64,
    /// All sources together.
    pub rows_per_s: f64,
    /// Rows that came in a second, by node.
    pub nodes: BTreeMap<String, f64>,
}

/// One line of what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// In UTC.
    pub time: String,
    pub text: String,
}

/// Which part of its life a pipeline is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Recordings are read; sinks are mute.
    #[default]
    WarmingUp,
    Live,
    /// All sources have ended.
    Ended,
    Stopping,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TaskStatus {
    pub name: String,
    pub version: Option<String>,
    pub family: Option<String>,
    /// The metric that the policy asks for, and its value on rows that did not train the model.
    pub metric: Option<(String, f64)>,
    /// Is it served by some door?
    pub served: bool,
    pub training: bool,
    /// What it waits for while it has no model, or why the last training gave none.
    pub note: Option<String>,
    /// Rows that passed its `predict` stages, with an answer or, while there is no model, with null.
    pub predictions: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SinkStatus {
    pub name: String,
    pub accepted: u64,
    pub delivered: u64,
    pub waiting: u64,
    pub lost: u64,
    /// Rows of a recording that warmed it up.
    pub muted: u64,
    pub retries: u64,
    /// The last error, while it holds.
    pub trouble: Option<String>,
}

/// Saves of the file, by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Edits {
    pub applied: u64,
    /// Other text with the same meaning.
    pub unchanged: u64,
    /// Refused by the compiler, or because it could not be prepared.
    pub refused: u64,
}

impl Status {
    /// What is missing before every served task can answer.
    pub fn missing(&self) -> Vec<String> {
        let mute = self.tasks.iter().filter(|task| task.served && task.version.is_none());
        let mut missing: Vec<String> = mute.map(|task| format!("`{}` has no model yet", task.name)).collect();
        if self.stage == Stage::Stopping {
            missing.push("the pipeline is stopping".into());
        }
        missing
    }
}

impl Stage {
    pub fn words(self) -> &'static str {
        match self {
            Stage::WarmingUp => "warming up",
            Stage::Live => "live",
            Stage::Ended => "all sources have ended",
            Stage::Stopping => "stopping",
        }
    }
}
