//! One counter of ordinals for all rows that enter, and the order in which sources draw from it.
//!
//! A *round* lets sources draw in turn until it holds as many rows as a batch may. In a recording the row with the lowest
//! event time is next (ties by the source's name), so the ordinals are a function of the recordings and not of the size of
//! batches; live, whoever has something is next. A round then says to *every* open source how far it has got, with rows or
//! without, so no merge ever waits for an idle input. Sources that alternate row by row still hand over one batch a round.

mod again;

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;

use crate::base::{Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::node::{Batch, Clock, NodeError, Ordinal, Ordinals};

use super::feed::{Drawn, Feed, FeedCounts, Head, Side};
use super::merge;
use super::record::{DrawRecord, RoundRecord};

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

pub use again::Shortage;

#[derive(Default)]
pub struct Sequencer {
    pub(super) next: Ordinal,
    pub(super) sources: BTreeMap<Name, Source>,
    /// Whose turn it is when rows come as they come: after this one.
    pub(super) last: Option<Name>,
    /// Sources whose recording may have ended and that go on live: nobody waits for them meanwhile.
    going_on: BTreeSet<Name>,
}

/// A source that takes its turn.
pub struct Source {
    pub(super) feed: Box<dyn Feed>,
    /// Which end of it that is.
    pub(super) side: Side,
    /// Of feeds that it had before.
    before: FeedCounts,
    pub(super) ended: bool,
    /// How far its clock has got.
    pub(super) clock: Clock,
    schema: SchemaRef,
}

impl Source {
    pub fn new(feed: Box<dyn Feed>, side: Side, schema: SchemaRef) -> Source {
        Source { feed, side, before: FeedCounts::default(), ended: false, clock: Clock::still(Time::MIN), schema }
    }

    /// As it was: `before` are its counts so far, and the feed stands where it stood.
    pub fn restored(
        feed: Box<dyn Feed>,
        side: Side,
        before: FeedCounts,
        ended: bool,
        clock: Clock,
        schema: SchemaRef,
    ) -> Source {
        Source { feed, side, before, ended, clock, schema }
    }

    /// Of all feeds that it has had.
    pub(super) fn counts(&self) -> FeedCounts {
        let mut counts = self.before.clone();
        counts.add(&self.feed.counts());
        counts
    }

    /// Read from elsewhere from now on; its counts and its clock go on.
    pub fn with(self, feed: Box<dyn Feed>, side: Side, schema: SchemaRef) -> Source {
        let before = self.counts();
        Source { feed, side, before, ended: false, clock: self.clock, schema }
    }

    pub fn shaped(self, schema: SchemaRef) -> Source {
        Source { schema, ..self }
    }
}

/// What one round brought, with the span that it covers.
#[derive(Debug, Default)]
pub struct Round {
    pub upto: Ordinal,
    /// Of every source that was open: its rows, or none.
    pub drawn: Vec<(Name, Entered)>,
    /// Sources that have ended, after their rows.
    pub ended: Vec<Name>,
    pub failed: Vec<(Name, NodeError)>,
    /// In the order in which ordinals were drawn.
    pub draws: Vec<DrawRecord>,
    pub rows: usize,
}

/// What enters the graph from one source.
#[derive(Debug)]
pub struct Entered {
    pub rows: Batch,
    /// What could not be read, at the ordinals at which it was found.
    pub bad: Option<Batch>,
}

impl Round {
    /// As the log keeps it.
    pub fn record(&self) -> RoundRecord {
        let Round { upto, drawn: _, ended, failed, draws, rows: _ } = self;
        RoundRecord { draws: draws.clone(), ended: ended.clone(), failed: failed.clone(), upto: *upto }
    }
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

    /// All sources, to be put back under the names of another graph.
    pub fn take_sources(&mut self) -> BTreeMap<Name, Source> {
        std::mem::take(&mut self.sources)
    }

    pub fn put(&mut self, name: Name, source: Source) {
        self.sources.insert(name, source);
    }

    /// Another feed of the same source from now on. Counts, clock and row numbers go on.
    pub fn switch(&mut self, name: &Name, mut feed: Box<dyn Feed>) {
        if let Some(source) = self.sources.remove(name) {
            if let Some(before) = source.feed.position() {
                feed.follow(&before);
            }
            let schema = source.schema.clone();
            self.sources.insert(name.clone(), source.with(feed, Side::Live, schema));
        }
    }

    /// These have a live end that waits until the recordings have been read.
    pub fn go_on(&mut self, names: impl IntoIterator<Item = Name>) {
        self.going_on = names.into_iter().collect();
    }

    pub fn feed_mut(&mut self, name: &Name) -> Option<&mut Box<dyn Feed>> {
        self.sources.get_mut(name).map(|source| &mut source.feed)
    }

    pub fn has(&self, name: &Name) -> bool {
        self.sources.contains_key(name)
    }

    /// What stands at the head of every source. One that fails is found out when it is drawn from.
    pub fn heads(&mut self) -> Vec<(Name, Head)> {
        let head = |source: &mut Source| if source.ended { Head::Ended } else { source.feed.head().unwrap_or(Head::Waiting) };
        self.sources.iter_mut().map(|(name, source)| (name.clone(), head(source))).collect()
    }

    /// What sources have to say, each with its name.
    pub fn take_notes(&mut self) -> Vec<(Name, Diagnostic)> {
        let notes = self
            .sources
            .iter_mut()
            .flat_map(|(name, source)| source.feed.take_notes().into_iter().map(|note| (name.clone(), note)));
        notes.collect()
    }

    pub fn all_ended(&self) -> bool {
        self.sources.values().all(|source| source.ended)
    }

    pub fn counts(&self, name: &Name) -> FeedCounts {
        self.sources.get(name).map(Source::counts).unwrap_or_default()
    }

    /// Lets sources for which `open` holds draw. None if nothing came, not even an end.
    pub fn round(&mut self, order: Order, limits: RoundLimits, open: impl Fn(&Name) -> bool) -> Option<Round> {
        let mut round = Round { upto: self.next, ..Round::default() };
        let mut pieces: BTreeMap<Name, Vec<Entered>> = BTreeMap::new();
        // Who had nothing at his turn after all keeps nobody else from his.
        let mut dry: BTreeSet<Name> = BTreeSet::new();
        loop {
            let stop = limits.stop.map_or(usize::MAX, |stop| stop.0.saturating_sub(self.next.0) as usize);
            let room = limits.rows_max.saturating_sub(round.rows).min(stop);
            // A source ends where its last row stood, whatever the size of a round: so an end closes it.
            self.note_ends(&open, limits.until, &mut round);
            if room == 0 || !round.ended.is_empty() {
                break;
            }
            let Turn::Draw { source, until } = self.turn(order, |name| open(name) && !dry.contains(name)) else { break };
            let until = until.into_iter().chain(limits.until).min();
            match self.draw(&source, room, until, &mut round) {
                Some(entered) => {
                    // Time that went on without a row does so at the end of a span.
                    let silent = entered.rows.is_empty();
                    pieces.entry(source).or_default().push(entered);
                    if silent {
                        break;
                    }
                }
                None => _ = dry.insert(source),
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

    fn turn(&mut self, order: Order, open: impl Fn(&Name) -> bool) -> Turn {
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
    fn draw(&mut self, name: &Name, rows_max: usize, until: Option<Time>, round: &mut Round) -> Option<Entered> {
        let source = self.sources.get_mut(name)?;
        self.last = Some(name.clone());
        let first = self.next;
        match source.feed.take(rows_max, until, first) {
            Ok(drawn) => {
                let moved = drawn.rows.clock.after() > source.clock.after();
                let said = !drawn.rows.is_empty() || drawn.bad.is_some() || moved;
                if said {
                    round.draws.push(source.written(name, &drawn, first));
                }
                let entered = enter(drawn, first);
                source.clock = still(&entered.rows.clock);
                self.next = self.next.max(entered.rows.upto);
                round.rows += entered.rows.len();
                said.then_some(entered)
            }
            Err(error) => {
                source.ended = true;
                round.ended.push(name.clone());
                round.failed.push((name.clone(), error));
                None
            }
        }
    }

    /// A round in which only time goes on, to where each of these clocks stands. None where all have got there.
    pub fn silence(&mut self, clocks: &BTreeMap<Name, Time>) -> Option<Round> {
        let behind = |name: &Name, source: &Source| {
            let to = clocks.get(name).filter(|to| source.clock.after() < **to)?;
            (!matches!(source.clock, Clock::None)).then_some(*to)
        };
        let mut moved = false;
        for (name, source) in &mut self.sources {
            if let Some(to) = behind(name, source) {
                source.clock = Clock::still(to);
                moved = true;
            }
        }
        self.next = if moved { self.next.plus(1) } else { self.next };
        moved.then(|| self.close_round(Round { upto: self.next, ..Round::default() }, BTreeMap::new()))
    }

    /// One batch a source, all up to the same ordinal.
    pub(super) fn close_round(&mut self, mut round: Round, mut pieces: BTreeMap<Name, Vec<Entered>>) -> Round {
        round.upto = self.next;
        for (name, source) in &self.sources {
            let own = pieces.remove(name);
            let silent = source.ended && !self.going_on.contains(name);
            if own.is_none() && silent && !round.ended.contains(name) {
                continue;
            }
            match own.map_or(Ok(None), |own| one(own, round.upto)) {
                Ok(Some(drawn)) => round.drawn.push((name.clone(), drawn)),
                Ok(None) => {
                    let rows = merge::nothing(&source.schema, round.upto, source.clock.clone());
                    round.drawn.push((name.clone(), Entered { rows, bad: None }));
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

/// What could not be read stands at the draw's first ordinal; a draw that brought nothing else takes one for it.
pub(super) fn enter(drawn: Drawn, first: Ordinal) -> Entered {
    let Drawn { mut rows, bad, read: _ } = drawn;
    if bad.is_some() {
        rows.upto = rows.upto.max(first.plus(1));
    }
    let bad = bad.map(|bad| Batch {
        ordinals: Ordinals::Column(vec![first.0; bad.num_rows()].into()),
        rows: bad,
        upto: rows.upto,
        clock: rows.clock.clone(),
    });
    Entered { rows, bad }
}

/// Where a clock stands after what it covers.
pub(super) fn still(clock: &Clock) -> Clock {
    match clock {
        Clock::None => Clock::None,
        Clock::Gate { after, .. } | Clock::Steps { after, .. } => Clock::still(*after),
    }
}

/// All that one source drew in a round, in one batch.
fn one(pieces: Vec<Entered>, upto: Ordinal) -> Result<Option<Entered>, NodeError> {
    let failed = |error: arrow::error::ArrowError| NodeError::new(Code::R0001, error.to_string());
    let (rows, bad): (Vec<Batch>, Vec<Option<Batch>>) = pieces.into_iter().map(|entered| (entered.rows, entered.bad)).unzip();
    let until_now = |batch: Batch| Batch { upto, ..batch };
    let bad = merge::joined(bad.into_iter().flatten().collect()).map_err(failed)?.map(until_now);
    let rows = merge::joined(rows).map_err(failed)?.map(until_now);
    Ok(rows.map(|rows| Entered { rows, bad }))
}
