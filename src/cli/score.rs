//! `mliot score FILE --input SOURCE=PATH`: champions on a recording that they have never seen.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use serde_json::json;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::host::learns;
use crate::ir::Metric;
use crate::lifecycle::{self, Again, Decision, Registry, Scored, Stored};
use crate::plan::{self, Graph, Learn, Slot};
use crate::runtime::{Replay, Settings, collect};

use super::Outcome;
use super::args::ScoreArgs;
use super::inputs::replace;
use super::load::{Loaded, load};
use super::place::{machines, registry};
use super::progress::Line;
use super::terminal::{ended, say};

pub fn score(args: &ScoreArgs) -> Outcome {
    let loaded = match loaded(args) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    match scored(args, &loaded.graph) {
        Ok(all) if args.json => {
            say(&format!(
                "{}\n",
                json!({ "tasks": all.iter().map(|one| (one.task.clone(), one)).collect::<BTreeMap<_, _>>() })
            ));
            Outcome::Good
        }
        Ok(all) => {
            say(&all.iter().map(Scored::text).collect::<Vec<_>>().join("\n"));
            Outcome::Good
        }
        Err(wrong) => ended(&wrong, &loaded.compiled.sources, args.json),
    }
}

fn loaded(args: &ScoreArgs) -> Result<Loaded, Outcome> {
    let mut loaded = load(&args.file, args.json)?;
    let replaced = replace(&mut loaded.compiled.program, &args.inputs);
    replaced.map_err(|wrong| ended(&wrong, &loaded.compiled.sources, args.json))?;
    loaded.graph = plan::lower(&loaded.compiled.program);
    Ok(loaded)
}

fn scored(args: &ScoreArgs, graph: &Graph) -> Result<Vec<Scored>, Vec<Diagnostic>> {
    let registry = registry(&args.file.file, args.state.state.as_ref());
    let learns = learns(graph);
    let mut all = Vec::new();
    for (name, learn) in &learns {
        let stored = champion(&registry, learn).map_err(|wrong| vec![wrong])?;
        let table = table(args, graph, name, &stored)?;
        all.push(one(learn, &stored, &table)?);
    }
    Ok(all)
}

/// Who would answer by the file's policy of now, of the training that the champion comes from. Nothing is written.
fn champion(registry: &Registry, learn: &Learn) -> Result<Stored, Diagnostic> {
    let failed = lifecycle::RegistryError::diagnostic;
    let task = &learn.task.name;
    let again = Again::of_champion(registry, learn).map_err(failed)?.ok_or_else(|| no_champion(task))?;
    if again.decision == Decision::Search {
        return Err(none_allowed(&again, learn));
    }
    let champion = again.champion().ok_or_else(|| again.complaint(learn).unwrap_or_else(|| no_champion(task)))?;
    registry.open(&champion.version).map_err(failed)
}

/// What the champion's own feature definitions make of the other recording. They are kept with it, so a file whose features
/// have been edited since is judged on what was learned.
fn table(args: &ScoreArgs, graph: &Graph, task: &Name, stored: &Stored) -> Result<RecordBatch, Vec<Diagnostic>> {
    let closure = elsewhere(&stored.closure, graph);
    let mut line = Line::new(args.json);
    let mut progress = |status| {
        line.replaying(&status);
        true
    };
    let run = Replay {
        parts: &machines(&args.file.file),
        settings: Settings::default(),
        assignments: BTreeMap::new(),
        progress: &mut progress,
    };
    let collected = collect(&closure, &BTreeSet::from([task.clone()]), run);
    line.clear();
    let mut collected = collected?;
    if !collected.findings.is_empty() {
        return Err(collected.findings);
    }
    let history = collected.collected.remove(task).and_then(|mut state| state.tables.remove("history"));
    history.ok_or_else(|| vec![no_champion(task)])
}

/// The closure, connected as the file is.
fn elsewhere(closure: &Graph, file: &Graph) -> Graph {
    let mut closure = closure.clone();
    for (key, spec) in &mut closure.nodes {
        if let (Slot::Connection, Some(own)) = (&key.slot, file.nodes.get(key)) {
            spec.op = own.op.clone();
        }
    }
    closure
}

fn one(learn: &Learn, stored: &Stored, table: &RecordBatch) -> Result<Scored, Vec<Diagnostic>> {
    let goal = learn.policy.choice.goal.metric.clone();
    let required = learn.policy.choice.requirements.iter().map(|requirement| requirement.metric.clone());
    let named: Vec<Metric> = required.chain([goal]).filter(|metric| metric.class.is_some()).collect();
    lifecycle::score(&learn.task, &stored.fitted, table, &named)
}

fn no_champion(task: &Name) -> Diagnostic {
    Diagnostic::new(Code::E0558, format!("the task `{task}` has no champion to judge"))
        .help("learn one first: mliot replay FILE")
}

fn none_allowed(again: &Again, learn: &Learn) -> Diagnostic {
    let kept: BTreeSet<&str> = again.kept.iter().map(|manifest| manifest.family.as_str()).collect();
    let kept: Vec<&str> = kept.into_iter().collect();
    let message =
        format!("`models` of the task `{}` allows none of those that were kept: {}", learn.task.name, kept.join(", "));
    Diagnostic::new(Code::E0558, message).at(learn.task.span, "").help("learn one first: mliot replay FILE")
}
