//! The log on disk: one thread appends and syncs, in groups; whoever must know that a line is durable waits for its group.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::diag::{Code, Diagnostic};
use crate::io::{FileMark, HISTORY_AGE_MAX, HISTORY_BYTES_MAX, Ledger};
use crate::node::{NodeError, Ordinal};
use crate::runtime::{Log, Record};

use super::begun::Begun;
use super::entry::{Entry, Head};
use super::files::{Append, Files};
use super::frame::{self, Next, framed};
use super::manifest::FORMAT;
use super::wrong;

/// Lines are synced this long after the first of a group at the latest: what a source that cannot be read again loses when its
/// machine loses power. A cut is synced at once.
pub const LOG_SYNC_EVERY: Duration = Duration::from_millis(50);
/// Lines between the engine and the disk; then the engine waits.
const LINES_MAX: usize = 1_024;
/// Lines that are written at once.
const GROUP_MAX: usize = 256;

pub fn folder(state: &Path) -> PathBuf {
    state.join("log")
}

pub fn place(state: &Path, number: u64) -> PathBuf {
    folder(state).join(format!("{number:06}.log"))
}

/// Numbers of the logs that are there, oldest first.
pub fn numbers(state: &Path) -> std::io::Result<Vec<u64>> {
    let names = super::epochs::names(&folder(state))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// What is kept of logs that no restart needs, for an edit that wants to see their rows once more.
#[derive(Clone, Copy, Debug)]
pub struct HistoryLimits {
    pub bytes_max: u64,
    pub age_max: Duration,
    /// Files, of which each epoch begins one.
    pub logs_max: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        HistoryLimits { bytes_max: HISTORY_BYTES_MAX, age_max: HISTORY_AGE_MAX, logs_max: 20_000 }
    }
}

/// Removes what is more than history of the logs before this epoch.
pub fn trim(files: &dyn Files, state: &Path, oldest: u64, limits: &HistoryLimits) -> std::io::Result<()> {
    let before = numbers(state)?.into_iter().filter(|number| *number < oldest);
    let (mut bytes, mut gone) = (0, false);
    for (nth, number) in before.rev().enumerate() {
        let path = place(state, number);
        let meta = std::fs::metadata(&path);
        let age = meta.as_ref().ok().and_then(|meta| meta.modified().ok()?.elapsed().ok()).unwrap_or_default();
        bytes += meta.map_or(0, |meta| meta.len());
        gone |= bytes > limits.bytes_max || age > limits.age_max || nth >= limits.logs_max;
        if gone {
            files.remove_file(&path)?;
        }
    }
    Ok(())
}

/// Where lines are handed in; clones hand in to the same log. The last one that goes ends it.
#[derive(Clone)]
pub struct LogHandle {
    to: SyncSender<Line>,
    /// Since the log of the last epoch began.
    lines: Arc<AtomicU64>,
    begun: Arc<Mutex<Begun>>,
}

enum Line {
    Entry(Vec<u8>),
    /// The next log begins: an epoch was taken here.
    Roll {
        number: u64,
        at: Ordinal,
    },
    /// Durable, or only written out.
    Sync {
        durable: bool,
        done: SyncSender<Result<(), String>>,
    },
    /// Something could not be made a line.
    Broken(String),
}

impl LogHandle {
    /// Begins the log behind epoch `number`; `trouble` is told once when nothing can be written any more.
    ///
    /// # Errors
    /// If it cannot be begun.
    pub fn start(
        files: Arc<dyn Files>,
        state: &Path,
        number: u64,
        at: Ordinal,
        trouble: impl FnMut(Diagnostic) + Send + 'static,
    ) -> Result<(LogHandle, JoinHandle<()>), Diagnostic> {
        let unwritten = |error: std::io::Error| wrong::unwritten(&place(state, number), error);
        files.create_folder(&folder(state)).map_err(unwritten)?;
        let file = begin(files.as_ref(), state, number, at).map_err(unwritten)?;
        let (to, lines) = sync_channel(LINES_MAX);
        let path = place(state, number);
        let keeping =
            Keeping { files, state: state.to_owned(), path, file, unsynced: None, broken: None, trouble: Box::new(trouble) };
        let run = move || keeping.run(&lines);
        let thread = std::thread::Builder::new().name("log".into()).spawn(run).map_err(unwritten)?;
        Ok((LogHandle { to, lines: Arc::default(), begun: Arc::default() }, thread))
    }

    pub fn append(&self, entry: &Entry) {
        let line = entry.bytes().map_or_else(Line::Broken, Line::Entry);
        // Without its thread the log is over, and so is the run.
        let _ = self.to.send(line);
    }

    /// Everything handed in so far is durable.
    ///
    /// # Errors
    /// If it is not.
    pub fn sync(&self) -> Result<(), NodeError> {
        self.brought_out(true)
    }

    fn brought_out(&self, durable: bool) -> Result<(), NodeError> {
        let (done, answer) = sync_channel(1);
        let over = || "the log has ended".to_owned();
        let sent = self.to.send(Line::Sync { durable, done }).map_err(|_| over());
        let synced = sent.and_then(|()| answer.recv().map_err(|_| over())?);
        synced.map_err(|why| NodeError::new(Code::R0104, why).help("make room on its disk, and save the file again"))
    }

    /// An epoch was taken: what follows is behind it.
    pub fn roll(&self, number: u64, at: Ordinal) {
        self.lines.store(0, Relaxed);
        let _ = self.to.send(Line::Roll { number, at });
        // A sink notes a file before its line is handed in: what stands before the roll is seen here.
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).next_epoch();
        begun.into_iter().for_each(|mark| self.append(&Entry::Begun(mark)));
    }

    /// What has happened since the last epoch, in lines.
    pub fn lines(&self) -> u64 {
        self.lines.load(Relaxed)
    }
}

impl Log for LogHandle {
    fn append(&mut self, record: Record) {
        self.lines.fetch_add(1, Relaxed);
        LogHandle::append(self, &Entry::Record(record));
    }

    fn confirm(&mut self) -> Result<(), NodeError> {
        self.sync()
    }

    fn write_out(&mut self) -> Result<(), NodeError> {
        self.brought_out(false)
    }
}

impl Ledger for LogHandle {
    fn begin(&self, mark: FileMark) -> Result<(), Diagnostic> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).begin(mark.clone());
        self.append(&Entry::Begun(mark));
        self.stand()
    }

    fn stand(&self) -> Result<(), Diagnostic> {
        self.sync().map_err(|error| Diagnostic::new(error.code, error.message))
    }
}

fn begin(files: &dyn Files, state: &Path, number: u64, at: Ordinal) -> std::io::Result<Box<dyn Append>> {
    let mut file = files.begin(&place(state, number))?;
    let head = serde_json::to_vec(&Head { format: FORMAT, number, at }).expect("plain data always serialises");
    file.append(&framed(&head))?;
    file.sync()?;
    files.sync_folder(&folder(state))?;
    Ok(file)
}

/// The log's thread.
struct Keeping {
    files: Arc<dyn Files>,
    state: PathBuf,
    path: PathBuf,
    file: Box<dyn Append>,
    /// Since when something is written and not synced.
    unsynced: Option<Instant>,
    /// A log with a hole is no log: nothing more is written until the next epoch begins another.
    broken: Option<String>,
    trouble: Box<dyn FnMut(Diagnostic) + Send>,
}

impl Keeping {
    fn run(mut self, lines: &Receiver<Line>) {
        loop {
            let line = match self.unsynced {
                None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => lines.recv_timeout((since + LOG_SYNC_EVERY).saturating_duration_since(Instant::now())),
            };
            match line {
                Ok(line) => self.take(line, lines),
                Err(RecvTimeoutError::Timeout) => self.sync(),
                Err(RecvTimeoutError::Disconnected) => return self.sync(),
            }
        }
    }

    /// One line, and those that wait behind it in the same breath: whoever waits for them to be durable waits for one sync.
    fn take(&mut self, first: Line, lines: &Receiver<Line>) {
        let (mut group, mut waiting, mut sync) = (Vec::new(), Vec::new(), false);
        for line in std::iter::once(first).chain(lines.try_iter().take(GROUP_MAX)) {
            match line {
                Line::Entry(payload) => group.extend(framed(&payload)),
                Line::Broken(why) => self.fail(why),
                Line::Roll { number, at } => {
                    self.write(&mut group);
                    self.roll(number, at);
                }
                Line::Sync { durable, done } => {
                    sync |= durable;
                    waiting.push(done);
                }
            }
        }
        self.write(&mut group);
        if sync {
            self.sync();
        }
        for done in waiting {
            let _ = done.send(self.broken.clone().map_or(Ok(()), Err));
        }
    }

    fn write(&mut self, group: &mut Vec<u8>) {
        if group.is_empty() || self.broken.is_some() {
            return group.clear();
        }
        let written = self.file.append(group);
        group.clear();
        self.unsynced.get_or_insert_with(Instant::now);
        if let Err(error) = written {
            self.fail(error.to_string());
        }
    }

    fn sync(&mut self) {
        if self.unsynced.take().is_some()
            && self.broken.is_none()
            && let Err(error) = self.file.sync()
        {
            self.fail(error.to_string());
        }
    }

    /// The old one is whole before the new one begins.
    fn roll(&mut self, number: u64, at: Ordinal) {
        self.sync();
        self.path = place(&self.state, number);
        match begin(self.files.as_ref(), &self.state, number, at) {
            Ok(file) => (self.file, self.broken) = (file, None),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn fail(&mut self, why: String) {
        if self.broken.is_none() {
            (self.trouble)(wrong::unwritten(&self.path, &why));
            self.broken = Some(why);
        }
    }
}

/// A line with the log that it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub number: u64,
    pub entry: Entry,
}

/// Reads the logs from an epoch on, as far as they follow each other.
pub struct LogReader {
    state: PathBuf,
    next: u64,
    open: Option<(Head, BufReader<File>)>,
    /// What ended it before its time.
    pub wrong: Option<Diagnostic>,
}

impl LogReader {
    pub fn from(state: &Path, number: u64) -> LogReader {
        LogReader { state: state.to_owned(), next: number, open: None, wrong: None }
    }

    /// The next log, if there is one that can be read.
    fn open(&mut self) -> Option<()> {
        while self.open.is_none() {
            let path = place(&self.state, self.next);
            let mut file = BufReader::new(File::open(&path).ok()?);
            self.next += 1;
            // One that was torn in its first line has nothing, and its process did nothing.
            let Ok(Next::Frame(head)) = frame::next(&mut file) else { continue };
            match serde_json::from_slice::<Head>(&head) {
                Ok(head) if head.format == FORMAT && head.number + 1 == self.next => self.open = Some((head, file)),
                Ok(head) => {
                    self.wrong = Some(wrong::broken_log(&path, format!("it is log {} of format {}", head.number, head.format)));
                    return None;
                }
                Err(error) => {
                    self.wrong = Some(wrong::broken_log(&path, error));
                    return None;
                }
            }
        }
        Some(())
    }
}

impl Iterator for LogReader {
    type Item = Logged;

    fn next(&mut self) -> Option<Logged> {
        loop {
            if self.open.is_none() {
                self.open()?;
            }
            let (head, file) = self.open.as_mut()?;
            let head = *head;
            let path = place(&self.state, head.number);
            match frame::next(file) {
                Ok(Next::Frame(bytes)) => match Entry::read(&bytes) {
                    Ok(entry) => return Some(Logged { number: head.number, entry }),
                    Err(why) => self.wrong = Some(wrong::broken_log(&path, why)),
                },
                // A torn end is where its process ended. Another log behind it would have been begun after this one was whole.
                Ok(Next::End | Next::Torn) => {
                    self.open = None;
                    continue;
                }
                Err(error) => self.wrong = Some(wrong::broken_log(&path, error)),
            }
            self.open = None;
            return None;
        }
    }
}
