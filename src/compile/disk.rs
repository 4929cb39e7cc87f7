//! The world as it is: files on disk, the environment of the process.

use std::io;
use std::path::{Path, PathBuf};

use super::World;
use super::gather::plain;

/// Reads only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl World for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// Links and all; of a file that is not there, the path tells.
    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| plain(path))
    }
}
