//! Lines of text, each within a limit.

use std::io::{self, BufRead, Read};

/// Bytes that one line or one JSON value may have.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A line with its end; false where nothing is left.
pub(super) fn read_line(bytes: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Read::take(&mut *bytes, LINE_BYTES_MAX as u64 + 1).read_until(b'\n', line)?;
    if line.len() > LINE_BYTES_MAX { Err(too_long()) } else { Ok(!line.is_empty()) }
}

pub(super) fn too_long() -> io::Error {
    io::Error::other(format!("a record is longer than {} MiB", LINE_BYTES_MAX >> 20))
}
