//! `mliot check FILE`.

use serde_json::json;

use crate::compile::{Compiled, Disk, compile};
use crate::diag::Diagnostic;

use super::Outcome;
use super::args::CheckArgs;
use super::terminal::{complain, counted, listed, outcome, say};

pub fn check(args: &CheckArgs) -> Outcome {
    let mut compiled = compile(&args.file.file, &Disk, &args.file.set);
    compiled.diagnostics.extend(unsupported(&compiled));
    if args.json {
        say(&format!("{}\n", json!({ "diagnostics": listed(&compiled.diagnostics, &compiled.sources) })));
    } else {
        complain(&compiled.diagnostics, &compiled.sources);
    }
    if compiled.has_errors() {
        return outcome(&compiled.diagnostics);
    }
    if !args.json {
        say(&format!("{}: good, {}\n", args.file.file.display(), inventory(&compiled)));
    }
    Outcome::Good
}

/// What no command of this version carries out, so that `check` does not call good what `replay` and `run` refuse.
#[cfg(feature = "run")]
fn unsupported(compiled: &Compiled) -> Vec<Diagnostic> {
    compiled.graph.as_ref().map(crate::host::unsupported).unwrap_or_default()
}

/// The language alone runs nothing.
#[cfg(not(feature = "run"))]
fn unsupported(_: &Compiled) -> Vec<Diagnostic> {
    Vec::new()
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
