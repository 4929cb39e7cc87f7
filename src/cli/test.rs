//! `mliot test FILE`: the file's own tests.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::base::{Name, Sources};
use crate::compile::{Disk, compile};
use crate::diag::{Code, Diagnostic};
use crate::ir::Value;
use crate::plan::{self, Graph};
use crate::runtime::{self, Failure, Recompile};

use super::args::TestArgs;
use super::load::{Loaded, load};
use super::place::machines;
use super::terminal::{complain, counted, say};

pub fn test(args: &TestArgs) -> super::Outcome {
    let loaded = match load(&args.file, args.json) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let parts = machines(&args.file.file);
    let mut outcomes = Vec::new();
    for test in &loaded.compiled.program.tests {
        let mut edits = Edits { file: args.file.file.clone(), set: args.file.set.clone() };
        outcomes.push(runtime::test(test, &loaded.graph, &parts, &mut edits));
    }
    if args.json {
        say(&format!("{}\n", json!({ "tests": outcomes.iter().map(|one| to_json(one, &loaded)).collect::<Vec<_>>() })));
    } else {
        outcomes.iter().for_each(|one| print(one, &loaded));
        say(&summary(&outcomes));
    }
    if outcomes.iter().all(runtime::Outcome::passed) { super::Outcome::Good } else { super::Outcome::Refused }
}

fn print(outcome: &runtime::Outcome, loaded: &Loaded) {
    let word = if outcome.passed() { "ok    " } else { "FAILED" };
    say(&format!("{word}  {}\n", outcome.name));
    for failure in &outcome.failures {
        complain(&[not_met(failure)], &loaded.compiled.sources);
        if let Some(table) = &failure.table {
            say(table);
        }
    }
}

fn summary(outcomes: &[runtime::Outcome]) -> String {
    let failed = outcomes.iter().filter(|one| !one.passed()).count();
    match (outcomes.len(), failed) {
        (0, _) => "the file has no tests\n".to_owned(),
        (all, 0) => format!("{} passed\n", counted(all, "test")),
        (all, failed) => format!("{failed} of {} failed\n", counted(all, "test")),
    }
}

fn not_met(failure: &Failure) -> Diagnostic {
    Diagnostic::new(Code::E0811, failure.message.clone()).at(failure.span, "")
}

fn to_json(outcome: &runtime::Outcome, loaded: &Loaded) -> Json {
    let sources: &Sources = &loaded.compiled.sources;
    let failures: Vec<Json> = outcome
        .failures
        .iter()
        .map(|failure| json!({ "message": failure.message, "line": sources.place(failure.span).line, "table": failure.table }))
        .collect();
    json!({ "name": outcome.name, "passed": outcome.passed(), "failures": failures })
}

/// Edits of a test: the same file with a param set, or another file.
struct Edits {
    file: PathBuf,
    set: Vec<(String, String)>,
}

impl Recompile for Edits {
    fn set(&mut self, param: &Name, value: &Value) -> Result<Graph, Vec<Diagnostic>> {
        self.set.retain(|(name, _)| *param != name.as_str());
        self.set.push((param.to_string(), value.to_string()));
        graph_of(&self.file, &self.set)
    }

    fn file(&mut self, path: &Name) -> Result<Graph, Vec<Diagnostic>> {
        self.file = self.file.with_file_name(path.as_str());
        graph_of(&self.file, &self.set)
    }
}

fn graph_of(file: &Path, set: &[(String, String)]) -> Result<Graph, Vec<Diagnostic>> {
    let compiled = compile(file, &Disk, set);
    if compiled.has_errors() { Err(compiled.diagnostics) } else { Ok(plan::lower(&compiled.program)) }
}
