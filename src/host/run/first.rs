//! The first plan of a process in the history: what it begins with, where that is not what ran last.

use crate::node::Ordinal;
use crate::plan::{Graph, diff};

use super::super::history::{Draft, History, Outcome, changes};
use super::super::state::plans::Cause;
use super::Shell;

impl Shell {
    /// The first plan of this process, where it is another than the last one of the process before.
    pub(super) fn begin_history(&mut self) {
        if let Some(first) = self.first.take() {
            let draft = Draft { cause: Cause::Started, text: &self.ran, graph: &self.graph, aside: self.aside };
            let begun = self.history.begin(draft);
            let wrong = self.history.settle(Outcome { models: self.learning.answering(), ..first });
            self.find(begun.err().into_iter().chain(wrong));
        }
        self.set_aside(self.aside);
    }
}

/// Of a graph that is not what ran last.
pub(super) fn first_plan(history: &History, graph: &Graph, at: Ordinal) -> Option<Outcome> {
    let last = history.number().and_then(|last| history.load(last).ok());
    if last.as_ref().is_some_and(|last| last.graph == *graph) {
        return None;
    }
    let (changes, was) = changes(&diff(&last.map(|last| last.graph).unwrap_or_default(), graph));
    Some(Outcome { at, changes, was, ..Outcome::default() })
}
