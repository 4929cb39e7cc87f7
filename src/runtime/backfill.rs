//! What nodes would remember, had they been there from the start: the wanted graph above them is run beside the running one,
//! over its sources read once more, from their beginning up to exactly the rows that the running ones have delivered. It has no
//! sinks, and what its windows let go is thrown away.
//!
//! The same rows in the same order give the same states, bit for bit. Rows of files and simulations that are read live come in
//! the order of their times, since the order of their arrival is not known any more; rows that come once are told by the log,
//! in the order in which they were drawn (see `past`).

mod feeds;
mod level;
mod past;
mod reached;
mod silent;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::ir::Connector;
use crate::node::{NodeError, State};
use crate::plan::{Again, Diff, Graph, NodeKey, NotAgain, Slot, again};

use super::engine::{Engine, Life, Phase, Progress, Settings};
use super::feed::{self, Parts, Side, SourceSpec};
use super::record::Meaning;

use feeds::{Ends, Limit, Limits, Reread};
use level::{Level, Stages};
use past::{Recall, Told};
use silent::Silent;

pub use reached::Reached;

/// A rebuild that is under way, or has reached the running graph.
pub struct Backfill {
    /// Runs the nodes whose sources can be read again, and all above them; none where there are none.
    engine: Option<Engine>,
    /// The other ones, as far as what came once is kept.
    past: Option<Recall>,
    /// As the edit wants it.
    wanted: Graph,
    /// The nodes whose state is wanted.
    keys: BTreeSet<NodeKey>,
    refused: BTreeMap<NodeKey, NotAgain>,
    graph: Graph,
    limits: Limits,
    /// What sources are called in the running graph, if they are there.
    names: BTreeMap<Name, Option<Name>>,
    stages: Stages,
    /// Sources whose live end cannot be read again; no harm as long as nothing has come live.
    mute: BTreeSet<Name>,
}

impl Engine {
    /// Brings a rebuild to where this graph stands.
    pub(super) fn catch_up(&mut self, backfill: &mut Backfill, parts: Option<&dyn Parts>) -> BTreeMap<NodeKey, State> {
        let written = self.log.as_mut().filter(|_| backfill.reads_log()).map_or(Ok(()), |log| log.write_out());
        if let Err(error) = written {
            backfill.forget_past(NotAgain::Failed(error.message));
        }
        backfill.bring_up(&self.reached(), parts)
    }
}

impl Backfill {
    /// Opens what has to be read again for the nodes of `wanted` that ask for it; `running` runs now. What cannot be rebuilt is
    /// known afterwards, with why.
    pub fn begin(
        settings: Settings,
        running: &Graph,
        reached: &Reached,
        wanted: &Graph,
        diff: &Diff,
        parts: &dyn Parts,
    ) -> Backfill {
        Backfill::begin_but(settings, running, reached, wanted, diff, parts, &BTreeMap::new())
    }

    /// The same, but nothing is read for nodes that `failed` says could not be rebuilt.
    pub(super) fn begin_but(
        settings: Settings,
        running: &Graph,
        reached: &Reached,
        wanted: &Graph,
        diff: &Diff,
        parts: &dyn Parts,
        failed: &BTreeMap<NodeKey, NotAgain>,
    ) -> Backfill {
        let live = settings.life == Life::Run && reached.phase == Phase::Live;
        let asking = diff.nodes.iter().filter(|(key, change)| change.asks_for_rows(&wanted.nodes[*key]));
        let mut found = Backfill::nothing(BTreeMap::new());
        let mut once = BTreeMap::new();
        for (key, _) in asking {
            let possible = failed.get(key).cloned().map_or_else(|| again(running, wanted, &diff.nodes, key, live), Err);
            match possible {
                Ok(Again::Sources) => _ = found.keys.insert(key.clone()),
                Ok(Again::Kept { reach: _, unless }) => _ = once.insert(key.clone(), unless),
                Err(why) => _ = found.refused.insert(key.clone(), why),
            }
        }
        found.wanted = wanted.clone();
        found.names = feed::sources(wanted).into_iter().map(|name| (name.clone(), was(diff, &name))).collect();
        found.stages = Stages::of(diff);
        found.open(settings, reached, wanted, parts);
        found.open_past(once, reached, parts);
        found
    }

    /// What came once is told by the log, where there is one.
    fn open_past(&mut self, once: BTreeMap<NodeKey, NotAgain>, reached: &Reached, parts: &dyn Parts) {
        if once.is_empty() {
            return;
        }
        let Some(history) = parts.history() else { return self.refused.extend(once) };
        let keys: Vec<NodeKey> = once.keys().cloned().collect();
        let graph = self.wanted.part(&keys);
        match feed::sources(&graph).into_iter().map(|name| self.told(&graph, name)).collect() {
            Ok(told) => {
                self.set_limits(reached);
                self.past = Some(Recall::new(history, once, graph, told, self.limits.clone()));
            }
            Err(why) => self.refused.extend(once.into_keys().map(|key| (key, NotAgain::clone(&why)))),
        }
    }

    fn told(&self, graph: &Graph, name: Name) -> Result<Told, NotAgain> {
        let was = self.names.get(&name).cloned().flatten();
        let spec = SourceSpec::of(graph, &name).zip(Meaning::of(graph, &name));
        let (Some(was), Some((spec, meaning))) = (was, spec) else {
            return Err(NotAgain::Failed(format!("`{name}` is new, and nothing is kept of it")));
        };
        let has_records = matches!(spec.end(Side::Live), Some(Connector::Http(_) | Connector::Stdin { .. }));
        let has_recording = spec.end(Side::Recorded).is_some();
        Ok(Told { name, was, meaning, has_records, has_recording })
    }

    /// Nothing is rebuilt, for these reasons.
    pub fn nothing(refused: BTreeMap<NodeKey, NotAgain>) -> Backfill {
        Backfill {
            engine: None,
            past: None,
            wanted: Graph::default(),
            keys: BTreeSet::new(),
            refused,
            graph: Graph::default(),
            limits: Limits::default(),
            names: BTreeMap::new(),
            stages: Stages::default(),
            mute: BTreeSet::new(),
        }
    }

    /// A source that cannot be opened takes with it the nodes that read it.
    fn open(&mut self, settings: Settings, reached: &Reached, wanted: &Graph, parts: &dyn Parts) {
        let mut ends = Ends::default();
        for name in feed::sources(&self.part(wanted)) {
            let Some(spec) = SourceSpec::of(wanted, &name) else { continue };
            let opened = self.tells(&name, reached).and_then(|()| ends.open(&spec, settings.life, parts));
            match opened {
                Ok(true) => {}
                Ok(false) => _ = self.mute.insert(name),
                Err(why) => self.refuse(wanted, &name, &why),
            }
        }
        if self.keys.is_empty() {
            return;
        }
        self.graph = self.part(wanted);
        self.set_limits(reached);
        let opened = Silent { parts, sources: Reread { ends: ends.into(), limits: self.limits.clone() } };
        let mut engine = Engine::empty(settings);
        engine.by_time = true;
        match engine.apply(&self.graph, &opened) {
            Ok(_) => self.engine = Some(engine),
            Err(wrong) => self.fail(NotAgain::Failed(words(&wrong))),
        }
    }

    fn part(&self, wanted: &Graph) -> Graph {
        let keys: Vec<NodeKey> = self.keys.iter().cloned().collect();
        wanted.part(&keys)
    }

    fn tells(&self, name: &Name, reached: &Reached) -> Result<(), NotAgain> {
        let running = self.names.get(name).cloned().flatten().and_then(|was| reached.sources.get(&was));
        match running {
            Some(reading) if !reading.told => Err(NotAgain::Failed(format!("`{name}` does not say how far it was read"))),
            Some(_) | None => Ok(()),
        }
    }

    fn refuse(&mut self, wanted: &Graph, source: &Name, why: &NotAgain) {
        let gate = NodeKey::of_file(source, Slot::Gate);
        let reads = |key: &NodeKey| wanted.part(std::slice::from_ref(key)).nodes.contains_key(&gate);
        let gone: Vec<NodeKey> = self.keys.iter().filter(|key| reads(key)).cloned().collect();
        for key in gone {
            self.keys.remove(&key);
            self.refused.insert(key, why.clone());
        }
    }

    fn fail(&mut self, why: NotAgain) {
        self.engine = None;
        self.refused.extend(std::mem::take(&mut self.keys).into_iter().map(|key| (key, why.clone())));
    }

    /// Is there anything to be read?
    pub fn is_needed(&self) -> bool {
        self.engine.is_some() || self.reads_log()
    }

    /// Is it told by the log of the run, which has to be written out before it can be read?
    pub fn reads_log(&self) -> bool {
        self.past.is_some()
    }

    /// Sources that are read again.
    pub fn sources(&self) -> Vec<Name> {
        feed::sources(&self.graph)
    }

    /// Reads on towards where the running graph stands, at most about so many rows. Gives how many are left; where it fails,
    /// everything that was to be rebuilt is refused. Without `parts` nothing is opened any more.
    pub fn work(&mut self, reached: &Reached, rows_max: usize, parts: Option<&dyn Parts>) -> u64 {
        let left = self.recall(reached, parts, rows_max == usize::MAX);
        left.max(self.reread(reached, rows_max))
    }

    /// How many rows of the log are left, unless nothing more of it is written by now.
    fn recall(&mut self, reached: &Reached, parts: Option<&dyn Parts>, all: bool) -> u64 {
        self.set_limits(reached);
        let level = self.level(reached);
        let Some(past) = &mut self.past else { return 0 };
        past.hold(level);
        past.work(reached.at, &self.wanted, parts, all).unwrap_or_else(|why| {
            self.forget_past(why);
            0
        })
    }

    fn forget_past(&mut self, why: NotAgain) {
        if let Some(past) = self.past.take() {
            self.refused.extend(past.keys.into_keys().map(|key| (key, why.clone())));
        }
    }

    fn reread(&mut self, reached: &Reached, rows_max: usize) -> u64 {
        self.set_limits(reached);
        let went_live = reached.phase == Phase::Live;
        if let Some(name) = self.mute.iter().next().filter(|_| went_live && self.engine.is_some()).cloned() {
            self.fail(NotAgain::Live(name));
        }
        let level = self.level(reached);
        let Some(engine) = &mut self.engine else { return 0 };
        level.hold(engine);
        let mut read = 0;
        let mut waits = false;
        while read < rows_max && !waits {
            match engine.step() {
                Progress::Rows(rows) => read += rows,
                Progress::Waiting | Progress::Blocked | Progress::Ended => waits = true,
            }
        }
        let wrong = engine.take_findings();
        let left = self.limits.left();
        if !wrong.is_empty() {
            self.fail(NotAgain::Failed(words(&wrong)));
        } else if waits && left > 0 {
            self.fail(NotAgain::Failed("its sources give fewer rows than before".to_owned()));
        }
        if self.engine.is_some() { left } else { 0 }
    }

    /// To where the running graph stands: time goes on as far as there, and the states are as they would be.
    fn bring_up(&mut self, reached: &Reached, parts: Option<&dyn Parts>) -> BTreeMap<NodeKey, State> {
        while self.work(reached, usize::MAX, parts) > 0 {}
        let clocks = self.clocks(reached);
        let mut states = self.recalled(reached, &clocks);
        let level = self.level(reached);
        let Some(engine) = &mut self.engine else { return states };
        engine.let_time_go_on(&clocks);
        level.rise(engine);
        let save = |key: &NodeKey| engine.slot_mut(key).map(|slot| slot.node.save().map(|state| (key.clone(), state)));
        let reread: Result<BTreeMap<NodeKey, State>, NodeError> = self.keys.iter().filter_map(save).collect();
        match reread {
            Ok(reread) => states.extend(reread),
            Err(error) => self.fail(NotAgain::Failed(error.message)),
        }
        states
    }

    fn recalled(&mut self, reached: &Reached, clocks: &BTreeMap<Name, Time>) -> BTreeMap<NodeKey, State> {
        let Some(past) = &mut self.past else { return BTreeMap::new() };
        match past.finish(reached.at, clocks) {
            Ok(states) => states,
            Err(why) => {
                self.forget_past(why);
                BTreeMap::new()
            }
        }
    }

    /// Where the rows came from that a node was rebuilt from.
    pub(super) fn again(&self, key: &NodeKey) -> Again {
        match self.past.as_ref().filter(|past| past.keys.contains_key(key)).and_then(Recall::reach) {
            Some(reach) => Again::Kept { reach, unless: NotAgain::Failed(String::new()) },
            None => Again::Sources,
        }
    }

    /// Why a node was not rebuilt; none where it was, or was never to be.
    pub(super) fn refusal(&self, key: &NodeKey) -> Option<&NotAgain> {
        self.refused.get(key)
    }

    /// Was it made for this node, as it is wanted?
    pub(super) fn is_for(&self, key: &NodeKey, wanted: &Graph) -> bool {
        let alike = |graph: &Graph| graph.nodes.get(key) == wanted.nodes.get(key);
        let is_recalled = self.past.as_ref().is_some_and(|past| past.keys.contains_key(key) && alike(&past.graph));
        self.refused.contains_key(key) || is_recalled || self.keys.contains(key) && alike(&self.graph)
    }

    fn clocks(&self, reached: &Reached) -> BTreeMap<Name, Time> {
        let running = self.names.iter().filter_map(|(name, was)| Some((name, reached.sources.get(was.as_ref()?)?)));
        running.filter_map(|(name, reading)| Some((name.clone(), reading.limit.clock?))).collect()
    }

    fn level(&self, reached: &Reached) -> Level {
        self.stages.level(|was| reached.stages.get(was).copied())
    }

    /// What is read now up to where it stands; a recording that was read before, to its end. The recording of a source that
    /// is new in a graph which runs live is read as if it had always been there.
    fn set_limits(&self, reached: &Reached) {
        let mut limits = BTreeMap::new();
        for (name, was) in &self.names {
            let running = was.as_ref().and_then(|was| reached.sources.get(was));
            let (recorded, live) = match running {
                Some(reading) if reading.side == Side::Recorded => (reading.limit, Limit::NOTHING),
                Some(reading) => (Limit { clock: reading.limit.clock, ..Limit::ALL }, reading.limit),
                None if reached.phase == Phase::Live => (Limit::ALL, Limit::NOTHING),
                None => (Limit::NOTHING, Limit::NOTHING),
            };
            limits.insert((name.clone(), Side::Recorded), recorded);
            limits.insert((name.clone(), Side::Live), live);
        }
        self.limits.set(limits);
    }
}

/// What a wanted source is called in the running graph.
fn was(diff: &Diff, name: &Name) -> Option<Name> {
    let gate = diff.nodes.get(&NodeKey::of_file(name, Slot::Gate))?;
    gate.from.as_ref().map(|from| from.decl.clone())
}

fn words(wrong: &[Diagnostic]) -> String {
    wrong.iter().map(|found| found.message.clone()).collect::<Vec<_>>().join("; ")
}
