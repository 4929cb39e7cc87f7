//! `mliot tap STREAM FILE`: rows of a running pipeline as they pass.

mod table;

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::host::control::{Answer, Request, ask_while};
use crate::host::view::{Stream, width};
use crate::host::{Column, Look, TapWord};

use super::Outcome;
use super::args::TapArgs;
use super::control::told;
use super::place;
use super::terminal::{ended, note, style};
use crate::base::{Sources, grouped};
use crate::diag::Style;

use table::Table;
pub use table::short;

/// Between two words of the run, which says at least that nothing has passed.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Of a terminal, in characters, where nobody knows it.
const WIDTH: usize = 100;
/// Rows a second that a person can follow.
const CALM: u32 = 20;

pub fn tap(args: &TapArgs) -> Outcome {
    let state = place::state(&args.file, args.state.state.as_ref());
    let is_read = stdout().is_terminal() && !args.json;
    let look = Look {
        place: args.stream.clone(),
        condition: args.condition.clone(),
        limit: args.limit,
        rows_per_s: (is_read && args.limit.is_none()).then_some(CALM),
    };
    let mut shown = Shown { form: Form::of(args.json, is_read), columns: Vec::new(), place: &args.stream };
    let go_on = |answer: &Answer| match answer {
        Answer::Tap { told } => shown.told(told),
        _ => true,
    };
    match ask_while(&state, &Request::Tap { look }, ANSWER_MAX, go_on) {
        Ok(Some(Answer::Refused(why))) => told(&why, args.json),
        Ok(_) => Outcome::Good,
        Err(wrong) => ended(&[wrong], &Sources::default(), args.json),
    }
}

/// How rows are written.
enum Form {
    /// One object a line, other events among them.
    Json,
    Csv,
    /// For a person.
    Table(Box<Table>),
}

impl Form {
    fn of(json: bool, is_read: bool) -> Form {
        match (json, is_read) {
            (true, _) => Form::Json,
            (false, true) => Form::Table(Box::new(Table::new(style(), width(Stream::Out).unwrap_or(WIDTH)))),
            (false, false) => Form::Csv,
        }
    }
}

struct Shown<'a> {
    form: Form,
    columns: Vec<Column>,
    place: &'a str,
}

impl Shown<'_> {
    /// False: whoever reads has gone.
    fn told(&mut self, told: &TapWord) -> bool {
        match told {
            TapWord::Columns { columns, again } => {
                let before = std::mem::replace(&mut self.columns, columns.clone());
                self.begin(again.then_some(&before))
            }
            TapWord::Rows { at, rows } => self.rows(at, rows),
            TapWord::Skipped { rows } => {
                let words = format!("{} {} not shown", grouped(*rows), if *rows == 1 { "row" } else { "rows" });
                self.word(&json!({ "event": "skipped", "rows": rows }), &words)
            }
            TapWord::Gone => {
                let words = format!("`{}` is gone from the file; its rows are shown when it is back", self.place);
                self.word(&json!({ "event": "gone", "place": self.place }), &words)
            }
            TapWord::Unfit { text, diagnostics } => {
                let words = format!("{}rows are shown when the condition fits the columns again", text);
                self.word(&json!({ "event": "unfit", "diagnostics": diagnostics }), &words)
            }
            TapWord::Quiet => true,
        }
    }

    /// `before`: the columns until here, where there were some.
    fn begin(&mut self, before: Option<&Vec<Column>>) -> bool {
        let (place, columns) = (self.place, &self.columns);
        let words = before.map(|before| format!("`{place}` from here on: {}", changed(before, columns)));
        match &mut self.form {
            Form::Json => put(&format!("{}\n", json!({ "event": "columns", "place": place, "columns": columns }))),
            Form::Csv => {
                words.iter().for_each(|words| note(words));
                put(&csv_line(columns.iter().map(|column| column.name.clone())))
            }
            Form::Table(table) => {
                table.begin(columns);
                words.is_none_or(|words| put(&table.word(&words)))
            }
        }
    }

    fn rows(&mut self, at: &[u64], rows: &[Vec<Value>]) -> bool {
        let columns = &self.columns;
        match &mut self.form {
            Form::Json => put(&at.iter().zip(rows).map(|(at, row)| json_line(*at, columns, row)).collect::<String>()),
            Form::Csv => put(&rows.iter().map(|row| csv_line(row.iter().map(bare))).collect::<String>()),
            Form::Table(table) => put(&table.rows(rows)),
        }
    }

    /// What is no row: an event among others, a line of its own, or said beside the rows.
    fn word(&mut self, event: &Value, words: &str) -> bool {
        match &mut self.form {
            Form::Json => put(&format!("{event}\n")),
            Form::Csv => {
                note(words);
                true
            }
            Form::Table(table) => put(&table.word(words)),
        }
    }
}

/// Which columns came and went: `dry is new, rise is gone`.
fn changed(before: &[Column], now: &[Column]) -> String {
    let is_in = |columns: &[Column], name: &str| columns.iter().any(|column| column.name == name);
    let new = now.iter().filter(|column| !is_in(before, &column.name)).map(|column| format!("{} is new", column.name));
    let gone = before.iter().filter(|column| !is_in(now, &column.name)).map(|column| format!("{} is gone", column.name));
    let other = now.iter().filter(|column| before.iter().any(|old| old.name == column.name && old.ty != column.ty));
    let other = other.map(|column| format!("{} is {}", column.name, column.ty));
    let words: Vec<String> = new.chain(gone).chain(other).collect();
    if words.is_empty() { "the same columns as before".to_owned() } else { words.join(", ") }
}

/// False where nobody reads any more.
fn put(text: &str) -> bool {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

fn json_line(at: u64, columns: &[Column], row: &[Value]) -> String {
    let cells: Map<String, Value> = columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned()).collect();
    format!("{}\n", json!({ "event": "row", "at": at, "row": cells }))
}

/// As a field of CSV: texts bare, null empty, lists as JSON.
fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn csv_line(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    };
    let fields: Vec<String> = fields.map(quoted).collect();
    format!("{}\n", fields.join(","))
}

/// Escape codes around what is no row, where the terminal takes them.
pub(super) fn quiet(text: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\x1b[2m{text}\x1b[0m"),
    }
}
