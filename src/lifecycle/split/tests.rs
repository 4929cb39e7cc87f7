//! Splits on small tables: groups, times and hold-outs never cross.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::fixtures::{Rows, policy, task};
use super::*;
use crate::base::Duration;
use crate::ir::{Expr, ExprKind, Share, Start, Type, Value};

fn divide(rows: &Rows, task: &Task, validate: Validate) -> Result<Split, Vec<Diagnostic>> {
    let table = Table::read(task, &rows.table()).unwrap();
    split(&table, task, &Policy { validate, ..policy() }, Purpose::Classify)
}

/// One letter per row.
fn letters(split: &Split) -> String {
    let letter = |part: &Part| match part {
        Part::Train => 't',
        Part::Validate => 'v',
        Part::Fold(fold) => char::from_digit(*fold, 10).unwrap(),
        Part::HoldOut => 'h',
        Part::Later => 'l',
    };
    split.parts.iter().map(letter).collect()
}

fn code(result: Result<Split, Vec<Diagnostic>>) -> Code {
    result.unwrap_err()[0].code
}

fn any_expr() -> Expr {
    Expr { kind: ExprKind::Literal(Value::Bool(true)), ty: Type::Bool, nullable: false, span: Default::default() }
}

const LAST: Validate = Validate::Last(Share(0.2));

#[test]
fn the_last_share_validates_what_the_hold_out_leaves() {
    let rows = Rows::of(10);
    assert_eq!(letters(&divide(&rows, &task(), LAST).unwrap()), "ttttttttvv");
    let held = Task { hold_out: Some(HoldOut::Last(Share(0.5))), ..task() };
    let split = divide(&rows, &held, Validate::Last(Share(0.4))).unwrap();
    assert_eq!(letters(&split), "tttvvhhhhh");
    assert_eq!((split.refit.len(), split.hold_out.len()), (5, 5));
    assert_eq!(split.words, "the last 40% of what the hold-out leaves");
}

#[test]
fn only_labelled_rows_count_and_are_learned_from() {
    let mut rows = Rows::of(10);
    rows.labels[8] = None;
    rows.labels[2] = None;
    let split = divide(&rows, &task(), Validate::Last(Share(0.25))).unwrap();
    assert_eq!(letters(&split), "tttttttvvv");
    assert_eq!(split.rounds[0], Round { train: vec![0, 1, 3, 4, 5, 6], validate: vec![7, 9] });
}

#[test]
fn rows_of_one_time_or_position_stay_on_one_side() {
    let mut rows = Rows::of(10);
    rows.times = Some(vec![0, 1, 2, 3, 4, 5, 6, 7, 7, 8]);
    assert_eq!(letters(&divide(&rows, &task(), LAST).unwrap()), "tttttttvvv");
    rows.times = None;
    rows.ordinals = vec![0, 1, 2, 3, 4, 5, 6, 6, 6, 7];
    assert_eq!(letters(&divide(&rows, &task(), LAST).unwrap()), "ttttttvvvv");
}

#[test]
fn whole_groups_validate() {
    let mut rows = Rows::of(12);
    rows.groups = Some(vec![1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3]);
    assert_eq!(letters(&divide(&rows, &task(), LAST).unwrap()), "ttttvvttttvv");
    let folds = letters(&divide(&rows, &task(), Validate::Folds(3)).unwrap());
    assert_eq!(folds, "001122001122");
}

#[test]
fn folds_spread_each_class() {
    let mut rows = Rows::of(20);
    rows.labels = (0..20).map(|row| Some(row < 5)).collect();
    let split = divide(&rows, &task(), Validate::Folds(5)).unwrap();
    for round in &split.rounds {
        assert_eq!(round.validate.len(), 4);
        assert_eq!(round.validate.iter().filter(|row| **row < 5).count(), 1);
    }
}

#[test]
fn a_forecast_learns_from_no_label_that_was_not_yet_known() {
    let mut rows = Rows::of(20);
    rows.times = Some((0..20).map(|row| row * 10).collect());
    let ahead = Task { kind: TaskKind::Forecast { ahead: Duration(25), every: None }, ..task() };
    let split = divide(&rows, &ahead, LAST).unwrap();
    // The last row whose future has come stands at 160. The first judged one stands at 140, so labels of rows behind 115
    // were not known.
    assert_eq!(split.rounds[0], Round { train: (0..12).collect(), validate: vec![14, 15, 16] });
    let held = Task { hold_out: Some(HoldOut::Last(Share(0.2))), ..ahead };
    let split = divide(&rows, &held, Validate::Last(Share(0.5))).unwrap();
    assert_eq!((split.refit, split.hold_out), ((0..12).collect::<Vec<_>>(), vec![14, 15, 16]));
    assert_eq!(split.rounds[0], Round { train: (0..5).collect(), validate: (7..12).collect() });
}

/// Trains on what came before, leaves rows out between, and judges as many rows as validate, or more.
#[test]
fn earlier_stretches_go_forward_in_time() {
    let rows = Rows::of(100);
    let split = divide(&rows, &task(), LAST).unwrap();
    let spans: Vec<_> =
        split.earlier.iter().map(|round| (round.train.len(), round.validate[0], round.validate.len())).collect();
    assert_eq!(spans, [(19, 20, 20), (39, 40, 20), (59, 60, 20)]);
    assert!(divide(&rows, &task(), Validate::Folds(5)).unwrap().earlier.is_empty());
    assert!(
        divide(&rows, &task(), Validate::Last(Share(0.5))).unwrap().earlier.is_empty(),
        "too little is left before a stretch of half"
    );
}

#[test]
fn a_stretch_of_one_class_grows_until_it_tells_something() {
    let mut rows = Rows::of(100);
    // Nobody is there for a long time.
    (40..80).for_each(|row| rows.labels[row] = Some(false));
    let split = divide(&rows, &task(), LAST).unwrap();
    let spans: Vec<_> = split.earlier.iter().map(|round| (round.validate[0], round.validate.len())).collect();
    // 15 of 100 rows are what half of the usual share needs.
    let true_from = |from: usize| (from..80).filter(|row| rows.labels[*row] == Some(true)).count() as f64 / (80 - from) as f64;
    let from = spans[spans.len() - 1].0;
    assert_eq!(from + spans[spans.len() - 1].1, 80);
    assert!(true_from(from) >= 0.15 && true_from(from + 1) < 0.15, "{spans:?}");
}

#[test]
fn earlier_stretches_are_whole_groups() {
    let mut rows = Rows::of(100);
    rows.groups = Some((0..100).map(|row| row / 10).collect());
    let grouped = Task { group: Some("g".into()), ..task() };
    let split = divide(&rows, &grouped, LAST).unwrap();
    assert_eq!(split.rounds[0].validate.len(), 20);
    assert_eq!(split.earlier.len(), 3);
    for round in &split.earlier {
        assert!(round.train.iter().all(|row| row / 10 < round.validate[0] / 10), "{round:?}");
    }
}

#[test]
fn rows_behind_the_start_are_answered_and_not_learned_from() {
    let rows = Rows::of(10);
    let first = Task { start: Some(Start::First { rows: 6, by: Vec::new() }), ..task() };
    let split = divide(&rows, &first, Validate::Last(Share(0.33))).unwrap();
    assert_eq!(letters(&split), "ttttvvllll");
    assert_eq!((split.refit.len(), split.later.len()), (6, 4));
    let chosen = Task { start: Some(Start::Where(any_expr())), ..task() };
    let marked = Rows { start: Some((0..10).map(|row| row != 0 && row < 8).collect()), ..Rows::of(10) };
    assert_eq!(letters(&divide(&marked, &chosen, LAST).unwrap()), "ltttttt".to_owned() + "vll");
}

#[test]
fn prequential_learns_from_the_first_fifth() {
    assert_eq!(letters(&divide(&Rows::of(10), &task(), Validate::Prequential).unwrap()), "ttvvvvvvvv");
}

#[test]
fn too_little_of_anything_is_said() {
    let none = Rows { labels: vec![None; 10], ..Rows::of(10) };
    assert_eq!(code(divide(&none, &task(), LAST)), Code::E0551);
    let one = Rows { labels: vec![Some(true); 10], ..Rows::of(10) };
    assert_eq!(code(divide(&one, &task(), LAST)), Code::E0552);
    let sorted = Rows { labels: (0..10).map(|row| Some(row >= 8)).collect(), ..Rows::of(10) };
    assert_eq!(code(divide(&sorted, &task(), LAST)), Code::E0552, "the first 8 rows have one class");
    assert_eq!(code(divide(&Rows::of(3), &task(), Validate::Folds(5))), Code::E0553);
    assert_eq!(code(divide(&Rows::of(1), &task(), LAST)), Code::E0553);
    let one_group = Rows { groups: Some(vec![1; 10]), ..Rows::of(10) };
    assert_eq!(code(divide(&one_group, &task(), LAST)), Code::E0553);
    let all_held = Task { hold_out: Some(HoldOut::Last(Share(1.0))), ..task() };
    assert_eq!(code(divide(&Rows::of(10), &all_held, LAST)), Code::E0551);
    let undecided = Task { hold_out: Some(HoldOut::Where(any_expr())), ..task() };
    assert_eq!(code(divide(&Rows::of(10), &undecided, LAST)), Code::E0551);
}

#[test]
fn a_class_that_appears_once_is_warned_of() {
    let rows = Rows { labels: (0..10).map(|row| Some(row == 3)).collect(), ..Rows::of(10) };
    let split = divide(&rows, &task(), LAST).unwrap();
    assert_eq!(split.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [Code::W0551]);
}

proptest! {
    /// Every labelled row is in one part; no group, time or position stands on two sides; each round judges what it did not learn.
    #[test]
    fn nothing_crosses(
        times in prop::collection::vec(0..12i64, 12..60),
        groups in prop::option::of(3..8i64),
        which in 0..4usize,
        seed in 0..50u64,
    ) {
        let count = times.len();
        let mut rows = Rows::of(count);
        rows.groups = groups.map(|groups| (0..count as i64).map(|row| row * 5 % groups).collect());
        rows.times = Some(times.clone());
        let validate = [LAST, Validate::Random(Share(0.3)), Validate::Folds(3), Validate::Prequential][which];
        let task = task();
        let table = Table::read(&task, &rows.table()).unwrap();
        let policy = Policy { validate, seed, ..policy() };
        let Ok(split) = split(&table, &task, &policy, Purpose::Regress) else { return Ok(()) };
        prop_assert_eq!(&split.refit, &(0..count).collect::<Vec<_>>());
        let key = |row: usize| rows.groups.as_ref().map_or(times[row], |groups| groups[row]);
        for round in &split.rounds {
            let learned: BTreeSet<i64> = round.train.iter().map(|row| key(*row)).collect();
            prop_assert!(round.validate.iter().all(|row| !learned.contains(&key(*row))));
            prop_assert_eq!(round.train.len() + round.validate.len(), count);
        }
        // Of earlier stretches everything that was learned had ended before anything that is judged ends.
        let end = |row: usize| (0..count).rev().find(|other| key(*other) == key(row)).unwrap();
        for round in &split.earlier {
            let learned = round.train.iter().map(|row| end(*row)).max().unwrap();
            prop_assert!(round.validate.iter().all(|row| end(*row) > learned));
            prop_assert!(round.validate.iter().all(|row| split.rounds[0].train.contains(row)));
        }
        prop_assert!(split.earlier.is_empty() || validate == LAST);
        let judged: usize = split.rounds.iter().map(|round| round.validate.len()).sum();
        if matches!(validate, Validate::Folds(_)) {
            prop_assert_eq!(judged, count);
        }
        let again = super::split(&table, &task, &policy, Purpose::Regress).unwrap();
        prop_assert_eq!(split, again);
    }
}
