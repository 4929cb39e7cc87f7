//! A file that gets its name when it is whole.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::io::error::IoError;

use super::target::{Target, cannot_be_written, writing_stopped};

/// Written under a name that begins with a dot; removed if it is never finished.
pub(super) struct Aside {
    pub path: PathBuf,
    beside: PathBuf,
    finished: bool,
}

impl Aside {
    pub fn create(target: &Target, ending: &str) -> Result<(Aside, File), IoError> {
        let path = target.whole(ending)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create(&beside).map_err(|error| cannot_be_written(&beside, &error))?;
        Ok((Aside { path, beside, finished: false }, file))
    }

    /// The file is whole and closed.
    pub fn finish(&mut self) -> Result<(), IoError> {
        let synced = File::open(&self.beside).and_then(|file| file.sync_all());
        synced.and_then(|()| fs::rename(&self.beside, &self.path)).map_err(|error| writing_stopped(&self.path, error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.finished {
            // There is no one left to tell, and a file with a dot is in nobody's way.
            let _ = fs::remove_file(&self.beside);
        }
    }
}
