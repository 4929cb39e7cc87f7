//! Answers of fitted models beside the truth.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt64Array};
use arrow::compute::take_record_batch;

use crate::model::{ClassValue, Classes, Fitted, Matrix, Outcome, Target, numbers};

use super::Table;

/// What was answered, and how many rows could not be.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub outcome: Outcome,
    /// The table's row behind each of the outcome's.
    pub rows: Vec<usize>,
    pub unanswered: usize,
}

/// Of each model on its own rows, all in one; rows of keys with a model of their own are answered by that. There is at least
/// one model, and all learned the same kind of target.
pub fn judge(fits: &[(&Fitted, &[usize])], table: &Table, baseline_mae: Option<f64>) -> Judged {
    let parts = fits.iter().flat_map(|(fitted, rows)| fitted.parts(&table.features, rows));
    let parts: Vec<(&Fitted, Vec<usize>)> = parts.map(|part| (part.fitted, part.rows)).collect();
    let nothing = || vec![(fits[0].0, Vec::new())];
    judge_alone(&if parts.is_empty() { nothing() } else { parts }, table, baseline_mae)
}

/// The same by these very models, whosever the rows are.
pub fn judge_alone(fits: &[(&Fitted, Vec<usize>)], table: &Table, baseline_mae: Option<f64>) -> Judged {
    match &fits[0].0.target {
        Target::Classes { .. } => judge_classes(fits, table),
        Target::Number { .. } => judge_numbers(fits, table, baseline_mae),
        Target::Flags(_) => judge_flags(fits, table),
    }
}

/// The answers of one model to `rows`, without those that it cannot answer.
fn answers(fitted: &Fitted, table: &Table, rows: &[usize]) -> (Vec<usize>, Matrix) {
    let indices = UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
    let batch = take_record_batch(&table.features, &indices).expect("the rows are the table's own");
    let (scores, usable) = fitted.scores(&batch);
    let Some(usable) = usable else { return (rows.to_vec(), scores) };
    let kept: Vec<usize> = (0..rows.len()).filter(|at| usable[*at]).collect();
    (kept.iter().map(|at| rows[*at]).collect(), scores.take(&kept))
}

fn judge_classes(fits: &[(&Fitted, Vec<usize>)], table: &Table) -> Judged {
    let learned: Vec<&Classes> = fits.iter().filter_map(|(fitted, _)| classes_of(fitted)).collect();
    let asked: Vec<usize> = fits.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let union = Classes::union(&learned);
    let classes = union.extended(&table.target, &asked);
    let codes = classes.encode(&table.target);
    let (mut truth, mut guess, mut shares, mut answered) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((fitted, rows), learned) in fits.iter().zip(&learned) {
        let (rows, scores) = answers(fitted, table, rows);
        let at: Vec<usize> = learned.iter().map(|class| position(&union, class)).collect();
        for (nth, row) in rows.iter().enumerate() {
            let mut row_shares = vec![0.0; union.len()];
            at.iter().zip(scores.row(nth)).for_each(|(at, share)| row_shares[*at] = *share);
            guess.push(crate::model::argmax(&row_shares) as u32);
            truth.push(codes[*row].unwrap_or_default());
            shares.extend(row_shares);
        }
        answered.extend(rows);
    }
    let shares = Matrix { rows: truth.len(), columns: union.len(), data: shares };
    let unanswered = asked.len() - truth.len();
    Judged { outcome: Outcome::Classes { classes, truth, guess, shares: Some(shares) }, rows: answered, unanswered }
}

fn classes_of(fitted: &Fitted) -> Option<&Classes> {
    match &fitted.target {
        Target::Classes { classes, .. } => Some(classes),
        Target::Number { .. } | Target::Flags(_) => None,
    }
}

fn position(union: &Classes, class: &ClassValue) -> usize {
    union.position(class).expect("the union has every class") as usize
}

/// Of a path every step of a row counts as much as every other.
fn judge_numbers(fits: &[(&Fitted, Vec<usize>)], table: &Table, baseline_mae: Option<f64>) -> Judged {
    let steps: Vec<Judged> = (0..=table.before.len()).map(|step| judge_step(fits, table, step, baseline_mae)).collect();
    together(steps, baseline_mae)
}

/// One step of a path, counted from 0; of everything else there is one.
pub fn judge_step(fits: &[(&Fitted, Vec<usize>)], table: &Table, step: usize, baseline_mae: Option<f64>) -> Judged {
    let target = table.targets().nth(step).unwrap_or(&table.target);
    let known = numbers(target);
    let (mut truth, mut guess, mut answered, mut asked) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (fitted, rows) in fits {
        let Some(one) = fitted.steps().nth(step) else { continue };
        let rows: Vec<usize> = rows.iter().copied().filter(|row| is_number(&known, *row)).collect();
        asked += rows.len();
        let (rows, scores) = answers(one, table, &rows);
        truth.extend(rows.iter().map(|row| known.value(*row)));
        guess.extend(scores.data.iter().map(|score| f64::from(*score)));
        answered.extend(rows);
    }
    let unanswered = asked - truth.len();
    Judged { outcome: Outcome::Numbers { truth, guess, baseline_mae }, rows: answered, unanswered }
}

/// A value before the last step may be missing where the last is known.
fn is_number(known: &Float64Array, row: usize) -> bool {
    known.is_valid(row) && known.value(row).is_finite()
}

/// All steps of a path in one.
pub fn together(steps: Vec<Judged>, baseline_mae: Option<f64>) -> Judged {
    let (mut truth, mut guess, mut rows, mut unanswered) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for step in steps {
        if let Outcome::Numbers { truth: known, guess: answered, .. } = step.outcome {
            truth.extend(known);
            guess.extend(answered);
        }
        rows.extend(step.rows);
        unanswered += step.unanswered;
    }
    Judged { outcome: Outcome::Numbers { truth, guess, baseline_mae }, rows, unanswered }
}

/// Only rows of which the truth is known.
fn judge_flags(fits: &[(&Fitted, Vec<usize>)], table: &Table) -> Judged {
    let known = truths(table);
    let (mut truth, mut flagged, mut scores, mut answered, mut asked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    for (fitted, rows) in fits {
        let Target::Flags(flags) = &fitted.target else { continue };
        let rows: Vec<usize> = rows.iter().copied().filter(|row| known[*row].is_some()).collect();
        asked += rows.len();
        let (rows, raw) = answers(fitted, table, &rows);
        let own: Vec<f32> = raw.data.iter().map(|raw| flags.score(*raw)).collect();
        flagged.extend(own.iter().map(|score| flags.is_flagged(*score)));
        truth.extend(rows.iter().filter_map(|row| known[*row]));
        scores.extend(own);
        answered.extend(rows);
    }
    let unanswered = asked - truth.len();
    Judged { outcome: Outcome::Alarms { truth, flagged, scores: Some(scores) }, rows: answered, unanswered }
}

/// Whether each row was an anomaly, where somebody knows.
pub fn truths(table: &Table) -> Vec<Option<bool>> {
    let known = table.target.as_boolean_opt();
    (0..table.rows()).map(|row| known.filter(|known| known.is_valid(row)).map(|known| known.value(row))).collect()
}

/// Of a baseline that repeats labels: `repeats` gives for each row the row whose label it answers.
/// `target` has the labels.
pub fn judge_repeats(target: &ArrayRef, rows: &[usize], repeats: &[Option<usize>], classify: bool) -> Judged {
    let pairs: Vec<(usize, usize)> = rows.iter().filter_map(|row| Some((*row, repeats[*row]?))).collect();
    let unanswered = rows.len() - pairs.len();
    let outcome = if classify {
        let all: Vec<usize> = pairs.iter().flat_map(|(row, repeated)| [*row, *repeated]).collect();
        let classes = Classes::seen(target, all.into_iter()).unwrap_or_default();
        let codes = classes.encode(target);
        let of = |row: usize| codes[row].unwrap_or_default();
        let truth = pairs.iter().map(|(row, _)| of(*row)).collect();
        Outcome::Classes { classes, truth, guess: pairs.iter().map(|(_, repeated)| of(*repeated)).collect(), shares: None }
    } else {
        let known = numbers(target);
        let truth = pairs.iter().map(|(row, _)| known.value(*row)).collect();
        let guess = pairs.iter().map(|(_, repeated)| known.value(*repeated)).collect();
        Outcome::Numbers { truth, guess, baseline_mae: None }
    };
    Judged { outcome, rows: pairs.into_iter().map(|(row, _)| row).collect(), unanswered }
}
