//! Expectations of a test, each compared with what came out.

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::ir::Value;
use crate::plan::Diff;

use super::super::engine::Engine;
use super::super::rows::Row;
use super::Failure;

/// Rows of a failed comparison that are shown.
const SHOWN_ROWS_MAX: usize = 20;

/// In order, and only in the columns that are expected.
pub fn rows(actual: &[Row], expected: &[Row], within: f64, span: Span) -> Result<(), Failure> {
    let fits = |(expected, actual): (&Row, &Row)| {
        expected.iter().all(|(column, want)| actual.get(column).is_some_and(|got| equal(want, got, within)))
    };
    if actual.len() == expected.len() && expected.iter().zip(actual).all(fits) {
        return Ok(());
    }
    let wrong = expected.iter().zip(actual).position(|pair| !fits(pair));
    let message = match wrong {
        Some(nth) => format!("row {} is not as expected", nth + 1),
        None => format!("{} rows were expected, {} came", expected.len(), actual.len()),
    };
    Err(Failure { span, message, table: Some(table(expected, actual)) })
}

/// Numbers may differ by `within`.
fn equal(want: &Value, got: &Value, within: f64) -> bool {
    match (want, got) {
        (Value::List(want), Value::List(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| equal(want, got, within))
        }
        _ => match (want.as_f64(), got.as_f64()) {
            (Some(want), Some(got)) => (want - got).abs() <= within,
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => want == got,
        },
    }
}

/// Expected beside actual, row by row, in the columns that are expected.
fn table(expected: &[Row], actual: &[Row]) -> String {
    let rows = expected.len().max(actual.len()).min(SHOWN_ROWS_MAX);
    let columns: Vec<&Name> = expected.first().map(|row| row.keys().collect()).unwrap_or_default();
    let cell = |rows: &[Row], nth: usize| {
        let show = |row: &Row| {
            let wanted = columns.iter().filter_map(|column| Some(format!("{column}: {}", row.get(*column)?)));
            let all = || row.iter().map(|(column, value)| format!("{column}: {value}")).collect::<Vec<_>>();
            let wanted: Vec<String> = wanted.collect();
            if wanted.is_empty() { all().join(", ") } else { wanted.join(", ") }
        };
        rows.get(nth).map(show).unwrap_or_default()
    };
    let left: Vec<String> = (0..rows).map(|nth| cell(expected, nth)).collect();
    let width = left.iter().map(|text| text.chars().count()).chain(["expected".len()]).max().unwrap_or_default();
    let mut out = format!("{:>4}  {:width$}  actual\n", "row", "expected");
    for (nth, left) in left.iter().enumerate() {
        out += &format!("{:>4}  {left:width$}  {}\n", nth + 1, cell(actual, nth));
    }
    let more = expected.len().max(actual.len()) - rows;
    if more > 0 {
        out += &format!("      and {more} more\n");
    }
    out
}

pub fn count(stream: &Name, actual: u64, low: u64, high: u64, span: Span) -> Result<(), Failure> {
    if (low..=high).contains(&actual) {
        return Ok(());
    }
    let expected = match (low, high) {
        (low, high) if low == high => format!("{low}"),
        (low, u64::MAX) => format!("at least {low}"),
        (low, high) => format!("{low} to {high}"),
    };
    Err(Failure { span, message: format!("`{stream}` has {actual} rows, expected {expected}"), table: None })
}

/// By entry, the class that the last edit gave it.
pub fn changes(cut: Option<&Diff>, expected: &BTreeMap<Name, Name>, span: Span) -> Result<(), Failure> {
    let Some(cut) = cut else {
        return Err(Failure { span, message: "no edit came before".to_owned(), table: None });
    };
    let wrong = expected.iter().filter_map(|(entry, class)| match cut.class_of(entry) {
        Some(got) if got.word() == class.as_str() => None,
        Some(got) => Some(format!("`{entry}` is {got}, expected {class}")),
        None => Some(format!("nothing is called `{entry}`, expected {class}")),
    });
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(Failure { span, message: wrong.join("; "), table: None }) }
}

/// Of all rows since the test began, by the books of every node and edge.
pub fn lost(engine: &Engine, lost: u64, doubled: u64, span: Span) -> Result<(), Failure> {
    let (mut missing, mut extra) = (0, 0);
    let mut compare = |had: u64, accounted: u64| {
        missing += had.saturating_sub(accounted);
        extra += accounted.saturating_sub(had);
    };
    for slot in engine.slots() {
        let counts = &slot.counts;
        compare(counts.input, counts.passed + counts.absorbed + counts.dropped.values().sum::<u64>());
        for edge in &slot.inputs {
            compare(edge.sent, edge.received + edge.in_flight());
        }
    }
    if (missing, extra) == (lost, doubled) {
        return Ok(());
    }
    let message = format!("{missing} rows lost and {extra} doubled, expected {lost} and {doubled}");
    Err(Failure { span, message, table: None })
}
