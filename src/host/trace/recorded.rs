//! A row of a recording on its way through the graph. Nothing is written, nothing is learned: the models of now answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Name, Sources};
use crate::node::{Assignment, Ordinal, Predictor};
use crate::plan::{Graph, NodeKey, Slot};
use crate::runtime::{Engine, Outbox, Parts, Progress, Settings, Sought};

use super::super::outside::{Conditions, Learner};
use super::super::said::Messages;
use super::super::study::learns;
use super::{Followed, Wanted, followed, found, next_at, spot};

/// Reads the recordings up to the row. None if it is in none of them.
///
/// # Errors
/// If the graph cannot be started, or the row cannot be understood.
pub fn recorded(
    graph: &Graph,
    sources: &Sources,
    parts: &dyn Parts,
    learner: &dyn Learner,
    conditions: &dyn Conditions,
    wanted: &Wanted,
) -> Result<Option<Followed>, Messages> {
    let told = |diagnostics| Messages { diagnostics, sources: sources.clone() };
    let mut engine = Engine::start(Settings::default(), graph, parts).map_err(told)?;
    for (task, model) in champions(graph, learner)? {
        engine.assign_all(&task, Assignment::always(model));
    }
    let sought = match wanted {
        Wanted::Ordinal(at) => Sought::At(Ordinal(*at)),
        Wanted::Next { source, condition } => {
            let spot = spot(&engine, parts, sources, source.as_deref()).map_err(Messages::of)?;
            next_at(spot, condition.as_deref(), conditions)?.0
        }
    };
    engine.trace(sought).expect("nothing has passed yet");
    loop {
        let progress = engine.step();
        engine.outboxes_mut().for_each(Outbox::drop_waiting);
        if let Some(trace) = engine.take_trace() {
            return Ok(Some(followed(&found(&engine, trace, sources))));
        }
        match progress {
            Progress::Rows(_) | Progress::Blocked => {}
            Progress::Waiting => std::thread::yield_now(),
            Progress::Ended => {
                let failed = engine.take_findings();
                return if failed.is_empty() { Ok(None) } else { Err(told(failed)) };
            }
        }
    }
}

/// Who answers now, by task; nobody where nothing was learned with these features.
fn champions(graph: &Graph, learner: &dyn Learner) -> Result<BTreeMap<Name, Arc<dyn Predictor>>, Messages> {
    let mut champions = BTreeMap::new();
    for (task, learn) in learns(graph) {
        let closure = graph.part(&[NodeKey::of_file(&task, Slot::Task)]);
        let known = learner.champion(&learn, &closure).map_err(Messages::of)?;
        champions.extend(known.and_then(|known| known.learned).map(|learned| (task, learned.model)));
    }
    Ok(champions)
}
