//! Files that are complete or not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::diag::Code;

use super::{RegistryError, damaged};

/// Writes `files` into the folder `aside` and renames it to `place`, which must not be there yet.
pub fn write_all(aside: &Path, place: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), RegistryError> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(aside)?;
        for (name, bytes) in files {
            write_synced(&aside.join(name), bytes)?;
        }
        sync_folder(aside)?;
        fs::rename(aside, place)?;
        sync_folder(place.parent().unwrap_or(place))
    };
    write().map_err(|error| unwritten(place, &error))
}

/// Replaces a small file in one step.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let aside = path.with_extension("new");
    let write = || -> io::Result<()> {
        write_synced(&aside, bytes)?;
        fs::rename(&aside, path)?;
        sync_folder(path.parent().unwrap_or(path))
    };
    write().map_err(|error| unwritten(path, &error))
}

pub fn read(path: &Path) -> Result<Vec<u8>, RegistryError> {
    fs::read(path).map_err(|error| damaged(path, &error.to_string()))
}

/// Names of the folders in a folder, which need not exist.
pub fn folders(path: &Path) -> Result<Vec<String>, RegistryError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(damaged(path, &error.to_string())),
    };
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    Ok(folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Takes a folder away in one step, by way of `aside`, which must not be there yet.
pub fn remove(place: &Path, aside: &Path) -> Result<(), RegistryError> {
    let remove = || -> io::Result<()> {
        fs::rename(place, aside)?;
        sync_folder(place.parent().unwrap_or(place))?;
        fs::remove_dir_all(aside)
    };
    remove().map_err(|error| unwritten(place, &error))
}

/// Removes what a writer that died left behind.
pub fn clean(folder: &Path, staged: &str) -> Result<(), RegistryError> {
    let staged = folder.join(staged);
    match fs::remove_dir_all(&staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritten(&staged, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A rename is durable when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

fn unwritten(path: &Path, error: &io::Error) -> RegistryError {
    RegistryError { code: Code::R0503, message: format!("{} cannot be written: {error}", path.display()) }
}
