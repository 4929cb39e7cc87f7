//! An edge: a queue of messages on the way from one node's outlet to another node's input, and its books.

use std::collections::VecDeque;

use arrow::datatypes::SchemaRef;

use crate::base::Time;
use crate::node::{Batch, Clock, Message, Ordinal, Port};
use crate::plan::{Input, NodeKey};

use super::epoch::{SavedEdge, SavedMessage};

/// A node is stepped only while each of its edges holds fewer messages than this: backpressure, never loss. One call of a
/// node may put several messages, so an edge can hold this many and those of one call.
pub const EDGE_MESSAGES_MAX: usize = 8;

/// Owned by the node that reads it. Kept through a change of the graph if both ends are.
#[derive(Debug)]
pub struct Edge {
    pub from: Input,
    queue: VecDeque<Message>,
    /// Rows, since it was laid.
    pub sent: u64,
    pub received: u64,
    /// Where it ended, if it has.
    ended: Option<Ordinal>,
    /// How far its clock has got by what was received.
    after: Time,
}

/// The books of an edge: `sent = received + in_flight`, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeCounts {
    pub from: Input,
    pub to: NodeKey,
    pub port: Port,
    pub sent: u64,
    pub received: u64,
    pub in_flight: u64,
}

impl Edge {
    pub fn new(from: Input) -> Edge {
        Edge::begin(from, None)
    }

    /// Laid to a node that has ended there.
    pub fn begin(from: Input, ended: Option<Ordinal>) -> Edge {
        Edge { from, queue: VecDeque::new(), sent: 0, received: 0, ended, after: Time::MIN }
    }

    pub(super) fn save(&self) -> SavedEdge {
        let Edge { from, queue, sent, received, ended, after } = self;
        let waiting = queue.iter().filter_map(SavedMessage::of).collect();
        SavedEdge { from: from.clone(), sent: *sent, received: *received, ended: *ended, after: *after, waiting }
    }

    /// `schema` is that of its rows.
    pub(super) fn restore(&mut self, saved: &SavedEdge, schema: &SchemaRef) {
        let SavedEdge { from: _, sent, received, ended, after, waiting } = saved;
        (self.sent, self.received, self.ended, self.after) = (*sent, *received, *ended, *after);
        self.queue = waiting.iter().map(|message| message.message(schema)).collect();
    }

    pub fn push(&mut self, message: Message) {
        if let Message::Batch(batch) = &message {
            self.sent += batch.len() as u64;
        }
        self.queue.push_back(message);
    }

    /// The next message, with its rows received. An end is remembered.
    pub fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        match &message {
            Message::Batch(batch) => self.received += batch.len() as u64,
            Message::End { at } => self.ended = Some(*at),
        }
        Some(message)
    }

    /// Up to which ordinal the next message says everything; none if there is none, or it is the end.
    pub fn frontier(&self) -> Option<Ordinal> {
        match self.queue.front()? {
            Message::Batch(batch) => Some(batch.upto),
            Message::End { .. } => None,
        }
    }

    /// What the next message says before `at`; the rest stays.
    pub fn pop_before(&mut self, at: Ordinal) -> Option<Batch> {
        let batch = match self.queue.pop_front()? {
            Message::Batch(batch) if batch.upto <= at => batch,
            Message::Batch(batch) => {
                let (early, late) = batch.split(at);
                self.queue.push_front(Message::Batch(late));
                early
            }
            end @ Message::End { .. } => {
                self.queue.push_front(end);
                return None;
            }
        };
        self.received += batch.len() as u64;
        self.after = self.after.max(batch.clock.after());
        Some(batch)
    }

    /// All that it says up to `at`, where several messages may end: what time or an end has set free stands at an ordinal of
    /// which something was said already.
    pub fn pop_upto(&mut self, at: Ordinal) -> Vec<Batch> {
        let mut pieces: Vec<Batch> = self.pop_before(at).into_iter().collect();
        while self.frontier().is_some_and(|upto| upto <= at) {
            pieces.extend(self.pop_before(at));
        }
        pieces
    }

    /// The clock of an input that says nothing new.
    pub fn still(&self) -> Clock {
        Clock::still(self.after)
    }

    /// Takes an end that stands at its head.
    pub fn note_end(&mut self) {
        if let Some(Message::End { at }) = self.queue.front() {
            self.ended = Some(*at);
            self.queue.pop_front();
        }
    }

    pub fn ended(&self) -> Option<Ordinal> {
        self.ended
    }

    /// Ready for rows again: what ended upstream has been replaced by something that goes on.
    pub fn reopen(&mut self) {
        self.ended = None;
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.queue.len() < EDGE_MESSAGES_MAX
    }

    /// Rows on their way.
    pub fn in_flight(&self) -> u64 {
        let rows = |message: &Message| match message {
            Message::Batch(batch) => batch.len() as u64,
            Message::End { .. } => 0,
        };
        self.queue.iter().map(rows).sum()
    }

    pub fn balances(&self) -> bool {
        self.sent == self.received + self.in_flight()
    }

    pub fn counts(&self, to: &NodeKey, port: Port) -> EdgeCounts {
        EdgeCounts {
            from: self.from.clone(),
            to: to.clone(),
            port,
            sent: self.sent,
            received: self.received,
            in_flight: self.in_flight(),
        }
    }
}
