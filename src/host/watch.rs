//! Notices that a file has other contents, whatever the editor did to it.
//!
//! The *folders* are watched, never the files: a save that renames a new file over the old one leaves a watch on the old
//! one. What counts is the hash of the text; events only say when to look, and a slow poll looks where no events come.

mod text;
mod trail;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode};

use crate::base::Hash;

use text::{Stamp, read, stamp};
use trail::trail;

pub use text::Trouble;

/// How long a watcher waits for what.
#[derive(Clone, Copy, Debug)]
pub struct WatchLimits {
    /// Quiet time after the last event before a file is read: a save comes as four to seven events.
    pub debounce: Duration,
    /// Longest wait for a writer that keeps the file open, or goes on making events.
    pub settle_max: Duration,
    /// Between two looks without an event.
    pub poll: Duration,
    /// The same where the system sends no events at all.
    pub poll_without_events: Duration,
    /// How long a file may be away or empty before that is worth a word; a save is over long before.
    pub patience: Duration,
    /// Longest text, in bytes.
    pub text_bytes_max: u64,
    /// Notices that wait for a slow reader; beyond them only the newest text of each file counts.
    pub notices_max: usize,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(30),
            settle_max: Duration::from_secs(2),
            poll: Duration::from_secs(1),
            poll_without_events: Duration::from_millis(250),
            patience: Duration::from_millis(500),
            text_bytes_max: 16 << 20,
            notices_max: 16,
        }
    }
}

/// What was seen at a followed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// As it was given to [`Watcher::follow`].
    pub path: PathBuf,
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Other text than before, whole.
    Text(Arc<str>),
    Trouble(Trouble),
}

/// Owns the watching thread; dropping it ends the thread and closes the channel.
pub struct Watcher {
    shared: Arc<Shared>,
    bell: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// Between the caller, the system's events and the watching thread. The bell holds one ring: a ring that finds it full is
/// not lost, because one that is still to be heard says the same.
#[derive(Default)]
struct Shared(Mutex<Wishes>);

#[derive(Default)]
struct Wishes {
    stop: bool,
    follow: Option<BTreeMap<PathBuf, Option<Hash>>>,
    /// The entries whose events count; a busy sink beside the file rings no bell.
    entries: BTreeSet<PathBuf>,
    touched: bool,
    /// A writer has written and not yet closed.
    writing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Follows nothing yet. `events: false` polls only, as on file systems that send no events.
    pub fn start(limits: WatchLimits, events: bool) -> io::Result<(Watcher, Receiver<Notice>)> {
        let shared = Arc::new(Shared::default());
        let (bell, rings) = sync_channel(1);
        let (out, notices) = sync_channel(limits.notices_max);
        let events = if events { listen(&shared, &bell) } else { None };
        let eye = Eye { shared: shared.clone(), files: BTreeMap::new(), folders: BTreeSet::new(), events, out, limits };
        let thread = std::thread::Builder::new().name("watch".into()).spawn(move || eye.run(&rings))?;
        Ok((Watcher { shared, bell, thread: Some(thread) }, notices))
    }

    /// From now on these files, each with the hash of the text that is known already; without one, what stands there now is
    /// known. A file that was followed before keeps what is known of it.
    pub fn follow(&self, files: impl IntoIterator<Item = (PathBuf, Option<Hash>)>) {
        self.shared.lock().follow = Some(files.into_iter().collect());
        let _ = self.bell.try_send(());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        let _ = self.bell.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The system's events, or none where it has none to give.
fn listen(shared: &Arc<Shared>, bell: &SyncSender<()>) -> Option<RecommendedWatcher> {
    let (shared, bell) = (shared.clone(), bell.clone());
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        if shared.lock().heed(event.as_ref().ok()) {
            let _ = bell.try_send(());
        }
    })
    .ok()
}

impl Wishes {
    /// Does the event say that a followed file may have changed? An event that failed may have been any.
    fn heed(&mut self, event: Option<&Event>) -> bool {
        let Some(event) = event else {
            self.touched = true;
            return true;
        };
        let ours = event.need_rescan() || event.paths.iter().any(|path| self.entries.contains(path));
        if !ours {
            return false;
        }
        match event.kind {
            // Only Linux says when a writer closes; elsewhere there is no end to wait for.
            EventKind::Modify(ModifyKind::Data(_)) => self.writing = cfg!(target_os = "linux"),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => self.writing = false,
            // Reading is no change, and our own reading least of all.
            EventKind::Access(_) => return false,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {}
        }
        self.touched = true;
        true
    }
}

/// The watching thread.
struct Eye {
    shared: Arc<Shared>,
    files: BTreeMap<PathBuf, Followed>,
    /// Watched by `events`.
    folders: BTreeSet<PathBuf>,
    events: Option<RecommendedWatcher>,
    out: SyncSender<Notice>,
    limits: WatchLimits,
}

/// One file and what was last said about it.
#[derive(Default)]
struct Followed {
    known: Option<Hash>,
    /// Length, time of change and identity when it was last read: a poll reads nothing while they stay.
    stamp: Option<Stamp>,
    trouble_since: Option<Instant>,
    trouble: Option<Trouble>,
}

/// When to read: after the quiet time, at the latest when patience with the writer ends.
#[derive(Clone, Copy)]
struct Due {
    quiet: Instant,
    latest: Instant,
}

impl Eye {
    fn run(mut self, rings: &Receiver<()>) {
        let mut due: Option<Due> = None;
        let mut poll = Instant::now();
        loop {
            let until = due.map_or(poll, |due| due.quiet.min(poll));
            match rings.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            let Some((touched, writing)) = self.wishes() else { return };
            if touched {
                due = Some(self.later(due, now));
            }
            if now >= poll {
                poll = now + if self.events.is_some() { self.limits.poll } else { self.limits.poll_without_events };
                if due.is_none() && self.looks_different() {
                    due = Some(self.later(due, now));
                }
            }
            match due {
                Some(at) if now >= at.latest || (now >= at.quiet && !writing) => match self.look(now) {
                    Ok(true) => due = None,
                    Ok(false) => due = Some(self.later(None, now)),
                    Err(NobodyListens) => return,
                },
                Some(at) if now >= at.quiet => due = Some(self.later(Some(at), now)),
                Some(_) | None => {}
            }
        }
    }

    fn later(&self, due: Option<Due>, now: Instant) -> Due {
        let latest = due.map_or(now + self.limits.settle_max, |due| due.latest);
        Due { quiet: (now + self.limits.debounce).min(latest), latest }
    }

    /// Takes in what the caller and the events left: whether something was touched, and whether a writer is still at it.
    /// None: it is over.
    fn wishes(&mut self) -> Option<(bool, bool)> {
        let (follow, touched, writing) = {
            let mut wishes = self.shared.lock();
            if wishes.stop {
                return None;
            }
            (wishes.follow.take(), std::mem::take(&mut wishes.touched), wishes.writing)
        };
        let Some(follow) = follow else { return Some((touched, writing)) };
        self.take_up(follow);
        Some((true, writing))
    }

    fn take_up(&mut self, follow: BTreeMap<PathBuf, Option<Hash>>) {
        self.files.retain(|path, _| follow.contains_key(path));
        for (path, known) in follow {
            let limits = self.limits;
            self.files.entry(path).or_insert_with_key(|path| {
                let known =
                    known.or_else(|| read(path, limits.text_bytes_max).ok().map(|text| Hash::of_bytes(text.as_bytes())));
                Followed { known, ..Followed::default() }
            });
        }
        self.watch_folders();
    }

    /// Watches the folder of each entry that counts. Done again after every look, since a link may lead elsewhere now.
    fn watch_folders(&mut self) {
        use notify::Watcher as _;
        let entries: BTreeSet<PathBuf> = self.files.keys().flat_map(|path| trail(path)).collect();
        let wanted: BTreeSet<PathBuf> = entries.iter().filter_map(|entry| entry.parent()).map(Path::to_owned).collect();
        self.shared.lock().entries = entries;
        let Some(events) = &mut self.events else { return };
        for old in self.folders.difference(&wanted) {
            let _ = events.unwatch(old);
        }
        // A folder that was removed and made anew has lost its watch without a word; watching twice is one watch.
        self.folders = wanted.into_iter().filter(|new| events.watch(new, RecursiveMode::NonRecursive).is_ok()).collect();
    }

    fn looks_different(&self) -> bool {
        self.files
            .iter()
            .any(|(path, file)| stamp(path) != file.stamp || file.trouble_since.is_some() && file.trouble.is_none())
    }

    /// Reads every file and says what is new. False: come back soon, something is unsettled.
    fn look(&mut self, now: Instant) -> Result<bool, NobodyListens> {
        let (limits, mut settled) = (self.limits, true);
        // Patience with a writer is spent once; if it goes on, its next event says so.
        self.shared.lock().writing = false;
        for (path, file) in &mut self.files {
            settled &= file.look(path, now, limits, &self.out)?;
        }
        self.watch_folders();
        Ok(settled)
    }
}

/// The other end of the channel is gone.
struct NobodyListens;

impl Followed {
    fn look(
        &mut self,
        path: &Path,
        now: Instant,
        limits: WatchLimits,
        out: &SyncSender<Notice>,
    ) -> Result<bool, NobodyListens> {
        let before = stamp(path);
        let found = read(path, limits.text_bytes_max);
        if stamp(path) != before {
            return Ok(false);
        }
        self.stamp = before;
        match found {
            Ok(text) => self.say_text(path, text, out),
            Err(trouble) => self.say_trouble(path, trouble, now, limits, out),
        }
    }

    fn say_text(&mut self, path: &Path, text: String, out: &SyncSender<Notice>) -> Result<bool, NobodyListens> {
        let hash = Hash::of_bytes(text.as_bytes());
        self.trouble_since = None;
        let back = self.trouble.is_some();
        if self.known == Some(hash) && !back {
            return Ok(true);
        }
        let sent = send(out, path, Seen::Text(text.into()))?;
        if sent {
            self.known = Some(hash);
            self.trouble = None;
        }
        Ok(sent)
    }

    fn say_trouble(
        &mut self,
        path: &Path,
        trouble: Trouble,
        now: Instant,
        limits: WatchLimits,
        out: &SyncSender<Notice>,
    ) -> Result<bool, NobodyListens> {
        if self.trouble.as_ref() == Some(&trouble) {
            return Ok(true);
        }
        let since = *self.trouble_since.get_or_insert(now);
        if now < since + limits.patience {
            return Ok(false);
        }
        let sent = send(out, path, Seen::Trouble(trouble.clone()))?;
        if sent {
            self.trouble = Some(trouble);
        }
        Ok(sent)
    }
}

/// False where the reader is behind: then nothing is noted as said, and the newest is said at the next look.
fn send(out: &SyncSender<Notice>, path: &Path, seen: Seen) -> Result<bool, NobodyListens> {
    match out.try_send(Notice { path: path.to_owned(), seen }) {
        Ok(()) => Ok(true),
        Err(TrySendError::Full(_)) => Ok(false),
        Err(TrySendError::Disconnected(_)) => Err(NobodyListens),
    }
}

#[cfg(test)]
mod tests;
