//! `mliot check FILE`.

use serde_json::json;

use crate::compile::{Compiled, Disk, compile};
use crate::diag::to_json;

use super::Outcome;
use super::args::CheckArgs;
use super::load::settings;
use super::terminal::{complain, counted, say};

pub fn check(args: &CheckArgs) -> Outcome {
    let set = match settings(&args.file.set) {
        Ok(set) => set,
        Err(outcome) => return outcome,
    };
    let compiled = compile(&args.file.file, &Disk, &set);
    if args.json {
        let all: Vec<_> = compiled.diagnostics.iter().map(|found| to_json(found, &compiled.sources)).collect();
        say(&format!("{}\n", json!({ "diagnostics": all })));
    } else {
        complain(&compiled.diagnostics, &compiled.sources);
    }
    if compiled.has_errors() {
        return Outcome::Refused;
    }
    if !args.json {
        say(&format!("{}: good, {}\n", args.file.file.display(), inventory(&compiled)));
    }
    Outcome::Good
}

/// `1 source, 2 streams, 1 task`: what the file declares, so that a forgotten declaration shows.
fn inventory(compiled: &Compiled) -> String {
    let program = &compiled.program;
    let counts = [
        (program.sources.len(), "source"),
        (program.streams.len(), "stream"),
        (program.tasks.len(), "task"),
        (program.sinks.len(), "sink"),
        (program.serves.len(), "serve"),
        (program.tests.len(), "test"),
    ];
    let said: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(*count, word)).collect();
    if said.is_empty() { "and empty".to_owned() } else { said.join(", ") }
}
