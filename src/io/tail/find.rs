//! Which files there are to follow: those that fit the path now, and those that a position knows under whatever name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::diag::Code;
use crate::io::error::{IoError, cannot_be_read};
use crate::io::files::typed;
use crate::io::path::Found;
use crate::io::sheet::FileAt;
use crate::io::spec::Spec;
use crate::io::stream::Stream;
use crate::ir::{FileFormat, TailConnector, TailFrom};

use super::followed::{Followed, Spot};
use super::identity::FileId;
use super::{FOLLOWED_MAX, Tail, TailPosition};

/// Files in a folder among which one is looked for that was renamed.
const SIBLINGS_MAX: usize = 10_000;

impl Tail {
    /// Takes up what is there, and notes what is gone. Before the first rows a file that cannot be followed is an error; later
    /// it is said once and left out.
    pub(super) fn find(&mut self) -> Result<(), IoError> {
        let found = match self.template.find(&self.place) {
            Err(error) if error.code == Code::E0711 => Vec::new(),
            Err(error) if self.opening => return Err(error),
            Err(error) => {
                self.note(&self.connector.path.clone(), error);
                return Ok(());
            }
            Ok(found) => found,
        };
        let mut seen = BTreeSet::new();
        for one in found {
            let Ok(metadata) = fs::metadata(&one.path) else { continue };
            let id = FileId::of(&metadata);
            if !metadata.is_file() || !seen.insert(id) {
                continue;
            }
            match self.files.iter_mut().find(|file| file.id == id) {
                Some(file) => (file.found, file.gone) = (one, None),
                None => self.take_up(one)?,
            }
        }
        let now = Instant::now();
        for file in self.files.iter_mut().filter(|file| !seen.contains(&file.id)) {
            file.gone.get_or_insert(now);
        }
        let folders = self.folders();
        self.watch.folders(folders);
        Ok(())
    }

    fn take_up(&mut self, found: Found) -> Result<(), IoError> {
        let name = found.name.clone();
        let from = if self.opening { self.connector.from } else { TailFrom::Start };
        match self.opened(found, from) {
            Ok(Some(mut file)) => {
                if self.opening {
                    self.check_header(&mut file)?;
                }
                self.files.push(file);
            }
            Ok(None) => {}
            Err(error) if self.opening => return Err(error),
            Err(error) => self.note(&name, error),
        }
        Ok(())
    }

    /// None where the file has gone between two looks.
    fn opened(&mut self, found: Found, from: TailFrom) -> Result<Option<Followed>, IoError> {
        if self.files.len() >= FOLLOWED_MAX {
            return Err(too_many(&self.connector.path));
        }
        let path = found.path.clone();
        let refused = |error: &std::io::Error| cannot_be_read(&path, error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| refused(&error))?,
        };
        let id = FileId::of(&file.metadata().map_err(|error| refused(&error))?);
        let stream = stream(&self.spec, &self.connector, &found, self.files.len() as u32)?;
        let mut file = Followed::new(id, found, file, stream).map_err(|error| refused(&error))?;
        if let Some(known) = self.remembered.iter().rposition(|known| known.id == id)
            && file.is_recognised(&self.remembered[known].head).map_err(|error| refused(&error))?
            && let Some(position) = self.remembered.remove(known)
        {
            go_to(&mut file, &position).map_err(|error| refused(&error))?;
        } else if from == TailFrom::End {
            file.go_to_end().map_err(|error| refused(&error))?;
        }
        self.with_header(&mut file)?;
        Ok(Some(file))
    }

    /// A header that lacks a column is said before anything runs.
    fn check_header(&self, file: &mut Followed) -> Result<(), IoError> {
        if file.stream.is_headed() {
            return Ok(());
        }
        let first = file.first_record().map_err(|error| cannot_be_read(&file.found.path, &error))?;
        let mut tried = stream(&self.spec, &self.connector, &file.found, 0)?;
        first.map_or(Ok(()), |first| tried.head(&first))
    }

    /// A file that is taken up behind its header is read under it all the same.
    fn with_header(&mut self, file: &mut Followed) -> Result<(), IoError> {
        if file.stream.is_headed() || file.spot.byte == 0 || !file.stream.has_header() {
            return Ok(());
        }
        let first = file.first_record().map_err(|error| cannot_be_read(&file.found.path, &error))?;
        if let Some(first) = first {
            file.stream.head(&first)?;
            self.header = Some(first);
        }
        Ok(())
    }

    /// Takes up a file of an earlier run where that was, under whatever name it stands in its folder now.
    pub(super) fn find_again(&mut self, position: &TailPosition) {
        let again = self.paths_of(position).into_iter().find_map(|path| {
            let is_it = fs::metadata(&path).is_ok_and(|metadata| FileId::of(&metadata) == position.id);
            let found = Found::of(path, position.name.clone());
            let found = self.fitting(found);
            let mut file = if is_it { self.opened(found, TailFrom::Start).ok().flatten()? } else { return None };
            let recognised = file.is_recognised(&position.head).unwrap_or(false);
            (recognised && go_to(&mut file, position).is_ok()).then_some(file)
        });
        match again {
            Some(mut file) => {
                if let Err(error) = self.with_header(&mut file) {
                    self.note(&position.name, error);
                }
                self.files.push(file);
            }
            None if position.gone => {}
            None => self.note(&position.name, left(position)),
        }
    }

    /// With the values of the path's patterns, where the file still stands at its place.
    fn fitting(&self, found: Found) -> Found {
        let all = self.template.find(&self.place).unwrap_or_default();
        let same = |one: &Found| one.path == found.path || one.name == found.name;
        let values = all.into_iter().find(same).map(|one| one.values).unwrap_or_default();
        Found { values, ..found }
    }

    fn paths_of(&self, position: &TailPosition) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for folder in self.place.folders(Path::new(position.name.as_str())) {
            let path = folder.join(position.name.as_str());
            let siblings = path.parent().and_then(|folder| fs::read_dir(folder).ok());
            paths.push(path);
            paths.extend(siblings.into_iter().flatten().flatten().map(|entry| entry.path()).take(SIBLINGS_MAX));
        }
        paths
    }

    /// Those in which files that fit come and go: of the paths, and of what links among them lead to.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for folder in self.place.folders(Path::new(self.connector.path.as_str())) {
            let root = folder.join(self.template.root());
            folders.extend(if root.is_dir() { Some(root) } else { root.parent().map(Path::to_owned) });
        }
        for file in &self.files {
            folders.extend(file.found.path.parent().map(Path::to_owned));
            folders.extend(file.found.path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)));
        }
        folders.into_iter().map(|folder| if folder.as_os_str().is_empty() { ".".into() } else { folder }).collect()
    }
}

fn go_to(file: &mut Followed, position: &TailPosition) -> std::io::Result<()> {
    (file.aside, file.skipping) = (position.aside, position.skipping);
    file.go_to(Spot { byte: position.byte, line: position.line })
}

/// The records of one file.
pub(super) fn stream(spec: &Arc<Spec>, connector: &TailConnector, found: &Found, index: u32) -> Result<Stream, IoError> {
    let fixed = typed(spec, found).map_err(|why| unfit(&found.name, &why))?;
    let file = FileAt { found: found.clone(), index, rows_before: 0, fixed };
    let mut stream = Stream::of_file(spec, &connector.format, file);
    if connector.format == FileFormat::Jsonl {
        stream.head(b"")?;
    }
    Ok(stream)
}

/// A path that ends in `/` stands for the files of its format in that folder.
pub(super) fn whole_folder(connector: &TailConnector) -> String {
    let ending = connector.format.word();
    if connector.path.ends_with('/') { format!("{}*.{ending}", connector.path) } else { connector.path.to_string() }
}

/// E0711.
pub(super) fn unfit(name: &str, why: &str) -> IoError {
    IoError::new(Code::E0711, format!("`{name}` does not fit the columns that its path fills: {why}"))
        .help("give the column a type that the names of the files have")
}

/// E0711.
fn too_many(path: &str) -> IoError {
    IoError::new(Code::E0711, format!("more than {FOLLOWED_MAX} files that grow fit `{path}`"))
        .help("write a narrower pattern, or read finished files with `csv(…)` or `jsonl(…)`")
}

/// R0711.
fn left(position: &TailPosition) -> IoError {
    let TailPosition { name, byte, .. } = position;
    IoError::new(Code::R0711, format!("`{name}` was followed up to byte {byte}, and is not in its folder any more"))
        .help("what was added to it since cannot be read; the file that stands in its place is read from its beginning")
}
