//! Of a path: how good the champion is at each step, beside the baselines there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Duration;
use crate::ir::TaskKind;
use crate::model::{Figures, Fitted, Purpose, figures};

use super::Table;
use super::baselines::{Baselines, repeaters_by_step};
use super::judge::judge_step;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// How far ahead.
    pub ahead: Duration,
    pub metrics: Figures,
    pub baselines: Baselines,
}

/// Of each model on its own rows; empty of everything but a path.
pub fn steps(kind: TaskKind, fits: &[(&Fitted, &[usize])], table: &Table) -> Vec<StepReport> {
    if !kind.is_path() || fits.is_empty() {
        return Vec::new();
    }
    let parts = fits.iter().flat_map(|(fitted, rows)| fitted.parts(&table.features, rows));
    let parts: Vec<(&Fitted, Vec<usize>)> = parts.map(|part| (part.fitted, part.rows)).collect();
    let rows: Vec<usize> = fits.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let repeaters = repeaters_by_step(table, kind, Purpose::Regress, &rows);
    let step = |(nth, (ahead, mut repeaters)): (usize, (Duration, Vec<super::baselines::Repeater>))| {
        let judged = repeaters.iter().filter(|repeater| repeater.judged.outcome.rows() > 0);
        let best = judged.filter_map(|repeater| figures(&repeater.judged.outcome).get("mae").copied()).min_by(f64::total_cmp);
        repeaters.iter_mut().for_each(|repeater| repeater.judged.outcome.measure_against(best));
        let of = |repeater: &super::baselines::Repeater| (repeater.name.to_owned(), figures(&repeater.judged.outcome));
        let judged = judge_step(&parts, table, nth, best);
        let metrics = if judged.outcome.rows() > 0 { figures(&judged.outcome) } else { Figures::new() };
        let judged = repeaters.iter().filter(|repeater| repeater.judged.outcome.rows() > 0);
        StepReport { ahead, metrics, baselines: judged.map(of).collect::<BTreeMap<_, _>>() }
    };
    kind.steps().into_iter().zip(repeaters).enumerate().map(step).collect()
}
