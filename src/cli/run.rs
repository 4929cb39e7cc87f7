//! `mliot run FILE`.

use std::fs;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::base::Sources;
use crate::diag::Diagnostic;
use crate::host::state::{ASIDES_KEPT, StateFolder};
use crate::host::view::{Form, View};
use crate::host::{self, CONFIRM_MAX, Compiled, Compiler, EPOCH_EVERY, Ear, FileCompiler, Keeper, Kept, Setup, Stop};
use crate::io::{Live, Now, Wall};
use crate::ir::Connector;
use crate::lifecycle::Registry;
use crate::plan::{Graph, NodeOp};

use super::Outcome;
use super::args::RunArgs;
use super::place::{live_machines, make_state, spoken, state};
use super::terminal::{complain, ended, listed, note, say, unusable};

pub fn run(args: &RunArgs) -> Outcome {
    let file = &args.file.file;
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return not_started(args, &[unusable(file, "read", &error)], &Sources::default()),
    };
    let mut compiler = FileCompiler::new(file.clone(), args.file.set.clone());
    let compiled = compiler.compile(&text);
    let sources = compiled.sources.clone();
    if compiled.graph.is_none() {
        return not_started(args, &compiled.diagnostics, &sources);
    }
    warn(args, &compiled.diagnostics, &sources);
    match setup(args, text, compiled, compiler).map_err(|wrong| vec![wrong]).and_then(host::run) {
        Ok(summary) if summary.crashed.is_some() => Outcome::Failed,
        Ok(_summary) => Outcome::Good,
        Err(wrong) => not_started(args, &wrong, &sources),
    }
}

/// Under `--json` every line of standard output is an event.
fn not_started(args: &RunArgs, wrong: &[Diagnostic], sources: &Sources) -> Outcome {
    if args.json {
        say(&format!("{}\n", json!({ "event": "not_started", "diagnostics": listed(wrong, sources) })));
    }
    ended(wrong, sources, false)
}

fn warn(args: &RunArgs, warnings: &[Diagnostic], sources: &Sources) {
    if args.json && !warnings.is_empty() {
        say(&format!("{}\n", json!({ "event": "finding", "diagnostics": listed(warnings, sources) })));
    }
    complain(warnings, sources);
}

fn setup(args: &RunArgs, text: String, compiled: Compiled, compiler: FileCompiler) -> Result<Setup, Diagnostic> {
    let file = args.file.file.clone();
    let state = state(&file, args.state.state.as_ref());
    let kept = kept(args, &state)?;
    let live = Arc::new(Live::at(&state));
    let parts = Arc::new(spoken(live_machines(&file, kept.began, &live), args.json));
    let learner = Arc::new(Keeper { registry: Registry::at(&state) });
    // Rows may come in there instead.
    let typed = stdin().is_terminal() && !compiled.graph.as_ref().is_some_and(reads_stdin);
    let ear: Box<dyn Ear> =
        if args.json { Box::new(View::new(Form::Json, stdout())) } else { Box::new(View::new(Form::of(&stderr()), stderr())) };
    Ok(Setup {
        file,
        text,
        compiled,
        compiler: Box::new(compiler),
        parts,
        inlets: live.inlets().clone(),
        learner,
        ear,
        stop: Stop::default(),
        heed_signals: true,
        limits: limits(args),
        state: Some(kept),
        confirm: args.confirm.then(|| args.confirm_within.unwrap_or(CONFIRM_MAX)),
        probation: args.probation,
        typed,
    })
}

fn reads_stdin(graph: &Graph) -> bool {
    let is_stdin = |op: &NodeOp| {
        let NodeOp::Connection(connection) = op else { return false };
        matches!(connection.live, Some(Connector::Stdin { .. }))
    };
    graph.nodes.values().any(|spec| is_stdin(&spec.op))
}

fn limits(args: &RunArgs) -> host::Limits {
    let mut limits = host::Limits { poll: args.poll, ..host::Limits::default() };
    limits.sinks.segment_age_max = args.segment_every.unwrap_or(limits.sinks.segment_age_max);
    limits
}

/// The state folder with what a former run has left in it, unless that is put aside.
fn kept(args: &RunArgs, state: &Path) -> Result<Kept, Diagnostic> {
    make_state(state)?;
    let folder = StateFolder::open(state)?;
    if args.fresh
        && let Some(aside) = folder.set_aside()?
    {
        note(&format!(
            "begins anew; what the former run has left is in `{}`, the newest {ASIDES_KEPT} such folders are kept, and its models \
             stay; files that grow are appended to",
            aside.display()
        ));
    }
    Kept::open(folder, Wall.now(), args.epoch_every.unwrap_or(EPOCH_EVERY))
}
