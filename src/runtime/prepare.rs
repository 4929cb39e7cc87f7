//! Everything of a change that can fail, done beside the running graph: nodes are built, sources opened, states tried on
//! copies. Dropping what was prepared is the abort, and leaves no trace.

mod takeover;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::io::Position;
use crate::ir;
use crate::node::{Node, NodeError, State};
use crate::plan::{Change, Class, Diff, Graph, NodeKey, NodeOp, NodeSpec, NotAgain, Patch, Slot, diff};

use super::audit::placed;
use super::backfill::Backfill;
use super::engine::{Engine, Life, Phase};
use super::feed::{self, Feed, Parts, Side, SourceSpec};
use super::guard::{Guarded, guarded};
use super::layout::{is_stepped, outlet_schema};
use super::pass;

/// A change that is ready: nothing in it can fail any more but a transfer of state.
pub struct Prepared {
    pub(super) generation: u64,
    pub(super) graph: Graph,
    pub(super) diff: Diff,
    /// Of every node that is not left as it stands.
    pub(super) ways: BTreeMap<NodeKey, Way>,
    /// Does every node stand where it stood, and read what it read?
    pub(super) stays: bool,
    /// How the graph is different from the one that runs.
    pub(super) patch: Patch,
    /// What changes, by the names that people use.
    pub(super) entries: BTreeMap<Name, Name>,
    pub(super) sources: BTreeMap<Name, Ends>,
    /// The columns of bad outlets.
    pub(super) bad: ir::Schema,
    /// What nodes would remember, had they been there from the start.
    pub(super) backfill: Backfill,
    /// What was to be rebuilt and failed, with why.
    pub(super) not_rebuilt: Vec<(NodeKey, String)>,
}

/// How what nodes remember is rebuilt from the rows so far.
pub enum Rebuild {
    /// In one go, while nothing else is done.
    Now,
    /// It was read beside the running graph, but for the last rows.
    With(Box<Backfill>),
    /// Not at all.
    Not(NotAgain),
    /// In one go, but for what failed when the same change was made before.
    AllBut(BTreeMap<NodeKey, NotAgain>),
}

/// How a node of the wanted graph comes to be.
pub(super) enum Way {
    /// As it is.
    Keep,
    /// Its meaning changes in place.
    Retune,
    /// A new node takes over the state of the old one, in the state's portable form.
    Carry(Box<dyn Node>),
    /// A new node takes over what it can read of the state of the old one, entry by entry; those that are anew begin empty,
    /// or as they were rebuilt.
    Migrate { node: Box<dyn Node>, anew: BTreeSet<Name>, rebuilt: bool },
    /// A new node remembers what it would, had it been there from the start.
    Rebuild(Box<dyn Node>),
    /// A new node begins with the state of a running one, which goes on by itself.
    Fork(Box<dyn Node>, NodeKey),
    /// A new node that remembers nothing.
    Fresh(Box<dyn Node>),
}

/// How a source of the wanted graph comes to be.
pub(super) struct Ends {
    /// Its name in the running graph.
    pub was: Option<Name>,
    /// A newly opened end, in place of the one that is read now, and which of the two it is.
    pub now: Option<Box<dyn Feed>>,
    pub side: Side,
    /// The same for the live end that waits until the recordings have been read.
    pub live: Option<Box<dyn Feed>>,
    /// Ends that stay read their columns or their time differently.
    pub retune: bool,
}

/// Builds what `wanted` needs beyond what runs. The running graph is not touched: the states that are tried are saved, which
/// leaves their nodes as they were. All that is wrong is reported, not only the first.
///
/// # Errors
/// Everything that keeps the change from being made; nothing of it remains.
pub fn prepare(engine: &mut Engine, wanted: &Graph, parts: &dyn Parts) -> Result<Prepared, Vec<Diagnostic>> {
    prepare_with(engine, wanted, parts, Rebuild::Now)
}

/// The same, with what was rebuilt beside the running graph.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(
    engine: &mut Engine,
    wanted: &Graph,
    parts: &dyn Parts,
    rebuild: Rebuild,
) -> Result<Prepared, Vec<Diagnostic>> {
    let mut diff = diff(&engine.graph, wanted);
    let bad = parts.bad();
    let mut wrong: Vec<Diagnostic> = diff.rejected().map(|key| rejected(key, wanted)).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut backfill = backfill(engine, wanted, &diff, parts, rebuild);
    let rebuilt = engine.catch_up(&mut backfill, Some(parts));
    let not_rebuilt = settle(&mut diff, wanted, &backfill, &rebuilt);
    let mut ways = BTreeMap::new();
    let mut builder = Builder { engine, wanted, parts, bad: &bad, rebuilt };
    for (key, change) in diff.nodes.iter_mut().filter(|(key, _)| is_stepped(&wanted.nodes[*key])) {
        match builder.way(key, change) {
            Ok(Way::Keep) if builder.is_left(key, change) => {}
            Ok(way) => _ = ways.insert(key.clone(), way),
            Err(found) => wrong.push(found),
        }
    }
    let mut sources = BTreeMap::new();
    for name in feed::sources(wanted) {
        match builder.ends(&name, &diff) {
            Ok(ends) => _ = sources.insert(name, ends),
            Err(found) => wrong.push(found),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    // A source that is opened elsewhere wakes up all that reads it.
    let stays = stands(&engine.graph, wanted, &diff) && sources.values().all(|ends| ends.now.is_none());
    let entries = diff.listed().into_iter().map(|listed| (listed.name.into(), listed.class.word().into())).collect();
    let (generation, graph, patch) = (engine.generation, wanted.clone(), Patch::between(&engine.graph, wanted));
    Ok(Prepared { generation, graph, patch, diff, ways, stays, entries, sources, bad, backfill, not_rebuilt })
}

/// Does every node of the wanted graph run already, in its place, and read what it reads?
fn stands(running: &Graph, wanted: &Graph, diff: &Diff) -> bool {
    let is_there = |(key, spec): (&NodeKey, &NodeSpec)| {
        diff.nodes[key].from.as_ref() == Some(key) && running.nodes.get(key).is_some_and(|old| old.inputs == spec.inputs)
    };
    running.nodes.len() == wanted.nodes.len() && wanted.nodes.iter().all(is_there)
}

/// At a start there is nothing that anybody could remember.
fn backfill(engine: &Engine, wanted: &Graph, diff: &Diff, parts: &dyn Parts, rebuild: Rebuild) -> Backfill {
    let asking = || diff.nodes.iter().filter(|(key, change)| change.asks_for_rows(&wanted.nodes[*key])).map(|(key, _)| key);
    match rebuild {
        _ if engine.graph.nodes.is_empty() => Backfill::nothing(BTreeMap::new()),
        Rebuild::Now => Backfill::begin(engine.settings, &engine.graph, &engine.reached(), wanted, diff, parts),
        Rebuild::AllBut(failed) => {
            Backfill::begin_but(engine.settings, &engine.graph, &engine.reached(), wanted, diff, parts, &failed)
        }
        Rebuild::With(backfill) => *backfill,
        Rebuild::Not(why) => Backfill::nothing(asking().map(|key| (key.clone(), why.clone())).collect()),
    }
}

/// What becomes of what every node remembers, now that it is known what could be read again. Gives what failed to be: a
/// restart that makes the change again must not find it after all.
fn settle(diff: &mut Diff, wanted: &Graph, backfill: &Backfill, rebuilt: &BTreeMap<NodeKey, State>) -> Vec<(NodeKey, String)> {
    let mut failed = Vec::new();
    for (key, change) in &mut diff.nodes {
        let spec = &wanted.nodes[key];
        if change.asks_for_rows(spec) {
            let again = match backfill.refusal(key) {
                Some(why) => Err(why.clone()),
                None if rebuilt.contains_key(key) && backfill.is_for(key, wanted) => Ok(backfill.again(key)),
                None => Err(NotAgain::Failed("another change came in between".to_owned())),
            };
            if let Err(NotAgain::Failed(why)) = &again {
                failed.push((key.clone(), why.clone()));
            }
            change.settle(spec, again);
        }
    }
    failed
}

struct Builder<'a> {
    engine: &'a mut Engine,
    wanted: &'a Graph,
    parts: &'a dyn Parts,
    bad: &'a ir::Schema,
    /// What nodes would remember, had they been there from the start.
    rebuilt: BTreeMap<NodeKey, State>,
}

impl Builder<'_> {
    fn way(&mut self, key: &NodeKey, change: &mut Change) -> Result<Way, Diagnostic> {
        let spec = &self.wanted.nodes[key];
        // A gate's rows are made at the edge; in the graph it only lets them pass.
        if change.from.is_some() && matches!(spec.op, NodeOp::Gate(_)) {
            return Ok(Way::Keep);
        }
        if let Some(original) = &change.forks {
            return self.forking(key, original);
        }
        let before = change.from.as_ref().map(|from| self.engine.graph.nodes[from].hashes.state);
        let reshaped = before.is_some_and(|before| before != spec.hashes.state);
        if takeover::takes_over(spec, change, reshaped) && !self.engine.graph.nodes.is_empty() {
            return self.taking_over(key, change);
        }
        match change.class {
            Class::Same | Class::Rewired if !self.is_reshaped(key, change) => Ok(Way::Keep),
            Class::Same | Class::Rewired | Class::Retuned | Class::Migrated => self.keeping(key, change),
            Class::Stale if matches!(spec.op, NodeOp::Stage(_)) => self.keeping(key, change),
            Class::Stale | Class::Shadowed | Class::Reset(_) | Class::Added | Class::Removed => {
                Ok(Way::Fresh(self.build(key)?))
            }
        }
    }

    /// Is there nothing at all to be done about it?
    fn is_left(&self, key: &NodeKey, change: &Change) -> bool {
        // Where it goes on from a hidden copy, another node stands in its place.
        let in_place = change.from.as_ref() == Some(key);
        let wanted = &self.wanted.nodes[key];
        let as_before = in_place && self.engine.graph.nodes.get(key).is_some_and(|old| old.is_written_as(wanted));
        change.class == Class::Same && as_before && !self.is_reshaped(key, change)
    }

    /// Do its rows have other columns than before, or do those that it reads? A node knows its columns by their places.
    fn is_reshaped(&self, key: &NodeKey, change: &Change) -> bool {
        let inputs = |graph: &Graph, key: &NodeKey| input_schemas(graph, &graph.nodes[key], self.bad);
        let before = change.from.as_ref().map(|from| inputs(&self.engine.graph, from));
        change.reshaped || before != Some(inputs(self.wanted, key))
    }

    /// In place where the node can, and only its parameters changed; else a new node takes over the state, if it reads it.
    fn keeping(&mut self, key: &NodeKey, change: &Change) -> Result<Way, Diagnostic> {
        let new = self.build(key)?;
        let reshaped = self.is_reshaped(key, change);
        // What failed in the middle of a batch remembers half of it.
        let whole = change.from.as_ref().and_then(|from| self.engine.slot_mut(from)).filter(|slot| slot.failed.is_none());
        let Some(slot) = whole else { return Ok(Way::Fresh(new)) };
        if change.class == Class::Retuned && !reshaped && slot.node.retune().is_some() {
            return Ok(Way::Retune);
        }
        match transfer(slot.node.as_mut(), new) {
            Some(new) => Ok(Way::Carry(new)),
            None if self.wanted.nodes[key].on_change == ir::OnChange::Reject => Err(rejected(key, self.wanted)),
            None => Ok(Way::Fresh(self.build(key)?)),
        }
    }

    fn forking(&mut self, key: &NodeKey, original: &NodeKey) -> Result<Way, Diagnostic> {
        let new = self.build(key)?;
        let state = self.engine.slot_mut(original).and_then(|slot| transfer(slot.node.as_mut(), new));
        match state {
            Some(new) => Ok(Way::Fork(new, original.clone())),
            None => Ok(Way::Fresh(self.build(key)?)),
        }
    }

    fn build(&self, key: &NodeKey) -> Result<Box<dyn Node>, Diagnostic> {
        build(self.wanted, key, self.parts, self.bad)
    }

    fn ends(&mut self, name: &Name, diff: &Diff) -> Result<Ends, Diagnostic> {
        let Some(new) = SourceSpec::of(self.wanted, name) else { return Ok(Ends::none()) };
        let was = diff.nodes.get(&NodeKey::of_file(name, Slot::Gate)).and_then(|change| change.from.clone());
        let was = was.map(|gate| gate.decl).filter(|was| self.engine.sequencer.has(was));
        let old = was.as_ref().and_then(|was| SourceSpec::of(&self.engine.graph, was));
        let settings = (self.engine.settings.life, self.engine.phase);
        let open = |side| guarded(|| self.parts.feed(&new, side, None)).map_err(|error| cannot_open(&new, &error, self.wanted));
        let stays = |side| old.is_some_and(|old| old.end(side) == new.end(side));
        let (now, side, live) = match settings {
            (Life::Replay, _) if stays(Side::Recorded) => (None, Side::Recorded, None),
            (Life::Replay, _) => (open(Side::Recorded)?, Side::Recorded, None),
            (Life::Run, Phase::Live) if stays(Side::Live) => (None, Side::Live, None),
            // What has no live end is read from its recording, also when it comes into a graph that already runs live.
            (Life::Run, Phase::Live) => match open(Side::Live)? {
                Some(live) => (Some(live), Side::Live, None),
                None => (open(Side::Recorded)?, Side::Recorded, None),
            },
            (Life::Run, Phase::Recorded) => {
                let one = |side| if stays(side) { Ok(None) } else { open(side) };
                (one(Side::Recorded)?, Side::Recorded, one(Side::Live)?)
            }
        };
        if now.is_none() && live.is_none() && old.is_none() {
            return Err(nothing_to_read(&new, settings.0, self.wanted));
        }
        let retune = old.is_some_and(|old| meaning(&old) != meaning(&new));
        Ok(Ends { was, now, side, live, retune })
    }
}

impl Ends {
    fn none() -> Ends {
        Ends { was: None, now: None, side: Side::Recorded, live: None, retune: false }
    }

    /// Where its newly opened ends stand.
    pub fn positions(&self) -> impl Iterator<Item = (Side, Position)> {
        let at = |side: Side, feed: &Option<Box<dyn Feed>>| Some((side, feed.as_ref()?.position()?));
        [at(self.side, &self.now), at(Side::Live, &self.live)].into_iter().flatten()
    }
}

/// A node of the graph that remembers nothing yet.
pub(super) fn build(graph: &Graph, key: &NodeKey, parts: &dyn Parts, bad: &ir::Schema) -> Result<Box<dyn Node>, Diagnostic> {
    let spec = &graph.nodes[key];
    match &spec.op {
        NodeOp::Stage(_) | NodeOp::Task(_) => {
            let inputs = input_schemas(graph, spec, bad);
            let built = guarded(|| parts.node(spec, &inputs)).map(Guarded::over);
            built.map_err(|error| cannot_build(key, &error, graph))
        }
        NodeOp::Accept(_) => Ok(Box::new(pass::Accept::new(spec))),
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Serve(_) => Ok(Box::new(pass::Gate)),
    }
}

/// How its rows are read: columns and time.
fn meaning<'a>(source: &SourceSpec<'a>) -> (&'a NodeOp, &'a NodeOp, &'a ir::Schema) {
    (&source.decode.op, &source.gate.op, &source.gate.schema)
}

/// The columns at each port.
fn input_schemas(graph: &Graph, spec: &NodeSpec, bad: &ir::Schema) -> Vec<ir::Schema> {
    spec.inputs.iter().map(|input| outlet_schema(graph, input, bad)).collect()
}

/// Tries the old state on the new node; none if it cannot be read.
fn transfer(old: &mut dyn Node, mut new: Box<dyn Node>) -> Option<Box<dyn Node>> {
    old.save().and_then(|state| new.load(state)).ok()?;
    Some(new)
}

fn cannot_build(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = error.diagnostic(&format!("`{key}` cannot be built"));
    placed(found, key, graph)
}

fn cannot_open(source: &SourceSpec, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = error.diagnostic(&format!("the source `{}` cannot be opened", source.name()));
    placed(found, &source.connection.key, graph)
}

fn rejected(key: &NodeKey, graph: &Graph) -> Diagnostic {
    let found =
        Diagnostic::new(Code::R0004, format!("this change would empty the state of `{key}`, which says `on change reject`"));
    placed(found, key, graph).help("undo the change, or write `on change empty` or `on change backfill`")
}

fn nothing_to_read(source: &SourceSpec, life: Life, graph: &Graph) -> Diagnostic {
    let name = source.name();
    let (what, help) = match life {
        Life::Replay => ("no recording to replay", format!("give `{name}` a `recorded` clause, or pass `--input {name}=FILE`")),
        Life::Run => ("nothing to read", format!("give `{name}` a `live` clause")),
    };
    placed(Diagnostic::new(Code::R0005, format!("the source `{name}` has {what}")), &source.connection.key, graph).help(help)
}

/// Shared by all slots of one graph.
pub(super) fn spec_of(graph: &Graph, key: &NodeKey) -> Arc<NodeSpec> {
    Arc::new(graph.nodes[key].clone())
}
