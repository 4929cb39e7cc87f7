//! Which rows a model learns from, which judge it, and which nobody sees. Pure functions of the table, the task and the policy.

mod earlier;
mod parts;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{HoldOut, Policy, Task, TaskKind, Validate};
use crate::model::{Classes, Purpose};

use super::Table;
use earlier::earlier;
use parts::Shape;

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    Train,
    Validate,
    /// Judges this round's model and trains all others.
    Fold(u32),
    HoldOut,
    /// Behind what the first model starts with.
    Later,
}

/// One fit of a trial: rows to learn from and rows to answer, rising, all labelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub train: Vec<usize>,
    pub validate: Vec<usize>,
}

/// A table divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Of every row, labelled or not.
    pub parts: Vec<Part>,
    /// At least one.
    pub rounds: Vec<Round>,
    /// Stretches before those that validate, earliest first, each with what came before it: they only help to choose, and
    /// their models answer nothing.
    pub earlier: Vec<Round>,
    /// What the champion is refitted on.
    pub refit: Vec<usize>,
    /// Labelled rows.
    pub hold_out: Vec<usize>,
    /// Labelled rows behind the start.
    pub later: Vec<usize>,
    /// For people: `the last 20% of the rows`.
    pub words: String,
    pub warnings: Vec<Diagnostic>,
}

impl Split {
    /// Rows that no model of the training has seen: the hold-out, else those behind the start.
    pub fn unseen(&self) -> &[usize] {
        if self.hold_out.is_empty() { &self.later } else { &self.hold_out }
    }
}

/// Divides `table`. Errors say what is too few, and what would do.
pub fn split(table: &Table, task: &Task, policy: &Policy, purpose: Purpose) -> Result<Split, Vec<Diagnostic>> {
    let shape = Shape::of(table, task)?;
    let parts = shape.parts(policy)?;
    let gap = match task.kind {
        TaskKind::Forecast { ahead, .. } => ahead.0,
        TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => 0,
    };
    let with = |wanted: &dyn Fn(Part) -> bool| rows_with(table, &parts, wanted);
    let hold_out = with(&|part| part == Part::HoldOut);
    let held_in_time = matches!(task.hold_out, Some(HoldOut::Last(_)));
    let (closed, last) = if held_in_time { (hold_out.as_slice(), gap) } else { (&[][..], 0) };
    let learned = with(&|part| matches!(part, Part::Train | Part::Validate | Part::Fold(_)));
    let refit = known_before(table, learned, closed, last);
    let rounds = rounds(table, &parts, policy.validate, gap, &refit);
    let earlier = match policy.validate {
        Validate::Last(_) => earlier(table, shape.units(), purpose, &rounds[0], gap),
        // Folds and chance take rows of all times, and `prequential` judges all of them.
        Validate::Random(_) | Validate::Folds(_) | Validate::Prequential => Vec::new(),
    };
    let mut split = Split {
        later: with(&|part| part == Part::Later),
        words: words(policy.validate, task, table.groups.is_some()),
        warnings: Vec::new(),
        hold_out,
        rounds,
        earlier,
        refit,
        parts,
    };
    let complaints = complaints(&split, task, policy);
    if !complaints.is_empty() {
        return Err(complaints);
    }
    if purpose == Purpose::Classify {
        check_classes(table, task, &mut split).map_err(|complaint| vec![complaint])?;
    }
    Ok(split)
}

fn rows_with(table: &Table, parts: &[Part], wanted: &dyn Fn(Part) -> bool) -> Vec<usize> {
    (0..table.rows()).filter(|row| table.labelled[*row] && wanted(parts[*row])).collect()
}

fn rounds(table: &Table, parts: &[Part], validate: Validate, gap: i64, refit: &[usize]) -> Vec<Round> {
    let known: BTreeSet<usize> = refit.iter().copied().collect();
    let with = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
        rows_with(table, parts, wanted).into_iter().filter(|row| known.contains(row)).collect()
    };
    match validate {
        Validate::Folds(folds) => {
            let round = |fold: u32| Round {
                train: with(&|part| matches!(part, Part::Fold(other) if other != fold)),
                validate: with(&|part| part == Part::Fold(fold)),
            };
            (0..folds).map(round).collect()
        }
        Validate::Random(_) => {
            vec![Round { train: with(&|part| part == Part::Train), validate: with(&|part| part == Part::Validate) }]
        }
        Validate::Last(_) | Validate::Prequential => {
            let validate = with(&|part| part == Part::Validate);
            let train = known_before(table, with(&|part| part == Part::Train), &validate, gap);
            vec![Round { train, validate }]
        }
    }
}

/// Those of `rows` whose labels, which come `gap` later, were known before the first row of `then`.
fn known_before(table: &Table, rows: Vec<usize>, then: &[usize], gap: i64) -> Vec<usize> {
    let (Some(times), true) = (&table.times, gap > 0) else { return rows };
    match then.iter().map(|row| times[*row]).min() {
        Some(first) => rows.into_iter().filter(|row| times[*row].saturating_add(gap) <= first).collect(),
        None => rows,
    }
}

fn words(validate: Validate, task: &Task, grouped: bool) -> String {
    let percent = |share: f64| format!("{}%", (share * 1000.0).round() / 10.0);
    let of = match task.hold_out {
        Some(_) => "what the hold-out leaves",
        None => "the rows",
    };
    let whole = if grouped { ", whole groups" } else { "" };
    match validate {
        Validate::Last(share) => format!("the last {} of {of}{whole}", percent(share.0)),
        Validate::Random(share) => format!("a random {} of {of}{whole} (not in time order)", percent(share.0)),
        Validate::Folds(folds) => format!("{folds} folds of {of}{whole} (not in time order)"),
        Validate::Prequential => format!("all but the first 20% of {of}, in order"),
    }
}

/// What is empty and must not be.
fn complaints(split: &Split, task: &Task, policy: &Policy) -> Vec<Diagnostic> {
    if split.refit.is_empty() {
        return vec![nothing_to_learn(task)];
    }
    let mut found = Vec::new();
    if split.rounds.iter().any(|round| round.train.is_empty()) {
        found.push(too_few(policy.span, "the split leaves no row to learn from", policy));
    }
    if split.rounds.iter().any(|round| round.validate.is_empty()) {
        found.push(too_few(policy.span, "the split leaves no row to judge by", policy));
    }
    if task.hold_out.is_some() && split.hold_out.is_empty() {
        found.push(too_few(task.span, "the hold-out has no row with a known target", policy));
    }
    found
}

/// Two classes at least in every part that learns; rare ones are warned of.
fn check_classes(table: &Table, task: &Task, split: &mut Split) -> Result<(), Diagnostic> {
    let seen = |rows: &[usize]| Classes::seen(&table.target, rows.iter().copied());
    let all = seen(&split.refit).ok_or_else(|| nothing_to_learn(task))?;
    if all.len() < 2 {
        let class = all.iter().next().map(ToString::to_string).unwrap_or_default();
        return Err(one_class(task, &class));
    }
    let mut rare = BTreeSet::new();
    for round in &split.rounds {
        let trained = seen(&round.train).unwrap_or_default();
        if trained.len() < 2 {
            return Err(one_class_in_training(task));
        }
        rare.extend(all.iter().filter(|class| trained.position(class).is_none()).cloned());
    }
    let judged: Vec<usize> = split.rounds.iter().flat_map(|round| round.validate.iter().copied()).collect();
    let judged = seen(&judged).unwrap_or_default();
    rare.extend(all.iter().filter(|class| judged.position(class).is_none()).cloned());
    split.warnings.extend(rare.iter().map(|class| rare_class(task, &class.to_string())));
    Ok(())
}

pub(super) fn nothing_to_learn(task: &Task) -> Diagnostic {
    if let TaskKind::Forecast { ahead, .. } = task.kind {
        return nothing_later(task, ahead);
    }
    let message = format!("no row that `{}` may learn from has a known {}", task.name, task.target.column.name);
    Diagnostic::new(Code::E0551, message)
        .at(task.span, "")
        .help("check that the target is filled, and that the hold-out leaves rows")
}

fn nothing_later(task: &Task, ahead: Duration) -> Diagnostic {
    let message = format!("no row that `{}` may learn from is followed by a value {ahead} later", task.name);
    Diagnostic::new(Code::E0551, message)
        .at(task.span, "")
        .help("use a longer recording, forecast less far ahead, or check that the column is filled")
}

fn one_class(task: &Task, class: &str) -> Diagnostic {
    let message = format!("`{}` is {class} in every row that `{}` may learn from", task.target.column.name, task.name);
    Diagnostic::new(Code::E0552, message)
        .at(task.span, "")
        .help("use rows with more than one class, or `detect anomalies` if there is only the normal case")
}

fn one_class_in_training(task: &Task) -> Diagnostic {
    let message = format!("the training part of `{}` has rows of one class only", task.name);
    Diagnostic::new(Code::E0552, message)
        .at(task.span, "")
        .help("write `validate folds 5` or `validate random 20%`, which spread the classes, or use a longer recording")
}

fn rare_class(task: &Task, class: &str) -> Diagnostic {
    let message = format!("the class {class} of `{}` is missing in a part of the split", task.name);
    Diagnostic::new(Code::W0551, message).at(task.span, "").help("use a longer recording or `validate folds 5`")
}

fn too_few(span: Span, what: &str, policy: &Policy) -> Diagnostic {
    let help = match policy.validate {
        Validate::Folds(_) => "validate with fewer folds, or use a longer recording",
        Validate::Last(_) | Validate::Random(_) => "validate with another share, or use a longer recording",
        Validate::Prequential => "use a longer recording",
    };
    Diagnostic::new(Code::E0553, what).at(span, "").help(help)
}

#[cfg(test)]
mod tests;
