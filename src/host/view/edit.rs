//! What a change did, for a person: a line for each thing that is other than before, and what it cost.

use crate::diag::Style;

use super::super::said::{Changed, Effect};
use super::words::time;

/// Longest line, in characters; what is longer goes on below.
const WIDTH: usize = 110;

/// `what` says which change and since when, `words` each thing in a sentence. Ends in a newline.
pub fn applied(what: &str, words: &[String], effect: &Effect, times: &str, style: Style) -> String {
    let Effect { changes, kept, waited: _ } = effect;
    match words {
        [one] => return format!("{what}: {one} ({times})\n"),
        _ if changes.is_empty() => return format!("{what} ({times})\n{}", indented(words)),
        _ => {}
    }
    // What is said besides the list: models whose features go on, names that are new.
    let listed: Vec<String> = changes.iter().map(in_one).collect();
    let besides: Vec<String> = words.iter().filter(|word| !listed.contains(word)).cloned().collect();
    let count = format!("{} {}", changes.len(), if changes.len() == 1 { "change" } else { "changes" });
    let rest = if *kept == 0 { String::new() } else { format!(", {kept} parts go on untouched") };
    let width = changes.iter().map(|change| change.name.chars().count()).max().unwrap_or(0);
    let lines: String = changes.iter().map(|change| line(change, width, style)).collect();
    format!("{what}: {count}{rest} ({times})\n{}{lines}", indented(&besides))
}

/// `paused 6.7ms, 4 rows waited, ready in 38.3ms`.
pub fn times(pause_us: u64, took_us: u64, waited: Option<u64>) -> String {
    let waited = match waited {
        None | Some(0) => String::new(),
        Some(1) => ", 1 row waited".to_owned(),
        Some(rows) => format!(", {rows} rows waited"),
    };
    format!("paused {}{waited}, ready in {}", time(pause_us), time(took_us))
}

/// As it stands among the words.
fn in_one(change: &Changed) -> String {
    let Changed { name, class, why } = change;
    if why.is_empty() { format!("{name} {class}") } else { format!("{name} {class} ({why})") }
}

fn line(change: &Changed, width: usize, style: Style) -> String {
    let Changed { name, class, why } = change;
    let mark = mark(class);
    let sign = match style {
        Style::Plain => mark.sign().to_owned(),
        Style::Coloured => format!("\x1b[{}m{}\x1b[0m", mark.colour(), mark.sign()),
    };
    let indent = 4 + width + 2;
    let mut lines = wrapped(&format!("{class:<9} {why}"), WIDTH.saturating_sub(indent).max(30)).into_iter();
    let mut out = format!("  {sign} {name:<width$}  {}\n", lines.next().unwrap_or_default());
    lines.for_each(|line| out.push_str(&format!("{:indent$}{:10}{line}\n", "", "")));
    out
}

#[derive(Clone, Copy)]
enum Mark {
    New,
    Gone,
    Kept,
    /// What it remembered may not be what it would have been.
    Anew,
}

fn mark(class: &str) -> Mark {
    match class {
        "added" => Mark::New,
        "removed" => Mark::Gone,
        "reset" | "stale" => Mark::Anew,
        _ => Mark::Kept,
    }
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::New => "+",
            Mark::Gone => "-",
            Mark::Kept => "~",
            Mark::Anew => "!",
        }
    }

    fn colour(self) -> u8 {
        match self {
            Mark::New => 32,
            Mark::Gone => 31,
            Mark::Kept => 36,
            Mark::Anew => 33,
        }
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.trim_end().split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() || word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}
