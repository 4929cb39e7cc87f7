//! Members of tar archives as files: `clips.tar.gz/{digit}_{speaker}.wav`.

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::diag::Code;

use super::error::{IoError, reading_stopped};
use super::open;

/// Unpacked bytes of the archives of one source, which are held in memory while it is read.
const ARCHIVE_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Endings of an archive's name.
const ENDINGS: [&str; 5] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];

/// A member's bytes, unpacked, within those of its archive.
#[derive(Clone, PartialEq)]
pub(super) struct Member {
    archive: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Member {
    pub fn bytes(&self) -> &[u8] {
        &self.archive[self.range.clone()]
    }
}

impl AsRef<[u8]> for Member {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} bytes)", self.range.len())
    }
}

/// The archive's own path and what stands behind it; none where the path leads into no archive.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let mut ends = path.match_indices('/').map(|(at, _)| at);
    let is_archive = |at: &usize| {
        let name = path[..*at].rsplit('/').next().unwrap_or_default();
        ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
    };
    let at = ends.find(is_archive)?;
    Some((&path[..at], &path[at + 1..]))
}

/// All files in an archive, by their names in it.
pub(super) fn members(path: &Path) -> Result<Vec<(String, Member)>, IoError> {
    let mut bytes = Vec::new();
    open::bytes(path)?
        .take(ARCHIVE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| reading_stopped(path, error))?;
    if bytes.len() > ARCHIVE_BYTES_MAX {
        return Err(too_large(path));
    }
    let archive = Arc::new(bytes);
    let mut found = Vec::new();
    let mut reader = tar::Archive::new(archive.as_slice());
    let entries = reader.entries().map_err(|error| reading_stopped(path, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| reading_stopped(path, error))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let from = entry.raw_file_position() as usize;
        let range = from..from + entry.size() as usize;
        if range.end > archive.len() {
            return Err(reading_stopped(path, "it ends in the middle of a member"));
        }
        found.push((name.trim_start_matches("./").to_owned(), Member { archive: Arc::clone(&archive), range }));
    }
    Ok(found)
}

fn too_large(path: &Path) -> IoError {
    let message = format!("`{}` unpacks to more than {} MiB", path.display(), ARCHIVE_BYTES_MAX >> 20);
    IoError::new(Code::E0712, message).path(path).help("unpack it to a folder, and read the files there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_into_an_archive() {
        assert_eq!(split("a/b.tar.gz/{n}_x.wav"), Some(("a/b.tar.gz", "{n}_x.wav")));
        assert_eq!(split("b.tar/in/**/x.csv"), Some(("b.tar", "in/**/x.csv")));
        assert_eq!(split("a/b.tar.gz"), None);
        assert_eq!(split("a/.tar/b"), None);
        assert_eq!(split("a/b.csv.gz"), None);
    }
}
