//! Stages that take over what others remember: as if they had been there from the start, or honestly less.

use std::sync::Arc;

use mliot::base::{Duration, Name};
use mliot::ir::{AggregateEntry, Running, ScanEntry, Type, Value, WindowShape};
use mliot::node::{Migration, Node, State};
use mliot::plan::NodeSpec;
use proptest::prelude::*;

use super::expression::{column, float, literal};
use super::feed::{ClockKind, Feed, feed};
use super::harness::{Given, bits, build, cases, finish, step};
use super::scan::{call, plain, scan, timeless};
use super::window::{every, window};

const TIMED: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps];
const ALL: &[ClockKind] = &[ClockKind::Gate, ClockKind::Steps, ClockKind::None];

/// A node that has seen the rows before `at`, in batches of 7.
fn seen(spec: &NodeSpec, feed: &Feed, at: usize) -> Box<dyn Node> {
    let mut node = build(spec, &feed.schema());
    let mut given = Given::default();
    let places: Vec<usize> = (0..at).step_by(7).chain([at]).collect();
    places.windows(2).for_each(|two| step(node.as_mut(), &feed.batch(two[0]..two[1]), &mut given));
    node
}

/// What a node gives for the rows from `at` on.
fn rest(node: &mut dyn Node, feed: &Feed, at: usize) -> Given {
    let mut given = Given::default();
    step(node, &feed.batch(at..feed.rows.len()), &mut given);
    finish(node, feed.end(), &mut given);
    given
}

fn migrated(old: &NodeSpec, new: &NodeSpec, feed: &Feed, at: usize, anew: &[Name], rebuilt: Option<State>) -> Box<dyn Node> {
    let running = seen(old, feed, at).save().unwrap();
    let mut node = build(new, &feed.schema());
    let before = Arc::new(old.clone());
    node.migrate(Migration { before, running, anew: anew.iter().cloned().collect(), rebuilt })
        .unwrap_or_else(|error| panic!("{error}"));
    node
}

fn tables(state: &State) -> Vec<(String, Vec<Vec<String>>)> {
    state.tables.iter().map(|(name, rows)| (name.to_string(), bits(rows))).collect()
}

fn chosen<T: Clone>(all: &[T], mask: u64) -> Vec<T> {
    all.iter().enumerate().filter(|(nth, _)| mask >> nth & 1 == 1).map(|(_, one)| one.clone()).collect()
}

/// Entries of the new stage that the old one does not have.
fn added(old: Vec<Name>, new: Vec<Name>) -> Vec<Name> {
    new.into_iter().filter(|name| !old.contains(name)).collect()
}

/// Entries that read no other entry.
fn independent() -> Vec<ScanEntry> {
    timeless().into_iter().filter(|entry| entry.name != "second").collect()
}

fn names(entries: &[ScanEntry]) -> Vec<Name> {
    entries.iter().map(|entry| entry.name.clone()).collect()
}

fn called(entries: &[AggregateEntry]) -> Vec<Name> {
    entries.iter().map(|entry| entry.name.clone()).collect()
}

fn shapes() -> impl Strategy<Value = WindowShape> {
    let time = |size, every| WindowShape::Time { size: Duration(size), every: Duration(every) };
    prop_oneof![
        Just(time(5, 5)),
        Just(time(10, 4)),
        Just(time(3, 10)),
        Just(WindowShape::Rows { size: 3, every: 3 }),
        Just(WindowShape::Rows { size: 5, every: 2 }),
        Just(WindowShape::Rows { size: 2, every: 4 }),
        Just(WindowShape::Whole),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_scan_of_other_entries_remembers_what_it_would_from_the_start(
        feed in feed(ALL), at in 0usize..60, from in any::<u64>(), to in any::<u64>(),
    ) {
        let at = at.min(feed.rows.len());
        let (from, to) = (chosen(&independent(), from), chosen(&independent(), to));
        let (old, new) = (scan(&["key"], from.clone(), feed.clock), scan(&["key"], to.clone(), feed.clock));
        let mut whole = seen(&new, &feed, at);
        let state = whole.save().unwrap();
        let anew = added(names(&from), names(&to));
        let mut node = migrated(&old, &new, &feed, at, &anew, Some(state.clone()));
        prop_assert_eq!(tables(&node.save().unwrap()), tables(&state));
        prop_assert_eq!(rest(node.as_mut(), &feed, at), rest(whole.as_mut(), &feed, at));
    }

    /// Without the rows so far the others do not notice, and what is new begins empty.
    #[test]
    fn an_entry_beside_others_leaves_them_alone(feed in feed(ALL), at in 0usize..60) {
        let at = at.min(feed.rows.len());
        let sum = |name: &str| plain(name, call(Running::CumulativeCount, column("x", float()), vec![], Type::Int));
        let old = scan(&["key"], vec![sum("kept")], feed.clock);
        let new = scan(&["key"], vec![sum("added"), sum("kept")], feed.clock);
        let given = rest(migrated(&old, &new, &feed, at, &["added".into()], None).as_mut(), &feed, at);
        let alone = rest(seen(&old, &feed, at).as_mut(), &feed, at);
        let width = feed.schema().columns.len();
        let mut before = std::collections::BTreeMap::new();
        for ((_, row), (_, alone)) in given.rows.iter().zip(&alone.rows) {
            prop_assert_eq!(&row[width + 1], &alone[width]);
            if let (Ok(added), Ok(kept)) = (row[width].parse::<i64>(), row[width + 1].parse::<i64>()) {
                let offset = *before.entry(row[1].clone()).or_insert(kept - added);
                prop_assert_eq!(kept - added, offset, "both count the same rows from here on");
            }
        }
        prop_assert_eq!(given.rows.len(), alone.rows.len());
    }

    #[test]
    fn a_shorter_lag_keeps_the_newest(feed in feed(ALL), at in 0usize..60, long in 2i64..7, short in 1i64..6) {
        let (at, short) = (at.min(feed.rows.len()), short.min(long - 1));
        let lag = |rows: i64| {
            let entry = plain("lag", call(Running::Lag, column("n", Type::Int), vec![Value::Int(rows)], Type::Int));
            scan(&["key"], vec![entry], feed.clock)
        };
        let mut node = migrated(&lag(long), &lag(short), &feed, at, &[], None);
        prop_assert_eq!(rest(node.as_mut(), &feed, at), rest(seen(&lag(short), &feed, at).as_mut(), &feed, at));
    }

    #[test]
    fn a_window_of_other_entries_remembers_what_it_would_from_the_start(
        feed in feed(TIMED), at in 0usize..60, from in any::<u64>(), to in any::<u64>(), shape in shapes(),
    ) {
        let at = at.min(feed.rows.len());
        let (from, to) = (chosen(&every(true), from), chosen(&every(true), to));
        let old = window(shape.clone(), &["key"], true, from.clone(), &feed);
        let new = window(shape, &["key"], true, to.clone(), &feed);
        let mut whole = seen(&new, &feed, at);
        let state = whole.save().unwrap();
        let anew = added(called(&from), called(&to));
        let mut node = migrated(&old, &new, &feed, at, &anew, Some(state.clone()));
        prop_assert_eq!(tables(&node.save().unwrap()), tables(&state));
        prop_assert_eq!(rest(node.as_mut(), &feed, at), rest(whole.as_mut(), &feed, at));
    }

    /// Longer windows are whole or do not come; the values are those of the rows, however they were cut before.
    #[test]
    fn longer_windows_come_whole_or_not_at_all(
        feed in feed(TIMED), at in 0usize..60, size in 1i64..5, times in 2i64..5,
    ) {
        let at = at.min(feed.rows.len());
        // What depends on the order of rows is of panes from left to right, and so defined by how they were cut.
        let exact = ["rows", "count", "sum_n", "max", "min", "least_key", "distinct", "high"];
        let entries: Vec<AggregateEntry> =
            every(true).into_iter().filter(|entry| exact.contains(&entry.name.as_str())).collect();
        let of = |size: i64| {
            let shape = WindowShape::Time { size: Duration(size), every: Duration(size) };
            window(shape, &["key"], false, entries.clone(), &feed)
        };
        let mut node = migrated(&of(size), &of(size * times), &feed, at, &[], None);
        let given = rest(node.as_mut(), &feed, at);
        let wanted = rest(seen(&of(size * times), &feed, at).as_mut(), &feed, at);
        let fired = feed.watermark(at).0;
        let held_from = if at == 0 { i64::MIN } else { fired - fired.rem_euclid(size) };
        let start = |row: &(u64, Vec<String>)| row.1[row.1.len() - 2].parse::<i64>().unwrap();
        let whole: Vec<_> = wanted.rows.iter().filter(|row| start(row) >= held_from).cloned().collect();
        prop_assert_eq!(given.rows, whole, "no part passes for a whole, and each whole one comes once");
    }

    /// A value that has not seen its whole window is null; its neighbours are what they were.
    #[test]
    fn an_aggregate_beside_others_is_null_until_its_windows_are_whole(feed in feed(TIMED), at in 0usize..60, size in 1i64..9) {
        let at = at.min(feed.rows.len());
        let entry = |name: &str| every(true).into_iter().find(|entry| entry.name == name).expect("one of them");
        let shape = WindowShape::Time { size: Duration(size), every: Duration(size) };
        let old = window(shape.clone(), &["key"], false, vec![entry("rows")], &feed);
        let new = window(shape, &["key"], false, vec![entry("rows"), entry("distinct")], &feed);
        let given = rest(migrated(&old, &new, &feed, at, &["distinct".into()], None).as_mut(), &feed, at);
        let whole = rest(seen(&new, &feed, at).as_mut(), &feed, at);
        prop_assert_eq!(given.rows.len(), whole.rows.len());
        for (row, whole) in given.rows.iter().zip(&whole.rows) {
            prop_assert_eq!(&row.1[1], &whole.1[1], "the rows of a window");
            prop_assert!(row.1[2] == "null" || row.1[2] == whole.1[2], "{:?} and {:?}", row, whole);
        }
    }

    /// Groups of which no row can be had again are worth what aggregates are worth over no rows.
    #[test]
    fn what_is_not_found_again_is_of_no_row(feed in feed(TIMED), size in 1i64..40) {
        let shape = WindowShape::Time { size: Duration(size), every: Duration(size) };
        let rows = every(true).into_iter().take(1);
        let nobody = |mut entry: AggregateEntry| {
            entry.calls[0].filter = Some(literal(Value::Bool(false), Type::Bool));
            entry
        };
        let all: Vec<AggregateEntry> = rows.clone().chain(every(true).into_iter().skip(1)).collect();
        let empty: Vec<AggregateEntry> = rows.clone().chain(every(true).into_iter().skip(1).map(nobody)).collect();
        let of = |entries: Vec<AggregateEntry>| window(shape.clone(), &["key"], false, entries, &feed);
        let (old, new, none) = (of(rows.collect()), of(all.clone()), of(empty));
        let rebuilt = build(&new, &feed.schema()).save().unwrap();
        let anew = added(called(&all[..1]), called(&all));
        let at = feed.rows.len();
        let given = rest(migrated(&old, &new, &feed, at, &anew, Some(rebuilt)).as_mut(), &feed, at);
        prop_assert_eq!(given.rows, rest(seen(&none, &feed, at).as_mut(), &feed, at).rows);
    }

    /// What cannot be put together is refused, and nothing panics.
    #[test]
    fn other_windows_and_other_keys_are_refused(feed in feed(TIMED), at in 0usize..60, from in shapes(), to in shapes()) {
        let at = at.min(feed.rows.len());
        let entries: Vec<AggregateEntry> = every(true).into_iter().take(3).collect();
        let old = window(from.clone(), &["key"], false, entries.clone(), &feed);
        let running = seen(&old, &feed, at).save().unwrap();
        let is_refused = |new: NodeSpec| {
            let migration = Migration {
                before: Arc::new(old.clone()),
                running: running.clone(),
                anew: Default::default(),
                rebuilt: None,
            };
            build(&new, &feed.schema()).migrate(migration).is_err()
        };
        prop_assert!(is_refused(window(from.clone(), &["n"], false, entries.clone(), &feed)), "other keys");
        if std::mem::discriminant(&from) != std::mem::discriminant(&to) {
            prop_assert!(is_refused(window(to, &["key"], false, entries, &feed)), "windows of another kind");
        }
    }
}
