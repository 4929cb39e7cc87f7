//! What surrounds a connector: folders, the time of day, and which of a source's two ends is meant.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Time;

use super::live::Live;

/// Which end of a source is read, and how a sink treats what stands there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What came before: read as fast as it is asked for; sinks are written anew.
    Recorded,
    /// What comes now: rows are due when the clock says so; sinks are appended to.
    Live,
}

/// What rows look like that a sink writes to the standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// As the sink's format says.
    Rows,
    /// As `{"event": "row", "sink": NAME, "row": {…}}`, because other events are written there too.
    Events,
}

/// The time of day, so that tests and replays can hold it.
pub trait Now: Send + Sync {
    fn now(&self) -> Time;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wall;

impl Now for Wall {
    fn now(&self) -> Time {
        Time(chrono::Utc::now().timestamp_micros())
    }
}

/// Where a connector finds itself.
#[derive(Clone)]
pub struct Place {
    /// The folder of the `.mliot` file: relative paths begin here.
    pub base: PathBuf,
    /// Where a relative path is looked for that is not found beside the file (`MLIOT_DATA`).
    pub data: Option<PathBuf>,
    pub now: Arc<dyn Now>,
    /// When live begins. A simulated recording ends here, and a live simulation takes it up from here. `run` sets the time
    /// of its start; [`Place::REPLAY_BEGAN`] makes every replay give the same bytes.
    pub began: Time,
    pub stdout: Stdout,
    /// What live sources share; none where nothing is live.
    pub live: Option<Arc<Live>>,
}

impl Place {
    /// 2026-01-01T00:00:00Z.
    pub const REPLAY_BEGAN: Time = Time(1_767_225_600_000_000);

    /// Beside a file in the folder `base`, with the machine's clock, beginning where replays begin.
    pub fn beside(base: impl Into<PathBuf>) -> Place {
        Place {
            base: base.into(),
            data: None,
            now: Arc::new(Wall),
            began: Place::REPLAY_BEGAN,
            stdout: Stdout::Rows,
            live: None,
        }
    }

    /// The folders in which a path may stand, the first being the one that it is written to.
    pub(super) fn folders(&self, path: &Path) -> Vec<PathBuf> {
        if path.is_absolute() {
            return vec![PathBuf::new()];
        }
        std::iter::once(self.base.clone()).chain(self.data.clone()).collect()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { base, data, now: _, began, stdout, live } = self;
        let mut all = f.debug_struct("Place");
        all.field("base", base).field("data", data).field("began", began).field("stdout", stdout).field("live", live).finish()
    }
}
