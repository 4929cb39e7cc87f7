//! Reads a journal from any sequence number on, up to what is on the disk for sure.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

use crate::io::error::IoError;

use super::frame::{Frame, Records};
use super::segment::Segment;
use super::{Shared, cannot_be_used};

/// What stands at a place of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::io) enum Found {
    Frame(Frame),
    /// Records that cannot be read any more, and where they stood.
    Lost {
        records: Range<u64>,
        place: String,
    },
}

pub(in crate::io) struct Reader {
    shared: Arc<Shared>,
    /// The sequence number of the next record.
    next: u64,
    open: Option<Open>,
}

/// A segment that is being read.
struct Open {
    segment: Segment,
    file: File,
    /// Of the next frame.
    at: u64,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Reader {
        Reader { shared, next: from, open: None }
    }

    /// The records from the next one on that stand in one frame; none where no more are on the disk.
    pub fn next(&mut self) -> Result<Option<Found>, IoError> {
        loop {
            if self.next >= self.shared.next.load(Acquire) {
                return Ok(None);
            }
            let Some(until) = self.enter()? else { return Ok(None) };
            let Some(open) = &mut self.open else { return Ok(None) };
            if open.at >= open.segment.bytes {
                // All of this segment was read, and records are missing up to the next one.
                self.open = None;
                return Ok(Some(self.lost(until, "the end of a segment")));
            }
            match open.segment.frame(&mut open.file, open.at)? {
                Some((frame, end)) => {
                    open.at = end;
                    if let Some(found) = self.found(frame, until) {
                        return Ok(Some(found));
                    }
                }
                None => return self.damaged(until).map(Some),
            }
        }
    }

    /// Has the segment of the next record open; where the one behind it begins.
    fn enter(&mut self) -> Result<Option<u64>, IoError> {
        let state = self.shared.state();
        let at = state.segments.iter().rposition(|segment| segment.first <= self.next).unwrap_or(0);
        let Some(segment) = state.segments.get(at).cloned() else { return Ok(None) };
        let until = state.segments.get(at + 1).map_or_else(|| self.shared.next.load(Acquire), |behind| behind.first);
        drop(state);
        match &mut self.open {
            Some(open) if open.segment.first == segment.first => open.segment.bytes = segment.bytes,
            Some(_) | None => {
                let file = File::open(&segment.path).map_err(|error| cannot_be_used(&segment.path, &error))?;
                self.open = Some(Open { segment, file, at: 0 });
            }
        }
        Ok(Some(until))
    }

    /// What of a frame is still to be read; none where all of it was read before.
    fn found(&mut self, frame: Frame, until: u64) -> Option<Found> {
        let span = frame.span();
        if span.start > self.next {
            // The frame is read again once the gap in front of it has been told.
            self.open = None;
            return Some(self.lost(span.start.min(until), "a frame that is missing"));
        }
        let upto = span.end.min(until);
        if upto <= self.next {
            return None;
        }
        let found = cut(frame, self.next..upto);
        self.next = upto;
        Some(Found::Frame(found))
    }

    /// A frame whose checksum is wrong: how many records are lost is told by the next whole one.
    fn damaged(&mut self, until: u64) -> Result<Found, IoError> {
        let Some(open) = self.open.take() else { return Ok(self.lost(until, "a segment")) };
        let place = format!("{}, byte {}", open.segment.name(), open.at);
        let behind = open.segment.frame_behind(open.at)?;
        let next = behind.as_ref().map_or(until, |(frame, _)| frame.first.clamp(self.next, until));
        let lost = self.lost(next, &place);
        if let Some((frame, end)) = behind {
            let at = end - frame.bytes() as u64;
            self.open = Some(Open { at, ..open });
        }
        Ok(lost)
    }

    fn lost(&mut self, upto: u64, place: &str) -> Found {
        let records = self.next..upto.max(self.next);
        self.next = records.end;
        Found::Lost { records, place: place.to_owned() }
    }
}

/// A part of a frame.
fn cut(frame: Frame, span: Range<u64>) -> Frame {
    if frame.span() == span {
        return frame;
    }
    let mut records = Records::default();
    for nth in span.clone() {
        records.push(frame.records.get((nth - frame.first) as usize));
    }
    Frame { first: span.start, records, ..frame }
}
