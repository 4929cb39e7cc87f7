//! Rows that came once, seen once more: the log says who drew how much and when, journals and the log itself have the rows.
//!
//! The log is read from its oldest entry on. Where the sources of an earlier time are not those of now, or something is
//! missing, what was gathered until then is forgotten and it begins anew at the next place where the log says how all stood.
//! So what comes out is what the nodes would remember, had they been there since that moment.

mod begin;
mod meanings;
mod told;

use std::collections::BTreeMap;

use crate::base::{Name, Time};
use crate::node::{NodeError, Ordinal, State};
use crate::plan::{Graph, NodeKey, NotAgain, Reach};
use crate::runtime::engine::{Engine, Phase};
use crate::runtime::feed::Parts;
use crate::runtime::record::{CutRecord, DrawRecord, History, Meaning, Past, Record, RoundRecord, Standing, Wanted};

use super::feeds::Limits;
use super::level::Level;
use meanings::Meanings;

/// Entries of the log between two looks at where the running graph stands.
const ENTRIES_PER_LOOK: usize = 1_024;

/// A source by what it is called in the wanted graph and in the running one.
pub(super) struct Told {
    pub name: Name,
    pub was: Name,
    /// How its rows are read by the wanted graph.
    pub meaning: Meaning,
    /// Are its live records kept, so that they can be read differently from when they were drawn?
    pub has_records: bool,
    /// Has it a recording before them?
    pub has_recording: bool,
}

pub(super) struct Recall {
    history: Box<dyn History>,
    /// Read from it and still to be heeded.
    ahead: Option<Past>,
    /// The nodes whose state is wanted, with why it cannot be had where nothing is told.
    pub keys: BTreeMap<NodeKey, NotAgain>,
    /// They and all above them.
    pub graph: Graph,
    told: Vec<Told>,
    /// How sources read their rows where the log has been heeded to.
    meanings: Meanings,
    limits: Limits,
    level: Level,
    running: Option<Running>,
    /// Has the log said anywhere how all stood?
    told_once: bool,
    /// Why it could not begin where the log said how all stood.
    trouble: Option<String>,
}

/// Since the log said how all stood.
struct Running {
    engine: Engine,
    since: Reach,
    /// How far the log has been heeded, as the running graph counts.
    upto: Ordinal,
}

impl Recall {
    pub fn new(
        history: Box<dyn History>,
        keys: BTreeMap<NodeKey, NotAgain>,
        graph: Graph,
        told: Vec<Told>,
        limits: Limits,
    ) -> Recall {
        Recall {
            history,
            ahead: None,
            keys,
            graph,
            told,
            meanings: Meanings::default(),
            limits,
            level: Level::default(),
            running: None,
            told_once: false,
            trouble: None,
        }
    }

    /// Where the running stages stand by now.
    pub fn hold(&mut self, level: Level) {
        self.level = level;
        if let Some(running) = &mut self.running {
            self.level.hold(&mut running.engine);
        }
    }

    pub fn reach(&self) -> Option<Reach> {
        self.running.as_ref().map(|running| running.since)
    }

    /// Heeds some more of the log, up to this ordinal of the running graph. How many are left, unless nothing more is written
    /// by now. `wanted` is the whole graph of the edit.
    pub fn work(&mut self, until: Ordinal, wanted: &Graph, parts: Option<&dyn Parts>, all: bool) -> Result<u64, NotAgain> {
        let mut heeded = 0;
        while all || heeded < ENTRIES_PER_LOOK {
            let Some(past) = self.ahead.take().or_else(|| self.history.next()) else { return Ok(0) };
            if self.is_behind(&past, until, wanted) {
                self.ahead = Some(past);
                return Ok(0);
            }
            self.heed(past, parts).map_err(|error| NotAgain::Failed(error.message))?;
            heeded += 1;
        }
        let upto = self.running.as_ref().map_or(Ordinal(0), |running| running.upto);
        Ok(until.0.saturating_sub(upto.0).max(1))
    }

    /// Does it tell of what comes after this ordinal, or of the very edit that is being made?
    fn is_behind(&self, past: &Past, until: Ordinal, wanted: &Graph) -> bool {
        match past {
            Past::Record(Record::Round(round)) => round.upto > until,
            Past::Record(Record::Cut(cut)) => cut.at > until || cut.at == until && is_for(cut, wanted),
            Past::Record(Record::WentLive { at } | Record::Assigned { at, .. }) => *at > until,
            Past::Stands(standing) => standing.at > until,
            Past::Gap => false,
        }
    }

    fn heed(&mut self, past: Past, parts: Option<&dyn Parts>) -> Result<(), NodeError> {
        match past {
            Past::Stands(standing) => self.stands(&standing, parts),
            Past::Gap => self.running = None,
            Past::Record(Record::Round(round)) => return self.round(&round),
            Past::Record(Record::WentLive { at: _ }) => {
                if let Some(running) = &mut self.running {
                    running.engine.go_live();
                }
            }
            Past::Record(Record::Cut(cut)) => {
                let phase = self.running.as_ref().map_or(Phase::Live, |running| running.engine.phase());
                self.meanings.cut(&cut.wanted);
                let is_as_now = |told: &Told| self.meanings.of(&told.was).is_some_and(|then| told.can_tell(then, phase));
                if !self.told.iter().all(is_as_now) {
                    self.running = None;
                }
            }
            Past::Record(Record::Assigned { .. }) => {}
        }
        Ok(())
    }

    /// Goes on if the log goes on here, else begins here if it can.
    fn stands(&mut self, standing: &Standing, parts: Option<&dyn Parts>) {
        self.meanings.stands(standing);
        let can_tell = |told: &Told| self.meanings.of(&told.was).is_some_and(|then| told.can_tell(then, standing.phase));
        let is_as_now = self.told.iter().all(can_tell);
        if is_as_now && self.running.as_ref().is_some_and(|running| running.upto == standing.at) {
            return;
        }
        (self.running, self.told_once) = (None, true);
        let Some(parts) = parts.filter(|_| is_as_now) else { return };
        match begin::begin(standing, &self.graph, &self.told, &self.limits, parts) {
            Ok(mut engine) => {
                self.level.hold(&mut engine);
                let since = if standing.at == Ordinal(0) { Reach::All } else { Reach::Since(standing.taken) };
                self.running = Some(Running { engine, since, upto: standing.at });
            }
            Err(why) => self.trouble = Some(why),
        }
    }

    fn round(&mut self, round: &RoundRecord) -> Result<(), NodeError> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let begins = round.draws.first().map_or(running.upto, |draw| draw.first);
        if begins != running.upto {
            self.running = None;
            return Ok(());
        }
        running.upto = round.upto;
        let own = of_sources(round, &self.told);
        if own.draws.is_empty() && own.ended.is_empty() {
            return Ok(());
        }
        let engine = &mut running.engine;
        let round = engine.sequencer.retell(&own)?;
        engine.let_in(round);
        engine.carry();
        match engine.take_findings().into_iter().next() {
            Some(found) => Err(NodeError::new(found.code, found.message)),
            None => Ok(()),
        }
    }

    /// Everything up to this ordinal has been heeded: what the nodes remember, and since when.
    pub fn finish(&mut self, until: Ordinal, clocks: &BTreeMap<Name, Time>) -> Result<BTreeMap<NodeKey, State>, NotAgain> {
        let nothing = self.nothing();
        let running = self.running.as_mut().ok_or(nothing)?;
        if running.upto != until {
            let why = format!("the log tells of rows up to {}, and {} have come", running.upto.0, until.0);
            return Err(NotAgain::Failed(why));
        }
        running.engine.let_time_go_on(clocks);
        self.level.rise(&mut running.engine);
        let mut states = BTreeMap::new();
        for key in self.keys.keys() {
            let Some(slot) = running.engine.slot_mut(key) else { continue };
            let state = slot.node.save().map_err(|error| NotAgain::Failed(error.message))?;
            states.insert(key.clone(), state);
        }
        Ok(states)
    }

    fn nothing(&self) -> NotAgain {
        if let Some(unless) = self.keys.values().next().filter(|_| !self.told_once) {
            return unless.clone();
        }
        let names: Vec<String> = self.told.iter().map(|told| format!("`{}`", told.was)).collect();
        let why = self.trouble.clone().unwrap_or_else(|| "it was read differently since the log begins".to_owned());
        NotAgain::Failed(format!("nothing is kept of {} that reads as it does now: {why}", names.join(", ")))
    }
}

impl Told {
    /// Can rows that were drawn by this meaning be seen as they are read now?
    fn can_tell(&self, then: &Meaning, phase: Phase) -> bool {
        let reads_alike = then.decode == self.meaning.decode && then.gate == self.meaning.gate;
        let has_records = self.has_records && (phase == Phase::Live || !self.has_recording);
        then.connection == self.meaning.connection && (has_records || reads_alike)
    }
}

/// What a round brought from these sources, by the names that they have now.
fn of_sources(round: &RoundRecord, told: &[Told]) -> RoundRecord {
    let now = |was: &Name| told.iter().find(|told| told.was == *was).map(|told| told.name.clone());
    let draw = |draw: &DrawRecord| Some(DrawRecord { source: now(&draw.source)?, ..draw.clone() });
    RoundRecord {
        draws: round.draws.iter().filter_map(draw).collect(),
        ended: round.ended.iter().filter_map(now).collect(),
        failed: Vec::new(),
        upto: round.upto,
    }
}

/// Is it the change to this very graph?
fn is_for(cut: &CutRecord, wanted: &Graph) -> bool {
    match &cut.wanted {
        Wanted::Whole(graph) => graph == wanted,
        Wanted::Changed(patch) => patch.on(wanted) == *wanted,
    }
}
