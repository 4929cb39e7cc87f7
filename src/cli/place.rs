//! Where a file's commands find and leave things.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Time;
use crate::diag::{Code, Diagnostic};
use crate::host::Machines;
use crate::io::{Live, Mode, Place, Stdout};
use crate::lifecycle::Registry;

/// The real parts for the file, in virtual time: sinks are written anew, recordings are looked for beside the file and in
/// `MLIOT_DATA`.
pub fn machines(file: &Path) -> Machines {
    let base = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = Place { data: std::env::var_os("MLIOT_DATA").map(PathBuf::from), ..Place::beside(base) };
    Machines { place, sinks: Mode::Recorded }
}

/// Under `--json` rows that a sink writes to the standard output are events among others.
pub fn spoken(mut machines: Machines, json: bool) -> Machines {
    machines.place.stdout = if json { Stdout::Events } else { Stdout::Rows };
    machines
}

/// The same for a live run: sinks are appended to, and simulated recordings end where the run began, which may be a former
/// process's beginning.
pub fn live_machines(file: &Path, began: Time, live: &Arc<Live>) -> Machines {
    let mut machines = machines(file);
    machines.place.began = began;
    machines.place.live = Some(live.clone());
    machines.sinks = Mode::Live;
    machines
}

/// Makes the state folder, so that nobody trains for an hour and then cannot keep the result.
///
/// # Errors
/// If it cannot be made.
pub fn make_state(state: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(state).map_err(|error| no_state(state, &error))
}

fn no_state(state: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::R0503, format!("the state folder `{}` cannot be used: {error}", state.display()))
        .help("name a folder that this user may write, with `--state DIR`")
}

/// The state folder: as told, else `.mliot/FILE-STEM/` beside the file.
pub fn state(file: &Path, told: Option<&PathBuf>) -> PathBuf {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    told.cloned().unwrap_or_else(|| file.with_file_name(".mliot").join(stem))
}

/// The models of the state folder.
pub fn registry(file: &Path, told: Option<&PathBuf>) -> Registry {
    Registry::at(&state(file, told))
}
