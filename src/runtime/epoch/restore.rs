//! An epoch to a running graph: nodes are built and given their state, sources are opened at their positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::node::{self, Assignment, Clock, NodeError, Predictor};
use crate::plan::{Graph, NodeKey, NodeOp};
use crate::runtime::audit::placed;
use crate::runtime::engine::{Engine, Phase, Settings};
use crate::runtime::feed::{Feed, Finished, Parts, Side, SourceSpec};
use crate::runtime::layout::{components, outlet_schema};
use crate::runtime::prepare::{build, spec_of};
use crate::runtime::resting::Resting;
use crate::runtime::sequencer::Source;
use crate::runtime::slot::Slot;
use crate::runtime::task::Task;

use super::Epoch;
use super::books::{SavedModel, SavedSlot, SavedSource};

/// Finds a model by its task and version; none where it is not there any more.
pub type Models<'a> = dyn FnMut(&Name, &str) -> Option<Arc<dyn Predictor>> + 'a;

/// What came back.
pub struct Restored {
    pub engine: Engine,
    /// Sources whose end cannot be opened any more; they are read no further.
    pub unopened: Vec<Unopened>,
    /// Nodes that cannot read their saved state and remember nothing, and models that are gone.
    pub findings: Vec<Diagnostic>,
}

/// A source that could not be opened where it stood.
#[derive(Clone, Debug)]
pub struct Unopened {
    pub source: Name,
    pub side: Side,
    pub why: Diagnostic,
}

impl Engine {
    /// Takes up an epoch. Nothing has been drawn yet, and no log is kept yet.
    ///
    /// # Errors
    /// If a node of its graph cannot be built.
    pub fn restore(
        settings: Settings,
        epoch: Epoch,
        parts: &dyn Parts,
        models: &mut Models<'_>,
    ) -> Result<Restored, Vec<Diagnostic>> {
        let Epoch { books, graph, mut states, outboxes } = epoch;
        let mut engine = Engine::empty(settings);
        let mut work = Work { graph: &graph, parts, unopened: Vec::new(), findings: Vec::new() };
        engine.resting = Resting::restore(books.resting, &mut states);
        engine.tasks = work.tasks(states, books.slots)?;
        engine.sequencer.stand(books.at, books.last);
        for saved in books.sources {
            if let Some(source) = work.source(&saved, books.phase) {
                engine.sequencer.put(saved.name, source);
            }
        }
        for (name, position) in books.live {
            engine.live.extend(work.feed(&name, Side::Live, position.as_ref()).map(|feed| (name, feed)));
        }
        engine.sequencer.go_on(engine.live.keys().cloned().collect::<Vec<_>>());
        engine.phase = books.phase;
        engine.next_outbox = books.next_outbox;
        engine.restore_outboxes(outboxes);
        engine.restore_dead_letter(books.dead);
        engine.assignments = work.assignments(books.models, models);
        let Work { unopened, findings, .. } = work;
        engine.graph = graph;
        engine.generation += 1;
        let tasks: Vec<Name> = engine.assignments.keys().cloned().collect();
        tasks.iter().for_each(|task| engine.hand_out(task));
        Ok(Restored { engine, unopened, findings })
    }
}

struct Work<'a> {
    graph: &'a Graph,
    parts: &'a dyn Parts,
    unopened: Vec<Unopened>,
    findings: Vec<Diagnostic>,
}

impl Work<'_> {
    fn tasks(
        &mut self,
        mut states: BTreeMap<NodeKey, node::State>,
        slots: Vec<SavedSlot>,
    ) -> Result<Vec<Task>, Vec<Diagnostic>> {
        let mut saved: BTreeMap<NodeKey, SavedSlot> = slots.into_iter().map(|slot| (slot.key.clone(), slot)).collect();
        let (mut tasks, mut wrong) = (Vec::new(), Vec::new());
        for keys in components(self.graph) {
            let mut slots = Vec::new();
            for key in keys {
                match self.slot(&key, states.remove(&key), saved.remove(&key)) {
                    Ok(slot) => slots.push(slot),
                    Err(found) => wrong.push(found),
                }
            }
            tasks.push(Task::new(slots));
        }
        if wrong.is_empty() { Ok(tasks) } else { Err(wrong) }
    }

    fn slot(&mut self, key: &NodeKey, state: Option<node::State>, saved: Option<SavedSlot>) -> Result<Slot, Diagnostic> {
        let bad = self.parts.bad();
        let mut node = build(self.graph, key, self.parts, &bad)?;
        if let Some(state) = state
            && let Err(error) = node.load(state)
        {
            self.findings.push(not_remembered(key, &error, self.graph));
            node = build(self.graph, key, self.parts, &bad)?;
        }
        let spec = spec_of(self.graph, key);
        let first = spec.inputs.first().filter(|_| !matches!(spec.op, NodeOp::Gate(_)));
        let input = first.map_or_else(|| spec.schema.clone(), |first| outlet_schema(self.graph, first, &bad));
        let mut slot = Slot::new(spec, node::schema(&input), node, Default::default());
        if let Some(saved) = &saved {
            let schemas: Vec<_> =
                slot.spec.inputs.iter().map(|input| node::schema(&outlet_schema(self.graph, input, &bad))).collect();
            slot.restore(saved, &schemas);
        }
        Ok(slot)
    }

    /// What has been read to its end is not opened again.
    fn source(&mut self, saved: &SavedSource, phase: Phase) -> Option<Source> {
        let spec = SourceSpec::of(self.graph, &saved.name)?;
        let schema = node::schema(&spec.gate.schema);
        let finished = || Box::new(Finished { position: saved.position.clone() }) as Box<dyn Feed>;
        // Without an end of its own it waits for live rows.
        let nothing = saved.side == Side::Recorded && phase == Phase::Recorded && spec.end(Side::Recorded).is_none();
        let feed = if saved.ended || nothing {
            finished()
        } else {
            self.feed(&saved.name, saved.side, saved.position.as_ref()).unwrap_or_else(finished)
        };
        let clock = saved.clock.map_or(Clock::None, Clock::still);
        Some(Source::restored(feed, saved.side, (&saved.counts).into(), saved.ended, clock, schema))
    }

    fn feed(&mut self, name: &Name, side: Side, from: Option<&crate::io::Position>) -> Option<Box<dyn Feed>> {
        let spec = SourceSpec::of(self.graph, name)?;
        match self.parts.feed(&spec, side, from) {
            Ok(feed) => feed,
            Err(error) => {
                let why = placed(error.diagnostic(&not_opened(name)), &spec.connection.key, self.graph);
                self.unopened.push(Unopened { source: name.clone(), side, why });
                None
            }
        }
    }

    fn assignments(&mut self, saved: Vec<SavedModel>, models: &mut Models<'_>) -> BTreeMap<Name, Assignment> {
        let mut all = BTreeMap::new();
        for SavedModel { task, from, version } in saved {
            let model = version.as_ref().and_then(|version| models(&task, version));
            if let (Some(version), None) = (&version, &model) {
                self.findings.push(model_gone(&task, version));
            }
            all.insert(task, Assignment { pieces: vec![(from, model)] });
        }
        all
    }
}

fn not_opened(name: &Name) -> String {
    format!("the source `{name}` cannot be opened where it was read last")
}

fn not_remembered(key: &NodeKey, error: &NodeError, graph: &Graph) -> Diagnostic {
    let message = format!("`{key}` cannot read what it remembered, and begins anew: {}", error.message);
    placed(Diagnostic::new(Code::R0002, message), key, graph)
}

/// A model that answered, and is not in the state folder any more.
pub(in crate::runtime) fn model_gone(task: &Name, version: &str) -> Diagnostic {
    let message = format!("the model `{version}` answered for `{task}` and cannot be read any more; answers are null");
    Diagnostic::new(Code::R0501, message).help("it is learned anew as soon as its task has rows to learn from")
}
