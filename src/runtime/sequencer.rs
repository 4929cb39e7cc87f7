//! One counter of ordinals for all rows that enter, and the order in which sources draw from it.
//!
//! A *round* lets sources draw in turn until it holds as many rows as a batch may. In a recording the row with the lowest
//! event time is next (ties by the source's name), so the ordinals are a function of the recordings and not of the size of
//! batches; live, whoever has something is next. A round then says to *every* open source how far it has got, with rows or
//! without, so no merge ever waits for an idle input. Sources that alternate row by row still hand over one batch a round.

use std::collections::BTreeMap;

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::node::{Batch, Clock, NodeError, Ordinal};

use super::feed::{Drawn, Feed, FeedCounts, Head};
use super::merge;

/// How sources take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By event time.
    Recorded,
    /// As they come.
    Arrival,
}

/// What limits one round.
#[derive(Clone, Copy, Debug)]
pub struct RoundLimits {
    pub rows_max: usize,
    /// No ordinal from here on is drawn: where a cut stands.
    pub stop: Option<Ordinal>,
    /// No row later than this is drawn: `replay --until`.
    pub until: Option<Time>,
}

#[derive(Default)]
pub struct Sequencer {
    next: Ordinal,
    sources: BTreeMap<Name, Source>,
    /// Whose turn it is when rows come as they come: after this one.
    last: Option<Name>,
}

struct Source {
    feed: Box<dyn Feed>,
    /// Of feeds that it had before.
    before: FeedCounts,
    ended: bool,
    /// How far its clock has got.
    clock: Clock,
    schema: arrow::datatypes::SchemaRef,
}

/// What one round brought, with the span that it covers.
#[derive(Debug)]
pub struct Round {
    pub upto: Ordinal,
    /// Of every source that was open: its rows, or none.
    pub drawn: Vec<(Name, Drawn)>,
    /// Sources that have ended, after their rows.
    pub ended: Vec<Name>,
    pub failed: Vec<(Name, NodeError)>,
    pub rows: usize,
}

/// What a draw found.
enum Turn {
    Draw { source: Name, until: Option<Time> },
    Wait,
}

impl Sequencer {
    pub fn next(&self) -> Ordinal {
        self.next
    }

    /// Takes a source in, or gives it another feed. Its clock goes on from where it was.
    pub fn open(&mut self, name: Name, schema: arrow::datatypes::SchemaRef, feed: Box<dyn Feed>) -> Option<Box<dyn Feed>> {
        match self.sources.get_mut(&name) {
            Some(source) => {
                source.before.add(&source.feed.counts());
                source.ended = false;
                source.schema = schema;
                Some(std::mem::replace(&mut source.feed, feed))
            }
            None => {
                let source =
                    Source { feed, before: FeedCounts::default(), ended: false, clock: Clock::still(Time::MIN), schema };
                self.sources.insert(name, source);
                None
            }
        }
    }

    pub fn close(&mut self, name: &Name) -> Option<Box<dyn Feed>> {
        self.sources.remove(name).map(|source| source.feed)
    }

    pub fn feed_mut(&mut self, name: &Name) -> Option<&mut Box<dyn Feed>> {
        self.sources.get_mut(name).map(|source| &mut source.feed)
    }

    pub fn set_schema(&mut self, name: &Name, schema: arrow::datatypes::SchemaRef) {
        if let Some(source) = self.sources.get_mut(name) {
            source.schema = schema;
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.sources.keys()
    }

    pub fn has(&self, name: &Name) -> bool {
        self.sources.contains_key(name)
    }

    pub fn all_ended(&self) -> bool {
        self.sources.values().all(|source| source.ended)
    }

    pub fn counts(&self, name: &Name) -> FeedCounts {
        let Some(source) = self.sources.get(name) else { return FeedCounts::default() };
        let mut counts = source.before.clone();
        counts.add(&source.feed.counts());
        counts
    }

    /// Lets sources for which `open` holds draw. None if nothing came, not even an end.
    pub fn round(&mut self, order: Order, limits: RoundLimits, open: impl Fn(&Name) -> bool) -> Option<Round> {
        let mut round = Round { upto: self.next, drawn: Vec::new(), ended: Vec::new(), failed: Vec::new(), rows: 0 };
        let mut pieces: BTreeMap<Name, Vec<Drawn>> = BTreeMap::new();
        loop {
            let stop = limits.stop.map_or(usize::MAX, |stop| stop.0.saturating_sub(self.next.0) as usize);
            let room = limits.rows_max.saturating_sub(round.rows).min(stop);
            // A source ends where its last row stood, whatever the size of a round: so an end closes it.
            self.note_ends(&open, limits.until, &mut round);
            if room == 0 || !round.ended.is_empty() {
                break;
            }
            let Turn::Draw { source, until } = self.turn(order, &open) else { break };
            let until = until.into_iter().chain(limits.until).min();
            match self.draw(&source, room, until, &mut round) {
                Some(drawn) => pieces.entry(source).or_default().push(drawn),
                None => break,
            }
        }
        (!pieces.is_empty() || !round.ended.is_empty() || !round.failed.is_empty()).then(|| self.close_round(round, pieces))
    }

    fn note_ends(&mut self, open: &impl Fn(&Name) -> bool, until: Option<Time>, round: &mut Round) {
        for (name, source) in self.sources.iter_mut().filter(|(name, source)| !source.ended && open(name)) {
            let over = match source.feed.head() {
                Ok(Head::Ended) => true,
                Ok(Head::Row(time)) => time.zip(until).is_some_and(|(time, until)| time > until),
                Ok(Head::Waiting) => false,
                Err(error) => {
                    round.failed.push((name.clone(), error));
                    true
                }
            };
            if over {
                source.ended = true;
                round.ended.push(name.clone());
            }
        }
    }

    fn turn(&mut self, order: Order, open: &impl Fn(&Name) -> bool) -> Turn {
        let ready = self.sources.iter_mut().filter(|(name, source)| !source.ended && open(name));
        let heads = ready.filter_map(|(name, source)| match source.feed.head() {
            Ok(Head::Row(time)) => Some((time.unwrap_or(Time::MIN), name.clone())),
            Ok(Head::Waiting | Head::Ended) | Err(_) => None,
        });
        match order {
            Order::Recorded => earliest(heads.collect()),
            Order::Arrival => next_after(self.last.as_ref(), heads.map(|(_, name)| name).collect()),
        }
    }

    /// None if the source gave nothing at all, or failed.
    fn draw(&mut self, name: &Name, rows_max: usize, until: Option<Time>, round: &mut Round) -> Option<Drawn> {
        let source = self.sources.get_mut(name)?;
        self.last = Some(name.clone());
        match source.feed.take(rows_max, until, self.next) {
            Ok(drawn) => {
                let moved = drawn.rows.clock.after() > source.clock.after();
                source.clock = Clock::still(drawn.rows.clock.after());
                self.next = self.next.max(drawn.rows.upto);
                round.rows += drawn.rows.len();
                let said = !drawn.rows.is_empty() || drawn.bad.is_some() || moved;
                said.then_some(drawn)
            }
            Err(error) => {
                source.ended = true;
                round.ended.push(name.clone());
                round.failed.push((name.clone(), error));
                None
            }
        }
    }

    /// One batch a source, all up to the same ordinal.
    fn close_round(&mut self, mut round: Round, mut pieces: BTreeMap<Name, Vec<Drawn>>) -> Round {
        round.upto = self.next;
        for (name, source) in &self.sources {
            let own = pieces.remove(name);
            if own.is_none() && source.ended && !round.ended.contains(name) {
                continue;
            }
            match own.map_or(Ok(None), |own| one(own, round.upto)) {
                Ok(Some(drawn)) => round.drawn.push((name.clone(), drawn)),
                Ok(None) => {
                    let rows = merge::nothing(&source.schema, round.upto, source.clock.clone());
                    round.drawn.push((name.clone(), Drawn { rows, bad: None }));
                }
                Err(error) => round.failed.push((name.clone(), error)),
            }
        }
        round
    }
}

/// The source of the lowest head, until the next one's turn.
fn earliest(mut heads: Vec<(Time, Name)>) -> Turn {
    heads.sort();
    let mut heads = heads.into_iter();
    let Some((_, source)) = heads.next() else { return Turn::Wait };
    let until = heads.next().map(|(time, rival)| if source < rival { time } else { Time(time.0.saturating_sub(1)) });
    Turn::Draw { source, until }
}

fn next_after(last: Option<&Name>, names: Vec<Name>) -> Turn {
    let after = names.iter().find(|name| last.is_none_or(|last| *name > last));
    match after.or(names.first()) {
        Some(source) => Turn::Draw { source: source.clone(), until: None },
        None => Turn::Wait,
    }
}

/// All that one source drew in a round, in one batch.
fn one(pieces: Vec<Drawn>, upto: Ordinal) -> Result<Option<Drawn>, NodeError> {
    let failed = |error: arrow::error::ArrowError| NodeError::new(Code::R0001, error.to_string());
    let (rows, bad): (Vec<Batch>, Vec<Option<Batch>>) = pieces.into_iter().map(|drawn| (drawn.rows, drawn.bad)).unzip();
    let until_now = |batch: Batch| Batch { upto, ..batch };
    let bad = merge::joined(bad.into_iter().flatten().collect()).map_err(failed)?.map(until_now);
    let rows = merge::joined(rows).map_err(failed)?.map(until_now);
    Ok(rows.map(|rows| Drawn { rows, bad }))
}
