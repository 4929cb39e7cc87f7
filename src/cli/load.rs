//! A file from the command line to its program and graph, with everything said that is wrong with it.

use std::path::Path;

use crate::compile::{Compiled, Disk, compile};
use crate::plan::{self, Graph};

use super::Outcome;
use super::args::FileArgs;
use super::terminal::{complain, ended};

/// A file without errors.
pub struct Loaded {
    #[cfg_attr(not(feature = "run"), expect(dead_code, reason = "only what runs a file reads it"))]
    pub compiled: Compiled,
    pub graph: Graph,
}

/// Compiles the file as these arguments say, and complains about it, to scripts too where they ask. Only a file without
/// errors comes back.
pub fn load(args: &FileArgs, json: bool) -> Result<Loaded, Outcome> {
    load_from(&args.file, &args.set, json)
}

/// The same for a path beside it, with the same settings.
pub fn load_from(path: &Path, set: &[(String, String)], json: bool) -> Result<Loaded, Outcome> {
    let compiled = compile(path, &Disk, set);
    if compiled.has_errors() {
        return Err(ended(&compiled.diagnostics, &compiled.sources, json));
    }
    complain(&compiled.diagnostics, &compiled.sources);
    let graph = plan::lower(&compiled.program);
    Ok(Loaded { compiled, graph })
}
