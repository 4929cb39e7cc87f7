//! How far long work has got: one line, redrawn on a terminal; when piped, a line now and then.

use crate::base::grouped;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::host::Told;
use crate::lifecycle;
use crate::runtime::Status;

/// A line is redrawn at most this often.
const REDRAW: Duration = Duration::from_millis(100);

/// Draws on standard error; silent when asked to be.
pub struct Line {
    on_terminal: bool,
    silent: bool,
    last: Option<Instant>,
    drawn: bool,
}

impl Line {
    pub fn new(silent: bool) -> Line {
        Line { on_terminal: stderr().is_terminal(), silent, last: None, drawn: false }
    }

    pub fn told(&mut self, told: &Told) {
        match told {
            Told::Reading { tasks, status } => {
                let names: Vec<String> = tasks.iter().map(ToString::to_string).collect();
                self.passing(&format!("reading for {}: {}", names.join(", "), rows(status)));
            }
            Told::Training { task, progress } => self.training(task, progress),
        }
    }

    fn training(&mut self, task: &str, progress: &lifecycle::Progress) {
        match progress {
            lifecycle::Progress::Baselines(_) => self.passing(&format!("training {task}: baselines")),
            lifecycle::Progress::Trial { done, of, family, result, .. } => {
                let ended = if result.is_ok() { "" } else { " failed" };
                self.passing(&format!("training {task}: trial {done} of {of}, {family}{ended}"));
            }
            lifecycle::Progress::Refitting { done, of } => self.passing(&format!("training {task}: refitting {done} of {of}")),
        }
    }

    pub fn replaying(&mut self, status: &Status) {
        self.passing(&format!("replaying: {}", rows(status)));
    }

    /// Redraws the line on a terminal; keeps quiet elsewhere, where nobody watches it pass.
    fn passing(&mut self, text: &str) {
        let too_soon = self.last.is_some_and(|last| last.elapsed() < REDRAW);
        if self.silent || !self.on_terminal || too_soon {
            return;
        }
        let mut err = stderr().lock();
        let _gone = write!(err, "\r\x1b[2K{text}").and_then(|()| err.flush());
        self.last = Some(Instant::now());
        self.drawn = true;
    }

    /// Takes the line away, so that results begin in the first column.
    pub fn clear(&mut self) {
        if self.drawn {
            let mut err = stderr().lock();
            let _gone = write!(err, "\r\x1b[2K").and_then(|()| err.flush());
            self.drawn = false;
        }
    }
}

fn rows(status: &Status) -> String {
    let rate = if status.seconds > 0.0 { status.rows as f64 / status.seconds } else { 0.0 };
    format!("{} rows, {} rows/s", grouped(status.rows), grouped(rate as u64))
}
