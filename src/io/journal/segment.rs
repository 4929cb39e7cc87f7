//! The files of a journal: each is named by the sequence number of its first record.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::io::error::IoError;

use super::cannot_be_used;
use super::frame::{self, Frame, HEAD_BYTES};

/// What a segment's file is called by its end.
const ENDING: &str = "log";

/// A file of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The sequence number of its first record. Records of the file before it from here on do not count.
    pub first: u64,
    pub path: PathBuf,
    /// Bytes that were written and are on the disk for sure.
    pub bytes: u64,
}

/// Where the last whole frame of a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub bytes: u64,
    /// The sequence number behind its last record.
    pub next: u64,
}

impl Segment {
    pub fn path(folder: &Path, first: u64) -> PathBuf {
        folder.join(format!("{first:020}.{ENDING}"))
    }

    /// All of a folder, in order, with their bytes as the files have them.
    pub fn list(folder: &Path) -> Result<Vec<Segment>, IoError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| cannot_be_used(folder, &error))? {
            let entry = entry.map_err(|error| cannot_be_used(folder, &error))?;
            let path = entry.path();
            if let Some(first) = number(&path) {
                let bytes = entry.metadata().map_err(|error| cannot_be_used(&path, &error))?.len();
                found.push(Segment { first, path, bytes });
            }
        }
        found.sort_by_key(|segment| segment.first);
        Ok(found)
    }

    /// Reads all of it for the end of its last whole frame. What stands behind that end was being written when the process
    /// ended, and was acknowledged to nobody.
    pub fn end(&self) -> Result<End, IoError> {
        let bytes = fs::read(&self.path).map_err(|error| cannot_be_used(&self.path, &error))?;
        let mut end = End { bytes: 0, next: self.first };
        while let Some((at, frame, length)) = frame::next_frame(&bytes, end.bytes as usize) {
            end = End { bytes: (at + length) as u64, next: frame.span().end };
        }
        Ok(end)
    }

    /// The frame at this byte; none where it is damaged.
    pub fn frame(&self, file: &mut File, at: u64) -> Result<Option<(Frame, u64)>, IoError> {
        let read = || -> io::Result<Option<(Frame, u64)>> {
            file.seek(SeekFrom::Start(at))?;
            let mut bytes = Vec::new();
            file.take(HEAD_BYTES as u64).read_to_end(&mut bytes)?;
            let Some(body) = frame::body_bytes(&bytes) else { return Ok(None) };
            file.take(body as u64).read_to_end(&mut bytes)?;
            Ok(Frame::decode(&bytes).map(|(frame, length)| (frame, at + length as u64)))
        };
        let mut read = read;
        read().map_err(|error| cannot_be_used(&self.path, &error))
    }

    /// The first whole frame behind a damaged one, with where it ends; none where none follows.
    pub fn frame_behind(&self, at: u64) -> Result<Option<(Frame, u64)>, IoError> {
        let bytes = fs::read(&self.path).map_err(|error| cannot_be_used(&self.path, &error))?;
        let bytes = &bytes[..bytes.len().min(self.bytes as usize)];
        let found = frame::next_frame(bytes, at as usize + 1);
        Ok(found.map(|(at, frame, length)| (frame, (at + length) as u64)))
    }

    /// Since it was written to last; nothing where the disk does not say.
    pub fn age(&self) -> Duration {
        let written = fs::metadata(&self.path).and_then(|meta| meta.modified());
        written.ok().and_then(|written| written.elapsed().ok()).unwrap_or_default()
    }

    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

fn number(path: &Path) -> Option<u64> {
    let is_segment = path.extension().is_some_and(|ending| ending == ENDING);
    is_segment.then(|| path.file_stem()?.to_str()?.parse().ok()).flatten()
}
