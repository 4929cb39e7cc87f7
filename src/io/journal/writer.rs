//! The journal's thread: gathers what comes in, writes it in one piece, and answers once it is on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use crate::base::Time;
use crate::io::error::IoError;

use super::frame::{Frame, Records, RequestKey};
use super::segment::Segment;
use super::{Shared, cannot_be_used};

/// Told when the records are on the disk, with their sequence numbers, or cannot be brought there.
pub(in crate::io) type Done = Box<dyn FnOnce(Result<Range<u64>, IoError>) + Send>;

/// Records that want to be written.
pub(super) struct Request {
    pub arrived: Time,
    pub header: Vec<u8>,
    pub key: Option<RequestKey>,
    pub records: Records,
    /// Bytes that were set aside for it.
    pub reserved: u64,
    pub done: Done,
}

pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub inbox: Receiver<Request>,
    /// The last segment, where it is open for writing.
    pub file: Option<File>,
}

impl Writer {
    /// Until the last sender is gone.
    pub fn run(mut self) {
        while let Ok(first) = self.inbox.recv() {
            let group = self.group(first);
            self.commit(group);
        }
    }

    /// What comes within a moment is written together, so that many clients share one wait for the disk.
    fn group(&self, first: Request) -> Vec<Request> {
        let limits = self.shared.limits;
        let until = Instant::now() + limits.commit_wait;
        let (mut rows, mut group) = (first.records.len(), vec![first]);
        while rows < limits.commit_rows {
            match self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(request) => {
                    rows += request.records.len();
                    group.push(request);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        group
    }

    fn commit(&mut self, group: Vec<Request>) {
        let (mut next, mut text, mut answers) = (self.shared.next.load(Relaxed), Vec::new(), Vec::new());
        let reserved: u64 = group.iter().map(|request| request.reserved).sum();
        for Request { arrived, header, key, records, reserved: _, done } in group {
            let frame = Frame { first: next, arrived, header, key, records };
            frame.encode(&mut text);
            next = frame.span().end;
            answers.push((frame.span(), done));
        }
        let written = self.write(&text);
        self.shared.state().reserved -= reserved;
        self.shared.room.ring();
        match written {
            Ok(()) => {
                self.shared.next.store(next, Release);
                answers.into_iter().for_each(|(span, done)| done(Ok(span)));
            }
            Err(error) => {
                // What may be half on the disk is never read: the next segment begins with these sequence numbers.
                self.file = None;
                answers.into_iter().for_each(|(_, done)| done(Err(cannot_be_used(&self.shared.folder, &error))));
            }
        }
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let file = self.segment()?;
        file.write_all(text)?;
        file.sync_data()?;
        let mut state = self.shared.state();
        if let Some(segment) = state.segments.back_mut() {
            segment.bytes += text.len() as u64;
        }
        Ok(())
    }

    /// The file that is written to: the last one, or a new one where that is full or all of it was trimmed.
    fn segment(&mut self) -> io::Result<&mut File> {
        let shared = self.shared.clone();
        let full = {
            let state = shared.state();
            let trimmed = state.first >= shared.next.load(Relaxed);
            let limits = shared.limits;
            let too_large = |segment: &Segment| {
                segment.bytes >= limits.segment_bytes || (trimmed && segment.bytes >= limits.segment_bytes / TRIMMED_SHARE)
            };
            state.segments.back().is_none_or(too_large)
        };
        if full || self.file.is_none() {
            self.file = Some(shared.begin_segment()?);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A segment of which everything was trimmed is left for a new one once it has this part of a segment's bytes.
const TRIMMED_SHARE: u64 = 16;

impl Shared {
    /// A new last segment, which is in its folder for sure.
    fn begin_segment(&self) -> io::Result<File> {
        let first = self.next.load(Relaxed);
        let path = Segment::path(&self.folder, first);
        // One of this name holds nothing that was acknowledged: it was begun and not written, or not to its end.
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        let mut state = self.state();
        state.segments.retain(|segment| segment.first != first);
        state.segments.push_back(Segment { first, path, bytes: 0 });
        Ok(file)
    }
}
