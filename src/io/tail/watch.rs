//! When to look at files that grow: at once where the system sends events, at a slow poll beside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Folders that are watched at most; files in others are found by the poll.
const FOLDERS_MAX: usize = 256;

/// Watches folders, never files: a watch on a file stays with the file when it is renamed.
pub(super) struct Watch {
    events: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    seen: Arc<Seen>,
    poll: Duration,
    poll_without_events: Duration,
    next: Instant,
}

#[derive(Default)]
struct Seen {
    /// Something was written.
    written: AtomicBool,
    /// Files came, went, or were renamed.
    moved: AtomicBool,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Known files may have grown.
    Read,
    /// Other files may be there.
    Find,
}

impl Watch {
    pub fn new(poll: Duration, poll_without_events: Duration) -> Watch {
        let seen = Arc::new(Seen::default());
        let events = listen(&seen);
        Watch { events, folders: BTreeSet::new(), seen, poll, poll_without_events, next: Instant::now() }
    }

    /// From now on these folders. One that cannot be watched, or does not exist yet, is left to the poll.
    pub fn folders(&mut self, wanted: BTreeSet<PathBuf>) {
        let Some(events) = &mut self.events else { return };
        for gone in self.folders.difference(&wanted) {
            let _ = events.unwatch(gone);
        }
        let mut watched: BTreeSet<PathBuf> = self.folders.intersection(&wanted).cloned().collect();
        for new in wanted.into_iter().filter(|folder| !self.folders.contains(folder)) {
            if watched.len() < FOLDERS_MAX && events.watch(&new, RecursiveMode::NonRecursive).is_ok() {
                watched.insert(new);
            }
        }
        self.folders = watched;
    }

    /// What happened since the last call.
    pub fn due(&mut self) -> Due {
        let now = Instant::now();
        let (moved, written) = (self.seen.moved.swap(false, AcqRel), self.seen.written.swap(false, AcqRel));
        if moved || now >= self.next {
            self.next = now + if self.folders.is_empty() { self.poll_without_events } else { self.poll };
            return Due::Find;
        }
        if written { Due::Read } else { Due::Nothing }
    }
}

/// The system's events, or none where it has none to give.
fn listen(seen: &Arc<Seen>) -> Option<RecommendedWatcher> {
    let seen = seen.clone();
    notify::recommended_watcher(move |event: notify::Result<Event>| match event.map(|event| event.kind) {
        // Reading makes events too, which must not lead to more reading.
        Ok(EventKind::Access(AccessKind::Close(AccessMode::Write))) => seen.written.store(true, Release),
        Ok(EventKind::Access(_)) => {}
        Ok(EventKind::Modify(ModifyKind::Data(_))) => seen.written.store(true, Release),
        Ok(EventKind::Modify(_) | EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other) | Err(_) => {
            seen.moved.store(true, Release);
        }
    })
    .ok()
}
