//! The threads round the shell, and how what they hear becomes its signals.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::runtime::Runtime;

use crate::diag::{Code, Diagnostic};

use super::run::Signal;
use super::stop::Stop;
use super::watch::Notice;

/// Signals that wait for the shell's thread, and messages that wait to become one.
pub const SIGNALS_MAX: usize = 1_024;
/// Threads that carry connections.
const CONNECTION_THREADS: usize = 2;

pub fn connections() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(CONNECTION_THREADS).thread_name("http").enable_all().build()
}

/// A channel whose messages arrive as signals. Ends when its last sender is gone.
pub fn forward<T: Send + 'static>(to: &SyncSender<Signal>, wrap: fn(T) -> Signal) -> std::io::Result<SyncSender<T>> {
    let (from, inbox) = sync_channel(SIGNALS_MAX);
    let to = to.clone();
    std::thread::Builder::new().name("forward".into()).spawn(move || {
        for message in inbox {
            if to.send(wrap(message)).is_err() {
                return;
            }
        }
    })?;
    Ok(from)
}

pub fn pass_on(notices: Receiver<Notice>, to: SyncSender<Signal>) -> std::io::Result<()> {
    let run = move || {
        for notice in notices {
            if to.send(Signal::Notice(notice)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("notices".into()).spawn(run).map(drop)
}

/// Lines that somebody types, until the standard input ends. Nothing ends it sooner, so nobody waits for it.
pub fn listen_to_keys(to: SyncSender<Signal>) -> std::io::Result<()> {
    let run = move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if to.send(Signal::Typed(line)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(run).map(drop)
}

/// The first signal is a wish, the second an urgent one.
pub async fn heed(stop: Stop, to: SyncSender<Signal>) {
    loop {
        interrupted().await;
        stop.please();
        let _ = to.try_send(Signal::Stop);
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}

pub fn refused(what: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::R0951, format!("the system does not give {what}: {error}"))
}
