//! Says that something has changed, to whoever has looked before and found nothing.

use std::time::Duration;

use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Counts how often it was rung, so that a ring between a look and a wait is not missed.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    pub fn ring(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    /// To be asked before one looks.
    pub fn heard(&self) -> u64 {
        *self.lock()
    }

    /// Until it is rung once more than was heard, at most so long.
    pub fn wait(&self, heard: u64, most: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), most, |rung| *rung == heard));
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
