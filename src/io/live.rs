//! What the sources of one live run share: journals in its state folder, inlets by their addresses, the standard input.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Name;
use crate::diag::Code;

use super::error::IoError;
use super::inlet::Inlets;
use super::journal::{JournalLimits, Journals};
use super::received::Pump;

/// Made once for a run. Sources lease from it, so that another version of a source goes on where the former one was.
#[derive(Debug)]
pub struct Live {
    state: PathBuf,
    pub(in crate::io) journals: Journals,
    inlets: Arc<Inlets>,
    /// There is one standard input, and who reads it first reads it to its end.
    pump: Mutex<Option<(Name, Arc<Pump>)>>,
}

impl Live {
    /// With its journals in this state folder, of which nothing is made before it is needed.
    pub fn at(state: &Path) -> Live {
        Live::with(state, JournalLimits::default())
    }

    pub fn with(state: &Path, limits: JournalLimits) -> Live {
        Live { state: state.to_owned(), journals: Journals::at(state, limits), inlets: Arc::default(), pump: Mutex::default() }
    }

    /// The state folder of the run.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Where requests find the sources that they are for.
    pub fn inlets(&self) -> &Arc<Inlets> {
        &self.inlets
    }

    /// The one that reads the standard input for this source, else a new one.
    pub(in crate::io) fn pump(
        &self,
        source: &Name,
        start: impl FnOnce() -> Result<Arc<Pump>, IoError>,
    ) -> Result<Arc<Pump>, IoError> {
        let mut pump = self.pump.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pump {
            Some((reads, pump)) if reads == source => Ok(pump.clone()),
            Some((reads, _)) => Err(read_already(source, reads)),
            None => {
                let started = start()?;
                *pump = Some((source.clone(), started.clone()));
                Ok(started)
            }
        }
    }
}

fn read_already(source: &Name, reads: &Name) -> IoError {
    IoError::new(Code::E0716, format!("`{source}` cannot read the standard input: this run reads it for `{reads}`"))
        .help(format!("bring back `{reads}`, or start again"))
}
