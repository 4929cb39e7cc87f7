//! The part of every row: first the hold-out, then the start, then what validates.

use std::collections::BTreeMap;

use crate::diag::{Code, Diagnostic};
use crate::ir::{HoldOut, Policy, Share, Start, Task, Validate};
use crate::model::{Classes, Stream};

use super::super::units::units;
use super::{Part, Table};

/// Prequential evaluation begins behind this share of the rows.
const FIRST_SHARE: Share = Share(0.2);

/// What a split may not part, and what it is made for.
pub struct Shape<'a> {
    table: &'a Table,
    task: &'a Task,
    units: Vec<u32>,
    hold_out: Vec<bool>,
    start: Option<Vec<bool>>,
}

impl<'a> Shape<'a> {
    pub fn of(table: &'a Table, task: &'a Task) -> Result<Shape<'a>, Vec<Diagnostic>> {
        let mut shape = Shape { units: units(table), hold_out: vec![false; table.rows()], start: None, table, task };
        match &task.hold_out {
            None => {}
            Some(HoldOut::Where(_)) => match &table.hold_out {
                Some(held) => shape.hold_out.clone_from(held),
                None => return Err(vec![undecided(task, "hold_out")]),
            },
            // Of the recording itself: groups may be divided, which the checker warns of.
            Some(HoldOut::Last(share)) => {
                let moments = super::super::units::units(&Table { groups: None, ..table.clone() });
                let from = tail(&table.labelled_rows(), &moments, *share);
                (from..table.rows()).for_each(|row| shape.hold_out[row] = true);
            }
        }
        shape.start = match &task.start {
            None => None,
            Some(Start::Where(_)) => Some(table.start.clone().ok_or_else(|| vec![undecided(task, "start")])?),
            Some(Start::First { rows, by }) if by.is_empty() => {
                Some((0..table.rows()).map(|row| (row as u64) < *rows).collect())
            }
            Some(Start::First { .. }) => Some(table.start.clone().ok_or_else(|| vec![undecided(task, "start")])?),
        };
        Ok(shape)
    }

    /// Of every row: those of one number stay together.
    pub fn units(&self) -> &[u32] {
        &self.units
    }

    /// Of every row.
    pub fn parts(&self, policy: &Policy) -> Result<Vec<Part>, Vec<Diagnostic>> {
        let mut parts: Vec<Part> = (0..self.table.rows()).map(|row| self.before_validation(row)).collect();
        let open: Vec<usize> = (0..parts.len()).filter(|row| parts[*row] == Part::Train).collect();
        let labelled: Vec<usize> = open.iter().copied().filter(|row| self.table.labelled[*row]).collect();
        if labelled.is_empty() {
            return Err(vec![super::nothing_to_learn(self.task)]);
        }
        match policy.validate {
            Validate::Last(share) => self.last(&mut parts, &open, &labelled, share),
            Validate::Prequential => self.last(&mut parts, &open, &labelled, Share(1.0 - FIRST_SHARE.0)),
            Validate::Random(share) => self.random(&mut parts, &open, &labelled, share, policy.seed),
            Validate::Folds(folds) => {
                let count = self.unit_sizes(&labelled).len();
                if folds < 2 || count < folds as usize {
                    return Err(vec![too_many_folds(policy, folds, count, self.table.groups.is_some())]);
                }
                self.folds(&mut parts, &open, folds, policy.seed);
            }
        }
        Ok(parts)
    }

    fn before_validation(&self, row: usize) -> Part {
        let starts = self.start.as_ref().is_none_or(|start| start[row]);
        match (self.hold_out[row], starts) {
            (true, _) => Part::HoldOut,
            (false, true) => Part::Train,
            (false, false) => Part::Later,
        }
    }

    /// The end of the rows, or whole groups that end last.
    fn last(&self, parts: &mut [Part], open: &[usize], labelled: &[usize], share: Share) {
        if self.table.groups.is_some() {
            let ends: BTreeMap<u32, usize> = open.iter().map(|row| (self.units[*row], *row)).collect();
            let mut order: Vec<(usize, u32)> = ends.into_iter().map(|(unit, end)| (end, unit)).collect();
            order.sort_unstable_by(|a, b| b.cmp(a));
            self.take_units(parts, open, labelled, share, order.into_iter().map(|(_, unit)| unit));
            return;
        }
        let units: Vec<u32> = self.units.clone();
        let from = tail(labelled, &units, share);
        open.iter().filter(|row| **row >= from).for_each(|row| parts[*row] = Part::Validate);
    }

    fn random(&self, parts: &mut [Part], open: &[usize], labelled: &[usize], share: Share, seed: u64) {
        let mut order: Vec<u32> = self.unit_sizes(labelled).into_keys().collect();
        Stream::for_purpose(seed, "split/random").shuffle(&mut order);
        self.take_units(parts, open, labelled, share, order.into_iter());
    }

    /// Units in the given order until they have the share of the labelled rows; one unit at least stays.
    fn take_units(
        &self,
        parts: &mut [Part],
        open: &[usize],
        labelled: &[usize],
        share: Share,
        order: impl Iterator<Item = u32>,
    ) {
        let sizes = self.unit_sizes(labelled);
        let wanted = count(labelled.len(), share);
        let mut taken = std::collections::BTreeSet::new();
        let mut rows = 0;
        for unit in order {
            let size = sizes.get(&unit).copied().unwrap_or_default();
            if rows >= wanted || rows + size >= labelled.len() {
                break;
            }
            rows += size;
            taken.insert(unit);
        }
        open.iter().filter(|row| taken.contains(&self.units[**row])).for_each(|row| parts[*row] = Part::Validate);
    }

    /// Groups by size, each to the smallest fold so far; other units shuffled and dealt, class by class.
    fn folds(&self, parts: &mut [Part], open: &[usize], folds: u32, seed: u64) {
        let fold_of = if self.table.groups.is_some() { self.fold_groups(open, folds) } else { self.deal(open, folds, seed) };
        for row in open {
            parts[*row] = Part::Fold(fold_of[&self.units[*row]]);
        }
    }

    fn fold_groups(&self, open: &[usize], folds: u32) -> BTreeMap<u32, u32> {
        let labelled: Vec<usize> = open.iter().copied().filter(|row| self.table.labelled[*row]).collect();
        let sizes = self.unit_sizes(&labelled);
        let mut units: Vec<(usize, u32)> =
            self.unit_sizes(open).into_keys().map(|unit| (sizes.get(&unit).copied().unwrap_or(0), unit)).collect();
        units.sort_by(|(a_size, a), (b_size, b)| b_size.cmp(a_size).then(a.cmp(b)));
        let mut loads = vec![0; folds as usize];
        let mut fold_of = BTreeMap::new();
        for (size, unit) in units {
            let (fold, load) = loads.iter_mut().enumerate().min_by_key(|(_, load)| **load).expect("there are folds");
            *load += size;
            fold_of.insert(unit, fold as u32);
        }
        fold_of
    }

    fn deal(&self, open: &[usize], folds: u32, seed: u64) -> BTreeMap<u32, u32> {
        let classes = Classes::seen(&self.table.target, open.iter().copied());
        let codes = classes.map(|classes| classes.encode(&self.table.target));
        // The last of equal keys stays, so backwards it is the first row of each unit.
        let first: BTreeMap<u32, usize> = open.iter().rev().map(|row| (self.units[*row], *row)).collect();
        let mut by_class: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
        for (unit, row) in first {
            let class = codes.as_ref().map_or(Some(u32::from(self.table.labelled[row])), |codes| codes[row]);
            by_class.entry(class).or_default().push(unit);
        }
        let mut stream = Stream::for_purpose(seed, "split/folds");
        let mut next = 0;
        let mut fold_of = BTreeMap::new();
        for units in by_class.values_mut() {
            stream.shuffle(units);
            for unit in units {
                fold_of.insert(*unit, next);
                next = (next + 1) % folds;
            }
        }
        fold_of
    }

    fn unit_sizes(&self, rows: &[usize]) -> BTreeMap<u32, usize> {
        let mut sizes = BTreeMap::new();
        rows.iter().for_each(|row| *sizes.entry(self.units[*row]).or_default() += 1);
        sizes
    }
}

/// How many of `rows`: at least one, where there are two.
fn count(rows: usize, share: Share) -> usize {
    ((rows as f64 * share.0).round() as usize).clamp(1, rows)
}

/// The first row of the last share of the `labelled` rows, moved forward in time until it parts no unit.
fn tail(labelled: &[usize], units: &[u32], share: Share) -> usize {
    let Some(start) = labelled.len().checked_sub(count(labelled.len().max(1), share)) else { return units.len() };
    let mut from = labelled.get(start).copied().unwrap_or(units.len());
    let first: BTreeMap<u32, usize> = units.iter().enumerate().rev().map(|(row, unit)| (*unit, row)).collect();
    loop {
        let earliest = units[from..].iter().map(|unit| first[unit]).min().unwrap_or(from);
        if earliest >= from {
            return from;
        }
        from = earliest;
    }
}

fn undecided(task: &Task, clause: &str) -> Diagnostic {
    Diagnostic::new(Code::E0551, format!("nobody has decided which rows of `{}` are in its `{clause}`", task.name))
        .at(task.span, "")
        .help(format!("write `{clause}` over columns of the task's stream"))
}

fn too_many_folds(policy: &Policy, folds: u32, units: usize, grouped: bool) -> Diagnostic {
    let units_are = if grouped { "groups" } else { "rows (or moments that stay together)" };
    let message = format!("{folds} folds need at least 2 folds and as many {units_are}, there are {units}");
    let help = match units {
        0 | 1 => "use a longer recording".to_owned(),
        _ => format!("write `validate folds {}`", units.min(5)),
    };
    Diagnostic::new(Code::E0553, message).at(policy.span, "").help(help)
}
