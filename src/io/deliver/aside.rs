//! A file that gets its name when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::io::error::IoError;

use super::mark::FileMark;
use super::target::{Target, cannot_be_written, writing_stopped};

/// Written under a name that begins with a dot; removed if it is never finished.
pub(super) struct Aside {
    pub path: PathBuf,
    beside: PathBuf,
    /// Who gives it its name in the end: whoever finishes it, or whoever commits the mark that names it.
    named: bool,
    finished: bool,
}

impl Aside {
    /// Gets its name when it is finished.
    pub fn named(target: &Target, ending: &str) -> Result<Aside, IoError> {
        let path = target.whole(ending)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        Ok(Aside { path, beside, named: true, finished: false })
    }

    /// Stays aside when it is finished, as the mark says.
    pub fn held(target: &Target, ending: &str) -> Result<(Aside, FileMark), IoError> {
        let path = target.whole(ending)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = path.with_file_name(format!(".{name}.{}.part", token()));
        let text = |path: &Path| path.display().to_string();
        let mark = FileMark::Segment { aside: text(&beside), path: text(&path) };
        Ok((Aside { path, beside, named: false, finished: false }, mark))
    }

    pub fn create(&self) -> Result<File, IoError> {
        File::create(&self.beside).map_err(|error| cannot_be_written(&self.beside, &error))
    }

    /// The file is whole and closed.
    pub fn finish(&mut self) -> Result<(), IoError> {
        let synced = File::open(&self.beside).and_then(|file| file.sync_all());
        let name = |()| if self.named { fs::rename(&self.beside, &self.path) } else { Ok(()) };
        synced.and_then(name).map_err(|error| writing_stopped(&self.path, error))?;
        self.finished = true;
        Ok(())
    }
}

/// Never twice the same, in whatever process: a name aside stands for one file.
fn token() -> String {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let now = chrono::Utc::now().timestamp_micros();
    format!("{now:x}-{:x}-{:x}", std::process::id(), FILES.fetch_add(1, Relaxed))
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.finished {
            // There is no one left to tell, and a file with a dot is in nobody's way.
            let _ = fs::remove_file(&self.beside);
        }
    }
}
