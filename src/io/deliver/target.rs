//! Where a sink's file stands, and what happens to what stands there already.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::diag::Code;
use crate::io::error::IoError;
use crate::io::place::Mode;

use super::mark::SinkMark;

/// Numbers that are tried for a file that must not replace another.
const NUMBERS_MAX: u32 = 1_000_000;

/// A path with the mode that says how to treat it.
pub(super) struct Target {
    pub path: PathBuf,
    pub mode: Mode,
    /// Names that files will have which wait for them.
    pub taken: Vec<PathBuf>,
}

impl Target {
    /// For formats that grow line by line: the file at its end, and whether it was empty. In a folder it is the file that
    /// `goes_on`, else the next one.
    pub fn growing(&self, ending: &str, goes_on: Option<&SinkMark>) -> Result<(PathBuf, File, bool), IoError> {
        let path = match self.is_folder()? {
            true => match goes_on.and_then(|mark| self.within(mark)) {
                Some(path) => path,
                None => self.numbered(ending)?,
            },
            false => self.path.clone(),
        };
        prepare(&path)?;
        let mut options = OpenOptions::new();
        match self.mode {
            Mode::Recorded => options.write(true).create(true).truncate(true),
            Mode::Live => options.append(true).create(true),
        };
        let file = options.open(&path).map_err(|error| cannot_be_written(&path, &error))?;
        let empty = file.metadata().map_err(|error| cannot_be_written(&path, &error))?.len() == 0;
        Ok((path, file, empty))
    }

    /// For formats that have an end: the name that the whole file gets.
    pub fn whole(&self, ending: &str) -> Result<PathBuf, IoError> {
        let path = match self.mode {
            _ if self.is_folder()? => self.numbered(ending)?,
            Mode::Recorded => self.path.clone(),
            Mode::Live => free(&self.path, &self.taken)?,
        };
        prepare(&path)?;
        Ok(path)
    }

    /// The file of the mark that stands in this folder.
    fn within(&self, mark: &SinkMark) -> Option<PathBuf> {
        mark.files.iter().map(|file| PathBuf::from(file.path())).find(|path| path.parent() == Some(&self.path))
    }

    /// Is a folder of numbered files meant? Only where the path says so.
    fn is_folder(&self) -> Result<bool, IoError> {
        let is_meant = self.path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if !is_meant && self.path.is_dir() { Err(is_a_folder(&self.path)) } else { Ok(is_meant) }
    }

    /// The next number in a folder, in which a replay begins anew at 1.
    fn numbered(&self, ending: &str) -> Result<PathBuf, IoError> {
        let name = |number: u32| self.path.join(format!("{number:06}.{ending}"));
        match self.mode {
            Mode::Recorded => Ok(name(1)),
            Mode::Live => first_free(&self.path, &self.taken, name),
        }
    }
}

/// `out.parquet`, else `out-2.parquet` and so on.
pub(super) fn free(path: &Path, taken: &[PathBuf]) -> Result<PathBuf, IoError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, ending) = name.split_once('.').map_or((name.as_str(), String::new()), |(stem, rest)| (stem, format!(".{rest}")));
    first_free(path, taken, |number| match number {
        1 => path.to_owned(),
        _ => path.with_file_name(format!("{stem}-{number}{ending}")),
    })
}

fn first_free(path: &Path, taken: &[PathBuf], name: impl Fn(u32) -> PathBuf) -> Result<PathBuf, IoError> {
    (1..NUMBERS_MAX).map(name).find(|name| !name.exists() && !taken.contains(name)).ok_or_else(|| {
        let message = format!("`{}` has {NUMBERS_MAX} files already", path.display());
        IoError::new(Code::E0719, message).path(path).help("move old files away")
    })
}

fn prepare(path: &Path) -> Result<(), IoError> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(|error| cannot_be_written(folder, &error)),
        None => Ok(()),
    }
}

fn is_a_folder(path: &Path) -> IoError {
    let message = format!("`{}` is a folder, and the sink writes one file", path.display());
    IoError::new(Code::E0719, message).path(path).help("end the path in `/` for numbered files in it, or take another name")
}

pub(super) fn cannot_be_written(path: &Path, error: &std::io::Error) -> IoError {
    let help = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "allow this user to write there, or take another folder",
        std::io::ErrorKind::StorageFull => "make room on the disk",
        _ => "take a path that this user may write to",
    };
    IoError::new(Code::E0719, format!("`{}` cannot be written: {error}", path.display())).path(path).help(help)
}

/// A sink that breaks in the middle.
pub(super) fn writing_stopped(path: &Path, error: impl std::fmt::Display) -> IoError {
    let message = format!("`{}` cannot be written any further: {error}", path.display());
    IoError::new(Code::R0713, message).path(path).help("see whether the disk is full and the folder still there")
}
