//! Compiles the watched file and those that it uses: their texts as the watcher has seen them, everything else from disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Sources;
use crate::compile::{self, Disk, World};
use crate::ir::Expr;
use crate::plan::Input;

use super::outside::{Compiled, Compiler, Conditions};
use super::said::Messages;
use super::study::unsupported;
use super::watch::{Seen, Trouble};

/// The compiler of one file, with what the caller has set in it.
#[derive(Clone, Debug)]
pub struct FileCompiler {
    file: PathBuf,
    /// Params by name, as `--set` has them.
    set: Vec<(String, String)>,
    /// Of the files that the text used when it was last compiled, what has been seen since.
    seen: BTreeMap<PathBuf, Result<Arc<str>, Trouble>>,
}

impl FileCompiler {
    pub fn new(file: PathBuf, set: Vec<(String, String)>) -> FileCompiler {
        FileCompiler { file, set, seen: BTreeMap::new() }
    }
}

impl Compiler for FileCompiler {
    fn compile(&mut self, text: &str) -> Compiled {
        let seen = SeenTexts { file: &self.file, text, used: &self.seen };
        let compiled = compile::compile(&self.file, &seen, &self.set);
        let compile::Compiled { program: _, graph, sources, mut diagnostics, files } = compiled;
        // Said before anything runs: at the start, and of an edit, which then changes nothing.
        let refused = graph.as_ref().map(unsupported).unwrap_or_default();
        let graph = graph.filter(|_| refused.is_empty());
        diagnostics.extend(refused);
        let files: Vec<PathBuf> = files.into_iter().filter(|file| *file != self.file).collect();
        // What is not used is not followed, and when it is used again it may be another text.
        self.seen.retain(|file, _| files.contains(file));
        Compiled { graph, diagnostics, sources, files }
    }

    fn saw(&mut self, path: &Path, seen: &Seen) {
        let seen = match seen {
            Seen::Text(text) => Ok(text.clone()),
            Seen::Trouble(trouble) => Err(trouble.clone()),
        };
        self.seen.insert(path.to_owned(), seen);
    }

    fn conditions(&self) -> Arc<dyn Conditions> {
        Arc::new(self.clone())
    }
}

impl Conditions for FileCompiler {
    fn condition(&self, sources: &Sources, place: &Input, text: &str) -> Result<Expr, Messages> {
        let world = Texts(sources);
        let main = sources.iter().next().map_or_else(|| self.file.clone(), |source| PathBuf::from(&*source.name));
        let wrong = |(diagnostics, sources)| Messages { diagnostics, sources };
        compile::condition(&main, &world, &self.set, place, text).map_err(wrong)
    }
}

/// The texts of what runs, which may not be those on the disk.
struct Texts<'a>(&'a Sources);

impl World for Texts<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let name = path.to_string_lossy();
        let found = self.0.iter().find(|source| *source.name == *name);
        found.map(|source| source.text.to_string()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn env(&self, name: &str) -> Option<String> {
        Disk.env(name)
    }

    fn identity(&self, path: &Path) -> PathBuf {
        Disk.identity(path)
    }
}

/// Between the watcher's look and the compilation a file may have changed again; that will be another edit.
struct SeenTexts<'a> {
    file: &'a Path,
    text: &'a str,
    used: &'a BTreeMap<PathBuf, Result<Arc<str>, Trouble>>,
}

impl World for SeenTexts<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == self.file {
            return Ok(self.text.to_owned());
        }
        match self.used.get(path) {
            Some(Ok(text)) => Ok(text.to_string()),
            Some(Err(Trouble::Gone)) => Err(io::ErrorKind::NotFound.into()),
            Some(Err(trouble)) => Err(io::Error::other(format!("it {trouble}"))),
            None => Disk.read(path),
        }
    }

    fn env(&self, name: &str) -> Option<String> {
        Disk.env(name)
    }

    fn identity(&self, path: &Path) -> PathBuf {
        Disk.identity(path)
    }
}
