//! The watching thread: when to look, and what is told of a look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Instant;

use notify::{RecommendedWatcher, RecursiveMode};

use crate::base::Hash;

use super::followed::{Followed, Found};
use super::trail::trail;
use super::{Notice, Shared, WatchLimits};

pub struct Eye {
    shared: Arc<Shared>,
    files: BTreeMap<PathBuf, Followed>,
    /// Watched by `events`.
    folders: BTreeSet<PathBuf>,
    events: Option<RecommendedWatcher>,
    /// A folder that counts cannot be watched: it is not there, or the system's watches are used up.
    blind: bool,
    out: SyncSender<Notice>,
    limits: WatchLimits,
}

/// When to read: after the quiet time, at the latest when patience with the writer ends.
#[derive(Clone, Copy)]
struct Due {
    quiet: Instant,
    latest: Instant,
}

/// The other end of the channel is gone.
struct NobodyListens;

impl Eye {
    pub fn new(shared: Arc<Shared>, events: Option<RecommendedWatcher>, out: SyncSender<Notice>, limits: WatchLimits) -> Eye {
        Eye { shared, files: BTreeMap::new(), folders: BTreeSet::new(), events, blind: false, out, limits }
    }

    pub fn run(mut self, rings: &Receiver<()>) {
        let mut due: Option<Due> = None;
        let (mut poll, mut reread) = (Instant::now(), Instant::now() + self.limits.reread);
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
                poll = now + if self.polls() { self.limits.poll_without_events } else { self.limits.poll };
                if due.is_none() && (now >= reread || self.looks_different()) {
                    due = Some(self.later(due, now));
                }
            }
            match due {
                Some(at) if now >= at.latest || (now >= at.quiet && !writing) => match self.look(now, now >= at.latest) {
                    Ok(settled) => {
                        due = if settled { None } else { Some(self.later(None, now)) };
                        reread = now + self.limits.reread;
                    }
                    Err(NobodyListens) => return,
                },
                Some(at) if now >= at.quiet => due = Some(self.later(Some(at), now)),
                Some(_) | None => {}
            }
        }
    }

    /// Are there folders whose changes nobody tells?
    fn polls(&self) -> bool {
        self.events.is_none() || self.blind
    }

    fn later(&self, due: Option<Due>, now: Instant) -> Due {
        let latest = due.map_or(now + self.limits.settle_max, |due| due.latest);
        let quiet = if self.polls() { self.limits.poll_without_events } else { self.limits.debounce };
        Due { quiet: (now + quiet).min(latest), latest }
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
            self.files.entry(path).or_insert_with_key(|path| Followed::new(path, known, self.limits));
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
        let count = wanted.len();
        self.folders = wanted.into_iter().filter(|new| events.watch(new, RecursiveMode::NonRecursive).is_ok()).collect();
        self.blind = self.folders.len() < count;
    }

    fn looks_different(&self) -> bool {
        self.files.iter().any(|(path, file)| file.looks_different(path))
    }

    /// Reads every file and tells what is new, all at once. False: come back soon, something is unsettled; `at_last` nothing
    /// more is waited for.
    fn look(&mut self, now: Instant, at_last: bool) -> Result<bool, NobodyListens> {
        let stands_still = self.polls() && !at_last;
        // Patience with a writer is spent once; if it goes on, its next event says so.
        self.shared.lock().writing = false;
        let limits = self.limits;
        let found: Vec<(&PathBuf, &mut Followed, Found)> = self
            .files
            .iter_mut()
            .map(|(path, file)| {
                let found = file.look(path, now, limits, stands_still);
                (path, file, found)
            })
            .collect();
        let settled = found.iter().all(|(.., found)| !matches!(found, Found::Unsettled));
        // Of files that are saved together one may be away for a moment: the others wait for it.
        let told = if settled || at_last { tell(found, &self.out)? } else { false };
        self.watch_folders();
        Ok(settled && told)
    }
}

/// False where the reader is behind: then nothing is noted as said, and the newest is said at the next look.
fn tell(found: Vec<(&PathBuf, &mut Followed, Found)>, out: &SyncSender<Notice>) -> Result<bool, NobodyListens> {
    let news = |(path, file, found)| match found {
        Found::New(seen) => Some((path, file, seen)),
        Found::Known | Found::Unsettled => None,
    };
    let news: Vec<(&PathBuf, &mut Followed, super::Seen)> = found.into_iter().filter_map(news).collect();
    if news.is_empty() {
        return Ok(true);
    }
    let seen = news.iter().map(|(path, _, seen)| ((*path).clone(), seen.clone())).collect();
    match out.try_send(Notice { seen }) {
        Ok(()) => {
            news.into_iter().for_each(|(_, file, seen)| file.said(&seen));
            Ok(true)
        }
        Err(TrySendError::Full(_)) => Ok(false),
        Err(TrySendError::Disconnected(_)) => Err(NobodyListens),
    }
}
