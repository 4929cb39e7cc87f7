//! The proof by killing: a run that takes posted rows and writes Parquet is killed at random moments, again and again, while
//! clients repeat whatever was not answered, each request under its key. Every row that was accepted stands exactly once in the
//! committed files, in the order of its client.
//!
//! `MLIOT_KILLS=100 cargo test --test run cli::kills -- --nocapture` makes the long form, with a report at its end;
//! `MLIOT_SEED` chooses other moments.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use mliot::host::{Stop, Wanted};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::bench::{Bench, Running, wait_for};

/// Kills of the ordinary run.
const KILLS: u64 = 4;
const CLIENTS: i64 = 3;
const ROWS_PER_REQUEST: i64 = 20;
/// Between two tries of a client.
const AGAIN: Duration = Duration::from_millis(5);
/// A request that takes longer was not answered.
const ANSWERED: Duration = Duration::from_secs(5);

fn pipeline(port: u16) -> String {
    format!(
        r#"
source room {{
  columns {{ client: int; n: int }}
  live http(port: {port})
  keep parquet("kept/")
}}

stream told = room | scan by client {{ before = previous(n) }}
sink tables = told | to parquet("tables/")
"#
    )
}

/// A linear congruential generator: the moments of the kills from one seed.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

#[derive(Default)]
struct Told {
    accepted: AtomicU64,
    /// Requests that came again, and those that had been taken before.
    tries: AtomicU64,
    repeated: AtomicU64,
    stop: AtomicBool,
}

/// Posts one request after the other until it is told to stop; how many rows were accepted.
fn client(port: u16, client: i64, told: Arc<Told>) -> JoinHandle<i64> {
    std::thread::spawn(move || {
        let mut n = 0;
        while !told.stop.load(SeqCst) {
            let rows: Vec<String> = (n..n + ROWS_PER_REQUEST).map(|n| format!("{{\"client\":{client},\"n\":{n}}}")).collect();
            accepted(port, &format!("{client}-{n}"), &format!("[{}]", rows.join(",")), &told);
            n += ROWS_PER_REQUEST;
            told.accepted.fetch_add(ROWS_PER_REQUEST as u64, SeqCst);
        }
        n
    })
}

/// Until it is answered with 202.
fn accepted(port: u16, key: &str, body: &str, told: &Told) {
    loop {
        match request(port, key, body) {
            Ok(answer) if answer.starts_with("HTTP/1.1 202") => {
                told.repeated.fetch_add(u64::from(answer.contains("\"repeated\":true")), SeqCst);
                return;
            }
            Ok(answer) if !answer.is_empty() && !answer.starts_with("HTTP/1.1 5") && !answer.starts_with("HTTP/1.1 429") => {
                panic!("{key}: {answer}")
            }
            Ok(_) | Err(_) => {
                told.tries.fetch_add(1, SeqCst);
                pause(AGAIN);
            }
        }
    }
}

fn pause(time: Duration) {
    Stop::default().wait(time, Wanted::End);
}

fn request(port: u16, key: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWERED))?;
    let length = body.len();
    write!(
        stream,
        "POST /rows/room HTTP/1.1\r\nhost: bench\r\nconnection: close\r\nidempotency-key: {key}\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn run(bench: &Bench) -> Running {
    let args = ["run", "room.mliot", "--epoch-every", "150ms", "--segment-every", "200ms"];
    Running::start(&mut bench.program(&args))
}

fn files(bench: &Bench, folder: &str) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

/// All rows of a folder in the order of its files, by client.
fn rows(bench: &Bench, folder: &str) -> BTreeMap<i64, Vec<i64>> {
    let mut rows: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for path in files(bench, folder) {
        assert!(!path.file_name().unwrap().to_string_lossy().starts_with('.'), "{path:?} was left aside");
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
        for batch in builder.unwrap_or_else(|error| panic!("{path:?}: {error}")).build().unwrap() {
            let batch = batch.unwrap();
            let (client, n) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
            client.values().iter().zip(n.values()).for_each(|(client, n)| rows.entry(*client).or_default().push(*n));
        }
    }
    rows
}

#[test]
fn every_accepted_row_stands_once_whenever_it_is_killed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (long, seed) = (number("MLIOT_KILLS"), number("MLIOT_SEED").unwrap_or(1));
    let (kills, mut moments, begun) = (long.unwrap_or(KILLS), Moments(seed), Instant::now());
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (bench, told) = (Bench::new().with("room.mliot", pipeline(port)), Arc::<Told>::default());
    let clients: Vec<_> = (0..CLIENTS).map(|which| client(port, which, told.clone())).collect();
    for _ in 0..kills {
        let mut running = run(&bench);
        let before = told.accepted.load(SeqCst);
        // Sometimes before it has taken a row of this life, else some rows later, and a moment behind that.
        let rows = moments.below(5) * ROWS_PER_REQUEST as u64 * if long.is_some() { 40 } else { 4 };
        wait_for("accepted rows", || (told.accepted.load(SeqCst) >= before + rows || running.is_over()).then_some(()));
        pause(Duration::from_millis(moments.below(if long.is_some() { 3_000 } else { 200 })));
        assert!(!running.is_over(), "{}", running.said());
        running.kill();
    }
    let running = run(&bench);
    let before = told.accepted.load(SeqCst);
    wait_for("accepted rows", || (told.accepted.load(SeqCst) > before).then_some(()));
    told.stop.store(true, SeqCst);
    let sent: BTreeMap<i64, i64> = (0..).zip(clients.into_iter().map(|client| client.join().unwrap())).collect();
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());

    for folder in ["tables", "kept"] {
        let rows = rows(&bench, folder);
        for (client, sent) in &sent {
            let own = &rows[client];
            let wrong = own.iter().zip(0..).find(|(n, nth)| **n != *nth);
            assert_eq!((wrong, own.len() as i64), (None, *sent), "{folder}, client {client}, seed {seed}");
        }
    }
    println!(
        "{kills} kills in {:.0} s: {} rows accepted, {} tries in vain, {} requests known by their keys, {} segments of tables; \
         every row once, in order",
        begun.elapsed().as_secs_f64(),
        told.accepted.load(SeqCst),
        told.tries.load(SeqCst),
        told.repeated.load(SeqCst),
        files(&bench, "tables").len(),
    );
}
