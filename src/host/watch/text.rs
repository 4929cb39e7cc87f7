//! What stands at a path, or why there is no text.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// Why there is no text; what runs goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    Gone,
    /// Nothing but blanks: a file that is still being written looks like this, so it is never taken for a program.
    Empty,
    NotText,
    Folder,
    /// A pipe, a socket, a device: reading it might wait for ever.
    NoFile,
    TooLong {
        bytes_max: u64,
    },
    Unreadable(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Gone => f.write_str("is gone"),
            Trouble::Empty => f.write_str("is empty"),
            Trouble::NotText => f.write_str("is no UTF-8 text"),
            Trouble::Folder => f.write_str("is a folder"),
            Trouble::NoFile => f.write_str("is no ordinary file"),
            Trouble::TooLong { bytes_max } => write!(f, "is longer than {bytes_max} bytes"),
            Trouble::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// Length, times of change and identity: while they stay, the text is the same, but where a clock stands or is set back.
pub type Stamp = (u64, Option<SystemTime>, [i64; 3]);

pub fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok(), identity(&data)))
}

/// Its number on the disk, and when anything about it was changed, which `touch` and `cp -p` cannot set.
#[cfg(unix)]
fn identity(data: &fs::Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [data.ino().cast_signed(), data.ctime(), data.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> [i64; 3] {
    [0; 3]
}

/// The whole text, if there is any.
pub fn read(path: &Path, bytes_max: u64) -> Result<String, Trouble> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Trouble::TooLong { bytes_max });
    }
    let text = String::from_utf8(bytes).map_err(|_| Trouble::NotText)?;
    if text.trim().is_empty() { Err(Trouble::Empty) } else { Ok(text) }
}

/// A pipe is neither opened, which would wait for its writer, nor read.
fn open(path: &Path) -> Result<File, Trouble> {
    let kind = fs::metadata(path).map_err(|error| unreadable(&error))?.file_type();
    if kind.is_dir() {
        return Err(Trouble::Folder);
    }
    if !kind.is_file() {
        return Err(Trouble::NoFile);
    }
    File::open(path).map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> Trouble {
    match error.kind() {
        // A folder on the way that is none any more is a way that is gone.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Trouble::Gone,
        _ => Trouble::Unreadable(error.to_string()),
    }
}
