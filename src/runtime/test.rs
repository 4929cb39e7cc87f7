//! Carries out a `test` block: given rows enter sources in memory, edits are cuts of the running graph, and what came out is
//! compared with what was expected.
//!
//! When the last rows have been given the sources end, as in a replay of exactly these rows; so windows that are still open
//! close before the expectations that follow.

mod compare;
mod given;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::Diagnostic;
use crate::ir::{self, Outlet, Read, Value};
use crate::plan::{Diff, Graph, Input, NodeKey};

use super::engine::{Engine, Progress, Settings};
use super::feed::Parts;
use super::layout::origin;
use super::rows::{Row, from_table};

use given::Memory;

/// Rows of one stream that a test keeps for its expectations.
pub const TEST_ROWS_MAX: usize = 1_000_000;

/// What a test's edits need from the language.
pub trait Recompile {
    /// The same file with this param set.
    ///
    /// # Errors
    /// What the compiler says.
    fn set(&mut self, param: &Name, value: &Value) -> Result<Graph, Vec<Diagnostic>>;

    /// Another file, relative to this one.
    ///
    /// # Errors
    /// What the compiler says.
    fn file(&mut self, path: &Name) -> Result<Graph, Vec<Diagnostic>>;
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: Name,
    /// None if it passed.
    pub failures: Vec<Failure>,
}

/// An expectation that was not met, or a step that could not be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub span: Span,
    /// One sentence.
    pub message: String,
    /// Expected and actual rows side by side, where rows were compared.
    pub table: Option<String>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs one test against a graph.
pub fn test(test: &ir::Test, graph: &Graph, parts: &dyn Parts, recompile: &mut dyn Recompile) -> Outcome {
    let failures = match Bench::start(test, graph, parts) {
        Err(failure) => vec![failure],
        Ok(bench) => bench.run(test, recompile),
    };
    Outcome { name: test.name.clone(), failures }
}

/// A running graph with its sources in memory, and what has been seen of its streams.
struct Bench<'a> {
    memory: Memory<'a>,
    engine: Engine,
    seen: BTreeMap<Read, Seen>,
    last_cut: Option<Diff>,
    span: Span,
}

/// What has passed a stream since the test began.
struct Seen {
    tap: NodeKey,
    rows: Vec<Row>,
}

impl<'a> Bench<'a> {
    fn start(test: &ir::Test, graph: &Graph, parts: &'a dyn Parts) -> Result<Bench<'a>, Failure> {
        let memory = Memory::new(graph, parts);
        let engine = Engine::start(Settings::default(), graph, &memory).map_err(|found| told(test.span, &found))?;
        let mut bench = Bench { memory, engine, seen: BTreeMap::new(), last_cut: None, span: test.span };
        for read in test.steps.iter().filter_map(read_by) {
            bench.watch(read)?;
        }
        Ok(bench)
    }

    /// Sees what passes a stream from now on.
    fn watch(&mut self, read: &Read) -> Result<(), Failure> {
        if !self.seen.contains_key(read) {
            let input = self.tap(read).ok_or_else(|| nothing_called(self.span, read))?;
            self.seen.insert(read.clone(), Seen { tap: input.node, rows: Vec::new() });
        }
        Ok(())
    }

    /// Puts a tap where the stream comes out. A sink is seen at its end.
    fn tap(&mut self, read: &Read) -> Option<Input> {
        let graph = self.engine.graph();
        let sink = NodeKey::of_file(&read.from, crate::plan::Slot::Accept);
        let at_sink = || graph.nodes.contains_key(&sink).then(|| Input { node: sink.clone(), outlet: Outlet::Rows });
        let input = origin(&graph.outlet(read).or_else(at_sink)?);
        self.engine.tap(&input, TEST_ROWS_MAX).then_some(input)
    }

    fn run(mut self, test: &ir::Test, recompile: &mut dyn Recompile) -> Vec<Failure> {
        let last_given = test.steps.iter().rposition(gives);
        let mut failures = Vec::new();
        for (nth, step) in test.steps.iter().enumerate() {
            if let Err(failure) = self.step(step, recompile) {
                failures.push(failure);
            }
            if last_given == Some(nth) {
                self.memory.close();
                self.carry();
            }
        }
        failures.extend(self.engine.take_findings().iter().map(|found| told(test.span, std::slice::from_ref(found))));
        failures
    }

    fn step(&mut self, step: &ir::Given, recompile: &mut dyn Recompile) -> Result<(), Failure> {
        match step {
            ir::Given::Rows { source, rows } => self.give(source, rows),
            ir::Given::Recorded { source, from, to } => self.give_recorded(source, *from, *to),
            ir::Given::EditParam { name, value } => self.apply(recompile.set(name, value)),
            ir::Given::Apply { path } => self.apply(recompile.file(path)),
            ir::Given::ExpectRows { stream, rows, within, span } => {
                compare::rows(self.rows(stream, *span)?, rows, *within, *span)
            }
            ir::Given::ExpectCount { stream, low, high, span } => {
                compare::count(&stream.from, self.rows(stream, *span)?.len() as u64, *low, *high, *span)
            }
            ir::Given::ExpectChanges { classes, span } => compare::changes(self.last_cut.as_ref(), classes, *span),
            ir::Given::ExpectLost { lost, doubled, span } => compare::lost(&self.engine, *lost, *doubled, *span),
            ir::Given::ExpectThat { condition: _, span } => Err(Failure {
                span: *span,
                message: "expecting a condition of a task is not in this version".to_owned(),
                table: None,
            }),
        }
    }

    fn give(&mut self, source: &Name, rows: &[Row]) -> Result<(), Failure> {
        self.memory.give(self.engine.graph(), source, rows).map_err(|error| self.failed(&error.message))?;
        self.carry();
        Ok(())
    }

    fn give_recorded(&mut self, source: &Name, from: u64, to: u64) -> Result<(), Failure> {
        self.memory.give_recorded(self.engine.graph(), source, from, to).map_err(|error| self.failed(&error.message))?;
        self.carry();
        Ok(())
    }

    fn apply(&mut self, wanted: Result<Graph, Vec<Diagnostic>>) -> Result<(), Failure> {
        let wanted = wanted.map_err(|found| told(self.span, &found))?;
        let cut = self.engine.apply(&wanted, &self.memory).map_err(|found| told(self.span, &found))?;
        self.last_cut = Some(cut.diff);
        // Taps follow their nodes; where a stream comes out elsewhere now, its tap moves.
        let reads: Vec<Read> = self.seen.keys().cloned().collect();
        for read in reads {
            if let Some(input) = self.tap(&read)
                && let Some(seen) = self.seen.get_mut(&read)
            {
                seen.tap = input.node;
            }
        }
        Ok(())
    }

    /// Everything that was given goes all the way.
    fn carry(&mut self) {
        loop {
            match self.engine.step() {
                Progress::Rows(_) => {}
                Progress::Waiting | Progress::Ended => break,
                // Sinks are in memory, and nobody waits for their rows.
                Progress::Blocked => self.engine.outboxes_mut().for_each(super::Outbox::drop_waiting),
            }
        }
        for seen in self.seen.values_mut() {
            let batches = self.engine.tapped(&seen.tap);
            seen.rows.extend(batches.iter().flat_map(|batch| from_table(&batch.rows)));
        }
    }

    fn rows(&self, read: &Read, span: Span) -> Result<&[Row], Failure> {
        self.seen.get(read).map(|seen| seen.rows.as_slice()).ok_or_else(|| nothing_called(span, read))
    }

    fn failed(&self, message: &str) -> Failure {
        Failure { span: self.span, message: message.to_owned(), table: None }
    }
}

fn gives(step: &ir::Given) -> bool {
    match step {
        ir::Given::Rows { .. } | ir::Given::Recorded { .. } => true,
        ir::Given::EditParam { .. }
        | ir::Given::Apply { .. }
        | ir::Given::ExpectRows { .. }
        | ir::Given::ExpectCount { .. }
        | ir::Given::ExpectChanges { .. }
        | ir::Given::ExpectLost { .. }
        | ir::Given::ExpectThat { .. } => false,
    }
}

fn read_by(step: &ir::Given) -> Option<&Read> {
    match step {
        ir::Given::ExpectRows { stream, .. } | ir::Given::ExpectCount { stream, .. } => Some(stream),
        ir::Given::Rows { .. }
        | ir::Given::Recorded { .. }
        | ir::Given::EditParam { .. }
        | ir::Given::Apply { .. }
        | ir::Given::ExpectChanges { .. }
        | ir::Given::ExpectLost { .. }
        | ir::Given::ExpectThat { .. } => None,
    }
}

fn told(span: Span, found: &[Diagnostic]) -> Failure {
    let messages: Vec<String> = found.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
    let span = found.iter().find_map(Diagnostic::span).unwrap_or(span);
    Failure { span, message: messages.join("; "), table: None }
}

fn nothing_called(span: Span, read: &Read) -> Failure {
    Failure { span, message: format!("no stream, source or sink is called `{}`", read.from), table: None }
}
