//! A folder of its own with a pipeline and a recording in it, and the program run there.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A program that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(400);
const LOOK: Duration = Duration::from_millis(20);

pub struct Bench {
    folder: TempDir,
}

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    /// With `room.mliot` as in [`room`] and `room.csv` as in [`readings`].
    pub fn of_room() -> Bench {
        Bench::new().with("room.mliot", room("")).with("room.csv", readings(400))
    }

    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Bench {
        fs::write(self.path(name), content).unwrap();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The program in this folder. It sees no recordings but those that are here.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mliot"));
        command.args(args).current_dir(self.folder.path()).env_remove("MLIOT_DATA").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        Running::start(&mut self.program(args)).end()
    }

    /// With the recordings that `MLIOT_DATA` names.
    pub fn run_with(&self, data: &Path, args: &[&str]) -> Ended {
        Running::start(self.program(args).env("MLIOT_DATA", data)).end()
    }
}

impl Ended {
    /// Everything, for a snapshot.
    pub fn text(&self) -> String {
        let code = self.code.map_or("killed".to_owned(), |code| code.to_string());
        format!("exit code {code}\n\nstandard output:\n{}\nstandard error:\n{}", self.out, self.err)
    }

    /// The JSON that it printed after all went well.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.text());
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// A program that runs. It is killed where the test ends first.
pub struct Running {
    child: Child,
    out: Heard,
    err: Heard,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Running { child, out: Heard::from(out.unwrap()), err: Heard::from(err.unwrap()) }
    }

    /// What it has written to standard output so far.
    pub fn heard(&self) -> String {
        self.out.so_far()
    }

    /// What it has said to standard error so far.
    pub fn said(&self) -> String {
        self.err.so_far()
    }

    /// What it has written to standard output so far.
    pub fn out(&self) -> String {
        self.out.so_far()
    }

    /// Asks it to end, as ctrl-c does.
    pub fn interrupt(&self) {
        let done = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Where its standard input is written, if that is a pipe.
    pub fn take_input(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// As a power cut does it: nothing can be put in order.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the program hangs");
            pause();
        };
        Ended { code: status.code(), out: self.out.all(), err: self.err.all() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _over = self.child.kill();
        let _over = self.child.wait();
    }
}

/// A pipe that is read while the program writes.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Heard {
    fn from(mut pipe: impl Read + Send + 'static) -> Heard {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let heard = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut part) {
                heard.lock().unwrap().extend_from_slice(&part[..read]);
            }
        });
        Heard { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// Between two looks at another process.
#[expect(clippy::disallowed_methods, reason = "another process gives nothing to wait on; every loop round this has a limit")]
fn pause() {
    std::thread::sleep(LOOK);
}

/// Waits until `there` gives something.
#[track_caller]
pub fn wait_for<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing of {what} comes");
        pause();
    }
}

/// The folder of the recordings; says that the test is skipped where there is none.
pub fn data() -> Option<PathBuf> {
    let data = std::env::var_os("MLIOT_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("skipped: MLIOT_DATA does not name the folder of the recordings");
    }
    data
}

/// A room with one task, whose policy says `clauses` besides.
pub fn room(clauses: &str) -> String {
    include_str!("room.mliot").replace("  # more clauses\n", clauses)
}

/// A header and so many readings, one a minute; in one of nine the truth is not what the readings tell.
pub fn readings(rows: usize) -> String {
    let mut out = String::from("at,co2,light,occupied\n");
    for row in 0..rows {
        let there = (row / 20) % 2;
        let told = if row % 9 == 4 { 1 - there } else { there };
        let (co2, light) = (400 + 300 * there + row * 37 % 101, 200 * there + row * 13 % 17);
        out.push_str(&format!("2026-01-01T{:02}:{:02}:00Z,{co2},{light},{told}\n", row / 60, row % 60));
    }
    out
}

/// The readings with other text in place of some lines, counted from 1 with the header.
pub fn readings_but(lines: &[(usize, &str)]) -> String {
    let text = readings(400);
    let mut all: Vec<&str> = text.lines().collect();
    for (line, other) in lines {
        all[line - 1] = other;
    }
    all.join("\n") + "\n"
}
