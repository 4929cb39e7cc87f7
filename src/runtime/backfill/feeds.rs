//! Sources that are read once more, each up to a limit that moves as the running one goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::io::Position;
use crate::node::{NodeError, Ordinal};
use crate::plan::NotAgain;
use crate::runtime::clocks;
use crate::runtime::engine::Life;
use crate::runtime::feed::{Drawn, Feed, FeedCounts, Head, Parts, Side, SourceSpec};

use super::silent::Sources;

/// How far one end may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub rows: u64,
    /// Rows and what could not be read.
    pub records: u64,
    /// May its end be seen?
    pub ended: bool,
    /// Where the running clock stands, where there is one. A clock that got ahead of it, because a changed source waits less
    /// for late rows, would let windows go that are still to come.
    pub clock: Option<Time>,
}

impl Limit {
    pub const NOTHING: Limit = Limit { rows: 0, records: 0, ended: false, clock: None };
    pub const ALL: Limit = Limit { rows: u64::MAX, records: u64::MAX, ended: true, clock: None };
}

pub(super) type Which = (Name, Side);

/// Shared by whoever sets them and the feeds that keep them.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    limits: BTreeMap<Which, Limit>,
    /// Rows read, of ends that are open.
    read: BTreeMap<Which, u64>,
}

impl Limits {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, limits: BTreeMap<Which, Limit>) {
        self.table().limits = limits;
    }

    fn of(&self, which: &Which) -> Limit {
        self.table().limits.get(which).copied().unwrap_or(Limit::NOTHING)
    }

    fn note(&self, which: &Which, rows: u64) {
        self.table().read.insert(which.clone(), rows);
    }

    /// Where the running clock of this end stands, where there is one.
    pub fn clock(&self, which: &Which) -> Option<Time> {
        self.of(which).clock
    }

    /// Rows that are still to be read, as far as it is known how many there are.
    pub fn left(&self) -> u64 {
        let table = self.table();
        let left = |(which, read): (&Which, &u64)| {
            let limit = table.limits.get(which).map_or(0, |limit| limit.rows);
            if limit == u64::MAX { 0 } else { limit.saturating_sub(*read) }
        };
        table.read.iter().map(left).sum()
    }
}

/// Ends that have been opened once more and not been handed out yet.
#[derive(Default)]
pub(super) struct Ends(BTreeMap<Which, Box<dyn Feed>>);

impl Ends {
    /// Opens both ends of a source; false where its live end cannot be read again.
    pub fn open(&mut self, source: &SourceSpec, life: Life, parts: &dyn Parts) -> Result<bool, NotAgain> {
        let name = source.name();
        let failed = |error: NodeError| NotAgain::Failed(format!("`{name}` cannot be read again: {}", error.message));
        if source.end(Side::Recorded).is_some() {
            let recorded = parts.reread(source, Side::Recorded).map_err(failed)?;
            let recorded =
                recorded.ok_or_else(|| NotAgain::Failed(format!("the recording of `{name}` cannot be read again")))?;
            self.0.insert((name.clone(), Side::Recorded), recorded);
        }
        if life == Life::Replay || source.end(Side::Live).is_none() {
            return Ok(true);
        }
        let live = parts.reread(source, Side::Live).map_err(failed)?;
        let again = live.is_some();
        self.0.insert((name.clone(), Side::Live), live.unwrap_or_else(|| Box::new(Never)));
        Ok(again)
    }
}

/// Sources that are read again and kept within limits.
pub(super) struct Reread {
    pub ends: RefCell<Ends>,
    pub limits: Limits,
}

impl Sources for Reread {
    fn open(
        &self,
        _: &dyn Parts,
        source: &SourceSpec,
        side: Side,
        _: Option<&Position>,
    ) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let which = (source.name().clone(), side);
        let Some(feed) = self.ends.borrow_mut().0.remove(&which) else { return Ok(None) };
        self.limits.note(&which, 0);
        Ok(Some(Box::new(Limited { feed, which, limits: self.limits.clone(), stuck: None })))
    }
}

/// A feed that is read no further than its limit.
struct Limited {
    feed: Box<dyn Feed>,
    which: Which,
    limits: Limits,
    /// Reading on did not help up to this many records.
    stuck: Option<u64>,
}

impl Limited {
    fn position(&self) -> (u64, u64) {
        self.feed.position().map_or((0, 0), |position| (position.rows, position.records))
    }

    fn rows_left(&self) -> u64 {
        self.limits.of(&self.which).rows.saturating_sub(self.position().0)
    }

    /// What could not be read behind the last row was read as well.
    fn has_records_left(&self) -> bool {
        let limit = self.limits.of(&self.which).records;
        limit < u64::MAX && self.position().1 < limit && self.stuck != Some(limit)
    }
}

impl Feed for Limited {
    fn head(&mut self) -> Result<Head, NodeError> {
        let limit = self.limits.of(&self.which);
        let over = if limit.ended { Head::Ended } else { Head::Waiting };
        // Behind the limit nothing is asked for: a source may have died there, and its rows up to there are still good.
        if self.rows_left() == 0 && !self.has_records_left() {
            return Ok(over);
        }
        Ok(match self.feed.head()? {
            Head::Row(time) => Head::Row(time),
            Head::Waiting => Head::Waiting,
            Head::Ended => over,
        })
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let most = usize::try_from(self.rows_left()).unwrap_or(usize::MAX).min(rows_max);
        let before = self.position();
        let mut drawn = self.feed.take(most, until, first)?;
        if let Some(limit) = self.limits.of(&self.which).clock {
            drawn.rows.clock = clocks::held(drawn.rows.clock, limit);
        }
        if self.position() == before {
            self.stuck = Some(self.limits.of(&self.which).records);
        }
        self.limits.note(&self.which, self.position().0);
        Ok(drawn)
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        self.feed.retune(source)
    }

    fn counts(&self) -> FeedCounts {
        self.feed.counts()
    }

    fn position(&self) -> Option<Position> {
        self.feed.position()
    }

    fn follow(&mut self, before: &Position) {
        self.feed.follow(before);
    }
}

/// The live end of a source of which nothing has come yet, and that could not be read again if it had.
struct Never;

impl Feed for Never {
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(Head::Waiting)
    }

    fn take(&mut self, _: usize, _: Option<Time>, _: Ordinal) -> Result<Drawn, NodeError> {
        Err(NodeError::new(Code::R0001, "what cannot be read again was asked for rows"))
    }

    fn retune(&mut self, _: &SourceSpec) -> Result<(), NodeError> {
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        FeedCounts::default()
    }

    fn position(&self) -> Option<Position> {
        None
    }

    fn follow(&mut self, _: &Position) {}
}
