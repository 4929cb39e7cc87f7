//! `mliot run FILE`.

use std::fs;
use std::io::{stderr, stdout};
use std::path::Path;
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::host::view::{Form, View};
use crate::host::{self, Compiled, Compiler, Ear, FileCompiler, Keeper, Setup, Stop};
use crate::lifecycle::Registry;

use super::Outcome;
use super::args::RunArgs;
use super::load::settings;
use super::place::{live_machines, state};
use super::terminal::{complain, note};

pub fn run(args: &RunArgs) -> Outcome {
    let set = match settings(&args.file.set) {
        Ok(set) => set,
        Err(outcome) => return outcome,
    };
    let file = &args.file.file;
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return failed(file, &error),
    };
    let mut compiler = FileCompiler { file: file.clone(), set };
    let compiled = compiler.compile(&text);
    complain(&compiled.diagnostics, &compiled.sources);
    if compiled.graph.is_none() {
        return Outcome::Refused;
    }
    let sources = compiled.sources.clone();
    match setup(args, text, compiled, compiler).map(host::run) {
        Ok(Ok(summary)) if summary.crashed.is_some() => Outcome::Failed,
        Ok(Ok(_summary)) => Outcome::Good,
        Ok(Err(wrong)) => cannot_start(&wrong, &sources),
        Err(error) => failed(file, &error),
    }
}

fn setup(args: &RunArgs, text: String, compiled: Compiled, compiler: FileCompiler) -> std::io::Result<Setup> {
    let file = args.file.file.clone();
    let state = state(&file, args.state.state.as_ref());
    let parts = Arc::new(live_machines(&file, &state)?);
    let learner = Arc::new(Keeper { registry: Registry::at(&state) });
    let ear: Box<dyn Ear> =
        if args.json { Box::new(View::new(Form::Json, stdout())) } else { Box::new(View::new(Form::of(&stderr()), stderr())) };
    Ok(Setup {
        file,
        text,
        compiled,
        compiler: Box::new(compiler),
        parts,
        learner,
        ear,
        stop: Stop::default(),
        heed_signals: true,
        limits: host::Limits::default(),
    })
}

fn cannot_start(wrong: &[Diagnostic], sources: &crate::base::Sources) -> Outcome {
    complain(wrong, sources);
    Outcome::Failed
}

fn failed(path: &Path, error: &std::io::Error) -> Outcome {
    note(&format!("{} cannot be used: {error}", path.display()));
    Outcome::Failed
}
