//! What every model must beat: the constant answer, and the last known label. Always measured, always printed.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef};

use crate::base::Duration;
use crate::ir::TaskKind;
use crate::model::{Classes, Figures, LabelDelay, Matrix, Outcome, Purpose, argmax, figures, numbers, persistence};

use super::judge::{Judged, judge_repeats, together, truths};
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
    let mut steps = repeaters_by_step(table, kind, purpose, rows);
    if steps.len() == 1 {
        return steps.remove(0);
    }
    let names: Vec<&'static str> = steps.iter().flatten().map(|repeater| repeater.name).collect();
    let mut all: Vec<Repeater> = Vec::new();
    for name in names {
        if all.iter().all(|repeater| repeater.name != name) {
            let of_name =
                steps.iter_mut().filter_map(|step| step.iter().position(|one| one.name == name).map(|at| step.remove(at)));
            let judged = together(of_name.map(|repeater| repeater.judged).collect(), None);
            all.push(Repeater { name, judged });
        }
    }
    all
}

/// The same for every step of a path, the last one's last; of everything else there is one.
pub fn repeaters_by_step(table: &Table, kind: TaskKind, purpose: Purpose, rows: &[usize]) -> Vec<Vec<Repeater>> {
    let Some(times) = table.times.as_ref().filter(|_| matches!(kind, TaskKind::Forecast { .. })) else {
        let last = persistence(&table.labelled, table.groups.as_deref(), table.times.as_deref(), LabelDelay::NextRow);
        let judged = judge_repeats(&table.target, rows, &last, purpose == Purpose::Classify);
        return vec![vec![Repeater { name: "persistence", judged }]];
    };
    let steps = kind.steps();
    let is_path = kind.is_path();
    let of = |(step, target): (&Duration, &ArrayRef)| step_repeaters(table, target, times, *step, is_path, rows);
    steps.iter().zip(table.targets()).map(of).collect()
}

fn step_repeaters(
    table: &Table,
    target: &ArrayRef,
    times: &[i64],
    step: Duration,
    is_path: bool,
    rows: &[usize],
) -> Vec<Repeater> {
    let values = numbers(target);
    let known: Vec<bool> = (0..table.rows()).map(|row| values.is_valid(row) && values.value(row).is_finite()).collect();
    let rows: Vec<usize> = rows.iter().copied().filter(|row| known[*row]).collect();
    let judge = |name, repeats: Vec<Option<usize>>| Repeater { name, judged: judge_repeats(target, &rows, &repeats, false) };
    let groups = table.series.as_deref().or(table.groups.as_deref());
    let mut found = vec![judge("persistence", persistence(&known, groups, Some(times), LabelDelay::After(step.0)))];
    let series = Series::of(times, table.series.as_deref(), |row| known[row]);
    // One season ahead the last value is that of the season before; of a path it is one step among others.
    let is_new = |season: i64| step.0 < season || is_path && step.0 == season;
    let seasons = SEASONS.iter().filter(|(_, season)| is_new(*season) && 2 * season <= series.span());
    let before = |season: i64| (0..table.rows()).map(|row| series.after(row, -season)).collect();
    found.extend(seasons.map(|(name, season)| judge(*name, before(*season))));
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
            let (mut all, mut guess) = (Vec::new(), Vec::new());
            for target in table.targets() {
                let known = numbers(target);
                let truth: Vec<f64> = rows.iter().filter(|row| known.is_valid(**row)).map(|row| known.value(*row)).collect();
                let mean = truth.iter().sum::<f64>() / truth.len().max(1) as f64;
                guess.extend(std::iter::repeat_n(mean, truth.len()));
                all.extend(truth);
            }
            Outcome::Numbers { truth: all, guess, baseline_mae: None }
        }
    }
}
