//! The few lines at the bottom of a terminal.

use crate::base::grouped;
use std::collections::VecDeque;
use std::fmt::Write;

use crate::diag::Style;
use crate::runtime::SourceReport;
use crate::server::{SinkStatus, Status};

use super::words::time;

/// Looks over which a rate is a mean.
const LOOKS_MAX: usize = 8;
/// Tasks and sinks that have a line of their own; of more, only the number is said.
const ITEMS_MAX: usize = 6;
/// What a source may be behind, in microseconds, without a word: the time of a few steps.
const BEHIND_MIN_US: u64 = 250_000;
/// Longest line, in characters, however wide the terminal is.
pub const WIDTH_MAX: usize = 100;

/// How lines are drawn, and how long they may be, in characters.
type Pen = (Style, usize);

/// Remembers what is on the screen.
#[derive(Debug, Default)]
pub struct Lines {
    drawn: usize,
    last: String,
    /// Uptime in seconds and rows, at the last looks.
    looks: VecDeque<(f64, u64)>,
}

impl Lines {
    /// A text of the log stands above the lines, which are drawn again below it.
    pub fn above(&mut self, text: &str) -> String {
        let mut out = self.take_back();
        out.push_str(text);
        out.push_str(&self.last);
        self.drawn = self.last.lines().count();
        out
    }

    /// No line is longer than `width` characters, so that none wraps: a wrapped line could not be taken back.
    pub fn redraw(&mut self, status: &Status, style: Style, width: usize) -> String {
        self.looks.push_back((status.uptime_s, status.rows_in));
        if self.looks.len() > LOOKS_MAX {
            self.looks.pop_front();
        }
        let text = self.text(status, (style, width));
        if text == self.last && self.drawn > 0 {
            return String::new();
        }
        let mut out = self.take_back();
        out.push_str(&text);
        self.drawn = text.lines().count();
        self.last = text;
        out
    }

    /// Up to the first of our lines, and everything below it cleared.
    fn take_back(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    fn rate(&self) -> f64 {
        match (self.looks.front(), self.looks.back()) {
            (Some((then, before)), Some((now, rows))) if now > then => rows.saturating_sub(*before) as f64 / (now - then),
            (Some(_) | None, Some(_) | None) => 0.0,
        }
    }

    fn text(&self, status: &Status, pen: Pen) -> String {
        let mut out = String::new();
        let dropped: u64 = status.nodes.iter().flat_map(|node| node.dropped.values()).sum();
        let head = format!(
            "{} rows  {}/s  {} dropped on the way",
            grouped(status.rows_in),
            grouped(self.rate().round() as u64),
            grouped(dropped)
        );
        line(&mut out, pen, status.stage.words(), &head);
        for source in status.sources.iter().take(ITEMS_MAX) {
            line(&mut out, pen, &source.name, &source_text(source));
        }
        for task in status.tasks.iter().take(ITEMS_MAX) {
            let mut text = match (&task.family, &task.version) {
                (Some(family), Some(version)) => format!("{family} {version}"),
                (_, Some(version)) => version.clone(),
                (_, None) => "no model yet".to_owned(),
            };
            if let Some((metric, value)) = &task.metric {
                let _ = write!(text, "  {metric} {value:.4}");
            }
            if task.training {
                text.push_str("  learning");
            }
            line(&mut out, pen, &task.name, &text);
        }
        for sink in status.sinks.iter().take(ITEMS_MAX) {
            line(&mut out, pen, &sink.name, &sink_text(sink));
        }
        let edits = status.edits;
        if edits.applied + edits.refused > 0 {
            let last = status.last_change.as_deref().unwrap_or_default();
            let text = format!("{} applied  {} refused  {last}", edits.applied, edits.refused);
            line(&mut out, pen, "edits", &text);
        }
        if let Some(how) = &status.differs {
            line(&mut out, pen, "file", how);
        }
        out
    }
}

fn source_text(source: &SourceReport) -> String {
    let mut text = format!("{} rows", grouped(source.rows));
    if source.bad > 0 {
        let _ = write!(text, "  {} could not be read", grouped(source.bad));
    }
    match source.behind_us {
        _ if source.ended => text.push_str("  ended"),
        Some(us) if us < BEHIND_MIN_US => text.push_str("  up to date"),
        Some(us) => {
            let _ = write!(text, "  {} behind", time(us));
        }
        None => {}
    }
    text
}

fn sink_text(sink: &SinkStatus) -> String {
    let mut text = format!("{} written  {} waiting", grouped(sink.delivered), grouped(sink.waiting));
    if sink.lost > 0 {
        let _ = write!(text, "  {} lost", grouped(sink.lost));
    }
    if let Some(trouble) = &sink.trouble {
        let _ = write!(text, ": {trouble}");
    }
    text
}

fn line(out: &mut String, (style, width): Pen, name: &str, text: &str) {
    let whole: String = format!("{name:<14}  {text}").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = whole.chars().take(width).collect();
    match style {
        Style::Plain => out.push_str(&cut),
        Style::Coloured => {
            let at = cut.char_indices().nth(name.chars().count().min(width)).map_or(cut.len(), |(at, _)| at);
            let _ = write!(out, "\x1b[1m{}\x1b[0m{}", &cut[..at], &cut[at..]);
        }
    }
    out.push('\n');
}
