//! Rows that are posted to somebody over HTTP, some hundred a request, as an array of JSON objects.
//!
//! Each request has an `Idempotency-Key`: the sink, the beginning of the run, the outbox, the number of the request's first row
//! and how many it has. The rows of an outbox keep their numbers and their batches over retries and restarts, and before a batch
//! goes out the log is durable up to its rows; so a receiver that remembers keys takes every row once, one that does not, at
//! least once.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::io::error::IoError;
use crate::io::place::{Mode, Place};
use crate::ir::{PostConnector, Schema};

use super::Deliver;
use super::mark::{Keep, Ledger};
use super::text::{columns, json_object};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Characters of an answer that a message repeats.
const SHOWN_MAX: usize = 160;

/// Under a replay rows are counted, and nobody is told of them.
pub(super) fn open(
    sink: &Name,
    to: &PostConnector,
    schema: &Schema,
    place: &Place,
    mode: Mode,
    keep: Option<&Keep>,
) -> Result<Box<dyn Deliver>, Diagnostic> {
    if mode == Mode::Recorded {
        return Ok(Box::new(Counted));
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Diagnostic::new(Code::R0951, format!("the system gives no sockets: {error}")))?;
    Ok(Box::new(PostSink {
        names: schema.columns.iter().map(|column| column.name.to_string()).collect(),
        to: to.clone(),
        ledger: keep.map(|keep| keep.ledger.clone()),
        run: format!("{sink}-{:x}", place.began.0),
        outbox: 0,
        next: 0,
        done: 0,
        refused: None,
        connection: None,
        runtime,
    }))
}

struct Counted;

impl Deliver for Counted {
    fn deliver(&mut self, _: &RecordBatch) -> Result<(), IoError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}

struct PostSink {
    to: PostConnector,
    names: Vec<String>,
    /// Where a restart makes the same rows again, so that they get the same keys.
    ledger: Option<Arc<dyn Ledger>>,
    /// Of the sink in this run, over its restarts.
    run: String,
    outbox: u64,
    /// The number of the first row that is delivered now.
    next: u64,
    /// Of those, how many were taken or refused at a try before.
    done: usize,
    refused: Option<(u64, String)>,
    /// Goes before the runtime that carries it.
    connection: Option<SendRequest<Full<Bytes>>>,
    runtime: Runtime,
}

/// What came back.
enum Answer {
    Taken,
    /// Another try would not help.
    Refused(String),
    /// It may help.
    Later(String),
}

impl PostSink {
    fn body(&self, rows: &RecordBatch) -> Result<Bytes, IoError> {
        let columns = columns(rows, &self.names)?;
        let mut out = vec![b'['];
        for row in 0..rows.num_rows() {
            if row > 0 {
                out.push(b',');
            }
            json_object(&mut out, &self.names, &columns, row);
        }
        out.push(b']');
        Ok(out.into())
    }

    fn key(&self, rows: usize) -> String {
        format!("{}-{}-{}-{rows}", self.run, self.outbox, self.next + self.done as u64)
    }

    fn post(&mut self, body: &Bytes, key: &str) -> Answer {
        let limit = Duration::from_micros(self.to.timeout.0.unsigned_abs());
        let PostSink { to, connection, runtime, .. } = self;
        let sent = runtime.block_on(async {
            match tokio::time::timeout(limit, send(to, connection, body, key)).await {
                Ok(sent) => sent,
                Err(_) => Err(format!("there was no answer within {}", to.timeout)),
            }
        });
        match sent {
            Ok((status, text)) => answer(status, &text),
            Err(why) => {
                self.connection = None;
                Answer::Later(why)
            }
        }
    }
}

impl Deliver for PostSink {
    fn deliver(&mut self, rows: &RecordBatch) -> Result<(), IoError> {
        if let Some(ledger) = &self.ledger {
            ledger.stand().map_err(|found| IoError::new(found.code, found.message))?;
        }
        while self.done < rows.num_rows() {
            let count = (rows.num_rows() - self.done).min(self.to.rows_max as usize);
            let (body, key) = (self.body(&rows.slice(self.done, count))?, self.key(count));
            match self.post(&body, &key) {
                Answer::Taken => {}
                Answer::Refused(why) => {
                    let before = self.refused.take();
                    let (lost, why) = before.map_or((0, why), |(lost, first)| (lost, first));
                    self.refused = Some((lost + count as u64, why));
                }
                Answer::Later(why) => return Err(not_posted(&self.to, &why)),
            }
            self.done += count;
        }
        self.done = 0;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), IoError> {
        self.connection = None;
        Ok(())
    }

    fn stands(&mut self, outbox: u64, next: u64) {
        (self.outbox, self.next, self.done) = (outbox, next, 0);
    }

    fn part_done(&self) -> u64 {
        self.done as u64 - self.refused.as_ref().map_or(0, |(rows, _)| *rows)
    }

    fn take_refused(&mut self) -> Option<(u64, String)> {
        self.refused.take()
    }
}

/// A connection that was kept may have been closed meanwhile: then the request goes over another one. Its key makes that safe.
async fn send(
    to: &PostConnector,
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    body: &Bytes,
    key: &str,
) -> Result<(StatusCode, String), String> {
    if let Some(mut kept) = connection.take().filter(|kept| !kept.is_closed())
        && let Ok(answered) = ask(to, &mut kept, body, key).await
    {
        *connection = Some(kept);
        return Ok(answered);
    }
    let mut new = connect(to).await?;
    let answered = ask(to, &mut new, body, key).await?;
    *connection = Some(new);
    Ok(answered)
}

async fn connect(to: &PostConnector) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect((to.host.as_str(), to.port)).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // What ends it is seen by whoever sends the next request.
    tokio::spawn(async move { _ = connection.await });
    Ok(sender)
}

async fn ask(
    to: &PostConnector,
    connection: &mut SendRequest<Full<Bytes>>,
    body: &Bytes,
    key: &str,
) -> Result<(StatusCode, String), String> {
    let words = |error: hyper::Error| error.to_string();
    let host = if to.host.contains(':') { format!("[{}]:{}", to.host, to.port) } else { format!("{}:{}", to.host, to.port) };
    let request = Request::post(to.path.as_str())
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Full::new(body.clone()))
        .map_err(|error| error.to_string())?;
    connection.ready().await.map_err(words)?;
    let (head, body) = connection.send_request(request).await.map_err(words)?.into_parts();
    let text = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
    Ok((head.status, String::from_utf8_lossy(&text.to_bytes()).into_owned()))
}

fn answer(status: StatusCode, text: &str) -> Answer {
    let shown: String = text.chars().take(SHOWN_MAX).map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    let told = format!("the answer was {status}{}{shown}", if shown.is_empty() { "" } else { ": " });
    let comes_later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match status {
        status if status.is_success() => Answer::Taken,
        status if status.is_server_error() || status.is_informational() || comes_later => Answer::Later(told),
        _ => Answer::Refused(told),
    }
}

/// R0713.
fn not_posted(to: &PostConnector, why: &str) -> IoError {
    let message = format!("`http://{}:{}{}` does not take the rows: {why}", to.host, to.port, to.path);
    IoError::new(Code::R0713, message).help("see whether it is reachable; the rows are sent again for a while")
}

#[cfg(test)]
mod tests;
