//! One row on its way through the graph.
//!
//! A row that is looked for is let in alone, between two parts of its round, so what every node's books say of that moment is
//! about this row and no other. Where a batch is cut changes nothing that anybody gets, so neither does this.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::ir::Outlet;
use crate::node::{Counts, Ordinal};
use crate::plan::{Input, NodeKey};

use super::engine::Engine;
use super::layout::origin;
use super::sequencer::{Entered, Round};
use super::slot::Slot;
use super::tap::{Tap, TapId, Tapped};

/// Rows that are kept of what one node lets go because of a row; of more, only the number.
pub const TRACE_ROWS_MAX: usize = 100;
/// Of the taps that a trace sets, on all nodes, for the moment of its row.
const TRACING: TapId = TapId(u64::MAX - 1);

/// Which row is waited for.
pub enum Sought {
    /// The row, or the record that cannot be read, that takes this ordinal.
    At(Ordinal),
    /// The next row of this source for which it gives a place in the batch.
    Next { source: Name, is_it: Is },
}

/// Which row of a batch is the one, if any.
pub type Is = Box<dyn FnMut(&RecordBatch) -> Option<usize> + Send>;

/// What became of a row.
#[derive(Clone, Debug)]
pub struct Trace {
    pub at: Ordinal,
    /// Where it came in.
    pub source: Name,
    /// One row, as it left the source; none where the record could not be read.
    pub row: Option<RecordBatch>,
    /// The record that could not be read: reason, raw text and origin.
    pub bad: Option<RecordBatch>,
    /// Of the nodes that did something because of it, each after those that it reads.
    pub steps: Vec<TraceStep>,
}

/// What one node did.
#[derive(Clone, Debug)]
pub struct TraceStep {
    pub node: NodeKey,
    /// Which of its inputs brought rows: they are the outputs of the steps before.
    pub from: Vec<Input>,
    pub fate: RowFate,
    /// What left it because of the row, by outlet.
    pub out: Vec<(Outlet, RecordBatch)>,
    /// Rows that left it and are not kept here.
    pub more: u64,
    /// What it noted of the row besides.
    pub noted: Vec<String>,
}

/// What became of what came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFate {
    /// Nothing came in: the row only moved the clock, and that let rows go.
    TimeWentOn,
    Passed,
    /// Kept in its state: a window's row, a row to learn from.
    Absorbed,
    /// It ended here, for this reason.
    Dropped(String),
    /// Of several rows, some of each.
    Divided {
        passed: u64,
        absorbed: u64,
        dropped: BTreeMap<String, u64>,
    },
}

/// The wish, and what has come of it.
#[derive(Default)]
pub(super) struct Tracing {
    sought: Option<Sought>,
    found: Option<Trace>,
}

/// A round with the row in its middle.
pub(super) struct Parted {
    pub before: Option<Round>,
    pub row: Round,
    pub after: Round,
    at: Ordinal,
    source: Name,
}

impl Engine {
    /// Follows this row when it comes. One at a time: a newer wish takes the place of one that still waits.
    ///
    /// # Errors
    /// The ordinal of the next row, if the one that is asked for has passed.
    pub fn trace(&mut self, sought: Sought) -> Result<(), Ordinal> {
        if let Sought::At(at) = sought
            && at < self.next()
        {
            return Err(self.next());
        }
        self.tracing = Tracing { sought: Some(sought), found: None };
        Ok(())
    }

    /// What has become of the row; none as long as it has not come.
    pub fn take_trace(&mut self) -> Option<Trace> {
        self.tracing.found.take()
    }

    pub fn trace_no_more(&mut self) {
        self.tracing = Tracing::default();
    }

    /// The round in three parts, if the row that is waited for is in it.
    pub(super) fn part(&mut self, round: Round, begins: Ordinal) -> Result<Parted, Round> {
        let Some(sought) = &mut self.tracing.sought else { return Err(round) };
        let Some((source, at)) = sought.find(&round) else { return Err(round) };
        self.tracing.sought = None;
        let (before, rest) = split(round, at);
        let (row, after) = split(rest, at.plus(1));
        Ok(Parted { before: (at > begins).then_some(before), row, after, at, source })
    }

    /// Lets the parts in one after the other, and looks what the one row does.
    pub(super) fn let_in_parted(&mut self, parted: Parted) {
        let Parted { before, row, after, at, source } = parted;
        if let Some(before) = before {
            self.let_in(before);
            self.carry();
        }
        let (entered, bad) = entered(&row, &source);
        let books: BTreeMap<NodeKey, Counts> = self.slots().map(|slot| (slot.key.clone(), slot.counts.clone())).collect();
        let keys: Vec<NodeKey> = books.keys().cloned().collect();
        for key in &keys {
            if let Some(slot) = self.slot_mut(key) {
                slot.taps.push(Tap::new(TRACING, None, TRACE_ROWS_MAX));
            }
        }
        self.let_in(row);
        self.carry();
        let seen: BTreeMap<NodeKey, Tapped> =
            keys.into_iter().filter_map(|key| Some((key.clone(), self.untap(TRACING, &key)?))).collect();
        let steps = self.slots().filter_map(|slot| step(slot, &books[&slot.key], &seen)).collect();
        self.tracing.found = Some(Trace { at, source, row: entered, bad, steps });
        self.let_in(after);
        self.carry();
    }
}

impl Sought {
    fn find(&mut self, round: &Round) -> Option<(Name, Ordinal)> {
        match self {
            Sought::At(at) => {
                let has = |entered: &Entered| {
                    let rows = [Some(&entered.rows), entered.bad.as_ref()];
                    rows.into_iter().flatten().any(|batch| batch.ordinals.to_column(batch.len()).contains(&at.0))
                };
                let (source, _) = round.drawn.iter().find(|(_, entered)| has(entered))?;
                Some((source.clone(), *at))
            }
            Sought::Next { source, is_it } => {
                let (_, entered) = round.drawn.iter().find(|(name, entered)| name == source && !entered.rows.is_empty())?;
                let row = is_it(&entered.rows.rows)?;
                Some((source.clone(), entered.rows.ordinals.get(row)))
            }
        }
    }
}

/// What a round says before this ordinal, and the rest; sources end in the rest.
fn split(round: Round, at: Ordinal) -> (Round, Round) {
    let Round { upto, drawn, ended, failed, draws: _, rows: _ } = round;
    let mut early = Round { upto: at.min(upto), ..Round::default() };
    let mut late = Round { upto, ended, failed, ..Round::default() };
    for (name, Entered { rows, bad }) in drawn {
        let (before, after) = rows.split(at);
        let (bad_before, bad_after) = bad.map(|bad| bad.split(at)).unzip();
        let some = |bad: Option<crate::node::Batch>| bad.filter(|bad| !bad.is_empty());
        early.drawn.push((name.clone(), Entered { rows: before, bad: some(bad_before) }));
        late.drawn.push((name, Entered { rows: after, bad: some(bad_after) }));
    }
    (early, late)
}

/// What the source brought in this part.
fn entered(row: &Round, source: &Name) -> (Option<RecordBatch>, Option<RecordBatch>) {
    let Some((_, Entered { rows, bad })) = row.drawn.iter().find(|(name, _)| name == source) else { return (None, None) };
    ((!rows.is_empty()).then(|| rows.rows.clone()), bad.as_ref().map(|bad| bad.rows.clone()))
}

/// None where the row did nothing.
fn step(slot: &Slot, before: &Counts, seen: &BTreeMap<NodeKey, Tapped>) -> Option<TraceStep> {
    let Tapped { batches, missed } = seen.get(&slot.key).cloned().unwrap_or_default();
    let input = slot.counts.input - before.input;
    if input == 0 && batches.is_empty() && missed == 0 {
        return None;
    }
    let brought = |input: &&Input| {
        let from = origin(input);
        seen.get(&from.node).is_some_and(|tapped| tapped.batches.iter().any(|(outlet, _)| *outlet == from.outlet))
    };
    Some(TraceStep {
        node: slot.key.clone(),
        from: slot.spec.inputs.iter().filter(brought).map(origin).collect(),
        fate: fate(&slot.counts, before),
        out: batches.into_iter().map(|(outlet, batch)| (outlet, batch.rows)).collect(),
        more: missed,
        noted: risen(&slot.counts.noted, &before.noted).into_keys().collect(),
    })
}

fn fate(now: &Counts, before: &Counts) -> RowFate {
    let (passed, absorbed) = (now.passed - before.passed, now.absorbed - before.absorbed);
    let dropped = risen(&now.dropped, &before.dropped);
    match (passed, absorbed, dropped.len()) {
        (0, 0, 0) => RowFate::TimeWentOn,
        (_, 0, 0) => RowFate::Passed,
        (0, _, 0) => RowFate::Absorbed,
        (0, 0, 1) => RowFate::Dropped(dropped.into_keys().next().unwrap_or_default()),
        _ => RowFate::Divided { passed, absorbed, dropped },
    }
}

/// By how much each has risen, where it has.
fn risen(now: &BTreeMap<&'static str, u64>, before: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    let by = |(reason, rows): (&&'static str, &u64)| {
        let more = rows - before.get(reason).copied().unwrap_or(0);
        (more > 0).then(|| ((*reason).to_owned(), more))
    };
    now.iter().filter_map(by).collect()
}
