//! Compiles the watched file: its text as the watcher has seen it, everything else from disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::compile::{self, Disk, World};

use super::outside::{Compiled, Compiler};
use super::study::unsupported;

/// The compiler of one file, with what the caller has set in it.
#[derive(Clone, Debug)]
pub struct FileCompiler {
    pub file: PathBuf,
    /// Params by name, as `--set` has them.
    pub set: Vec<(String, String)>,
}

impl Compiler for FileCompiler {
    fn compile(&mut self, text: &str) -> Compiled {
        let seen = SeenText { file: &self.file, text };
        let compiled = compile::compile(&self.file, &seen, &self.set);
        let compile::Compiled { program: _, graph, sources, mut diagnostics, files } = compiled;
        // Said before anything runs: at the start, and of an edit, which then changes nothing.
        let refused = graph.as_ref().map(unsupported).unwrap_or_default();
        let graph = graph.filter(|_| refused.is_empty());
        diagnostics.extend(refused);
        let files = files.into_iter().filter(|file| *file != self.file).collect();
        Compiled { graph, diagnostics, sources, files }
    }
}

/// Between the watcher's look and the compilation the file may have changed again; that will be another edit.
struct SeenText<'a> {
    file: &'a Path,
    text: &'a str,
}

impl World for SeenText<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == self.file { Ok(self.text.to_owned()) } else { Disk.read(path) }
    }

    fn env(&self, name: &str) -> Option<String> {
        Disk.env(name)
    }
}
