//! Floor 5: the door of the language. A path and a [`World`] go in; the checked program and every message come out.
//!
//! The outside is reached through the world alone, so an editor, a test and the watcher compile alike.

mod condition;
mod disk;
mod gather;
mod tables;

use std::path::{Path, PathBuf};

use crate::base::Sources;
use crate::diag::{Diagnostic, sorted};
use crate::ir;
use crate::plan::{self, Graph};
use crate::sema::{self, Settings};
use crate::syntax::ast;

pub use condition::condition;
pub use disk::Disk;
pub use gather::{FILES_MAX, World};

/// What one compilation gives.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Lacks whatever an error is about; whole where there is none.
    pub program: ir::Program,
    /// None where the file has an error: a broken file changes nothing.
    pub graph: Option<Graph>,
    pub sources: Sources,
    /// In the order of the text, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// Every file that was read or asked for, the compiled one first: these are worth watching.
    pub files: Vec<PathBuf>,
}

impl Compiled {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads the file and those that it uses, and checks them together. Which params are set comes from `set`, by name, as
/// `--set` has it.
pub fn compile(path: &Path, world: &dyn World, set: &[(String, String)]) -> Compiled {
    let gathered = gather::gather(path, world);
    let gather::Gathered { file, sources, mut diagnostics, mut files, .. } = gathered;
    let (mut program, found) = check(&file, &sources, world, set);
    files.extend(tables::digest(&mut program, path, world));
    diagnostics.extend(found);
    let graph = (!diagnostics.iter().any(Diagnostic::is_error)).then(|| plan::lower(&program));
    Compiled { program, graph, sources, diagnostics: sorted(diagnostics), files }
}

fn check(file: &ast::File, sources: &Sources, world: &dyn World, set: &[(String, String)]) -> (ir::Program, Vec<Diagnostic>) {
    let env = |name: &str| world.env(name);
    let set = set.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect();
    sema::check(file, sources, &Settings { set, env: &env })
}
