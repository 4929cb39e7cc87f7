//! How far a running graph has got: what a rebuild beside it has to catch up with.

use std::collections::BTreeMap;

use crate::base::{Name, Time};
use crate::node::Ordinal;
use crate::plan::{NodeKey, Slot};
use crate::runtime::engine::{Engine, Phase};
use crate::runtime::epoch::standing;
use crate::runtime::feed::Side;
use crate::runtime::slot::Stand;

use super::feeds::Limit;
use super::level::is_stage;

/// How far a running graph has read its sources.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The ordinal of the next row.
    pub(super) at: Ordinal,
    pub(super) phase: Phase,
    pub(super) sources: BTreeMap<Name, Reading>,
    pub(super) stages: BTreeMap<NodeKey, Stand>,
}

/// How far one of them was read, at the end that is read now.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub side: Side,
    pub limit: Limit,
    /// Does it say how far it was read?
    pub told: bool,
}

impl Reached {
    /// Rows that its sources have delivered, at the ends that are read now.
    pub fn rows(&self) -> u64 {
        self.sources.values().map(|reading| reading.limit.rows).sum()
    }
}

impl Engine {
    /// How far it has read by now. A source that is read from elsewhere begins with a clock of its own, but what reads it does
    /// not go back: its gate knows how far time has got.
    pub fn reached(&self) -> Reached {
        let gates = self.slots().filter(|slot| slot.key.slot == Slot::Gate);
        let floors: BTreeMap<&Name, Time> = gates.map(|slot| (&slot.key.decl, slot.floor())).collect();
        let sources = self.sequencer.sources.iter().map(|(name, source)| {
            let position = source.feed.position();
            let (rows, records) = position.as_ref().map_or((0, 0), |position| (position.rows, position.records));
            let floor = floors.get(name).copied().unwrap_or(Time::MIN);
            let clock = standing(&source.clock).map(|clock| clock.max(floor));
            let limit = Limit { rows, records, ended: source.ended, clock };
            (name.clone(), Reading { side: source.side, limit, told: position.is_some() })
        });
        let stages = self.slots().filter(|slot| is_stage(&slot.key));
        let stages = stages.filter_map(|slot| Some((slot.key.clone(), slot.stand()?))).collect();
        Reached { at: self.next(), phase: self.phase, sources: sources.collect(), stages }
    }
}
