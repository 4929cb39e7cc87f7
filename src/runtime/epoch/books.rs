//! The books of a running graph as they are written to disk: plain data in the words of this version's format.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::io::Position;
use crate::node::{Clock, Counts, Message, NodeError, Ordinal};
use crate::plan::{Input, NodeKey};
use crate::runtime::clocks;
use crate::runtime::dead::DeadLetter;
use crate::runtime::engine::Phase;
use crate::runtime::feed::{FeedCounts, Side};
use crate::runtime::merge;
use crate::runtime::resting::SavedRest;

/// All of an epoch that is neither a table nor the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Books {
    /// The ordinal of the next row.
    pub at: Ordinal,
    pub phase: Phase,
    /// The source that drew last.
    pub last: Option<Name>,
    pub next_outbox: u64,
    pub sources: Vec<SavedSource>,
    /// Live ends that wait until the recordings have been read.
    pub live: Vec<(Name, Option<Position>)>,
    pub slots: Vec<SavedSlot>,
    pub models: Vec<SavedModel>,
    pub dead: DeadLetter,
    /// What removed nodes remembered.
    #[serde(default)]
    pub resting: Vec<SavedRest>,
}

/// A source in its turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedSource {
    pub name: Name,
    pub side: Side,
    pub position: Option<Position>,
    pub ended: bool,
    /// How far its clock has got; none where its rows have no time.
    pub clock: Option<Time>,
    pub counts: SavedFeedCounts,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedFeedCounts {
    pub connection: SavedCounts,
    pub decode: SavedCounts,
    pub gate: SavedCounts,
}

/// A node's place in the graph and its books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedSlot {
    pub key: NodeKey,
    pub counts: SavedCounts,
    pub since: Ordinal,
    pub floor: Time,
    pub upto: Ordinal,
    /// How far the clock and the spans of its merge have got.
    pub merge: (Time, Ordinal),
    /// Has it been told what its late rows look like?
    pub aside: bool,
    pub ended: bool,
    pub failed: Option<SavedError>,
    pub edges: Vec<SavedEdge>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedEdge {
    pub from: Input,
    pub sent: u64,
    pub received: u64,
    pub ended: Option<Ordinal>,
    pub after: Time,
    /// Messages without rows, which say how far time has got, until the other inputs of a merge have got there.
    pub waiting: Vec<SavedMessage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedMessage {
    Span { upto: Ordinal, clock: Option<SavedClock> },
    End { at: Ordinal },
}

/// A clock over a span: from each ordinal on the time beside it, `before` until the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedClock {
    pub before: Time,
    pub after: Time,
    pub steps: Vec<(Ordinal, Time)>,
}

/// The model that answers for a task, by its version, and from which row on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    pub task: Name,
    pub from: Ordinal,
    pub version: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedCounts {
    #[serde(rename = "in")]
    pub input: u64,
    pub passed: u64,
    pub absorbed: u64,
    pub dropped: BTreeMap<String, u64>,
    pub out: u64,
    pub noted: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedError {
    pub code: String,
    pub message: String,
    pub help: Option<String>,
}

impl From<&Counts> for SavedCounts {
    fn from(counts: &Counts) -> SavedCounts {
        let Counts { input, passed, absorbed, dropped, output, noted } = counts;
        let words =
            |reasons: &BTreeMap<&'static str, u64>| reasons.iter().map(|(word, rows)| ((*word).to_owned(), *rows)).collect();
        SavedCounts {
            input: *input,
            passed: *passed,
            absorbed: *absorbed,
            dropped: words(dropped),
            out: *output,
            noted: words(noted),
        }
    }
}

impl From<&SavedCounts> for Counts {
    fn from(saved: &SavedCounts) -> Counts {
        let SavedCounts { input, passed, absorbed, dropped, out, noted } = saved;
        let reasons = |words: &BTreeMap<String, u64>| words.iter().map(|(word, rows)| (known(word), *rows)).collect();
        Counts {
            input: *input,
            passed: *passed,
            absorbed: *absorbed,
            dropped: reasons(dropped),
            output: *out,
            noted: reasons(noted),
        }
    }
}

impl From<&FeedCounts> for SavedFeedCounts {
    fn from(counts: &FeedCounts) -> SavedFeedCounts {
        let FeedCounts { connection, decode, gate } = counts;
        SavedFeedCounts { connection: connection.into(), decode: decode.into(), gate: gate.into() }
    }
}

impl From<&SavedFeedCounts> for FeedCounts {
    fn from(saved: &SavedFeedCounts) -> FeedCounts {
        let SavedFeedCounts { connection, decode, gate } = saved;
        FeedCounts { connection: connection.into(), decode: decode.into(), gate: gate.into() }
    }
}

impl SavedMessage {
    /// Rows are never saved here: none if the message has some.
    pub fn of(message: &Message) -> Option<SavedMessage> {
        match message {
            Message::End { at } => Some(SavedMessage::End { at: *at }),
            Message::Batch(batch) if batch.is_empty() => {
                Some(SavedMessage::Span { upto: batch.upto, clock: SavedClock::of(&batch.clock) })
            }
            Message::Batch(_) => None,
        }
    }

    pub fn message(&self, schema: &SchemaRef) -> Message {
        match self {
            SavedMessage::End { at } => Message::End { at: *at },
            SavedMessage::Span { upto, clock } => {
                let clock = clock.as_ref().map_or(Clock::None, SavedClock::clock);
                Message::Batch(merge::nothing(schema, *upto, clock))
            }
        }
    }
}

impl SavedClock {
    fn of(clock: &Clock) -> Option<SavedClock> {
        match clock {
            Clock::None => None,
            Clock::Gate { before, after, .. } | Clock::Steps { before, after, .. } => {
                Some(SavedClock { before: *before, after: *after, steps: clocks::steps(clock) })
            }
        }
    }

    fn clock(&self) -> Clock {
        Clock::Steps { before: self.before, after: self.after, at: self.steps.clone().into() }
    }
}

impl From<&NodeError> for SavedError {
    fn from(error: &NodeError) -> SavedError {
        let NodeError { code, message, help, span: _ } = error;
        SavedError { code: code.to_string(), message: message.clone(), help: help.clone() }
    }
}

impl From<&SavedError> for NodeError {
    fn from(saved: &SavedError) -> NodeError {
        let SavedError { code, message, help } = saved;
        NodeError { code: code.parse().unwrap_or(Code::R0001), message: message.clone(), help: help.clone(), span: None }
    }
}

/// Reasons that may come from a file; there are about a dozen, and what is more is one reason.
const REASONS_MAX: usize = 256;

/// The word as books have it, which live as long as the program.
fn known(word: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    match words.get(word) {
        Some(known) => known,
        None if words.len() >= REASONS_MAX => "other",
        None => {
            let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
            words.insert(word);
            word
        }
    }
}
