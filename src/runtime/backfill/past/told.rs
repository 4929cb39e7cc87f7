//! Sources whose draws are made again beside the running ones, with clocks that never get ahead of those.

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::io::{Draw, Position};
use crate::node::{NodeError, Ordinal};
use crate::runtime::clocks;
use crate::runtime::feed::{Again, Drawn, Feed, FeedCounts, Head, Parts, Side, SourceSpec};

use super::super::feeds::Limits;
use super::super::silent::Sources;

/// Sources that tell what was, from where the log says that they stood.
pub(super) struct Past {
    pub limits: Limits,
}

impl Sources for Past {
    fn open(
        &self,
        parts: &dyn Parts,
        source: &SourceSpec,
        side: Side,
        from: Option<&Position>,
    ) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let Some(from) = from else {
            let why = format!("it is not known where `{}` stood", source.name());
            return Err(NodeError::new(Code::R0105, why));
        };
        let Some(feed) = parts.past(source, side, from)? else { return Ok(None) };
        Ok(Some(Box::new(Told { feed, which: (source.name().clone(), side), limits: self.limits.clone() })))
    }
}

struct Told {
    feed: Box<dyn Feed>,
    which: (Name, Side),
    limits: Limits,
}

impl Feed for Told {
    /// Nothing comes but what is made again.
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(Head::Waiting)
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        self.feed.take(rows_max, until, first)
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

    fn again(&mut self) -> Option<&mut dyn Again> {
        Some(self)
    }
}

impl Again for Told {
    fn rereads(&self) -> bool {
        true
    }

    fn redo(&mut self, draw: &Draw, first: Ordinal) -> Result<Drawn, NodeError> {
        let again = self.feed.again();
        let again = again.ok_or_else(|| NodeError::new(Code::R0105, "its draws cannot be made again"))?;
        let mut drawn = again.redo(draw, first)?;
        if let Some(limit) = self.limits.clock(&self.which) {
            drawn.rows.clock = clocks::held(drawn.rows.clock, limit);
        }
        Ok(drawn)
    }

    fn acknowledge(&mut self, _: &Position) {}
}
