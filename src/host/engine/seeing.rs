//! What the engine's thread does for those who look: it keeps their taps, and follows a row for whoever waits for it.

use std::sync::mpsc::SyncSender;

use crate::diag::Diagnostic;
use crate::runtime::{Phase, Progress, Sought, TapId};

use super::super::taps::{Seen, Taps};
use super::super::trace::{self, Following, Spot};
use super::Core;

/// An order of somebody who wants to see.
pub enum See {
    /// Looks at a place from now on.
    Tap {
        place: String,
        done: SyncSender<Result<TapId, Diagnostic>>,
    },
    /// What has passed there since the last look; none if the tap is gone.
    Look {
        id: TapId,
        done: SyncSender<Option<Seen>>,
    },
    Untap {
        id: TapId,
    },
    /// Where the rows of a source come in; of the only one, where none is named.
    Spot {
        source: Option<String>,
        done: SyncSender<Result<Spot, Diagnostic>>,
    },
    /// Follows a row when it comes.
    Trace {
        sought: Sought,
        found: Following,
        done: SyncSender<Result<(), Diagnostic>>,
    },
}

/// Who looks.
#[derive(Default)]
pub(super) struct Seers {
    taps: Taps,
    /// Who waits for a row.
    following: Option<Following>,
}

impl Core {
    pub(super) fn see(&mut self, see: See) {
        match see {
            See::Tap { place, done } => {
                let parts = self.parts.clone();
                let _ = done.send(self.seers.taps.open(&mut self.engine, parts.as_ref(), &self.sources, &place));
            }
            See::Look { id, done } => {
                let _ = done.send(self.seers.taps.look(&mut self.engine, id));
            }
            See::Untap { id } => self.seers.taps.close(&mut self.engine, id),
            See::Spot { source, done } => {
                let spot = trace::spot(&self.engine, self.parts.as_ref(), &self.sources, source.as_deref());
                let _ = done.send(spot);
            }
            See::Trace { sought, found, done } => {
                let _ = done.send(self.follow(sought, found));
            }
        }
    }

    fn follow(&mut self, sought: Sought, found: Following) -> Result<(), Diagnostic> {
        if self.seers.following.as_ref().is_some_and(Following::is_there) {
            return Err(trace::another_waits());
        }
        self.engine.trace(sought).map_err(trace::passed)?;
        self.seers.following = Some(found);
        Ok(())
    }

    /// If the row that somebody waits for has come.
    pub(super) fn tell_of_a_row(&mut self) {
        let Some(trace) = self.engine.take_trace() else { return };
        let Some(found) = self.seers.following.take() else { return };
        found.tell(trace::found(&self.engine, trace, &self.sources));
    }

    /// Rows that have passed are taken in before their node may go.
    pub(super) fn see_before_a_change(&mut self) {
        if !self.seers.taps.is_empty() {
            self.seers.taps.before_a_change(&mut self.engine);
        }
    }

    /// Taps go with their names.
    pub(super) fn see_after_a_change(&mut self) {
        self.seers.taps.after_a_change(&mut self.engine, self.parts.as_ref(), &self.sources);
    }

    /// Those who have gone without a word.
    pub(super) fn forget_who_is_gone(&mut self) {
        self.seers.taps.close_abandoned(&mut self.engine);
        if self.seers.following.take_if(|following| !following.is_there()).is_some() {
            self.engine.trace_no_more();
        }
    }

    /// What has come by now came while nothing was processed.
    pub(super) fn let_in_who_waited(&mut self) -> Option<u64> {
        if self.engine.phase() != Phase::Live {
            return None;
        }
        match self.engine.step() {
            Progress::Rows(rows) => Some(rows as u64),
            Progress::Waiting | Progress::Blocked | Progress::Ended => Some(0),
        }
    }
}
