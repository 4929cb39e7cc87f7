//! What tells a file from every other one, whatever it is called at the moment.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::base::Hash;

/// Bytes at the beginning of a file that tell it from another one under the same number.
const HEAD_BYTES: u64 = 256;

/// The file's number on its disk. A number is used again once its file is gone, so the head is compared too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Where files have no numbers, the time at which it was made stands for one.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> FileId {
        let made = metadata.created().ok().and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
        FileId { device: 0, inode: made.map_or(0, |made| made.as_nanos() as u64) }
    }
}

/// The first bytes of a file that were read of it. Lines that are added later do not change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub bytes: u64,
    pub hash: Hash,
}

impl Head {
    /// Of a file that was read up to `offset`.
    pub(super) fn of(file: &mut File, offset: u64) -> io::Result<Head> {
        let bytes = offset.min(HEAD_BYTES);
        Ok(Head { bytes, hash: Hash::of_bytes(&first(file, bytes)?) })
    }

    /// Does the file still begin with these bytes?
    pub(super) fn is_of(&self, file: &mut File) -> io::Result<bool> {
        Ok(self.bytes == 0 || Hash::of_bytes(&first(file, self.bytes)?) == self.hash)
    }

    /// More of the file has been read than the head holds, and it could hold more.
    pub(super) fn is_short_for(&self, offset: u64) -> bool {
        self.bytes < offset.min(HEAD_BYTES)
    }
}

fn first(file: &mut File, bytes: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes as usize);
    file.seek(SeekFrom::Start(0))?;
    file.take(bytes).read_to_end(&mut out)?;
    Ok(out)
}
