//! One state folder in the hands of one process: what a former run has left, and the way to begin anew.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Time;
use crate::diag::Diagnostic;
use crate::io::Journals;
use crate::runtime::Epoch;

use super::files::{Disk, Files};
use super::log::{HistoryLimits, LogReader};
use super::manifest::Manifest;
use super::{epochs, log, plans, wrong};

/// Beginnings anew whose former states are kept.
pub const ASIDES_KEPT: usize = 3;
/// Begins the name of a folder with the state of a former run; the time follows, so that names are in its order.
const ASIDE: &str = "aside-";

/// Held as long as it lives.
pub struct StateFolder {
    pub path: PathBuf,
    pub files: Arc<dyn Files>,
    _lock: File,
}

/// What a former run has left: the newest epoch that is whole.
pub struct Found {
    pub manifest: Manifest,
    pub epoch: Epoch,
    /// Newer ones that are damaged.
    pub damaged: Vec<Diagnostic>,
}

impl StateFolder {
    /// Makes the folder where there is none, and takes it.
    ///
    /// # Errors
    /// If it cannot be made, or another process holds it.
    pub fn open(path: &Path) -> Result<StateFolder, Diagnostic> {
        StateFolder::with(path, Arc::new(Disk))
    }

    /// The same with other files, for tests.
    pub fn with(path: &Path, files: Arc<dyn Files>) -> Result<StateFolder, Diagnostic> {
        let made = fs::create_dir_all(path).and_then(|()| File::create(path.join("lock")));
        let lock = made.map_err(|error| wrong::unwritten(path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(StateFolder { path: path.to_owned(), files, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(wrong::in_use(path)),
            Err(TryLockError::Error(error)) => Err(wrong::unwritten(path, error)),
        }
    }

    /// None if no run has left anything.
    ///
    /// # Errors
    /// If what is there is of another format, or no epoch of it can be read.
    pub fn find(&self) -> Result<Option<Found>, Diagnostic> {
        let mut numbers = epochs::numbers(&self.path).map_err(|error| wrong::damaged(&epochs::folder(&self.path), error))?;
        let mut damaged = Vec::new();
        while let Some(number) = numbers.pop() {
            match epochs::open(&self.path, number) {
                Ok((manifest, epoch)) => return Ok(Some(Found { manifest, epoch, damaged })),
                Err(found) if found.code == crate::diag::Code::R0102 => return Err(found),
                Err(found) => damaged.push(found),
            }
        }
        if damaged.is_empty() { Ok(None) } else { Err(wrong::nothing_left(&epochs::folder(&self.path))) }
    }

    /// The log from an epoch on.
    pub fn log(&self, number: u64) -> LogReader {
        LogReader::from(&self.path, number)
    }

    /// A number that no epoch and no log has had.
    pub fn next_number(&self) -> u64 {
        let epochs = epochs::names(&epochs::folder(&self.path)).unwrap_or_default();
        let epochs = epochs.iter().filter_map(|name| name.trim_matches(|sign: char| !sign.is_ascii_digit()).parse().ok());
        let logs = log::numbers(&self.path).unwrap_or_default();
        epochs.chain(logs).max().map_or(1, |last: u64| last + 1)
    }

    /// Begins anew: epochs and log go into a folder beside them, whose path is given back; models stay.
    ///
    /// # Errors
    /// If they cannot be moved.
    pub fn set_aside(&self) -> Result<Option<PathBuf>, Diagnostic> {
        // What sources have received belongs to the run that was to work on it.
        let all =
            [epochs::folder(&self.path), log::folder(&self.path), plans::folder(&self.path), Journals::folder(&self.path)];
        let old = all.into_iter().filter(|folder| folder.exists());
        let old: Vec<PathBuf> = old.collect();
        if old.is_empty() {
            return Ok(None);
        }
        let now = chrono::Utc::now().format("%Y%m%dT%H%M%S%6fZ");
        let aside = self.path.join(format!("{ASIDE}{now}"));
        let moved = || {
            self.files.create_folder(&aside)?;
            for folder in &old {
                self.files.rename(folder, &aside.join(folder.file_name().unwrap_or_default()))?;
            }
            self.files.sync_folder(&self.path)
        };
        moved().map_err(|error| wrong::unwritten(&aside, error))?;
        self.remove_old_asides().map_err(|error| wrong::unwritten(&self.path, error))?;
        Ok(Some(aside))
    }

    /// What was put aside before the newest few.
    fn remove_old_asides(&self) -> std::io::Result<()> {
        let mut asides: Vec<String> = epochs::names(&self.path)?.into_iter().filter(|name| name.starts_with(ASIDE)).collect();
        asides.sort_unstable();
        let gone = asides.len().saturating_sub(ASIDES_KEPT);
        asides[..gone].iter().try_for_each(|name| self.files.remove_folder(&self.path.join(name)))
    }

    /// Commits an epoch, and removes what is older than the last two. Its size in bytes, and the oldest that is kept.
    ///
    /// # Errors
    /// If it cannot be written; then those before it stand.
    pub fn commit(&self, number: u64, epoch: &Epoch, began: Time) -> Result<(u64, u64), Diagnostic> {
        let unwritten = |error: &dyn std::fmt::Display| wrong::unwritten(&epochs::place(&self.path, number), error);
        let parts = super::encode::encode(epoch).map_err(|why| unwritten(&why))?;
        let manifest = epochs::write(self.files.as_ref(), &self.path, number, epoch, &parts, began);
        let manifest = manifest.map_err(|error| unwritten(&error))?;
        let oldest = epochs::trim(self.files.as_ref(), &self.path).map_err(|error| unwritten(&error))?.unwrap_or(number);
        log::trim(self.files.as_ref(), &self.path, oldest, &HistoryLimits::default()).map_err(|error| unwritten(&error))?;
        Ok((manifest.size(), oldest))
    }
}
