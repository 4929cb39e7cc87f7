//! A file from the command line to its program and graph, with everything said that is wrong with it.

use std::path::Path;

use crate::compile::{Compiled, Disk, compile};
use crate::plan::{self, Graph};

use super::Outcome;
use super::args::FileArgs;
use super::terminal::{complain, note};

/// A file without errors.
pub struct Loaded {
    pub compiled: Compiled,
    pub graph: Graph,
}

/// Compiles the file as these arguments say, and complains about it. Only a file without errors comes back.
pub fn load(args: &FileArgs) -> Result<Loaded, Outcome> {
    load_from(&args.file, &settings(&args.set)?)
}

/// The same for a path beside it, with the same settings.
pub fn load_from(path: &Path, set: &[(String, String)]) -> Result<Loaded, Outcome> {
    let compiled = compile(path, &Disk, set);
    complain(&compiled.diagnostics, &compiled.sources);
    if compiled.has_errors() {
        return Err(Outcome::Refused);
    }
    let graph = plan::lower(&compiled.program);
    Ok(Loaded { compiled, graph })
}

/// `NAME=VALUE`, each.
pub fn settings(set: &[String]) -> Result<Vec<(String, String)>, Outcome> {
    set.iter().map(|pair| split(pair, "--set")).collect()
}

/// The two sides of the first `=`.
pub fn split(pair: &str, option: &str) -> Result<(String, String), Outcome> {
    match pair.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => {
            note(&format!("`{option} {pair}` has no name and value\n  help: write {option} NAME=VALUE"));
            Err(Outcome::Refused)
        }
    }
}
