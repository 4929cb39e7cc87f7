//! Notices that a file has other contents, whatever the editor did to it.
//!
//! The *folders* are watched, never the files: a save that renames a new file over the old one leaves a watch on the old
//! one. What counts is the hash of the text; events only say when to look, and a slow poll looks where no events come.

mod eye;
mod followed;
mod text;
mod trail;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher};

use crate::base::Hash;

use eye::Eye;

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
    /// The same where the system sends no events; a file is read once it has stood still that long.
    pub poll_without_events: Duration,
    /// Between two readings of files that look as they did: a clock that stands lets a change look like none.
    pub reread: Duration,
    /// How long a file may be away or empty before that is worth a word; a save is over long before.
    pub patience: Duration,
    /// Longest text, in bytes.
    pub text_bytes_max: u64,
    /// Notices that wait for a slow reader; beyond them only the newest text of each file counts, and is told later.
    pub notices_max: usize,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(30),
            settle_max: Duration::from_secs(2),
            poll: Duration::from_secs(1),
            poll_without_events: Duration::from_millis(250),
            reread: Duration::from_secs(5),
            patience: Duration::from_millis(500),
            text_bytes_max: 16 << 20,
            notices_max: 16,
        }
    }
}

/// What one look has found. Files that were saved together are told together, so that nobody compiles one of them with the
/// former text of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// By path, as it was given to [`Watcher::follow`]; at least one.
    pub seen: Vec<(PathBuf, Seen)>,
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
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(limits: WatchLimits, events: bool) -> io::Result<(Watcher, Receiver<Notice>)> {
        let shared = Arc::new(Shared::default());
        let (bell, rings) = sync_channel(1);
        let (out, notices) = sync_channel(limits.notices_max);
        let events = if events { listen(&shared, &bell) } else { None };
        let eye = Eye::new(shared.clone(), events, out, limits);
        let thread = std::thread::Builder::new().name("watch".into()).spawn(move || eye.run(&rings))?;
        Ok((Watcher { shared, bell, thread: Some(thread) }, notices))
    }

    /// From now on these files, each with the hash of the text that is known already; none where its owner knows that it
    /// cannot be read. A file that was followed before keeps what is known of it.
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

#[cfg(test)]
mod tests;
