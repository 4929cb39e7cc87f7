//! An open port. Whoever holds the listener keeps it open; dropping it closes the port and lets requests under way finish.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::diag::{Code, Diagnostic};

use super::backend::Backend;
use super::bounded::Bounded;
use super::door::Doors;
use super::http::{Site, router};
use super::inbox::Inboxes;

/// Where to listen, as the file says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// An address of this machine, or a name of it; empty is loopback.
    pub host: String,
    /// 0 takes any free one.
    pub port: u16,
}

/// What one listener lets in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections_max: usize,
    /// Requests for predictions that are worked on at once.
    pub working_max: usize,
    /// Requests that wait for one of these; beyond them the answer is 429.
    pub waiting_max: usize,
    /// Requests that bring rows and are not answered yet; beyond them the answer is 429.
    pub posting_max: usize,
    pub body_bytes_max: usize,
    pub rows_max: usize,
    /// For the whole body to arrive.
    pub body_time_max: Duration,
    /// For a prediction, waiting included.
    pub answer_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            working_max: 64,
            waiting_max: 512,
            posting_max: 256,
            body_bytes_max: 4 << 20,
            rows_max: 10_000,
            body_time_max: Duration::from_secs(10),
            answer_time_max: Duration::from_secs(10),
        }
    }
}

pub struct Listener {
    doors: Doors,
    inboxes: Inboxes,
    at: SocketAddr,
    /// Closed when the listener goes, which ends the accepting task.
    _open: watch::Sender<()>,
}

impl Listener {
    /// Listens from the moment it returns; `runtime` carries the connections.
    ///
    /// # Errors
    /// `E0751` if the address is taken, not of this machine or not allowed.
    pub fn open(at: &Address, backend: Arc<dyn Backend>, limits: Limits, runtime: &Handle) -> Result<Listener, Diagnostic> {
        let host = if at.host.is_empty() { "127.0.0.1" } else { &at.host };
        let socket = TcpListener::bind((host, at.port)).map_err(|error| not_listening(at, &error))?;
        socket.set_nonblocking(true).map_err(|error| not_listening(at, &error))?;
        let local = socket.local_addr().map_err(|error| not_listening(at, &error))?;
        let inside = runtime.enter();
        let socket = tokio::net::TcpListener::from_std(socket).map_err(|error| not_listening(at, &error))?;
        drop(inside);
        let (open, mut closed) = watch::channel(());
        let (doors, inboxes) = (Doors::default(), Inboxes::default());
        let app = router(Site::new(doors.clone(), inboxes.clone(), backend, limits));
        let ended = async move { while closed.changed().await.is_ok() {} };
        let serving = axum::serve(Bounded::new(socket, limits.connections_max), app).with_graceful_shutdown(ended);
        runtime.spawn(async move { serving.await });
        Ok(Listener { doors, inboxes, at: local, _open: open })
    }

    /// Where it really listens: with the port that was free.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    pub fn inboxes(&self) -> &Inboxes {
        &self.inboxes
    }
}

fn not_listening(at: &Address, error: &std::io::Error) -> Diagnostic {
    use std::io::ErrorKind;
    let (why, help) = match error.kind() {
        ErrorKind::AddrInUse => (
            "another program listens there".to_owned(),
            format!("stop that program (`ss -ltnp 'sport = :{0}'` names it), or serve at another port", at.port),
        ),
        ErrorKind::PermissionDenied => {
            ("this user may not".to_owned(), "take a port above 1023, such as `http(port: 8080)`".to_owned())
        }
        ErrorKind::AddrNotAvailable => (
            format!("`{}` is no address of this machine", at.host),
            "leave out `host` to listen on this machine only".to_owned(),
        ),
        _ => (error.to_string(), "look at `host` and `port`".to_owned()),
    };
    Diagnostic::new(Code::E0751, format!("cannot listen at {at}: {why}")).help(help)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.is_empty() { "127.0.0.1" } else { &self.host };
        write!(f, "{host}:{}", self.port)
    }
}
