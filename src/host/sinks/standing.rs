//! What a sink's writing thread says of its rows, read as one by the engine's thread.

use crate::io::SinkMark;

use super::sync::{Mutex, MutexGuard, PoisonError};

/// Rows before `settled` are accounted for: written as the mark says, or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub settled: u64,
    /// Of these, how many were given up. Told together with `settled`: a row that an epoch calls lost is not written once more
    /// by a restart, and one that it does not is.
    pub lost: u64,
    pub mark: SinkMark,
}

/// Where the writing thread stands; set by it, read by others.
pub struct Stands(Mutex<Standing>);

impl Stands {
    pub fn at(settled: u64, mark: SinkMark) -> Stands {
        Stands(Mutex::new(Standing { settled, lost: 0, mark }))
    }

    pub fn get(&self) -> Standing {
        self.lock().clone()
    }

    pub fn settled(&self) -> u64 {
        self.lock().settled
    }

    pub fn set(&self, standing: Standing) {
        *self.lock() = standing;
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
