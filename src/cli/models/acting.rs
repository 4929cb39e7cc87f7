//! What changes the kept models: by the run that uses the state folder, or on its disk while nobody holds it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::base::{Name, Sources, grouped};
use crate::diag::{Code, Diagnostic};
use crate::host::control::{Answer, Request};
use crate::host::learns;
use crate::host::state::{StateFolder, show};
use crate::lifecycle::{Act, Registry, RegistryError, Version};
use crate::runtime::upstream;

use super::super::Outcome;
use super::super::args::ModelsArgs;
use super::super::control::asked_for_models;
use super::super::load::{Loaded, load};
use super::super::place::state;
use super::super::terminal::{ended, say};

/// A promotion or its like.
pub fn act(args: &ModelsArgs, act: Act) -> Outcome {
    let state = state(&args.file.file, args.state.as_ref());
    let on_disk = || {
        let Loaded { graph, compiled } = load(&args.file, args.json)?;
        let task = act.task();
        let done = match learns(&graph).get(task) {
            Some(learn) => {
                let closure = upstream(&graph, &[task.clone()].into());
                act.carry_out(&Registry::at(&state), learn, &closure).map(|done| vec![done])
            }
            None => Err(no_task(task)),
        };
        done.map_err(|wrong| ended(&[wrong], &compiled.sources, args.json))
    };
    carry_out(args, &state, &Request::Models { act: act.clone() }, on_disk)
}

pub fn prune(args: &ModelsArgs, task: Option<Name>, keep: usize) -> Outcome {
    let state = state(&args.file.file, args.state.as_ref());
    let on_disk = || {
        let registry = Registry::at(&state);
        let pruned = registry.prune_all(task.as_ref(), keep, &in_epochs(&state)).map_err(RegistryError::diagnostic);
        pruned.map(|pruned| pruned.words()).map_err(|wrong| ended(&[wrong], &Sources::default(), args.json))
    };
    carry_out(args, &state, &Request::Prune { task: task.clone(), keep }, on_disk)
}

/// Models that a restart needs.
fn in_epochs(state: &Path) -> BTreeSet<Version> {
    let models = show(state).map(|shown| shown.models).unwrap_or_default();
    models.into_iter().filter_map(|(_, version, _)| version?.parse().ok()).collect()
}

/// Who holds the folder does it: this process while it has its lock, else the run.
fn carry_out(
    args: &ModelsArgs,
    state: &Path,
    request: &Request,
    on_disk: impl FnOnce() -> Result<Vec<String>, Outcome>,
) -> Outcome {
    let held = match StateFolder::open(state) {
        Ok(held) => held,
        Err(wrong) if wrong.code == Code::R0103 => return by_the_run(args, state, request),
        Err(wrong) => return ended(&[wrong], &Sources::default(), args.json),
    };
    let done = on_disk();
    drop(held);
    match done {
        Ok(words) => told(args, &words, None),
        Err(outcome) => outcome,
    }
}

fn by_the_run(args: &ModelsArgs, state: &Path, request: &Request) -> Outcome {
    match asked_for_models(state, request, args.json) {
        Ok(Answer::Models { words, at }) => told(args, &words, at.map(|at| at.0)),
        Ok(_) => Outcome::Good,
        Err(outcome) => outcome,
    }
}

fn told(args: &ModelsArgs, words: &[String], at: Option<u64>) -> Outcome {
    if args.json {
        say(&format!("{}\n", json!({ "done": words, "at": at })));
    } else {
        words.iter().for_each(|word| say(&format!("{word}\n")));
        at.iter().for_each(|at| say(&format!("from row {} on\n", grouped(*at))));
    }
    Outcome::Good
}

/// R0504.
fn no_task(task: &Name) -> Diagnostic {
    Diagnostic::new(Code::R0504, format!("the file has no task `{task}`, so nobody would ask its models"))
        .help("`mliot models FILE` lists the tasks and their versions")
}
