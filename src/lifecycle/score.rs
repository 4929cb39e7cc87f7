//! A fitted model on another recording, beside the baselines.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::ir::{Metric, Task};
use crate::model::{Confusion, Figures, Fitted, Purpose, confusion, figures, kind_of, measure, metric_text};

use super::Table;
use super::baselines::{Baselines, constant_here, of_alarms, repeaters_on, with_skill};
use super::judge::{judge, truths};
use super::unsupported::unsupported_task;

/// How good a model is on rows that it was never fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    pub task: String,
    pub version: String,
    /// Rows with a known target.
    pub rows: usize,
    pub unanswered: usize,
    pub metrics: Figures,
    /// Of a detector `always` and `never`; else `persistence` as it would do on this recording, and `constant` is the answer that is commonest (or the mean) *here*,
    /// which flatters it.
    pub baselines: Baselines,
    pub confusion: Option<Confusion>,
}

/// Of all labelled rows of `table`. `metrics` are wanted beside those that name no class.
pub fn score(task: &Task, fitted: &Fitted, table: &RecordBatch, metrics: &[Metric]) -> Result<Scored, Vec<Diagnostic>> {
    let purpose = kind_of(task.kind).ok_or_else(|| unsupported_task(task))?;
    let table = Table::read(task, table)?;
    let mut rows = table.labelled_rows();
    if purpose == Purpose::Detect {
        let known = truths(&table);
        rows.retain(|row| known[*row].is_some());
    }
    if rows.is_empty() {
        return Err(vec![super::split::nothing_to_learn(task)]);
    }
    let (baselines, mae) = match purpose {
        Purpose::Detect => (of_alarms(&table, &rows), None),
        Purpose::Classify | Purpose::Regress => {
            let repeaters = repeaters_on(&table, task.kind, purpose, &rows);
            with_skill(constant_here(&table, purpose, &rows), repeaters)
        }
    };
    let judged = judge(&[(fitted, &rows)], &table, mae);
    let mut found = figures(&judged.outcome);
    found.extend(metrics.iter().filter_map(|metric| Some((metric_text(metric), measure(metric, &judged.outcome)?))));
    Ok(Scored {
        task: task.name.to_string(),
        version: fitted.version.clone(),
        rows: rows.len(),
        unanswered: judged.unanswered,
        metrics: found,
        baselines,
        confusion: confusion(&judged.outcome),
    })
}
