//! Epochs on disk: written aside and renamed, checked when they are read, the last two kept.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::Time;
use crate::diag::Diagnostic;
use crate::runtime::Epoch;

use super::encode::{Parts, decode};
use super::files::Files;
use super::manifest::{FORMAT, Manifest, Part, Unread};
use super::wrong;

/// Good epochs that are kept; older ones are removed when a new one is committed.
pub const EPOCHS_KEPT: usize = 2;

const MANIFEST: &str = "manifest.json";

pub fn folder(state: &Path) -> PathBuf {
    state.join("epochs")
}

pub fn place(state: &Path, number: u64) -> PathBuf {
    folder(state).join(format!("{number:06}"))
}

/// Commits an epoch: every part whole and synced under a name that does not count, then the name.
pub fn write(files: &dyn Files, state: &Path, number: u64, epoch: &Epoch, parts: &Parts, began: Time) -> io::Result<Manifest> {
    let manifest = Manifest {
        format: FORMAT,
        mliot: env!("CARGO_PKG_VERSION").to_owned(),
        number,
        at: epoch.at(),
        taken: Time(chrono::Utc::now().timestamp_micros()),
        began,
        parts: parts.iter().map(|(name, bytes)| (name.clone(), Part::of(bytes))).collect(),
    };
    let (whole, place) = (folder(state), place(state, number));
    let aside = whole.join(format!(".{number:06}.new"));
    files.remove_folder(&aside)?;
    files.create_folder(&aside)?;
    let sealed = manifest.bytes();
    for (name, bytes) in parts.iter().map(|(name, bytes)| (name.as_str(), bytes)).chain([(MANIFEST, &sealed)]) {
        files.write(&aside.join(name), bytes)?;
        files.sync(&aside.join(name))?;
    }
    files.sync_folder(&aside)?;
    files.rename(&aside, &place)?;
    files.sync_folder(&whole)?;
    Ok(manifest)
}

/// Removes all but the newest epochs, and what a writer that died left behind. The oldest that is kept is given back.
pub fn trim(files: &dyn Files, state: &Path) -> io::Result<Option<u64>> {
    let all = numbers(state)?;
    let kept = &all[all.len().saturating_sub(EPOCHS_KEPT)..];
    for number in &all[..all.len() - kept.len()] {
        // Without a manifest it is no epoch, however far its removal gets.
        files.remove_file(&place(state, *number).join(MANIFEST))?;
        files.remove_folder(&place(state, *number))?;
    }
    for name in names(&folder(state))?.into_iter().filter(|name| is_left_behind(state, name, kept)) {
        files.remove_folder(&folder(state).join(name))?;
    }
    Ok(kept.first().copied())
}

fn is_left_behind(state: &Path, name: &str, kept: &[u64]) -> bool {
    let newest = kept.last().copied().unwrap_or(0);
    match name.strip_prefix('.').and_then(|name| name.strip_suffix(".new")) {
        Some(number) => number.parse::<u64>().is_ok_and(|number| number <= newest),
        None => name.parse::<u64>().is_ok_and(|number| number < newest && !place(state, number).join(MANIFEST).exists()),
    }
}

/// Committed epochs, oldest first; damaged ones too.
pub fn numbers(state: &Path) -> io::Result<Vec<u64>> {
    let names = names(&folder(state))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.retain(|number| place(state, *number).join(MANIFEST).exists());
    numbers.sort_unstable();
    Ok(numbers)
}

pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            Ok(entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// With its parts, all of which have the checksums that the manifest names.
///
/// # Errors
/// A message for a person: damaged (`R0101`), or of another format (`R0102`).
pub fn read(state: &Path, number: u64) -> Result<(Manifest, Parts), Diagnostic> {
    let place = place(state, number);
    let damaged = |why: String| wrong::damaged(&place, why);
    let manifest = manifest(state, number)?;
    let mut parts = BTreeMap::new();
    for (name, part) in &manifest.parts {
        let bytes = fs::read(place.join(name)).map_err(|error| damaged(format!("{name}: {error}")))?;
        if Part::of(&bytes) != *part {
            return Err(damaged(format!("the checksum of {name} differs")));
        }
        parts.insert(name.clone(), bytes);
    }
    Ok((manifest, parts))
}

pub fn manifest(state: &Path, number: u64) -> Result<Manifest, Diagnostic> {
    let place = place(state, number);
    let bytes = fs::read(place.join(MANIFEST)).map_err(|error| wrong::damaged(&place, error))?;
    Manifest::read(&bytes).map_err(|unread| match unread {
        Unread::Damaged(why) => wrong::damaged(&place, why),
        Unread::Other { format, by } => wrong::other_format(&place, format, &by),
    })
}

/// # Errors
/// As [`read`], and where the parts do not make an epoch.
pub fn open(state: &Path, number: u64) -> Result<(Manifest, Epoch), Diagnostic> {
    let (manifest, parts) = read(state, number)?;
    let epoch = decode(&parts).map_err(|why| wrong::damaged(&place(state, number), why))?;
    Ok((manifest, epoch))
}
