//! The file and everything that it uses, as one tree.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::base::{Sources, Span};
use crate::diag::{Code, Diagnostic};
use crate::syntax::{self, ast};

/// So many files one compilation reads.
pub const FILES_MAX: usize = 256;

/// What a compilation may see of the outside.
pub trait World {
    /// The text of a file. A path is the one of the compiled file, or one joined to its folder.
    fn read(&self, path: &Path) -> io::Result<String>;

    fn env(&self, name: &str) -> Option<String>;

    /// Equal for all paths of one file, so that `use "../units.mliot"` and `use "units.mliot"` bring it once. Without a disk
    /// to ask, the path itself tells.
    fn identity(&self, path: &Path) -> PathBuf {
        plain(path)
    }
}

/// Without `.`, and without `..` where what it leaves is written out.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => _ = out.pop(),
            Component::ParentDir | Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// The declarations of all files together, the compiled one's first.
pub(super) struct Gathered {
    pub file: ast::File,
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    pub files: Vec<PathBuf>,
    /// Of `files`, by their identity in the world.
    read: BTreeSet<PathBuf>,
}

pub(super) fn gather(path: &Path, world: &dyn World) -> Gathered {
    let mut out = Gathered {
        file: ast::File::default(),
        sources: Sources::default(),
        diagnostics: Vec::new(),
        files: vec![path.to_owned()],
        read: BTreeSet::from([world.identity(path)]),
    };
    match world.read(path) {
        Ok(text) => out.add(path, &text, world),
        Err(error) => out.diagnostics.push(unreadable(path, &error).help("check the path")),
    }
    out
}

impl Gathered {
    fn add(&mut self, path: &Path, text: &str, world: &dyn World) {
        let id = self.sources.add(&path.to_string_lossy(), text);
        let (file, diagnostics) = syntax::parse(id, text);
        self.diagnostics.extend(diagnostics);
        let ast::File { uses, declarations, broken } = file;
        self.file.declarations.extend(declarations);
        self.file.broken.extend(broken);
        for used in uses {
            self.used(&used, path, world);
        }
    }

    /// A file that was read already is not read again, so files may use each other.
    fn used(&mut self, used: &ast::Use, from: &Path, world: &dyn World) {
        let text = match &used.what {
            ast::Used::File(text) => text,
            ast::Used::Module(parts) => {
                self.diagnostics.extend(module(parts, used.span));
                return;
            }
        };
        let path = from.parent().unwrap_or(Path::new("")).join(text.value.as_str());
        let identity = world.identity(&path);
        if self.read.contains(&identity) {
            return;
        }
        if self.files.len() >= FILES_MAX {
            self.diagnostics.push(too_many(text.span));
            return;
        }
        self.read.insert(identity);
        self.files.push(path.clone());
        match world.read(&path) {
            Ok(content) => self.add(&path, &content, world),
            Err(error) => self.diagnostics.push(used_unreadable(&path, &error, text, world)),
        }
    }
}

/// The library is there from the start, in modules called like its files.
fn module(parts: &[ast::Ident], span: Span) -> Option<Diagnostic> {
    let words: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let known = match words.as_slice() {
        ["std"] => true,
        ["std", module] => crate::sema::TEXTS.iter().any(|(name, _)| name.strip_suffix(".mliot") == Some(*module)),
        _ => false,
    };
    (!known).then(|| {
        Diagnostic::new(Code::E0199, format!("the module `{}` is not in this version", words.join(".")))
            .at(span, "")
            .help("remove it: all built-in functions are there without it")
    })
}

/// E0207.
fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::E0207, format!("`{}` cannot be read: {error}", path.display()))
}

fn used_unreadable(path: &Path, error: &io::Error, used: &ast::Text, world: &dyn World) -> Diagnostic {
    let found = unreadable(path, error).at(used.span, "used here");
    let whole = format!("{}.mliot", used.value);
    let beside = path.with_file_name(format!("{}.mliot", path.file_name().unwrap_or_default().to_string_lossy()));
    if path.extension().is_none() && world.read(&beside).is_ok() {
        return found.help(format!("write the whole name, \"{whole}\"")).fix(used.span, format!("\"{whole}\""));
    }
    found.help("check the path; it is relative to the file that uses it")
}

/// E0207.
fn too_many(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0207, format!("more than {FILES_MAX} files are used"))
        .at(span, "one too many")
        .help("join some of them")
}
