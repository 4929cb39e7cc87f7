//! What is asked of a run, and what it answers: the lines of the control door.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Name;
use crate::diag::{Style, render};
use crate::lifecycle::Act;
use crate::node::Ordinal;

use super::super::said::Messages;
use super::super::taps::{Look, TapWord};
use super::super::trace::{Followed, Wanted};

/// What is asked of a run. `ask` says what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// What runs?
    Running,
    /// What would this text do, in place of what runs?
    Plan { text: String },
    /// Back to the plan before the one that runs, or to this number.
    Undo { to: Option<u64> },
    /// The edit that waits may take place, or may not.
    Confirm { accept: bool },
    /// What passes a place, as long as the connection is open?
    Tap { look: Look },
    /// What becomes of a row, when it comes?
    Trace { row: Wanted },
    /// Another champion, the one before, or one that stays.
    Models { act: Act },
    /// Old trainings may go, of every task or of one.
    Prune { task: Option<Name>, keep: usize },
}

/// What a run answers. `answer` says what; all but [`Word`](Answer::Word) and [`Tap`](Answer::Tap) are the last of their
/// request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// How it gets on; more will come.
    Word {
        text: String,
    },
    Running(Running),
    /// As people read it, and as scripts do.
    Planned {
        text: String,
        plan: Value,
    },
    Applied(Applied),
    /// There was nothing to do, or somebody did not want it.
    Nothing {
        why: String,
    },
    Refused(Refused),
    /// Of a tap; more will come.
    Tap {
        told: TapWord,
    },
    Traced {
        row: Followed,
    },
    /// What was done with models, and from which row on another one answers, if one does.
    Models {
        words: Vec<String>,
        at: Option<Ordinal>,
    },
    /// That was all.
    Done,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pipeline: String,
    pub rows: u64,
    /// The number of the last plan, and of that which it went back to, if so.
    pub plan: Option<u64>,
    pub back_to: Option<u64>,
    /// How the file differs from what runs, if it does.
    pub differs: Option<String>,
    /// Does an edit wait for a word?
    pub waits: bool,
}

/// A change that took place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// Its number in the history.
    pub plan: Option<u64>,
    /// Rows from this one on see it.
    pub at: Ordinal,
    pub words: Vec<String>,
    pub pause_us: u64,
    pub took_us: u64,
}

/// Why nothing was done, as people read it, and as scripts do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    pub text: String,
    pub diagnostics: Value,
}

impl Answer {
    pub fn is_last(&self) -> bool {
        match self {
            Answer::Word { .. } | Answer::Tap { .. } => false,
            Answer::Traced { .. } | Answer::Models { .. } | Answer::Done => true,
            Answer::Running(_) | Answer::Planned { .. } | Answer::Applied(_) | Answer::Nothing { .. } | Answer::Refused(_) => {
                true
            }
        }
    }

    pub fn refused(messages: &Messages) -> Answer {
        let text = messages.diagnostics.iter().map(|found| render(found, &messages.sources, Style::Plain)).collect();
        Answer::Refused(Refused { text, diagnostics: messages.to_json() })
    }
}
