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
            Trouble::TooLong { bytes_max } => write!(f, "is longer than {bytes_max} bytes"),
            Trouble::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// Length, time of change and identity: while they stay, the text is the same.
pub type Stamp = (u64, Option<SystemTime>, u64);

pub fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok(), identity(&data)))
}

#[cfg(unix)]
fn identity(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> u64 {
    0
}

/// The whole text, if there is any.
pub fn read(path: &Path, bytes_max: u64) -> Result<String, Trouble> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Gone,
        _ => Trouble::Unreadable(error.to_string()),
    })?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| Trouble::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Trouble::TooLong { bytes_max });
    }
    let text = String::from_utf8(bytes).map_err(|_| Trouble::NotText)?;
    if text.trim().is_empty() { Err(Trouble::Empty) } else { Ok(text) }
}
