//! The side of the run: takes connections, hands requests to the shell's thread, writes its answers.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::channel;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::diag::Diagnostic;

use super::super::run::Signal;
use super::super::said::Messages;
use super::words::{Answer, Request};
use super::{ANSWERS_MAX, CONNECTIONS_MAX, Call, PATIENCE, REQUEST_BYTES_MAX, Reply, place, wrong};

/// Open as long as it lives; its socket goes with it.
pub struct Door {
    state: PathBuf,
    taking: JoinHandle<()>,
}

impl Door {
    /// Whoever calls holds the state folder, so a socket that is there already is left over from a process that is gone.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn open(state: &Path, to: SyncSender<Signal>, runtime: &Handle) -> Result<Door, Diagnostic> {
        let listening = listen(state, runtime).map_err(|error| wrong::not_opened(state, error))?;
        let (listener, owner) = listening;
        let taking = runtime.spawn(take(listener, owner, to));
        Ok(Door { state: state.to_owned(), taking })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.taking.abort();
        if let Ok((path, _folder)) = place::address(&self.state) {
            let _ = fs::remove_file(path);
        }
    }
}

/// With the user who may come in.
fn listen(state: &Path, runtime: &Handle) -> io::Result<(UnixListener, u32)> {
    let (path, _folder) = place::address(state)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let _inside = runtime.enter();
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok((listener, fs::metadata(&path)?.uid()))
}

async fn take(listener: UnixListener, owner: u32, to: SyncSender<Signal>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // The system has no more to give just now; what is under way will give some back.
            tokio::time::sleep(PATIENCE / 100).await;
            continue;
        };
        // Between the making of the socket and its closing to others somebody else may have come.
        if stream.peer_cred().is_ok_and(|who| who.uid() == owner || who.uid() == 0) {
            let to = to.clone();
            tokio::spawn(async move {
                serve(stream, to).await;
                drop(place);
            });
        }
    }
}

async fn serve(stream: UnixStream, to: SyncSender<Signal>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let request = match timeout(PATIENCE, line(&mut read)).await {
        Ok(Ok(line)) => serde_json::from_slice::<Request>(&line).map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not arrive within {} s", PATIENCE.as_secs())),
    };
    let (reply, mut answers) = channel(ANSWERS_MAX);
    let refusal = match request {
        Err(why) => Some(wrong::not_understood(why)),
        Ok(request) => {
            to.try_send(Signal::Call(Call { request, reply: Reply(reply) })).err().map(|_full_or_over| wrong::busy())
        }
    };
    if let Some(found) = refusal {
        let _ = say(&mut write, &Answer::refused(&Messages::of(found))).await;
        return;
    }
    loop {
        let answer = tokio::select! {
            answer = answers.recv() => answer,
            () = hung_up(&mut read) => return,
        };
        let answer = answer.unwrap_or_else(|| Answer::refused(&Messages::of(wrong::ending())));
        if say(&mut write, &answer).await.is_err() || answer.is_last() {
            return;
        }
    }
}

async fn line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    read.take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') {
        return Ok(line);
    }
    let why = if line.len() as u64 == REQUEST_BYTES_MAX { "it is too long" } else { "it ends in the middle" };
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Whoever asked says nothing more; when he closes his end, nobody is there.
async fn hung_up(read: &mut BufReader<OwnedReadHalf>) {
    let mut some = [0; 64];
    while read.read(&mut some).await.is_ok_and(|bytes| bytes > 0) {}
}

async fn say(write: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer).expect("plain data always serialises");
    line.push(b'\n');
    timeout(PATIENCE, write.write_all(&line)).await.map_err(|_| io::ErrorKind::TimedOut)?
}
