//! What every model must beat: the constant answer, and the last known label. Always measured, always printed.

use std::collections::BTreeMap;

use crate::ir::TaskKind;
use crate::model::{Classes, Figures, LabelDelay, Matrix, Outcome, Purpose, argmax, figures, numbers, persistence};

use super::judge::{Judged, judge_repeats, truths};
use super::series::Series;
use super::{Split, Table};

/// Figures by the baseline's name.
pub type Baselines = BTreeMap<String, Figures>;

/// After so much time a series may look alike.
const SEASONS: [(&str, i64); 2] = [("seasonal 1d", 86_400_000_000), ("seasonal 7d", 604_800_000_000)];

/// A baseline that repeats labels, with its name.
pub struct Repeater {
    pub name: &'static str,
    pub judged: Judged,
}

/// Those that repeat labels, on `rows`: the last one known, and of a forecast also the one a season before, where the
/// recording is long enough to have seen two.
pub fn repeaters_on(table: &Table, kind: TaskKind, purpose: Purpose, rows: &[usize]) -> Vec<Repeater> {
    let judge = |name, repeats: Vec<Option<usize>>| Repeater {
        name,
        judged: judge_repeats(table, rows, &repeats, purpose == Purpose::Classify),
    };
    let delay = match kind {
        TaskKind::Forecast { ahead } => LabelDelay::After(ahead.0),
        TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => LabelDelay::NextRow,
    };
    let last = persistence(&table.labelled, table.series.as_deref().or(table.groups.as_deref()), table.times.as_deref(), delay);
    let mut found = vec![judge("persistence", last)];
    if let (TaskKind::Forecast { ahead }, Some(times)) = (kind, &table.times) {
        let series = Series::of(times, table.series.as_deref(), |row| table.labelled[row]);
        let seasons = SEASONS.iter().filter(|(_, season)| ahead.0 < *season && 2 * season <= series.span());
        let before = |season: i64| (0..table.rows()).map(|row| series.after(row, -season)).collect();
        found.extend(seasons.map(|(name, season)| judge(*name, before(*season))));
    }
    found
}

/// Of a detector, on those of `rows` of which the truth is known. Always to alarm has a better F1 on some recordings than most
/// detectors that were published.
pub fn of_alarms(table: &Table, rows: &[usize]) -> Baselines {
    [("always", true), ("never", false)].map(|(name, flagged)| (name.to_owned(), figures(&alarms(table, rows, flagged)))).into()
}

/// Of saying the same of every row.
fn alarms(table: &Table, rows: &[usize], flagged: bool) -> Outcome {
    let known = truths(table);
    let truth: Vec<bool> = rows.iter().filter_map(|row| known[*row]).collect();
    Outcome::Alarms { flagged: vec![flagged; truth.len()], truth, scores: None }
}

/// Rows that judge, over all rounds.
pub fn judging_rows(split: &Split) -> Vec<usize> {
    let mut rows: Vec<usize> = split.rounds.iter().flat_map(|round| round.validate.iter().copied()).collect();
    rows.sort_unstable();
    rows
}

/// All baselines by name, with the least mean absolute error among them for `skill`.
pub fn table_of(constant: Figures, repeaters: &[Repeater]) -> (Baselines, Option<f64>) {
    let figures_of = |repeater: &Repeater| match repeater.judged.outcome.rows() {
        0 => Figures::new(),
        _ => figures(&repeater.judged.outcome),
    };
    let repeated = repeaters.iter().map(|repeater| (repeater.name.to_owned(), figures_of(repeater)));
    let all: Baselines = repeated.chain([("constant".to_owned(), constant)]).collect();
    let best = all.values().filter_map(|figures| figures.get("mae").copied()).min_by(f64::total_cmp);
    (all, best)
}

/// All baselines, with their skill against the best of them: `constant` is the outcome of the constant.
pub fn with_skill(constant: Outcome, mut repeaters: Vec<Repeater>) -> (Baselines, Option<f64>) {
    let (_, mae) = table_of(figures(&constant), &repeaters);
    repeaters.iter_mut().for_each(|repeater| repeater.judged.outcome.measure_against(mae));
    let mut constant = constant;
    constant.measure_against(mae);
    table_of(figures(&constant), &repeaters)
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
        Purpose::Detect => alarms(table, rows, false),
        Purpose::Regress => {
            let known = numbers(&table.target);
            let truth: Vec<f64> = rows.iter().map(|row| known.value(*row)).collect();
            let mean = truth.iter().sum::<f64>() / truth.len().max(1) as f64;
            Outcome::Numbers { guess: vec![mean; truth.len()], truth, baseline_mae: None }
        }
    }
}
