//! Everything of a change that can fail, done beside the running graph: nodes are built, sources opened, states tried on
//! copies. Dropping what was prepared is the abort, and leaves no trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::node::{Node, NodeError};
use crate::plan::{Connection, Graph, NodeKey, NodeOp, NodeSpec};

use super::audit::placed;
use super::changes::{Change, Changes, Class, changes};
use super::engine::{Engine, Life, Phase};
use super::feed::{self, Feed, Parts, Side, SourceSpec};
use super::layout::outlet_schema;
use super::pass;

/// A change that is ready: nothing in it can fail any more but a transfer of state.
pub struct Prepared {
    pub(super) generation: u64,
    pub(super) graph: Graph,
    pub(super) changes: Changes,
    pub(super) ways: BTreeMap<NodeKey, Way>,
    pub(super) sources: BTreeMap<Name, Ends>,
    /// The columns of bad outlets.
    pub(super) bad: ir::Schema,
}

/// How a node of the wanted graph comes to be.
pub(super) enum Way {
    /// As it is.
    Keep,
    /// Its meaning changes in place.
    Retune,
    /// A new node takes over the state of the old one, in the state's portable form.
    Carry(Box<dyn Node>),
    /// A new node that remembers nothing.
    Fresh(Box<dyn Node>),
}

/// How a source of the wanted graph comes to be.
pub(super) enum Ends {
    Keep,
    /// Its connection stays, its columns or its time mean something else.
    Retune,
    /// Ends that are newly opened; a side that is none stays as it is.
    Open {
        now: Option<Box<dyn Feed>>,
        live: Option<Box<dyn Feed>>,
    },
}

/// Builds what `wanted` needs beyond what runs. The running graph is not touched: the states that are tried are saved, which
/// leaves their nodes as they were. All that is wrong is reported, not only the first.
pub fn prepare(engine: &mut Engine, wanted: &Graph, parts: &dyn Parts) -> Result<Prepared, Vec<Diagnostic>> {
    let changes = changes(&engine.graph, wanted);
    let mut wrong = Vec::new();
    let mut ways = BTreeMap::new();
    for (key, change) in &changes.nodes {
        match way(engine, wanted, key, change, parts) {
            Ok(way) => _ = ways.insert(key.clone(), way),
            Err(found) => wrong.push(found),
        }
    }
    let mut sources = BTreeMap::new();
    for name in feed::sources(wanted) {
        match ends(engine, wanted, &name, parts) {
            Ok(ends) => _ = sources.insert(name, ends),
            Err(found) => wrong.push(found),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Prepared { generation: engine.generation, graph: wanted.clone(), changes, ways, sources, bad: parts.bad() })
}

fn way(engine: &mut Engine, wanted: &Graph, key: &NodeKey, change: &Change, parts: &dyn Parts) -> Result<Way, Diagnostic> {
    let spec = &wanted.nodes[key];
    let build = || build(wanted, spec, parts).map_err(|error| cannot_build(key, &error, wanted));
    match change.class {
        Class::Same | Class::Rewired => Ok(Way::Keep),
        Class::Added | Class::Removed => Ok(Way::Fresh(build()?)),
        Class::Reset | Class::Stale | Class::Shadowed => match spec.on_change {
            ir::OnChange::Reject => Err(rejected(key, change, wanted)),
            ir::OnChange::Backfill | ir::OnChange::Empty => Ok(Way::Fresh(build()?)),
        },
        Class::Retuned | Class::Migrated => {
            let new = build()?;
            let Some(slot) = change.old.as_ref().and_then(|old| engine.slot_mut(old)) else { return Ok(Way::Fresh(new)) };
            if change.class == Class::Retuned && slot.node.retune().is_some() {
                return Ok(Way::Retune);
            }
            match transfer(slot.node.as_mut(), new) {
                Some(new) => Ok(Way::Carry(new)),
                None if spec.on_change == ir::OnChange::Reject => Err(rejected(key, change, wanted)),
                None => Ok(Way::Fresh(build()?)),
            }
        }
    }
}

/// Tries the old state on the new node; none if it cannot be read.
fn transfer(old: &mut dyn Node, mut new: Box<dyn Node>) -> Option<Box<dyn Node>> {
    let state = old.save().ok()?;
    new.load(state).ok()?;
    Some(new)
}

fn build(graph: &Graph, spec: &NodeSpec, parts: &dyn Parts) -> Result<Box<dyn Node>, NodeError> {
    match &spec.op {
        NodeOp::Stage(_) | NodeOp::Task(_) => {
            let inputs: Vec<ir::Schema> = spec.inputs.iter().map(|input| outlet_schema(graph, input, &parts.bad())).collect();
            parts.node(spec, &inputs)
        }
        NodeOp::Accept(_) => Ok(Box::new(pass::Accept::new(spec))),
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Serve(_) => Ok(Box::new(pass::Gate)),
    }
}

fn ends(engine: &Engine, wanted: &Graph, name: &Name, parts: &dyn Parts) -> Result<Ends, Diagnostic> {
    let Some(new) = SourceSpec::of(wanted, name) else { return Ok(Ends::Keep) };
    let old = SourceSpec::of(&engine.graph, name).filter(|_| engine.sequencer.has(name));
    let open = |side| parts.feed(&new, side).map_err(|error| cannot_open(&new.connection.key, &error, wanted));
    let side_now = match (engine.settings.life, engine.phase) {
        (Life::Replay, _) | (Life::Run, Phase::Recorded) => Side::Recorded,
        (Life::Run, Phase::Live) => Side::Live,
    };
    let later = engine.settings.life == Life::Run && engine.phase == Phase::Recorded;
    let stays = |side| old.is_some_and(|old| end(&old, side) == end(&new, side));
    if stays(side_now) && (!later || stays(Side::Live)) {
        let meaning = |spec: &SourceSpec| (spec.decode.op.clone(), spec.gate.op.clone(), spec.gate.schema.clone());
        return Ok(if old.is_some_and(|old| meaning(&old) != meaning(&new)) { Ends::Retune } else { Ends::Keep });
    }
    // A source that has no live end is read from its recording, also when it comes into a graph that already runs live.
    let now = match (stays(side_now), side_now) {
        (true, _) => None,
        (false, Side::Recorded) => open(Side::Recorded)?,
        (false, Side::Live) => open(Side::Live)?.map_or_else(|| open(Side::Recorded), |feed| Ok(Some(feed)))?,
    };
    let live = if later && !stays(Side::Live) { open(Side::Live)? } else { None };
    if now.is_none() && live.is_none() && old.is_none() {
        return Err(nothing_to_read(&new, engine.settings.life, wanted));
    }
    Ok(Ends::Open { now, live })
}

/// What one end of a source is connected to.
fn end<'a>(source: &SourceSpec<'a>, side: Side) -> Option<&'a ir::Connector> {
    let NodeOp::Connection(connection) = &source.connection.op else { return None };
    let Connection { recorded, live, keep, columns: _ } = &**connection;
    match side {
        Side::Recorded => recorded.as_ref().or(keep.as_ref()),
        Side::Live => live.as_ref(),
    }
}

fn cannot_build(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = Diagnostic::new(error.code, format!("`{key}` cannot be built: {}", error.message));
    placed(found, key, graph)
}

fn cannot_open(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let found = Diagnostic::new(error.code, format!("the source `{}` cannot be opened: {}", key.decl, error.message));
    placed(found, key, graph)
}

fn rejected(key: &NodeKey, change: &Change, graph: &Graph) -> Diagnostic {
    let why = if change.why.is_empty() { String::new() } else { format!(" ({})", change.why) };
    let found = Diagnostic::new(
        Code::R0004,
        format!("this change would empty the state of `{key}`{why}, and it says `on change reject`"),
    );
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
