//! The log, made again from an epoch on: the same draws, cuts and models at the same ordinals, so that everything that follows
//! from them, rows of sinks included, is the same.

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::io::{Keep, Position};
use crate::ir;
use crate::node::{Node, NodeError};
use crate::plan::{NodeSpec, NotAgain};

use super::engine::Engine;
use super::epoch::Models;
use super::feed::{Deliver, Feed, Parts, Side, SourceSpec};
use super::prepare::Rebuild;
use super::record::{CutRecord, History, Record, RoundRecord};
use super::sequencer::Shortage;

impl Engine {
    /// Makes one entry of the log again. What could not be made again is among the findings.
    ///
    /// # Errors
    /// If a cut cannot be made any more; then the graph before it runs on, and the rest of the log is of no use.
    pub fn redo(&mut self, record: Record, parts: &dyn Parts, models: &mut Models<'_>) -> Result<(), Vec<Diagnostic>> {
        match record {
            Record::Round(round) => self.redo_round(&round),
            Record::WentLive { at: _ } => _ = self.go_live(),
            Record::Cut(cut) => {
                let CutRecord { at: _, wanted, opened, not_rebuilt } = *cut;
                let graph = wanted.on(&self.graph);
                let failed = not_rebuilt.into_iter().map(|(key, why)| (key, NotAgain::Failed(why)));
                self.apply_with(&graph, &Opened { parts, opened }, Rebuild::AllBut(failed.collect()))?;
            }
            Record::Assigned { task, at: _, version } => {
                let model = version.as_ref().and_then(|version| models(&task, version));
                if let (Some(version), None) = (&version, &model) {
                    self.find(super::epoch::model_gone(&task, version));
                }
                self.assign(&task, model);
            }
        }
        Ok(())
    }

    fn redo_round(&mut self, record: &RoundRecord) {
        let (round, shortages) = self.sequencer.redo(record);
        for Shortage { source, rows, why } in shortages {
            self.find(not_again(&source, rows, why.as_ref()));
        }
        self.let_in(round);
        self.carry();
    }
}

/// Parts whose sources are opened where a cut found them.
struct Opened<'a> {
    parts: &'a dyn Parts,
    opened: Vec<(Name, Side, Position)>,
}

impl Parts for Opened<'_> {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.parts.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.parts.bad()
    }

    fn deliver(&self, sink: &NodeSpec, keep: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        self.parts.deliver(sink, keep)
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let known = self.opened.iter().find(|(name, end, _)| name == source.name() && *end == side);
        self.parts.feed(source, side, from.or(known.map(|(_, _, position)| position)))
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.parts.reread(source, side)
    }

    fn past(&self, source: &SourceSpec, side: Side, from: &Position) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.parts.past(source, side, from)
    }

    fn history(&self) -> Option<Box<dyn History>> {
        self.parts.history()
    }
}

fn not_again(source: &Name, rows: u64, why: Option<&NodeError>) -> Diagnostic {
    let why = why.map_or_else(|| "it has changed since".to_owned(), |error| error.message.clone());
    let message = format!("{rows} rows that `{source}` gave before the restart do not come again: {why}");
    Diagnostic::new(Code::R0105, message).help("what was made of them since the last epoch is missing from here on")
}
