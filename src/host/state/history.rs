//! The logs of a state folder from the oldest one on, read beside whoever writes them.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::runtime::{History, Past};

use super::entry::{Entry, Head};
use super::frame::{self, Next, frame_bytes};
use super::log;
use super::manifest::FORMAT;

pub struct LogHistory {
    state: PathBuf,
    open: Option<Open>,
    /// The newest log that was read to its end.
    done: u64,
}

/// A log that is read.
struct Open {
    number: u64,
    file: BufReader<File>,
    /// Of the next frame.
    at: u64,
    /// Has it said how all stood? What comes before is told by the log before it.
    stands: bool,
    /// Was there a newer log when nothing more was found? Then it was looked once more, and it has ended.
    looked: bool,
}

impl LogHistory {
    pub fn of(state: &Path) -> LogHistory {
        LogHistory { state: state.to_owned(), open: None, done: 0 }
    }

    fn newer(&self, than: u64) -> Option<u64> {
        log::numbers(&self.state).ok()?.into_iter().find(|number| *number > than)
    }

    /// The next log of this version.
    fn open(&mut self) -> Option<&mut Open> {
        while self.open.is_none() {
            let number = self.newer(self.done)?;
            let file = File::open(log::place(&self.state, number)).ok();
            let head = file.map(BufReader::new).and_then(|mut file| match frame::next(&mut file) {
                Ok(Next::Frame(head)) => Some((file, head)),
                Ok(Next::End | Next::Torn) | Err(_) => None,
            });
            let read = |head: &[u8]| serde_json::from_slice::<Head>(head).is_ok_and(|head| head.format == FORMAT);
            match head.filter(|(_, head)| read(head)) {
                Some((file, head)) => {
                    let at = frame_bytes(head.len());
                    self.open = Some(Open { number, file, at, stands: false, looked: false });
                }
                // It may have been begun just now.
                None if self.newer(number).is_none() => return None,
                None => self.done = number,
            }
        }
        self.open.as_mut()
    }

    /// Behind its last whole frame: more may still be written, unless another log has begun.
    fn ended(&mut self) -> bool {
        let Some(number) = self.open.as_ref().map(|open| open.number) else { return true };
        let over = self.newer(number).is_some();
        let Some(open) = &mut self.open else { return true };
        if over && open.looked {
            (self.open, self.done) = (None, number);
            return false;
        }
        open.looked = over;
        // What was buffered of a frame that is not whole yet is read anew.
        let _ = open.file.seek(SeekFrom::Start(open.at));
        !over
    }
}

impl History for LogHistory {
    fn next(&mut self) -> Option<Past> {
        loop {
            let open = self.open()?;
            let payload = match frame::next(&mut open.file) {
                Ok(Next::Frame(payload)) => payload,
                Ok(Next::End | Next::Torn) => {
                    if self.ended() {
                        return None;
                    }
                    continue;
                }
                Err(_) => return Some(self.gap()),
            };
            open.at += frame_bytes(payload.len());
            open.looked = false;
            match Entry::read(&payload) {
                Ok(Entry::Stands(standing)) => {
                    open.stands = true;
                    return Some(Past::Stands(standing));
                }
                Ok(Entry::Record(record)) if open.stands => return Some(Past::Record(record)),
                Ok(Entry::Record(_) | Entry::Begun(_) | Entry::Settled { .. }) => {}
                Err(_) => return Some(self.gap()),
            }
        }
    }
}

impl LogHistory {
    /// The rest of this log cannot be read.
    fn gap(&mut self) -> Past {
        self.done = self.open.take().map_or(self.done, |open| open.number);
        Past::Gap
    }
}
