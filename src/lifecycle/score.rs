//! A fitted model on another recording, beside the baselines.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::ir::{Metric, Task};
use crate::model::{Confusion, Figures, Fitted, confusion, figures, kind_of, measure, metric_text};

use super::Table;
use super::baselines::{Baselines, against, persistence_on, table_of};
use super::judge::judge;
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
    /// `persistence` as it would do on this recording; `constant` is the answer that is commonest (or the mean) *here*,
    /// which flatters it.
    pub baselines: Baselines,
    pub confusion: Option<Confusion>,
}

/// Of all labelled rows of `table`. `metrics` are wanted beside those that name no class.
pub fn score(task: &Task, fitted: &Fitted, table: &RecordBatch, metrics: &[Metric]) -> Result<Scored, Vec<Diagnostic>> {
    let purpose = kind_of(task.kind).ok_or_else(|| unsupported_task(task))?;
    let table = Table::read(task, table)?;
    let rows = table.labelled_rows();
    if rows.is_empty() {
        return Err(vec![super::split::nothing_to_learn(task)]);
    }
    let mut repeated = persistence_on(&table, task.kind, purpose, &rows);
    let constant = super::baselines::constant_here(&table, purpose, &rows);
    let (_, mae) = table_of(figures(&constant), &repeated);
    repeated.outcome = against(repeated.outcome, mae);
    let (baselines, _) = table_of(figures(&against(constant, mae)), &repeated);
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
