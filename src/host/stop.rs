//! The wish to end, from whoever may have it.

use std::time::{Duration, Instant};

use super::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Clones are the same wish. It is never taken back.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

/// How urgently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    #[default]
    Run,
    /// In order: what was accepted is written first.
    End,
    /// Now, whatever is lost.
    Hurry,
}

impl Stop {
    /// A second wish is an urgent one.
    pub fn please(&self) {
        let mut wanted = self.lock();
        *wanted = if *wanted == Wanted::Run { Wanted::End } else { Wanted::Hurry };
        self.0.changed.notify_all();
    }

    pub fn now(&self) {
        *self.lock() = Wanted::Hurry;
        self.0.changed.notify_all();
    }

    pub fn wanted(&self) -> Wanted {
        *self.lock()
    }

    /// Waits, but not longer than until somebody wants an end as urgent as `at_least`. True: the time has passed.
    pub fn wait(&self, time: Duration, at_least: Wanted) -> bool {
        let until = Instant::now() + time;
        let mut wanted = self.lock();
        while *wanted < at_least {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            wanted = self.0.changed.wait_timeout(wanted, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
