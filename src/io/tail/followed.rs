//! One file that grows, held open: how far it was read, and whether it is still the file that it was.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Instant, SystemTime};

use crate::io::journal::Records;
use crate::io::lines::LINE_BYTES_MAX;
use crate::io::path::Found;
use crate::io::stream::Stream;

use super::identity::{FileId, Head};
use super::split::split;

/// Bytes of a file that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// Bytes at the end of a file that is taken up there whose lines are counted, so that messages can name them.
const COUNTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of a line without an end that a message shows.
const SHOWN_BYTES: usize = 4_096;

/// A place between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub byte: u64,
    /// Of the record that begins there, from 1.
    pub line: u64,
}

pub(super) struct Followed {
    pub id: FileId,
    pub found: Found,
    pub stream: Stream,
    file: File,
    /// The first bytes, by which it is recognised.
    pub head: Head,
    /// Where the next record begins.
    pub spot: Spot,
    /// In the middle of a line that is too long.
    pub skipping: bool,
    /// What stood aside of records before this byte was told.
    pub aside: u64,
    /// Since when no path leads to it.
    pub gone: Option<Instant>,
    /// Size and time of change at the last look that found nothing more.
    quiet: Option<(u64, Option<SystemTime>)>,
}

/// New records of one file.
#[derive(Default)]
pub(super) struct Chunk {
    pub records: Records,
    /// On which line each begins.
    pub lines: Vec<u64>,
    /// Where each ends.
    pub ends: Vec<Spot>,
    /// Why its one record is none, where it is not.
    pub wrong: Option<String>,
}

impl Followed {
    /// Open, at its beginning.
    pub fn new(id: FileId, found: Found, file: File, stream: Stream) -> io::Result<Followed> {
        let mut file = file;
        let head = Head::of(&mut file, 0)?;
        let spot = Spot { byte: 0, line: 1 };
        Ok(Followed { id, found, stream, file, head, spot, skipping: false, aside: 0, gone: None, quiet: None })
    }

    /// Goes on behind the last line that has an end now.
    pub fn go_to_end(&mut self) -> io::Result<()> {
        let end = last_line_end(&mut self.file)?;
        let line = if end <= COUNTED_BYTES_MAX { 1 + count_lines(&mut self.file, end)? } else { 1 };
        self.go_to(Spot { byte: end, line })
    }

    pub fn go_to(&mut self, spot: Spot) -> io::Result<()> {
        self.spot = spot;
        self.quiet = None;
        self.head = Head::of(&mut self.file, spot.byte)?;
        Ok(())
    }

    /// The first record of the file, if its end has come.
    pub fn first_record(&mut self) -> io::Result<Option<Vec<u8>>> {
        let before = self.spot;
        self.spot = Spot { byte: 0, line: 1 };
        let first = self.read(1).map(|chunk| chunk.filter(|chunk| chunk.wrong.is_none()));
        (self.spot, self.skipping) = (before, false);
        Ok(first?.map(|chunk| chunk.records.get(0).to_vec()))
    }

    /// Is there more, as far as its size tells?
    pub fn may_have_more(&mut self) -> io::Result<bool> {
        Ok(self.quiet != Some(stamp(&self.file.metadata()?)))
    }

    /// Other bytes stand where it was read already: it was emptied and written anew, under the same number.
    pub fn is_cut(&mut self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() < self.spot.byte || !self.head.is_of(&mut self.file)?)
    }

    pub fn is_recognised(&mut self, head: &Head) -> io::Result<bool> {
        head.is_of(&mut self.file)
    }

    /// Records that have come since, at most so many; none if none has its end.
    pub fn read(&mut self, rows_max: usize) -> io::Result<Option<Chunk>> {
        let mut size = READ_BYTES;
        loop {
            let stamp = stamp(&self.file.metadata()?);
            let bytes = self.bytes(size)?;
            if self.spot.byte == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
                self.spot.byte = 3;
                continue;
            }
            if self.skipping {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                self.advance(end.map_or(bytes.len(), |at| at + 1), u64::from(end.is_some()));
                self.skipping = end.is_none();
                if end.is_some() || bytes.len() == size {
                    continue;
                }
            } else if let Some(chunk) = self.whole(&bytes, rows_max) {
                self.grow_head()?;
                return Ok(Some(chunk));
            } else if bytes.len() == size && size >= LINE_BYTES_MAX {
                return Ok(Some(self.too_long(&bytes)));
            } else if bytes.len() == size {
                size = (size * 4).min(LINE_BYTES_MAX);
                continue;
            }
            self.quiet = Some(stamp);
            return Ok(None);
        }
    }

    fn whole(&mut self, bytes: &[u8], rows_max: usize) -> Option<Chunk> {
        let whole = split(bytes, self.stream.signs(), rows_max);
        let from = self.spot;
        self.advance(whole.bytes, whole.line_count);
        if whole.records.is_empty() {
            return None;
        }
        let spot = |(bytes, lines): &(usize, u64)| Spot { byte: from.byte + *bytes as u64, line: from.line + lines };
        let ends = whole.behind.iter().map(spot).collect();
        let lines = whole.lines.iter().map(|line| from.line + line).collect();
        Some(Chunk { records: whole.records, lines, ends, wrong: None })
    }

    /// What stands at the end of a file that nobody can go on writing, where its line was not ended.
    pub fn rest(&mut self) -> io::Result<Option<Chunk>> {
        let bytes = self.bytes(SHOWN_BYTES)?;
        if bytes.trim_ascii().is_empty() || self.skipping {
            return Ok(None);
        }
        let left = self.file.metadata()?.len().saturating_sub(self.spot.byte);
        let line = self.spot.line;
        self.advance(left as usize, 1);
        Ok(Some(self.one(&bytes, line, "the file was left in the middle of this line".to_owned())))
    }

    fn too_long(&mut self, bytes: &[u8]) -> Chunk {
        let line = self.spot.line;
        self.advance(bytes.len(), 0);
        self.skipping = true;
        let wrong = format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20);
        self.one(&bytes[..SHOWN_BYTES], line, wrong)
    }

    fn one(&self, record: &[u8], line: u64, wrong: String) -> Chunk {
        let mut records = Records::default();
        records.push(record);
        Chunk { records, lines: vec![line], ends: vec![self.spot], wrong: Some(wrong) }
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.spot = Spot { byte: self.spot.byte + bytes as u64, line: self.spot.line + lines };
    }

    fn grow_head(&mut self) -> io::Result<()> {
        if self.head.is_short_for(self.spot.byte) {
            self.head = Head::of(&mut self.file, self.spot.byte)?;
        }
        Ok(())
    }

    fn bytes(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.spot.byte))?;
        (&mut self.file).take(most as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Chunk {
    /// Its first record alone, which is none.
    pub fn only_first(self, wrong: String) -> Chunk {
        let mut records = Records::default();
        records.push(self.records.get(0));
        Chunk { records, lines: self.lines[..1].to_vec(), ends: self.ends[..1].to_vec(), wrong: Some(wrong) }
    }

    pub fn without_first(self) -> Chunk {
        let mut records = Records::default();
        (1..self.records.len()).for_each(|nth| records.push(self.records.get(nth)));
        Chunk { records, lines: self.lines[1..].to_vec(), ends: self.ends[1..].to_vec(), wrong: self.wrong }
    }
}

fn stamp(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

/// Behind the last line break; 0 where there is none.
fn last_line_end(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    while end > 0 {
        let from = end.saturating_sub(READ_BYTES as u64);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        (&mut *file).take(end - from).read_to_end(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

fn count_lines(file: &mut File, upto: u64) -> io::Result<u64> {
    let (mut lines, mut left) = (0, upto);
    let mut bytes = vec![0; READ_BYTES];
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let most = bytes.len().min(left as usize);
        let read = file.read(&mut bytes[..most])?;
        if read == 0 {
            break;
        }
        lines += bytes[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
        left -= read as u64;
    }
    Ok(lines)
}
