//! Keys of requests: what a client sends once more, because its answer was lost, is known and not taken twice.
//!
//! A key stands in the frame of its records, so it is on the disk exactly when they are. The newest keys are remembered; a
//! client that comes back later than that is one that comes for the first time.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;

use crate::io::error::IoError;

use super::NotAppended;
use super::frame::{Keyed, RequestKey, TOLD_BYTES, told};
use super::segment::Segment;

/// Keys that are remembered; the oldest is forgotten first.
pub(in crate::io) const KEYS_MAX: usize = 65_536;
/// Bytes of the journal that are looked through for keys when it is opened, newest segments first.
const LOOKED_BYTES_MAX: u64 = 64 << 20;

/// What came of records with a key.
#[derive(Clone, Debug)]
pub(in crate::io) struct Onced {
    pub span: Result<Range<u64>, IoError>,
    /// They had been brought before.
    pub again: bool,
}

/// Told once.
pub(in crate::io) type Once = Box<dyn FnOnce(Onced) + Send>;

#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<[u8; 16], Known>,
    /// Those whose records are kept, oldest first.
    order: VecDeque<[u8; 16]>,
}

enum Known {
    Kept {
        key: RequestKey,
        span: Range<u64>,
    },
    /// On its way to the disk, with those who have come with the same.
    UnderWay {
        key: RequestKey,
        waiting: Vec<Once>,
    },
}

impl Keys {
    /// From segments, the newest first. What cannot be read is not known, and its requests are taken once more.
    pub fn read<'a>(newest_first: impl Iterator<Item = &'a Segment>) -> Keys {
        let (mut bytes, mut found) = (0, Vec::new());
        for segment in newest_first {
            let mut own = of_segment(segment).unwrap_or_default();
            own.reverse();
            found.append(&mut own);
            bytes += segment.bytes;
            if bytes > LOOKED_BYTES_MAX || found.len() >= KEYS_MAX {
                break;
            }
        }
        let mut keys = Keys::default();
        for (key, first, rows) in found.into_iter().take(KEYS_MAX).rev() {
            keys.keep(key, first..first + u64::from(rows));
        }
        keys
    }

    pub fn knows(&self, key: &RequestKey) -> bool {
        self.known.contains_key(&key.name())
    }

    /// Gives the teller back where the records are to be written; a repeat is told at once, or when the first one is.
    pub fn begin(&mut self, key: RequestKey, done: Once) -> Result<Option<Once>, NotAppended> {
        match self.known.get_mut(&key.name()) {
            Some(Known::Kept { key: known, .. } | Known::UnderWay { key: known, .. }) if *known != key => {
                return Err(NotAppended::AnotherBody);
            }
            Some(Known::Kept { span, .. }) => done(Onced { span: Ok(span.clone()), again: true }),
            Some(Known::UnderWay { waiting, .. }) => waiting.push(done),
            None => {
                self.known.insert(key.name(), Known::UnderWay { key, waiting: Vec::new() });
                return Ok(Some(done));
            }
        }
        Ok(None)
    }

    /// Who waits for it is to be told.
    pub fn end(&mut self, key: RequestKey, span: &Result<Range<u64>, IoError>) -> Vec<Once> {
        let waiting = match self.known.remove(&key.name()) {
            Some(Known::UnderWay { waiting, .. }) => waiting,
            Some(Known::Kept { .. }) | None => Vec::new(),
        };
        if let Ok(span) = span {
            self.keep(key, span.clone());
        }
        waiting
    }

    /// It was not handed over.
    pub fn forget(&mut self, key: RequestKey) {
        self.known.remove(&key.name());
    }

    fn keep(&mut self, key: RequestKey, span: Range<u64>) {
        if self.known.insert(key.name(), Known::Kept { key, span }).is_none() {
            self.order.push_back(key.name());
        }
        while self.order.len() > KEYS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.known.len())
    }
}

/// The keys of its frames in their order, with the first record of each and how many there are. Records are not read.
fn of_segment(segment: &Segment) -> io::Result<Vec<Keyed>> {
    let mut file = BufReader::new(File::open(&segment.path)?);
    let (mut keys, mut at) = (Vec::new(), 0);
    while at < segment.bytes {
        let mut head = Vec::with_capacity(TOLD_BYTES);
        file.by_ref().take(TOLD_BYTES as u64).read_to_end(&mut head)?;
        let Some((bytes, key)) = told(&head) else { break };
        keys.extend(key);
        at += bytes as u64;
        file.seek_relative(bytes as i64 - head.len() as i64)?;
    }
    Ok(keys)
}
