//! The state folder of a run: epochs, the log behind them, and the lock that one process at a time holds.
//!
//! ```text
//! STATE/lock                    held by the process that runs
//! STATE/epochs/000012/          an epoch: manifest.json and the parts that it names, each with its checksum
//! STATE/epochs/.000013.new/     one that is being written; without its name it does not count
//! STATE/log/000012.log          what happened after that epoch, frame by frame
//! STATE/plans/000012.plan       what was changed, by whom, and how to go back to it
//! STATE/control                 the socket at which commands come in
//! ```
//!
//! An epoch is committed by the rename of its folder, a line of the log when it is whole and synced. The last two epochs are kept
//! with the logs from the older one on, so that a damaged epoch costs nothing but the time to make its log again. Older logs
//! stay within [`HistoryLimits`]: an edit sees their rows once more.

mod begun;
mod encode;
mod entry;
mod epochs;
mod files;
mod folder;
mod frame;
mod history;
mod log;
mod manifest;
pub mod plans;
mod show;
mod tables;
mod wrong;

#[cfg(test)]
mod tests;

pub use entry::{Entry, Settled};
pub use epochs::EPOCHS_KEPT;
pub use files::{Append, Disk, Files};
pub use folder::{ASIDES_KEPT, Found, StateFolder};
pub use history::LogHistory;
pub use log::{HistoryLimits, LOG_SYNC_EVERY, LogHandle, LogReader};
pub use manifest::{FORMAT, Manifest, Part};
pub use show::{Shown, ShownEpoch, ShownLog, ShownNode, ShownSink, ShownSource, show};
pub use wrong::unwritten;
