//! What a person sees of a run: a few calm lines that are redrawn in place in a terminal, plain appended lines elsewhere, or
//! one JSON object a line.

mod edit;
mod lines;
mod width;
mod words;

use std::io::{IsTerminal, Write};

use crate::base::grouped;
use crate::diag::Style;
use crate::server::Status;

use super::hear::Ear;
use super::said::{HostEvent, Messages, Said};

use lines::{Lines, WIDTH_MAX};
pub use width::{Stream, width};

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Redrawn in place below the log.
    Live(Style),
    /// The log alone, line by line.
    Plain,
    /// The log as JSON lines.
    Json,
}

/// Shows a run on a stream. Sinks may write to standard output, so the view takes standard error; JSON goes wherever it is
/// sent.
pub struct View<W> {
    form: Form,
    out: W,
    lines: Lines,
}

impl Form {
    /// What fits the surroundings: `NO_COLOR`, a terminal or a pipe.
    pub fn of(stream: &impl IsTerminal) -> Form {
        if !stream.is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Form::Plain;
        }
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Form::Live(if no_colour { Style::Plain } else { Style::Coloured })
    }
}

impl<W: Write + Send> View<W> {
    pub fn new(form: Form, out: W) -> View<W> {
        View { form, out, lines: Lines::default() }
    }

    /// A reader that has gone away is no failure of the run.
    fn put(&mut self, text: &str) {
        let _gone = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// What happened, as short as can be: of an edit all that changed, of messages the first.
pub fn in_one_line(event: &HostEvent) -> String {
    match event {
        HostEvent::EditApplied { cause, at, words, .. } => {
            format!("{} at row {}: {}", words::applied(cause), grouped(at.0), words.join("; "))
        }
        HostEvent::EditRefused(messages) => format!("edit refused: {}", first_of(messages)),
        HostEvent::Finding(messages) => first_of(messages),
        HostEvent::TrainingFailed { task, why } => format!("{task}: goes on with what it has: {}", first_of(why)),
        other => words::host(other, Style::Plain),
    }
}

fn first_of(messages: &Messages) -> String {
    let all = &messages.diagnostics;
    let more = if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
    all.first().map(|found| format!("{} {}{more}", found.code, found.message)).unwrap_or_default()
}

impl<W: Write + Send> Ear for View<W> {
    fn hear(&mut self, said: &Said) {
        let text = match self.form {
            Form::Json => format!("{}\n", said.to_json()),
            Form::Plain => words::of(said, Style::Plain),
            Form::Live(style) => match words::of(said, style) {
                text if text.is_empty() => text,
                text => self.lines.above(&text),
            },
        };
        self.put(&text);
    }

    fn look(&mut self, status: &Status) {
        if let Form::Live(style) = self.form {
            let wide = width(Stream::Err).unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
            let text = self.lines.redraw(status, style, wide);
            self.put(&text);
        }
    }
}

#[cfg(test)]
mod tests;
