//! What every model must beat: the constant answer, and the last known label. Always measured, always printed.

use std::collections::BTreeMap;

use crate::ir::TaskKind;
use crate::model::{Classes, Figures, LabelDelay, Matrix, Outcome, Purpose, argmax, figures, numbers, persistence};

use super::judge::{Judged, judge_repeats};
use super::{Split, Table};

/// Figures by the baseline's name.
pub type Baselines = BTreeMap<String, Figures>;

/// For each row, the row whose label persistence repeats. Any earlier label counts, of whatever part of the split.
fn repeats_of(table: &Table, kind: TaskKind) -> Vec<Option<usize>> {
    let delay = match kind {
        TaskKind::Forecast { ahead } => LabelDelay::After(ahead.0),
        TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => LabelDelay::NextRow,
    };
    persistence(&table.labelled, table.groups.as_deref(), table.times.as_deref(), delay)
}

/// Persistence on `rows`.
pub fn persistence_on(table: &Table, kind: TaskKind, purpose: Purpose, rows: &[usize]) -> Judged {
    judge_repeats(table, rows, &repeats_of(table, kind), purpose == Purpose::Classify)
}

/// Rows that judge, over all rounds.
pub fn judging_rows(split: &Split) -> Vec<usize> {
    let mut rows: Vec<usize> = split.rounds.iter().flat_map(|round| round.validate.iter().copied()).collect();
    rows.sort_unstable();
    rows
}

/// Both baselines by name, with the mean absolute error of the better one for `skill`.
pub fn table_of(constant: Figures, repeated: &Judged) -> (Baselines, Option<f64>) {
    let persistence = match repeated.outcome.rows() {
        0 => Figures::new(),
        _ => figures(&repeated.outcome),
    };
    let mae = |figures: &Figures| figures.get("mae").copied();
    let best = [mae(&constant), mae(&persistence)].into_iter().flatten().min_by(f64::total_cmp);
    ([("constant".to_owned(), constant), ("persistence".to_owned(), persistence)].into(), best)
}

/// A numeric outcome with what its skill is measured against.
pub fn against(outcome: Outcome, baseline_mae: Option<f64>) -> Outcome {
    match outcome {
        Outcome::Numbers { truth, guess, baseline_mae: _ } => Outcome::Numbers { truth, guess, baseline_mae },
        Outcome::Classes { .. } => outcome,
    }
}

/// The constant that fits `rows` themselves best: for recordings that nothing was trained on.
pub fn constant_here(table: &Table, purpose: Purpose, rows: &[usize]) -> Outcome {
    match purpose {
        Purpose::Classify => {
            let classes = Classes::seen(&table.target, rows.iter().copied()).unwrap_or_default();
            let codes = classes.encode(&table.target);
            let truth: Vec<u32> = rows.iter().filter_map(|row| codes[*row]).collect();
            let mut counts = vec![0.0f32; classes.len()];
            truth.iter().for_each(|class| counts[*class as usize] += 1.0);
            let total = truth.len().max(1) as f32;
            let shares: Vec<f32> = counts.iter().map(|count| count / total).collect();
            let guess = vec![argmax(&shares) as u32; truth.len()];
            let shares = Matrix { rows: truth.len(), columns: classes.len(), data: shares.repeat(truth.len()) };
            Outcome::Classes { classes, truth, guess, shares: Some(shares) }
        }
        Purpose::Regress => {
            let known = numbers(&table.target);
            let truth: Vec<f64> = rows.iter().map(|row| known.value(*row)).collect();
            let mean = truth.iter().sum::<f64>() / truth.len().max(1) as f64;
            Outcome::Numbers { guess: vec![mean; truth.len()], truth, baseline_mae: None }
        }
    }
}
