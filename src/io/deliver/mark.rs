//! How far a sink has written, as plain data: what of its files stands for good.
//!
//! A file sink whose rows are to be written exactly once goes on behind a mark. Two kinds of files are enough for that: one that
//! grows is cut back to the length that the mark says, one that is written whole stands aside until a committed mark names it.
//! What the process was doing when it ended is undone by [`settle`], and done again from the rows.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::io::error::IoError;

use super::target::{free, writing_stopped};

/// Of one sink. The empty mark is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkMark {
    pub files: Vec<FileMark>,
}

/// Of one of its files; paths are whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMark {
    /// A file that grows line by line: so many bytes of it stand. `identity` tells it from another file of its name.
    Grown { path: String, bytes: u64, identity: Option<(u64, u64)> },
    /// A whole file that stands aside until the mark is committed, and then gets its name.
    Segment { aside: String, path: String },
}

/// Writes down, durably, what a sink begins: without that line nothing could be undone that no mark names yet.
pub trait Ledger: Send + Sync {
    /// # Errors
    /// If it is not durable; then the file must not be written.
    fn begin(&self, mark: FileMark) -> Result<(), Diagnostic>;

    /// Everything that has led to the rows that a sink has by now is durable: a restart makes the same rows of it.
    ///
    /// # Errors
    /// If it is not; then nothing that cannot be taken back may be done with them.
    fn stand(&self) -> Result<(), Diagnostic> {
        Ok(())
    }
}

/// How a sink is opened that is to write every row exactly once.
#[derive(Clone)]
pub struct Keep {
    /// What stands for good.
    pub mark: SinkMark,
    pub ledger: Arc<dyn Ledger>,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl FileMark {
    pub fn path(&self) -> &str {
        match self {
            FileMark::Grown { path, .. } | FileMark::Segment { path, .. } => path,
        }
    }

    /// The file that is written to: its own, or the one aside.
    pub fn written(&self) -> &str {
        match self {
            FileMark::Grown { path, .. } => path,
            FileMark::Segment { aside, .. } => aside,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            FileMark::Grown { bytes, .. } => *bytes,
            FileMark::Segment { .. } => 0,
        }
    }

    /// Do both speak of the same file, and not only of the same name?
    pub(super) fn is_of_the_file_of(&self, other: &FileMark) -> bool {
        match (self, other) {
            (FileMark::Grown { path, identity, .. }, FileMark::Grown { path: other, identity: others, .. }) => {
                path == other && identity == others
            }
            (FileMark::Segment { aside, .. }, FileMark::Segment { aside: other, .. }) => aside == other,
            (FileMark::Grown { .. }, FileMark::Segment { .. }) | (FileMark::Segment { .. }, FileMark::Grown { .. }) => false,
        }
    }

    /// Of an open file that grows, as it stands now.
    pub(super) fn grown(path: &Path, file: &File) -> io::Result<FileMark> {
        let meta = file.metadata()?;
        Ok(FileMark::Grown { path: path.display().to_string(), bytes: meta.len(), identity: identity(&meta) })
    }

    /// What was written is durable.
    pub fn sync(&self) -> io::Result<()> {
        match File::open(self.written()) {
            Ok(file) => file.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The mark is committed: a segment gets its name. Doing it twice is doing it once.
    pub fn publish(&self) -> Result<(), IoError> {
        let FileMark::Segment { aside, path } = self else { return Ok(()) };
        if !Path::new(aside).exists() {
            return Ok(());
        }
        let path = Path::new(path);
        // Somebody else's file of this name is not replaced.
        let place = if path.exists() { free(path, &[])? } else { path.to_owned() };
        let done = fs::rename(aside, &place).and_then(|()| sync_folder(&place));
        done.map_err(|error| writing_stopped(&place, error))
    }

    /// Back to what the mark says: what was written to the file since is cut off.
    fn cut_back(&self) -> Result<(), IoError> {
        let FileMark::Grown { path, bytes, identity: own } = self else { return Ok(()) };
        let cut = || -> io::Result<()> {
            let meta = match fs::metadata(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                meta => meta?,
            };
            // A file that somebody has put there meanwhile is not ours to cut.
            if identity(&meta) != *own || meta.len() <= *bytes {
                return Ok(());
            }
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(*bytes)?;
            file.sync_all()
        };
        cut().map_err(|error| writing_stopped(Path::new(path), error))
    }

    /// It was begun and never committed.
    pub(super) fn undo(&self) -> Result<(), IoError> {
        match self {
            FileMark::Grown { .. } => self.cut_back(),
            FileMark::Segment { aside, path } => match fs::remove_file(aside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(writing_stopped(Path::new(path), error)),
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }
}

/// After a process has ended: what committed marks name stands and nothing else; `begun` are the files that were begun since.
///
/// # Errors
/// If a file cannot be cut back, named or removed; then nothing must be written behind it.
pub fn settle<'a>(marks: impl IntoIterator<Item = &'a SinkMark>, begun: &[FileMark]) -> Result<(), IoError> {
    let marked: Vec<&FileMark> = marks.into_iter().flat_map(|mark| &mark.files).collect();
    // Where two sinks write to one file the longest of their marks counts: nothing that stands is cut off.
    let longest = |mark: &&&FileMark| marked.iter().all(|other| other.path() != mark.path() || other.bytes() <= mark.bytes());
    for mark in marked.iter().filter(longest) {
        mark.cut_back()?;
    }
    for mark in &marked {
        mark.publish()?;
    }
    // The first line about a file says how it was at the beginning.
    let mut known: Vec<&FileMark> = marked;
    for mark in begun {
        if !known.iter().any(|known| known.is_of_the_file_of(mark)) {
            known.push(mark);
            mark.undo()?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        Some(_) | None => Ok(()),
    }
}
