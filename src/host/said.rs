//! What happened, for people, logs and tests: the engine's own events, and those of the shell round it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::{Name, Sources};
use crate::diag::{Diagnostic, Style, render, to_json};
use crate::node::Ordinal;
use crate::plan::{Diff, Listed};
use crate::runtime::{Cut, Event, Fate, NodeEvent, Served};
use crate::server::SinkStatus;

use super::state::plans::Cause;

/// One entry of the event log.
#[derive(Clone, Debug)]
pub enum Said {
    Engine(Event),
    Host(HostEvent),
}

#[derive(Clone, Debug)]
pub enum HostEvent {
    /// It runs; requests are answered at these addresses.
    Started {
        pipeline: String,
        serving: Vec<String>,
    },
    /// It goes on where a former process stopped: from an epoch, with so many lines of the log made again.
    Recovered {
        epoch: u64,
        at: Ordinal,
        lines: u64,
        took_us: u64,
    },
    /// Everything that runs is kept as it was before this row; nothing was processed for so long.
    Epoch {
        number: u64,
        at: Ordinal,
        pause_us: u64,
        took_us: u64,
        bytes: u64,
    },
    /// An edit waits until its sources have been read again; rows go on.
    Rebuilding,
    /// An edit that would lose something waits for a word, so long.
    EditWaiting {
        losses: Vec<String>,
        words: Vec<String>,
        wait_s: u64,
        /// May the word be typed where the run shows itself?
        typed: bool,
    },
    /// It does not take place.
    EditDropped {
        why: String,
    },
    /// What a plan has replaced is kept beside it for so long, these stages with so many bytes; others cannot be.
    OnProbation {
        plan: u64,
        time_s: f64,
        kept: Vec<String>,
        bytes: usize,
        left_out: Vec<String>,
        too_large: bool,
    },
    /// It stays.
    ProbationPassed {
        plan: u64,
    },
    /// What whoever types might want to know.
    Hint {
        text: String,
    },
    /// The edit took place before the row with this ordinal; with its number in the history and what brought it about.
    EditApplied {
        plan: Option<u64>,
        cause: Cause,
        at: Ordinal,
        /// One sentence for each thing that changed.
        words: Vec<String>,
        effect: Effect,
        pause_us: u64,
        took_us: u64,
    },
    /// Other text, same meaning.
    EditUnchanged,
    /// Nothing has changed but this count.
    EditRefused(Messages),
    /// A followed file cannot be read just now; what runs goes on.
    FileTrouble {
        path: String,
        why: String,
    },
    /// A former run's model answers.
    Restored {
        task: Name,
        version: String,
        family: String,
    },
    /// Something else is asked of a task's models, and those that were measured before have an answer, without a training.
    /// None for the row: whoever answered goes on. None for the version: nobody answers.
    ChosenAgain {
        at: Option<Ordinal>,
        task: Name,
        version: Option<String>,
        words: String,
    },
    Training {
        task: Name,
    },
    /// The model answers from the row with this ordinal on.
    Trained {
        at: Ordinal,
        task: Name,
        version: String,
        family: String,
        metric: Option<(String, f64)>,
    },
    /// The task goes on with what it has.
    TrainingFailed {
        task: Name,
        why: Messages,
    },
    SinkTrouble {
        sink: Name,
        message: String,
    },
    SinkRecovered {
        sink: Name,
    },
    /// So many rows could not be written within the limit of retries.
    SinkLost {
        sink: Name,
        rows: u64,
        message: String,
    },
    /// Something that the engine found wrong while running.
    Finding(Messages),
    /// So many events were forgotten because nobody read them in time.
    Forgotten {
        events: u64,
    },
    Stopping,
    /// The closing books.
    Stopped {
        rows: u64,
        undelivered: u64,
        sinks: Vec<SinkStatus>,
    },
}

/// Diagnostics with the texts that they are about.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: Sources,
}

impl Messages {
    /// Of something that is known to be about this text.
    pub fn about(sources: &Sources, diagnostic: Diagnostic) -> Messages {
        Messages { diagnostics: vec![diagnostic], sources: sources.clone() }
    }

    pub fn of(diagnostic: Diagnostic) -> Messages {
        // Without the text there is nothing that its labels could point at.
        let diagnostic = Diagnostic { labels: Vec::new(), fix: None, ..diagnostic };
        Messages { diagnostics: vec![diagnostic], sources: Sources::default() }
    }

    /// As people read it in a log.
    pub fn text(&self) -> String {
        self.diagnostics.iter().map(|found| render(found, &self.sources, Style::Plain)).collect()
    }

    pub fn to_json(&self) -> Value {
        self.diagnostics.iter().map(|diagnostic| to_json(diagnostic, &self.sources)).collect()
    }
}

impl Said {
    /// One object; `event` says which.
    pub fn to_json(&self) -> Value {
        match self {
            Said::Engine(event) => serde_json::to_value(event).expect("plain data always serialises"),
            Said::Host(event) => event.to_json(),
        }
    }
}

impl HostEvent {
    /// Does whoever looks later want to know?
    pub fn is_remembered(&self) -> bool {
        match self {
            HostEvent::Epoch { .. }
            | HostEvent::Rebuilding
            | HostEvent::Hint { .. }
            | HostEvent::EditUnchanged
            | HostEvent::Training { .. }
            | HostEvent::Forgotten { .. }
            | HostEvent::Stopping
            | HostEvent::Stopped { .. } => false,
            HostEvent::Started { .. }
            | HostEvent::Recovered { .. }
            | HostEvent::EditWaiting { .. }
            | HostEvent::EditDropped { .. }
            | HostEvent::OnProbation { .. }
            | HostEvent::ProbationPassed { .. }
            | HostEvent::EditApplied { .. }
            | HostEvent::EditRefused(_)
            | HostEvent::FileTrouble { .. }
            | HostEvent::Restored { .. }
            | HostEvent::ChosenAgain { .. }
            | HostEvent::Trained { .. }
            | HostEvent::TrainingFailed { .. }
            | HostEvent::SinkTrouble { .. }
            | HostEvent::SinkRecovered { .. }
            | HostEvent::SinkLost { .. }
            | HostEvent::Finding(_) => true,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            HostEvent::Started { pipeline, serving } => {
                json!({ "event": "started", "pipeline": pipeline, "serving": serving })
            }
            HostEvent::Recovered { epoch, at, lines, took_us } => {
                json!({ "event": "recovered", "epoch": epoch, "at": at, "lines": lines, "took_us": took_us })
            }
            HostEvent::Epoch { number, at, pause_us, took_us, bytes } => json!({
                "event": "epoch", "number": number, "at": at, "pause_us": pause_us, "took_us": took_us, "bytes": bytes,
            }),
            HostEvent::Rebuilding => json!({ "event": "rebuilding" }),
            HostEvent::EditWaiting { losses, words, wait_s, typed: _ } => {
                let words = words.join("; ");
                json!({ "event": "edit_waiting", "losses": losses, "words": words, "wait_s": wait_s })
            }
            HostEvent::EditDropped { why } => json!({ "event": "edit_dropped", "why": why }),
            HostEvent::OnProbation { plan, time_s, kept, bytes, left_out, too_large } => json!({
                "event": "on_probation", "plan": plan, "time_s": time_s, "kept": kept, "bytes": bytes, "left_out": left_out,
                "too_large": too_large,
            }),
            HostEvent::ProbationPassed { plan } => json!({ "event": "probation_passed", "plan": plan }),
            HostEvent::Hint { text } => json!({ "event": "hint", "text": text }),
            HostEvent::EditApplied { plan, cause, at, words, effect, pause_us, took_us } => json!({
                "event": "edit_applied", "plan": plan, "cause": cause, "at": at, "words": words.join("; "),
                "changes": effect.changes, "kept": effect.kept, "waited": effect.waited,
                "pause_us": pause_us, "took_us": took_us,
            }),
            HostEvent::EditUnchanged => json!({ "event": "edit_unchanged" }),
            HostEvent::EditRefused(messages) => json!({ "event": "edit_refused", "diagnostics": messages.to_json() }),
            HostEvent::FileTrouble { path, why } => json!({ "event": "file_trouble", "path": path, "why": why }),
            HostEvent::Restored { task, version, family } => {
                json!({ "event": "restored", "task": task, "version": version, "family": family })
            }
            HostEvent::ChosenAgain { at, task, version, words } => {
                json!({ "event": "chosen_again", "at": at, "task": task, "version": version, "words": words })
            }
            HostEvent::Training { task } => json!({ "event": "training", "task": task }),
            HostEvent::Trained { at, task, version, family, metric } => json!({
                "event": "trained", "at": at, "task": task, "version": version, "family": family,
                "metric": metric.as_ref().map(|(name, _)| name), "value": metric.as_ref().map(|(_, value)| value),
            }),
            HostEvent::TrainingFailed { task, why } => {
                json!({ "event": "training_failed", "task": task, "diagnostics": why.to_json() })
            }
            HostEvent::SinkTrouble { sink, message } => {
                json!({ "event": "sink_trouble", "sink": sink, "message": message })
            }
            HostEvent::SinkRecovered { sink } => json!({ "event": "sink_recovered", "sink": sink }),
            HostEvent::SinkLost { sink, rows, message } => {
                json!({ "event": "sink_lost", "sink": sink, "rows": rows, "message": message })
            }
            HostEvent::Finding(messages) => json!({ "event": "finding", "diagnostics": messages.to_json() }),
            HostEvent::Forgotten { events } => json!({ "event": "forgotten", "events": events }),
            HostEvent::Stopping => json!({ "event": "stopping" }),
            HostEvent::Stopped { rows, undelivered, sinks } => {
                json!({ "event": "stopped", "rows": rows, "undelivered": undelivered, "sinks": sinks })
            }
        }
    }
}

/// What a change did to what runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    pub changes: Vec<Changed>,
    /// Stages, sources and sinks that go on as they are.
    pub kept: usize,
    /// Rows that came in live while nothing was processed; none where that cannot be told.
    pub waited: Option<u64>,
}

/// One thing that a change did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub name: String,
    /// As the language names it: `added`, `retuned`, …
    pub class: String,
    pub why: String,
}

impl Effect {
    pub fn of(cut: &Cut, waited: Option<u64>) -> Effect {
        let changed =
            |listed: Listed| Changed { class: listed.class.word().to_owned(), why: listed.reason(), name: listed.name };
        let is_kept = |node: &&NodeEvent| matches!(node.fate, Fate::Kept | Fate::Rewired);
        Effect {
            changes: cut.diff.listed().into_iter().map(changed).collect(),
            kept: cut.event.nodes.iter().filter(is_kept).count(),
            waited,
        }
    }
}

/// What an edit did: `air.stuffy retuned (its threshold)`, `alert added`.
pub fn in_words(diff: &Diff) -> Vec<String> {
    let mut words: Vec<String> = diff.renames.iter().map(|rename| format!("{} is now {}", rename.from, rename.to)).collect();
    for listed in diff.listed() {
        let why = Some(listed.reason()).filter(|why| !why.is_empty()).map(|why| format!(" ({why})")).unwrap_or_default();
        words.push(format!("{} {}{why}", listed.name, listed.class.word()));
    }
    if words.is_empty() { vec!["nothing that runs".to_owned()] } else { words }
}

/// What becomes of the models whose features an edit changed: first those that answer no more.
pub fn serving_in_words(served: &[Served]) -> Vec<String> {
    let one = |served: &Served| {
        let Served { task, version, goes_on } = served;
        match goes_on {
            false => format!("`{task}` answers null until a new model is chosen, for the old features of `{version}` end here"),
            true => format!("old features go on serving `{version}` until a model on the new ones is chosen"),
        }
    };
    let of = |goes_on: bool| served.iter().filter(move |served| served.goes_on == goes_on).map(one);
    of(false).chain(of(true)).collect()
}
