//! How wide a terminal is.

/// A stream that may be a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// In characters: of the terminal, else as `COLUMNS` says; none where nobody knows.
pub fn width(of: Stream) -> Option<usize> {
    asked(of).or_else(|| std::env::var("COLUMNS").ok()?.parse().ok()).filter(|width| *width >= 20)
}

#[cfg(unix)]
fn asked(of: Stream) -> Option<usize> {
    let stream = match of {
        Stream::Out => libc::STDOUT_FILENO,
        Stream::Err => libc::STDERR_FILENO,
    };
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call writes the size of the terminal into `size`, which lives until it returns, or nothing where there is
    // none.
    let answer = unsafe { libc::ioctl(stream, libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then_some(size.ws_col.into())
}

#[cfg(not(unix))]
fn asked(_: Stream) -> Option<usize> {
    None
}
