//! What of the sequencer is kept over a restart, and rounds that are made again.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::io::{Draw, Kept, Position};
use crate::node::{NodeError, Ordinal};
use crate::runtime::epoch::{SavedSource, standing};
use crate::runtime::feed::{Drawn, Side};
use crate::runtime::record::{DrawRecord, RoundRecord};

use super::{Entered, Round, Sequencer, Source, enter, still};

/// Rows that were drawn once and do not come again.
#[derive(Debug)]
pub struct Shortage {
    pub source: Name,
    pub rows: u64,
    /// None where the source simply has fewer.
    pub why: Option<NodeError>,
}

impl Source {
    /// A draw as the log keeps it, with the rows themselves where they cannot be read again.
    pub(super) fn written(&mut self, name: &Name, drawn: &Drawn, first: Ordinal) -> DrawRecord {
        let Drawn { rows, bad, read } = drawn;
        let silent = rows.is_empty() && bad.is_none();
        let keeps = self.feed.again().is_some_and(|again| !again.rereads());
        let draw = Draw {
            rows: rows.len() as u64,
            bad: bad.as_ref().map_or(0, |bad| bad.num_rows() as u64),
            read: *read,
            silence: silent.then(|| rows.clock.after()),
            kept: (keeps && !silent).then(|| Kept {
                rows: rows.rows.clone(),
                bad: bad.clone(),
                stands: self.feed.position().map(|position| position.input),
            }),
        };
        DrawRecord { source: name.clone(), first, draw }
    }

    fn redo(&mut self, record: &DrawRecord) -> Result<Drawn, NodeError> {
        let again = self.feed.again().ok_or_else(gone)?;
        again.redo(&record.draw, record.first)
    }
}

impl Sequencer {
    /// Begins to count here.
    pub fn stand(&mut self, next: Ordinal, last: Option<Name>) {
        (self.next, self.last) = (next, last);
    }

    pub fn last(&self) -> Option<&Name> {
        self.last.as_ref()
    }

    pub fn save(&self) -> Vec<SavedSource> {
        let saved = |(name, source): (&Name, &Source)| SavedSource {
            name: name.clone(),
            side: source.side,
            position: source.feed.position(),
            ended: source.ended,
            clock: standing(&source.clock),
            counts: (&source.counts()).into(),
        };
        self.sources.iter().map(saved).collect()
    }

    /// Nothing before these positions will be asked for again.
    pub fn acknowledge(&mut self, positions: &[(Name, Side, Position)]) {
        for (name, side, position) in positions {
            if let Some(source) = self.sources.get_mut(name).filter(|source| source.side == *side)
                && let Some(again) = source.feed.again()
            {
                again.acknowledge(position);
            }
        }
    }

    /// The rows of a round once more, numbered from where this one stands: read differently they may be others by now.
    ///
    /// # Errors
    /// If a source does not give them again.
    pub fn retell(&mut self, record: &RoundRecord) -> Result<Round, NodeError> {
        let (mut pieces, mut rows): (BTreeMap<Name, Vec<Entered>>, _) = (BTreeMap::new(), 0);
        for written in &record.draws {
            let first = self.next;
            let source = self.sources.get_mut(&written.source).ok_or_else(gone)?;
            let drawn = source.feed.again().ok_or_else(gone)?.redo(&written.draw, first)?;
            let entered = enter(drawn, first);
            source.clock = still(&entered.rows.clock);
            self.next = self.next.max(entered.rows.upto);
            rows += entered.rows.len();
            pieces.entry(written.source.clone()).or_default().push(entered);
        }
        for name in &record.ended {
            if let Some(source) = self.sources.get_mut(name) {
                source.ended = true;
            }
        }
        let round = Round { upto: self.next, ended: record.ended.clone(), rows, ..Round::default() };
        Ok(self.close_round(round, pieces))
    }

    /// The round that was written down: every source gives what it gave, at the ordinals that it had.
    pub fn redo(&mut self, record: &RoundRecord) -> (Round, Vec<Shortage>) {
        let (mut pieces, mut shortages): (BTreeMap<Name, Vec<Entered>>, _) = (BTreeMap::new(), Vec::new());
        let mut rows = 0;
        for written in &record.draws {
            let (name, wanted) = (&written.source, written.draw.rows);
            self.last = Some(name.clone());
            let drawn = self.sources.get_mut(name).ok_or_else(gone).and_then(|source| source.redo(written));
            let (got, why) = match drawn {
                Ok(drawn) => {
                    let entered = enter(drawn, written.first);
                    let got = entered.rows.len();
                    if let Some(source) = self.sources.get_mut(name) {
                        source.clock = still(&entered.rows.clock);
                    }
                    pieces.entry(name.clone()).or_default().push(entered);
                    (got, None)
                }
                Err(error) => (0, Some(error)),
            };
            rows += got;
            if why.is_some() || (got as u64) < wanted {
                shortages.push(Shortage { source: name.clone(), rows: wanted - got as u64, why });
            }
        }
        for name in &record.ended {
            if let Some(source) = self.sources.get_mut(name) {
                source.ended = true;
            }
        }
        self.next = record.upto;
        let RoundRecord { draws, ended, failed, upto } = record.clone();
        let round = Round { upto, drawn: Vec::new(), ended, failed, draws, rows };
        (self.close_round(round, pieces), shortages)
    }
}

fn gone() -> NodeError {
    NodeError::new(crate::diag::Code::R0105, "it is not there any more")
}
