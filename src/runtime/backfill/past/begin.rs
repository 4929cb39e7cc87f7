//! A graph that begins in the middle of what was: its sources stand where they stood, and its windows know that they have not
//! seen what was before.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Time;
use crate::ir::{Op, WindowShape};
use crate::node::{Clock, Migration, NodeError, Ordinal, Out, State};
use crate::plan::{Graph, NodeOp, NodeSpec};
use crate::runtime::engine::{Engine, Life, Settings};
use crate::runtime::epoch::{Books, Epoch, Restored};
use crate::runtime::feed::Parts;
use crate::runtime::merge;
use crate::runtime::prepare::build;
use crate::runtime::record::Standing;

use super::super::feeds::Limits;
use super::super::silent::Silent;
use super::Told;
use super::told::Past;

/// # Errors
/// In words: what a source does not keep any longer.
pub(super) fn begin(
    standing: &Standing,
    graph: &Graph,
    told: &[Told],
    limits: &Limits,
    parts: &dyn Parts,
) -> Result<Engine, String> {
    let epoch = Epoch { books: books(standing, told), graph: graph.clone(), states: BTreeMap::new(), outboxes: Vec::new() };
    let settings = Settings { life: Life::Run, ..Settings::default() };
    let opened = Silent { parts, sources: Past { limits: limits.clone() } };
    let restored = Engine::restore(settings, epoch, &opened, &mut |_, _| None);
    let first = |wrong: Vec<crate::diag::Diagnostic>| wrong.into_iter().next().map_or_else(String::new, |found| found.message);
    let Restored { mut engine, unopened, findings: _ } = restored.map_err(first)?;
    if let Some(gone) = unopened.into_iter().next() {
        return Err(gone.why.message);
    }
    if standing.at > Ordinal(0) {
        begin_in_the_middle(&mut engine, graph, standing, parts).map_err(|error| error.message)?;
    }
    Ok(engine)
}

/// As if the graph had stood there, with no rows yet and only the sources that are told.
fn books(standing: &Standing, told: &[Told]) -> Books {
    let sources = told.iter().filter_map(|told| {
        let mut source = standing.sources.iter().find(|source| source.name == told.was)?.clone();
        source.name = told.name.clone();
        Some(source)
    });
    let live = told.iter().filter_map(|told| {
        let (_, position) = standing.live.iter().find(|(name, _)| *name == told.was)?;
        Some((told.name.clone(), position.clone()))
    });
    let last = told.iter().find(|told| Some(&told.was) == standing.last.as_ref()).map(|told| told.name.clone());
    Books {
        at: standing.at,
        phase: standing.phase,
        last,
        next_outbox: 0,
        sources: sources.collect(),
        live: live.collect(),
        slots: Vec::new(),
        models: Vec::new(),
        dead: Default::default(),
        resting: Vec::new(),
    }
}

/// Windows that begin before the newest row of then lack rows; they are kept back.
fn begin_in_the_middle(engine: &mut Engine, graph: &Graph, standing: &Standing, parts: &dyn Parts) -> Result<(), NodeError> {
    let newest = standing.sources.iter().filter_map(|source| Some(source.position.as_ref()?.newest)).max();
    let Some(newest) = newest.filter(|newest| *newest > Time::MIN) else { return Ok(()) };
    let bad = parts.bad();
    let windows: Vec<NodeSpec> = graph.nodes.values().filter(|spec| is_of_time(spec)).cloned().collect();
    for spec in windows {
        let Some(slot) = engine.slot_mut(&spec.key) else { continue };
        let fresh = || build(graph, &spec.key, parts, &bad).map_err(NodeError::from);
        let (mut seen, mut node) = (fresh()?, fresh()?);
        let silence = merge::nothing(slot.input(), standing.at, Clock::still(newest));
        seen.batch(0, silence, &mut Out::default())?;
        let running: State = seen.save()?;
        let anew: BTreeSet<_> = spec.entries.keys().cloned().collect();
        node.migrate(Migration { before: spec.clone().into(), running, anew, rebuilt: None })?;
        slot.node = node;
    }
    Ok(())
}

fn is_of_time(spec: &NodeSpec) -> bool {
    let NodeOp::Stage(op) = &spec.op else { return false };
    matches!(&**op, Op::Window(window) if matches!(window.shape, WindowShape::Time { .. }))
}
