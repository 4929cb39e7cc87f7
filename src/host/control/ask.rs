//! The side of a command: asks a run, and waits for its last answer.

use std::path::Path;
use std::time::Duration;

use crate::diag::Diagnostic;

use super::words::{Answer, Request};
use super::wrong;

/// Asks the run that holds this state folder. `on_the_way` hears every answer but the last, which is given back; `wait` is for
/// one answer after the other.
///
/// # Errors
/// If nothing runs there, this user may not ask, or no answer comes.
#[cfg(unix)]
pub fn ask(state: &Path, request: &Request, wait: Duration, mut on_the_way: impl FnMut(&Answer)) -> Result<Answer, Diagnostic> {
    let go_on = |answer: &Answer| {
        on_the_way(answer);
        true
    };
    ask_while(state, request, wait, go_on).map(|last| last.expect("who goes on hears the last answer"))
}

/// The same, until whoever hears the answers gives false: then there is no last one.
///
/// # Errors
/// As [`ask`].
#[cfg(unix)]
pub fn ask_while(
    state: &Path,
    request: &Request,
    wait: Duration,
    mut go_on: impl FnMut(&Answer) -> bool,
) -> Result<Option<Answer>, Diagnostic> {
    use std::io::{BufRead, BufReader, Write};

    let mut stream = connect(state)?;
    let timed = stream.set_read_timeout(Some(wait)).and_then(|()| stream.set_write_timeout(Some(wait)));
    let mut line = serde_json::to_vec(request).expect("plain data always serialises");
    line.push(b'\n');
    // A run that does not take the whole request may have said why.
    let sent = timed.and_then(|()| stream.write_all(&line));
    let mut answers = BufReader::new(stream);
    loop {
        let mut line = String::new();
        match answers.read_line(&mut line) {
            Ok(0) => return Err(sent.as_ref().err().map_or_else(|| wrong::broken_off("it has ended"), wrong::broken_off)),
            Ok(_) => {}
            Err(error) if is_late(&error) => return Err(wrong::no_answer(wait)),
            Err(error) => return Err(wrong::broken_off(error)),
        }
        let answer: Answer = serde_json::from_str(&line).map_err(wrong::broken_off)?;
        if answer.is_last() {
            return Ok(Some(answer));
        }
        if !go_on(&answer) {
            return Ok(None);
        }
    }
}

#[cfg(unix)]
fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// A socket that nobody listens at is left over from a process that was killed.
#[cfg(unix)]
fn connect(state: &Path) -> Result<std::os::unix::net::UnixStream, Diagnostic> {
    use std::io::ErrorKind;

    let connected = super::place::address(state).and_then(|(path, _folder)| std::os::unix::net::UnixStream::connect(path));
    connected.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => wrong::nothing_runs(state),
        _ => wrong::not_allowed(state, error),
    })
}

/// Where there are no such sockets nothing can be asked.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn elsewhere(state: &Path, _: &Request, _: Duration, _: impl FnMut(&Answer)) -> Result<Answer, Diagnostic> {
    Err(wrong::not_allowed(state, "this system has no such sockets"))
}

/// The same.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn elsewhere_while(
    state: &Path,
    _: &Request,
    _: Duration,
    _: impl FnMut(&Answer) -> bool,
) -> Result<Option<Answer>, Diagnostic> {
    Err(wrong::not_allowed(state, "this system has no such sockets"))
}
