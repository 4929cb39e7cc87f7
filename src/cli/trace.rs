//! `mliot trace FILE`: follows one row of a running pipeline, to where it ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::base::{Sources, grouped};
use crate::diag::{Code, Diagnostic};
use crate::host::control::{Answer, Request, ask};
use crate::host::{Cell, Compiler, FileCompiler, Followed, Keeper, Step, WantedRow, recorded};
use crate::runtime::RowFate;

use super::Outcome;
use super::args::TraceArgs;
use super::control::{own_params, told};
use super::load::load;
use super::place::{self, registry};
use super::tap::short;
use super::terminal::{counted, ended, note, say};

/// A row may come next year.
const ROW_MAX: Duration = Duration::from_secs(366 * 86_400);
/// Rows of one step that are listed.
const LISTED_MAX: usize = 5;
/// So many characters of a stage's text.
const TEXT_MAX: usize = 90;

pub fn trace(args: &TraceArgs) -> Outcome {
    let row = match args.ordinal {
        Some(at) => WantedRow::Ordinal(at),
        None => WantedRow::Next { source: args.source.clone(), condition: args.condition.clone() },
    };
    if args.recorded {
        return of_a_recording(args, &row);
    }
    let state = place::state(&args.file.file, args.state.state.as_ref());
    if !args.file.set.is_empty() {
        return ended(&[own_params()], &Sources::default(), args.json);
    }
    if !args.json {
        note("waits for the row; ctrl-c ends that");
    }
    match ask(&state, &Request::Trace { row }, ROW_MAX, |_| {}) {
        Ok(Answer::Traced { row }) if args.json => say(&format!("{}\n", json!(row))),
        Ok(Answer::Traced { row }) => say(&text(&row)),
        Ok(Answer::Refused(why)) => return told(&why, args.json),
        Ok(_) => {}
        Err(wrong) => return ended(&[wrong], &Sources::default(), args.json),
    }
    Outcome::Good
}

/// In this process, with the models of the state folder.
fn of_a_recording(args: &TraceArgs, row: &WantedRow) -> Outcome {
    let loaded = match load(&args.file, args.json) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let sources = &loaded.compiled.sources;
    let learner = Keeper { registry: registry(&args.file.file, args.state.state.as_ref()) };
    let conditions = FileCompiler::new(args.file.file.clone(), args.file.set.clone()).conditions();
    let parts = place::machines(&args.file.file);
    match recorded(&loaded.graph, sources, &parts, &learner, conditions.as_ref(), row) {
        Ok(Some(row)) if args.json => say(&format!("{}\n", json!(row))),
        Ok(Some(row)) => {
            note("predictions are those of the champion of now, which may have learned from the row");
            say(&text(&row));
        }
        Ok(None) => return ended(&[no_such_row()], sources, args.json),
        Err(wrong) => return ended(&wrong.diagnostics, &wrong.sources, args.json),
    }
    Outcome::Good
}

fn no_such_row() -> Diagnostic {
    Diagnostic::new(Code::E0716, "no row of the recordings is the one that is asked for")
        .help("rows are counted from 0, over all sources, in the order in which they come in")
}

fn text(row: &Followed) -> String {
    let mut out = match row.read {
        true => format!("row {} of {}\n", grouped(row.at), row.source),
        false => format!("record {} of {}, which could not be read\n", grouped(row.at), row.source),
    };
    out.push_str(&indented(&cells(&row.row), 2));
    let width = row.steps.iter().map(|step| step.node.chars().count()).max().unwrap_or(0);
    for step in &row.steps {
        let mut lines = words(step).into_iter();
        out.push_str(&format!("{:<width$}  {}\n", step.node, lines.next().unwrap_or_default()));
        lines.for_each(|line| out.push_str(&indented(&line, width + 2)));
    }
    out
}

/// What the node did, the most important first.
fn words(step: &Step) -> Vec<String> {
    let mut lines = vec![fate(step)];
    lines.extend(step.noted.iter().map(|noted| format!("noted: {noted}")));
    let rows = listed(step);
    lines.extend(rows.iter().take(LISTED_MAX).map(|row| format!("→ {}", cells(row))));
    lines.extend(step.aside.iter().take(LISTED_MAX).map(|row| format!("aside: {}", cells(row))));
    let more = step.more + rows.len().saturating_sub(LISTED_MAX) as u64;
    if more > 0 {
        lines.push(format!("and {} more rows", grouped(more)));
    }
    lines
}

/// Of a row that passed alone, what it made has been said already.
fn listed(step: &Step) -> &[Vec<Cell>] {
    match (&step.fate, step.rows.len()) {
        (RowFate::Passed, 0 | 1) => &[],
        (RowFate::Passed | RowFate::TimeWentOn | RowFate::Absorbed | RowFate::Dropped(_) | RowFate::Divided { .. }, _) => {
            &step.rows
        }
    }
}

fn fate(step: &Step) -> String {
    let text: String = step.text.chars().take(TEXT_MAX).collect();
    let is_sink = step.node.ends_with("/accept");
    match &step.fate {
        RowFate::Passed if is_sink => "written: it is in the sink's outbox".to_owned(),
        RowFate::Passed if !step.made.is_empty() => format!("passed, {}", cells(&step.made)),
        RowFate::Passed => "passed".to_owned(),
        RowFate::Absorbed => {
            let kept = step.where_kept.clone().unwrap_or_else(|| "in its memory".to_owned());
            format!("kept {kept}{}", let_go(step))
        }
        RowFate::Dropped(why) if step.node.contains("/where") => format!("ended here ({why}): {text}"),
        RowFate::Dropped(why) => format!("ended here: {why} ({text})"),
        RowFate::TimeWentOn => format!("its time went on and let {} go", counted(step.rows.len(), "row")),
        RowFate::Divided { passed, absorbed, dropped } => {
            let dropped: Vec<String> = dropped.iter().map(|(why, rows)| format!("{rows} ended: {why}")).collect();
            format!("{passed} passed, {absorbed} kept, {}", dropped.join(", "))
        }
    }
}

/// A window's row may be the one whose time closes windows before its own.
fn let_go(step: &Step) -> String {
    match step.rows.len() {
        0 => String::new(),
        rows => format!("; its time let {} go", counted(rows, "row")),
    }
}

fn cells(cells: &[Cell]) -> String {
    let one = |cell: &Cell| format!("{} {}", cell.column, value(&cell.value));
    cells.iter().map(one).collect::<Vec<_>>().join("  ")
}

fn value(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => short(number.as_f64().unwrap_or_default()),
        // Quotes only where a text would not be seen as one.
        Value::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => text.clone(),
        other => other.to_string(),
    }
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}
