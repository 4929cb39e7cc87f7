//! `mliot models FILE`: what the state folder keeps, and what somebody wants of it.

mod acting;

use std::collections::BTreeMap;

use serde_json::json;

use crate::base::{Name, Sources};
use crate::diag::Diagnostic;
use crate::host::learns;
use crate::ir::Policy;
use crate::lifecycle::{Act, Registry, RegistryError, Shelf, Version, compare, learned_by};
use crate::model::metric_text;
use crate::plan::Learn;

use super::Outcome;
use super::args::{ModelsAction, ModelsArgs};
use super::load::{Loaded, load};
use super::place::registry;
use super::terminal::{ended, say};
use super::verify::named;

pub fn models(args: &ModelsArgs) -> Outcome {
    let registry = registry(&args.file.file, args.state.as_ref());
    let version = |what: &str| named(&registry, what, &args.file.file);
    let task = |name: &str| Name::from(name);
    let act = match &args.action {
        None => return list(args, &registry),
        Some(ModelsAction::Compare { one, other }) => return compared(args, &registry, [one, other]),
        Some(ModelsAction::Prune { keep, task }) => return acting::prune(args, task.as_deref().map(Name::from), *keep),
        Some(ModelsAction::Promote { version: wanted }) => version(wanted).map(|version| Act::Promote { version }),
        Some(ModelsAction::Pin { version: wanted }) => version(wanted).map(|version| Act::Pin { version }),
        Some(ModelsAction::Rollback { task: of }) => Ok(Act::Rollback { task: task(of) }),
        Some(ModelsAction::Unpin { task: of }) => Ok(Act::Unpin { task: task(of) }),
    };
    match act {
        Ok(act) => acting::act(args, act),
        Err(wrong) => refused(args, wrong),
    }
}

fn refused(args: &ModelsArgs, wrong: Diagnostic) -> Outcome {
    ended(&[wrong], &Sources::default(), args.json)
}

/// Tasks of the file first, then those of which only models are left.
fn list(args: &ModelsArgs, registry: &Registry) -> Outcome {
    let Loaded { graph, .. } = match load(&args.file, args.json) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let learns = learns(&graph);
    let shelves = match shelves(registry, &learns) {
        Ok(shelves) => shelves,
        Err(error) => return refused(args, error.diagnostic()),
    };
    if args.json {
        say(&format!("{}\n", json!({ "tasks": shelves.iter().map(Shelf::json).collect::<Vec<_>>() })));
    } else {
        let metric = |shelf: &Shelf| learns.get(&shelf.task).map(|learn| metric_text(&learn.policy.choice.goal.metric));
        let texts: Vec<String> = shelves.iter().map(|shelf| shelf.text(metric(shelf).as_deref())).collect();
        say(&texts.join("\n"));
    }
    Outcome::Good
}

fn shelves(registry: &Registry, learns: &BTreeMap<Name, Learn>) -> Result<Vec<Shelf>, RegistryError> {
    let left = registry.tasks()?.into_iter().filter(|task| !learns.contains_key(task));
    learns.keys().cloned().chain(left).map(|task| Shelf::of(registry, &task)).collect()
}

/// By the policy of the file, or that of the second one where the file does not have the task any more.
fn compared(args: &ModelsArgs, registry: &Registry, names: [&String; 2]) -> Outcome {
    let versions = names.map(|name| named(registry, name, &args.file.file));
    let [Ok(one), Ok(other)] = &versions else {
        let wrong: Vec<Diagnostic> = versions.into_iter().filter_map(Result::err).collect();
        return ended(&wrong, &Sources::default(), args.json);
    };
    let Loaded { graph, .. } = match load(&args.file, args.json) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let own = learns(&graph).remove(&other.task).map(|learn| learn.policy);
    match side_by_side(registry, [one, other], own) {
        Ok(comparison) => {
            say(&if args.json { format!("{}\n", json!(comparison)) } else { comparison.text() });
            Outcome::Good
        }
        Err(wrong) => refused(args, wrong),
    }
}

fn side_by_side(
    registry: &Registry,
    [one, other]: [&Version; 2],
    policy: Option<Policy>,
) -> Result<crate::lifecycle::Comparison, Diagnostic> {
    let failed = RegistryError::diagnostic;
    let manifests = [registry.manifest(one).map_err(failed)?, registry.manifest(other).map_err(failed)?];
    let policy = match policy {
        Some(policy) => policy,
        None => learned_by(&registry.open(other).map_err(failed)?)?.policy.clone(),
    };
    Ok(compare([&manifests[0], &manifests[1]], &policy))
}
