//! What a source that cannot rewind has received, kept on the disk as it came.
//!
//! Records are appended in frames with their arrival and their sequence number, and acknowledged once they are on the disk for
//! sure. The rows of the source are read from here, so a restart reads again from any sequence number that was not trimmed.
//! What was being written when a process ended is cut off; a frame that is damaged later is named, and what follows is read.

mod bell;
mod frame;
mod keys;
mod reader;
mod segment;
mod writer;

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::{Name, Time, sync};
use crate::diag::{Code, Diagnostic};

use super::error::IoError;
use super::resources::{Lease, Table};

use bell::Bell;
use frame::BODY_BYTES_MAX;
pub(in crate::io) use frame::{Frame, Records, RequestKey};
use keys::Keys;
pub(in crate::io) use keys::{Once, Onced};
pub(in crate::io) use reader::{Found, Reader};
use segment::Segment;
use writer::{Done, Request, Writer};

/// What bounds a journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalLimits {
    /// Of all segments that may still be asked for. When it is reached nothing more is taken until something is trimmed.
    pub bytes_max: u64,
    /// Of segments that were trimmed and stay for an edit that wants to see their rows once more.
    pub history_bytes_max: u64,
    /// Such a segment goes when it was written to last so long ago.
    pub history_age_max: Duration,
    /// A segment of this size is followed by a new one; trimming deletes whole segments.
    pub segment_bytes: u64,
    /// How long records wait for others to be written with them.
    pub commit_wait: Duration,
    /// So many records are not kept waiting.
    pub commit_rows: usize,
    /// Bytes that wait to be written.
    pub waiting_bytes_max: u64,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 30,
            history_bytes_max: HISTORY_BYTES_MAX,
            history_age_max: HISTORY_AGE_MAX,
            segment_bytes: 16 << 20,
            commit_wait: Duration::from_millis(10),
            commit_rows: 4_096,
            waiting_bytes_max: 64 << 20,
        }
    }
}

/// Bytes of what has been worked on that are kept for an edit: of a source's journal, and of the log of a run.
pub const HISTORY_BYTES_MAX: u64 = 256 << 20;
/// How long it is kept at most.
pub const HISTORY_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Requests that wait to be written.
const REQUESTS_MAX: usize = 1_024;

/// Held by the process that uses the folder.
const LOCK: &str = "lock";

/// How far it was trimmed, as a number in digits.
const MARK: &str = "trimmed";

/// The journal of one source. Whoever holds it may append and read; the last one closes it.
#[derive(Debug)]
pub(in crate::io) struct Journal {
    shared: Arc<Shared>,
    /// None while it is being closed.
    requests: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// How far the running source has taken its records. Another one that takes over goes on from there.
    taken: AtomicU64,
    /// It was full at the last try: said once until there is room again.
    full: AtomicBool,
    /// Of requests that brought its newest records.
    keys: Arc<Mutex<Keys>>,
    _lock: File,
}

/// Between those who append, the writing thread and readers.
#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    limits: JournalLimits,
    /// The sequence number behind the last record that is on the disk for sure.
    next: AtomicU64,
    state: Mutex<State>,
    /// Rung when something was written or trimmed, so that there may be room.
    room: Bell,
}

#[derive(Debug, Default)]
struct State {
    segments: VecDeque<Segment>,
    /// Records before it are trimmed.
    first: u64,
    /// Bytes of requests that are not written yet.
    reserved: u64,
    notes: Vec<Diagnostic>,
}

/// Why nothing was appended. What was offered is dropped; the one who offered it still has it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::io) enum NotAppended {
    /// Its limit is reached: worth another try once something was trimmed.
    Full {
        bytes_max: u64,
    },
    /// More waits to be written than may: worth another try at once.
    Busy,
    /// More than a frame holds.
    TooLarge,
    /// Another request has had this key.
    AnotherBody,
    Closed,
}

impl Journal {
    /// Opens the journal of a folder, which is made where there is none.
    ///
    /// # Errors
    /// `R0714` where another process uses it, or the disk refuses.
    pub fn open(folder: &Path, limits: JournalLimits) -> Result<Journal, IoError> {
        fs::create_dir_all(folder).map_err(|error| cannot_be_used(folder, &error))?;
        let lock = locked(folder)?;
        let mut segments: VecDeque<Segment> = Segment::list(folder)?.into();
        let mark = mark(folder);
        let first = segments.front().map_or(mark, |segment| segment.first.max(mark));
        let (mut next, mut file) = (first, None);
        if let Some(last) = segments.back_mut() {
            let end = last.end()?;
            file = Some(cut_off(last, end.bytes)?);
            next = next.max(end.next);
        }
        let keys = Keys::read(segments.iter().rev());
        let state = State { segments, first, ..State::default() };
        let (folder, next) = (folder.to_owned(), AtomicU64::new(next));
        let shared = Arc::new(Shared { folder, limits, next, state: Mutex::new(state), room: Bell::default() });
        let (requests, inbox) = sync_channel(REQUESTS_MAX);
        let writer = Writer { shared: shared.clone(), inbox, file };
        let writer = std::thread::Builder::new().name("journal".into()).spawn(move || writer.run());
        let writer = writer.map_err(|error| cannot_be_used(&shared.folder, &error))?;
        let (taken, keys) = (AtomicU64::new(first), Arc::new(Mutex::new(keys)));
        let (requests, writer) = (Some(requests), Some(writer));
        Ok(Journal { shared, requests, writer, taken, full: AtomicBool::new(false), keys, _lock: lock })
    }

    /// Hands records over to be written; `done` is called by the writing thread once they are on the disk.
    pub fn append(&self, arrived: Time, header: &[u8], records: Records, done: Done) -> Result<(), NotAppended> {
        self.hand_over(arrived, header, None, records, done)
    }

    /// The same for the records of a request that has a key: if it has come before, it is told what came of it then.
    pub fn append_once(&self, arrived: Time, key: RequestKey, records: Records, done: Once) -> Result<(), NotAppended> {
        // Held until it is handed over, which does not wait: nobody else sees a key that is refused in the end.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(done) = keys.begin(key, done)? else { return Ok(()) };
        let known = self.keys.clone();
        let told = move |span: Result<std::ops::Range<u64>, IoError>| {
            let waiting = known.lock().unwrap_or_else(PoisonError::into_inner).end(key, &span);
            done(Onced { span: span.clone(), again: false });
            waiting.into_iter().for_each(|done| done(Onced { span: span.clone(), again: true }));
        };
        self.hand_over(arrived, b"", Some(key), records, Box::new(told)).inspect_err(|_| keys.forget(key))
    }

    /// Has a request with this key come before?
    pub fn knows(&self, key: &RequestKey) -> bool {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).knows(key)
    }

    fn hand_over(
        &self,
        arrived: Time,
        header: &[u8],
        key: Option<RequestKey>,
        records: Records,
        done: Done,
    ) -> Result<(), NotAppended> {
        let bytes = records.frame_bytes(header, key.is_some()) as u64;
        let requests = self.requests.as_ref().ok_or(NotAppended::Closed)?;
        self.reserve(bytes)?;
        let request = Request { arrived, header: header.to_vec(), key, records, reserved: bytes, done };
        requests.try_send(request).map_err(|error| {
            self.shared.state().reserved -= bytes;
            match error {
                TrySendError::Full(_) => NotAppended::Busy,
                TrySendError::Disconnected(_) => NotAppended::Closed,
            }
        })
    }

    fn reserve(&self, bytes: u64) -> Result<(), NotAppended> {
        let JournalLimits { bytes_max, waiting_bytes_max, .. } = self.shared.limits;
        if bytes > (BODY_BYTES_MAX as u64).min(bytes_max) {
            return Err(NotAppended::TooLarge);
        }
        let mut state = self.shared.state();
        // A last segment of which all was trimmed is left for a new one with the next record.
        let written = if state.first >= self.next() { 0 } else { state.needed_bytes() };
        if written + state.reserved + bytes > bytes_max {
            if !self.full.swap(true, Relaxed) {
                state.notes.push(full(&self.shared.folder, bytes_max));
            }
            return Err(NotAppended::Full { bytes_max });
        }
        if state.reserved > 0 && state.reserved + bytes > waiting_bytes_max {
            return Err(NotAppended::Busy);
        }
        self.full.store(false, Relaxed);
        state.reserved += bytes;
        Ok(())
    }

    /// How often there may have been room; to be asked before something is offered that might find none.
    pub fn room(&self) -> u64 {
        self.shared.room.heard()
    }

    /// Until something was written or trimmed since, at most so long.
    pub fn wait_for_room(&self, since: u64, most: Duration) {
        self.shared.room.wait(since, most);
    }

    /// Reads from this sequence number on.
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(self.shared.clone(), from)
    }

    /// The sequence number behind the last record that is on the disk.
    pub fn next(&self) -> u64 {
        self.shared.next.load(Acquire)
    }

    /// How far the running source has taken its records.
    pub fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    pub fn set_taken(&self, upto: u64) {
        self.taken.store(upto, Relaxed);
    }

    /// The oldest record that can still be read, trimmed or not.
    pub fn earliest(&self) -> u64 {
        self.shared.state().segments.front().map_or_else(|| self.next(), |segment| segment.first)
    }

    /// Records before `upto` will not be asked for again by a restart. Their segments stay within the limits of history, and
    /// then are deleted.
    pub fn trim(&self, upto: u64) -> Result<(), IoError> {
        let upto = upto.min(self.next());
        let mut gone = Vec::new();
        {
            let mut state = self.shared.state();
            if upto <= state.first {
                return Ok(());
            }
            state.first = upto;
            while state.has_outlived(&self.shared.limits) {
                gone.extend(state.segments.pop_front());
            }
        }
        self.shared.room.ring();
        let folder = &self.shared.folder;
        let aside = folder.join(format!("{MARK}.new"));
        let written = fs::write(&aside, upto.to_string()).and_then(|()| fs::rename(&aside, folder.join(MARK)));
        written.map_err(|error| cannot_be_used(folder, &error))?;
        gone.iter().try_for_each(|segment| removed(&segment.path).map_err(|error| cannot_be_used(&segment.path, &error)))
    }

    /// What its owner should know and has not been told.
    pub fn take_notes(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.shared.state().notes)
    }
}

impl Drop for Journal {
    /// What was handed over is still written.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl State {
    /// Segments of which all was trimmed; the last one may still be written to.
    fn trimmed(&self) -> usize {
        let behind = self.segments.iter().skip(1);
        behind.take_while(|segment| segment.first <= self.first).count()
    }

    fn needed_bytes(&self) -> u64 {
        self.segments.iter().skip(self.trimmed()).map(|segment| segment.bytes).sum()
    }

    /// Is the oldest segment only history, and more of that than is kept?
    fn has_outlived(&self, limits: &JournalLimits) -> bool {
        let trimmed = self.trimmed();
        let bytes: u64 = self.segments.iter().take(trimmed).map(|segment| segment.bytes).sum();
        let is_old = || self.segments.front().is_some_and(|oldest| oldest.age() > limits.history_age_max);
        trimmed > 0 && (bytes > limits.history_bytes_max || is_old())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journals of a state folder, by source.
#[derive(Debug)]
pub struct Journals {
    folder: PathBuf,
    limits: JournalLimits,
    open: Table<Name, Journal>,
}

impl Journals {
    /// In the folder `journal/` of a state folder. Nothing is made before a source needs it.
    pub fn at(state: &Path, limits: JournalLimits) -> Journals {
        Journals { folder: Journals::folder(state), limits, open: Table::default() }
    }

    /// Where the journals of a state folder stand.
    pub fn folder(state: &Path) -> PathBuf {
        state.join("journal")
    }

    pub(in crate::io) fn lease(&self, source: &Name) -> Result<Lease<Journal>, IoError> {
        self.open.lease(source, || Journal::open(&self.folder.join(source.as_str()), self.limits))
    }
}

fn locked(folder: &Path) -> Result<File, IoError> {
    let path = folder.join(LOCK);
    let lock = File::create(&path).map_err(|error| cannot_be_used(&path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(in_use(folder)),
        Err(TryLockError::Error(error)) => Err(cannot_be_used(&path, &error)),
    }
}

/// What was not written to its end is taken away, so that what is written next stands right behind what is whole.
fn cut_off(segment: &mut Segment, bytes: u64) -> Result<File, IoError> {
    use std::io::Seek;
    let cut = || -> io::Result<File> {
        let mut file = File::options().write(true).open(&segment.path)?;
        if file.metadata()?.len() > bytes {
            file.set_len(bytes)?;
            file.sync_all()?;
        }
        file.seek(io::SeekFrom::Start(bytes))?;
        Ok(file)
    };
    let file = cut().map_err(|error| cannot_be_used(&segment.path, &error))?;
    segment.bytes = bytes;
    Ok(file)
}

/// Nothing is lost where it cannot be read: more is read again than must be.
fn mark(folder: &Path) -> u64 {
    fs::read_to_string(folder.join(MARK)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// R0714.
fn cannot_be_used(path: &Path, error: &io::Error) -> IoError {
    let help = match error.kind() {
        io::ErrorKind::StorageFull => "make room on the disk; what was not acknowledged can be sent again",
        io::ErrorKind::PermissionDenied => "name a folder that this user may write, with `--state DIR`",
        _ => "see whether the disk is whole, or name another folder with `--state DIR`",
    };
    IoError::new(Code::R0714, format!("the journal `{}` cannot be used: {error}", path.display())).path(path).help(help)
}

/// R0714.
fn in_use(folder: &Path) -> IoError {
    IoError::new(Code::R0714, format!("the journal `{}` is used by another run", folder.display()))
        .path(folder)
        .help("stop that run, or name another state folder with `--state DIR`")
}

/// R0715.
fn full(folder: &Path, bytes_max: u64) -> Diagnostic {
    let message = format!("the journal `{}` has reached its limit of {} MiB", folder.display(), bytes_max >> 20);
    Diagnostic::new(Code::R0715, message)
        .help("nothing more is taken until rows of it have been worked on; see why they wait, such as a sink that stands")
}

/// R0716.
pub(in crate::io) fn damaged(source: &Name, records: &std::ops::Range<u64>, place: &str) -> Diagnostic {
    let rows = records.end - records.start;
    let message = format!("the journal of `{source}` is damaged at {place}: {rows} records cannot be read");
    Diagnostic::new(Code::R0716, message).help(format!(
        "rows {} to {} are lost; what follows was read. Look at the disk",
        records.start + 1,
        records.end
    ))
}

#[cfg(test)]
mod tests;
