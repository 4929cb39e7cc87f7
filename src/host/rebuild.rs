//! What an edit makes unreadable is rebuilt on a thread beside the engine, so that rows go on meanwhile. What is left for the
//! moment of the change is at most one batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::plan::{Graph, NotAgain, diff};
use crate::runtime::{Backfill, Life, Reached, Rebuild, Settings};

use super::engine::{Order, SharedParts};
use super::run::{Signal, Wish};

/// How long the sources are read again before an edit takes place without that.
pub const REBUILD_MAX: Duration = Duration::from_secs(120);
/// Rows that are read between two looks at where the engine stands.
const ROWS_PER_LOOK: usize = 65_536;

/// An edit that waits for what it makes unreadable to be rebuilt.
pub struct Pending {
    pub nth: u64,
    pub wish: Wish,
    stop: Arc<AtomicBool>,
}

/// What came of a rebuild.
pub struct Rebuilt {
    pub nth: u64,
    pub rebuild: Rebuild,
}

/// Does the edit ask for rows to be read again?
pub fn is_asked(running: &Graph, wanted: &Graph) -> bool {
    diff(running, wanted).nodes.values().any(|change| change.is_rebuilt())
}

impl Pending {
    /// Begins to read. `running` is what runs now.
    ///
    /// # Errors
    /// If there is no thread for it; with what was wanted.
    pub fn begin(nth: u64, running: Graph, wish: Wish, work: Work) -> Result<Pending, (std::io::Error, Box<Wish>)> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wanted, stopped) = (wish.wanted.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("rebuild".into());
        let spawned = thread.spawn(move || {
            if let Some(rebuild) = work.read(&running, &wanted, &stopped) {
                let _ = work.signals.send(Signal::Rebuilt(Box::new(Rebuilt { nth, rebuild })));
            }
        });
        match spawned {
            Ok(_) => Ok(Pending { nth, wish, stop }),
            Err(error) => Err((error, Box::new(wish))),
        }
    }

    /// Another edit has come, or the end.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }
}

/// What a rebuild needs.
#[derive(Clone)]
pub struct Work {
    pub parts: SharedParts,
    pub orders: SyncSender<Order>,
    pub signals: SyncSender<Signal>,
    /// How long it may take.
    pub most: Duration,
}

impl Work {
    /// None if nobody waits for it any more.
    fn read(&self, running: &Graph, wanted: &Graph, stop: &AtomicBool) -> Option<Rebuild> {
        let settings = Settings { life: Life::Run, ..Settings::default() };
        let until = Instant::now() + self.most;
        let reached = self.reached()?;
        let diff = diff(running, wanted);
        let mut backfill = Backfill::begin(settings, running, &reached, wanted, &diff, self.parts.as_ref());
        while Instant::now() < until {
            let reached = self.reached().filter(|_| !stop.load(Relaxed))?;
            let left = backfill.work(&reached, ROWS_PER_LOOK, Some(self.parts.as_ref()));
            let behind = self.reached()?.rows().saturating_sub(reached.rows());
            if left == 0 && behind <= settings.batch_rows_max as u64 {
                return Some(Rebuild::With(Box::new(backfill)));
            }
        }
        Some(Rebuild::Not(too_long(self.most)))
    }

    fn reached(&self) -> Option<Reached> {
        let (done, answer) = sync_channel(1);
        self.orders.send(Order::Reached { done }).ok()?;
        answer.recv().ok()
    }
}

fn too_long(most: Duration) -> NotAgain {
    NotAgain::Failed(format!("reading its sources again took more than {}s", most.as_secs()))
}
