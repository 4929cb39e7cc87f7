//! Where the socket of a state folder is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Its name in the state folder.
const NAME: &str = "control";
/// Longest path that a socket's address holds on every system, in bytes.
const ADDRESS_MAX: usize = 100;

/// The path by which a socket in this folder is named; the file, if any, has to stay open as long as that is used.
///
/// # Errors
/// If the folder cannot be opened, or its path is too long for this system.
pub fn address(state: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let plain = state.join(NAME);
    if plain.as_os_str().len() <= ADDRESS_MAX {
        return Ok((plain, None));
    }
    if !cfg!(target_os = "linux") {
        let why =
            format!("`{}` is too long for the address of a socket; name a shorter folder with `--state`", plain.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    // By way of an open folder any path is short.
    let folder = File::open(state)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd())), Some(folder)))
}
