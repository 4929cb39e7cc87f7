//! Where a file's commands find and leave things.

use std::path::{Path, PathBuf};

use crate::host::Machines;
use crate::io::{Mode, Place};
use crate::lifecycle::Registry;

/// The real parts for the file, in virtual time: sinks are written anew, recordings are looked for beside the file and in
/// `MLIOT_DATA`.
pub fn machines(file: &Path) -> Machines {
    let base = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = Place { data: std::env::var_os("MLIOT_DATA").map(PathBuf::from), ..Place::beside(base) };
    Machines { place, sinks: Mode::Recorded }
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
