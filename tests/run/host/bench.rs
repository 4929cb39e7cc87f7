//! A run on the bench: a file in a folder of its own, everything that is said in a channel, and a client of bytes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{BooleanArray, Float64Array, RecordBatch};
use mliot::base::{Hash, Name, Time};
use mliot::diag::{Code, Diagnostic};
use mliot::host::state::StateFolder;
use mliot::host::watch::Seen;
use mliot::host::{
    Compiled, Compiler, Conditions, FileCompiler, HostEvent, Job, Kept, Learned, Learner, Limits, Machines, Remembered, Said,
    Setup, SharedParts, Stop, Summary, Trained, run,
};
use mliot::io::{Live, Mode, Place};
use mliot::node::{NodeError, Predictions, Predictor};
use mliot::plan::{Graph, Learn};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for a machine under load; a passing test never waits for it.
pub const ARRIVES: Duration = Duration::from_secs(60);

pub struct Bench {
    pub folder: TempDir,
    pub stop: Stop,
    heard: Receiver<Said>,
    running: JoinHandle<Result<Summary, Vec<Diagnostic>>>,
}

impl Bench {
    pub fn start(text: &str) -> Bench {
        Bench::learning(text, Arc::<Counting>::default())
    }

    pub fn learning(text: &str, learner: Arc<dyn Learner>) -> Bench {
        Bench::with(text, |parts| parts, Limits::default(), learner)
    }

    pub fn with(text: &str, wrap: impl FnOnce(SharedParts) -> SharedParts, limits: Limits, learner: Arc<dyn Learner>) -> Bench {
        Bench::run(tempfile::tempdir().unwrap(), text, wrap, limits, learner, false)
    }

    /// In a folder in which a run may have been before, and that keeps its state.
    pub fn keeping(
        folder: TempDir,
        text: &str,
        wrap: impl FnOnce(SharedParts) -> SharedParts,
        learner: Arc<dyn Learner>,
    ) -> Bench {
        Bench::run(folder, text, wrap, Limits::default(), learner, true)
    }

    pub fn run(
        folder: TempDir,
        text: &str,
        wrap: impl FnOnce(SharedParts) -> SharedParts,
        limits: Limits,
        learner: Arc<dyn Learner>,
        keeps: bool,
    ) -> Bench {
        let file = folder.path().join("room.mliot");
        std::fs::write(&file, text).unwrap();
        let mut compiler = Fragile(FileCompiler::new(file.clone(), Vec::new()));
        let compiled = compiler.compile(text);
        assert!(compiled.graph.is_some(), "{:#?}", compiled.diagnostics);
        let now = Time(chrono::Utc::now().timestamp_micros());
        let state = keeps.then(|| {
            let state = StateFolder::open(&folder.path().join("state")).unwrap();
            Kept::open(state, now, Duration::from_millis(50)).unwrap()
        });
        let began = state.as_ref().map_or(now, |state| state.began);
        let live = Arc::new(Live::at(&folder.path().join("state")));
        let inlets = live.inlets().clone();
        let place = Place { began, live: Some(live), ..Place::beside(folder.path()) };
        let (hear, heard) = channel();
        let stop = Stop::default();
        let setup = Setup {
            file,
            text: text.to_owned(),
            compiled,
            compiler: Box::new(compiler),
            parts: wrap(Arc::new(Machines { place, sinks: Mode::Live })),
            inlets,
            learner,
            ear: Box::new(move |said: &Said| _ = hear.send(said.clone())),
            stop: stop.clone(),
            heed_signals: false,
            limits,
            state,
            confirm: None,
            probation: None,
            typed: false,
        };
        let running = std::thread::spawn(move || run(setup));
        Bench { folder, stop, heard, running }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As most editors do: aside, then over.
    pub fn save(&self, text: &str) {
        std::fs::write(self.path(".room.tmp"), text).unwrap();
        std::fs::rename(self.path(".room.tmp"), self.path("room.mliot")).unwrap();
    }

    /// The first thing said from here on that is wanted; what is said before is dropped.
    pub fn wait<T>(&self, what: &str, mut wanted: impl FnMut(&Said) -> Option<T>) -> T {
        let until = Instant::now() + ARRIVES;
        let mut before = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let said = self.heard.recv_timeout(left).unwrap_or_else(|_| panic!("no {what} was said, but {before:#?}"));
            if let Some(found) = wanted(&said) {
                return found;
            }
            before.push(said.to_json());
        }
    }

    pub fn wait_host<T>(&self, what: &str, mut wanted: impl FnMut(&HostEvent) -> Option<T>) -> T {
        self.wait(what, |said| match said {
            Said::Host(event) => wanted(event),
            Said::Engine(_) => None,
        })
    }

    /// What was said since that a test does not want to hear.
    pub fn heard(&self, unwanted: impl Fn(&HostEvent) -> bool) -> Vec<Value> {
        let said = self.heard.try_iter();
        said.filter(|said| matches!(said, Said::Host(event) if unwanted(event))).map(|said| said.to_json()).collect()
    }

    /// Saves, and waits for the edit to take place: the words for it.
    pub fn edit(&self, text: &str) -> String {
        self.save(text);
        self.wait_host("applied edit", |event| match event {
            HostEvent::EditApplied { words, .. } => Some(words.join("; ")),
            HostEvent::EditRefused(messages) => panic!("refused: {:#?}", messages.diagnostics),
            _ => None,
        })
    }

    /// Saves, and waits for the edit to be refused: the messages.
    pub fn refused(&self, text: &str) -> Vec<Diagnostic> {
        self.save(text);
        self.wait_host("refused edit", |event| match event {
            HostEvent::EditRefused(messages) => Some(messages.diagnostics.clone()),
            HostEvent::EditApplied { words, .. } => panic!("applied: {words:?}"),
            _ => None,
        })
    }

    pub fn started(&self) -> Vec<String> {
        self.wait_host("start", |event| match event {
            HostEvent::Started { serving, .. } => Some(serving.clone()),
            _ => None,
        })
    }

    pub fn trained(&self) -> String {
        self.wait_host("trained model", |event| match event {
            HostEvent::Trained { version, .. } => Some(version.clone()),
            HostEvent::TrainingFailed { why, .. } => panic!("{why:#?}"),
            _ => None,
        })
    }

    /// Waits, with a limit, until the file of a sink has so many rows.
    pub fn grows_to(&self, name: &str, rows: usize) {
        let until = Instant::now() + ARRIVES;
        let pause = Stop::default();
        while self.count(name) < rows {
            assert!(Instant::now() < until, "{name} has {} rows and does not grow", self.count(name));
            pause.wait(Duration::from_millis(20), mliot::host::Wanted::End);
        }
    }

    /// So many rows are written; what they say is not read.
    pub fn count(&self, name: &str) -> usize {
        let bytes = std::fs::read(self.path(name)).unwrap_or_default();
        bytes.iter().filter(|byte| **byte == b'\n').count()
    }

    pub fn rows(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        // The last line may still be being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ends the run in order.
    pub fn end(self) -> (Summary, TempDir) {
        self.stop.please();
        let summary = self.running.join().expect("the run does not panic").expect("the run started");
        (summary, self.folder)
    }

    /// What a run says that does not start.
    pub fn failure(self) -> Vec<Diagnostic> {
        self.running.join().expect("the run does not panic").expect_err("the run does not start")
    }
}

/// The real compiler, but that it stops on a certain word.
struct Fragile(FileCompiler);

impl Compiler for Fragile {
    fn compile(&mut self, text: &str) -> Compiled {
        assert!(!text.contains("# crash"), "a mistake of ours");
        self.0.compile(text)
    }

    fn saw(&mut self, path: &Path, seen: &Seen) {
        self.0.saw(path, seen);
    }

    fn conditions(&self) -> Arc<dyn Conditions> {
        self.0.conditions()
    }
}

/// Learns nothing but to say yes; counts its trainings, and remembers by the features' definitions.
#[derive(Default)]
pub struct Counting {
    pub trainings: AtomicUsize,
    pub kept: Mutex<BTreeMap<Hash, Yes>>,
}

/// A model that answers every row with yes, surely.
#[derive(Clone, Debug)]
pub struct Yes {
    version: String,
}

impl Predictor for Yes {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        let count = rows.num_rows();
        let scores = Some(Float64Array::from(vec![1.0; count]));
        Ok(Predictions { values: Arc::new(BooleanArray::from(vec![true; count])), scores })
    }

    fn version(&self) -> &str {
        &self.version
    }
}

fn learned(model: Yes) -> Learned {
    Learned { model: Arc::new(model), family: "yes".into(), metric: Some(("accuracy".into(), 0.5)), notes: Vec::new() }
}

fn meaning(learn: &Learn, closure: &Graph) -> Hash {
    mliot::host::closure(closure, &learn.task.name).expect("a closure holds its task")
}

impl Learner for Counting {
    fn champion(&self, learn: &Learn, closure: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        let kept = self.kept.lock().unwrap().get(&meaning(learn, closure)).cloned();
        Ok(kept.map(|model| Remembered { learned: Some(learned(model)), search: false, words: "there is one".into() }))
    }

    fn version(&self, _: &Name, version: &str) -> Option<Arc<dyn Predictor>> {
        // What was learned once is there, whoever answers now.
        let is_there = version.parse().is_ok_and(|nth: usize| (1..=self.trainings.load(Ordering::SeqCst)).contains(&nth));
        is_there.then(|| Arc::new(Yes { version: version.to_owned() }) as Arc<dyn Predictor>)
    }

    fn train(&self, job: &Job) -> Result<Trained, Diagnostic> {
        let rows = job.collected.tables.values().map(RecordBatch::num_rows).max().unwrap_or(0);
        if rows == 0 {
            return Err(Diagnostic::new(Code::R0001, "there is nothing to learn from"));
        }
        let nth = self.trainings.fetch_add(1, Ordering::SeqCst) + 1;
        let model = Yes { version: nth.to_string() };
        self.kept.lock().unwrap().insert(meaning(&job.learn, &job.closure), model.clone());
        Ok(Trained::Answers(learned(model)))
    }
}

/// One connection that is kept.
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// To the server of an address such as `http://127.0.0.1:8080/predict/occupancy`.
    pub fn to(url: &str) -> Client {
        let at = url.trim_start_matches("http://").split('/').next().unwrap();
        let stream = TcpStream::connect(at.parse::<SocketAddr>().unwrap()).unwrap();
        stream.set_read_timeout(Some(ARRIVES)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client(BufReader::new(stream))
    }

    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.ask_with(method, path, "", body)
    }

    /// With more lines in the head, each ended.
    pub fn ask_with(&mut self, method: &str, path: &str, more: &str, body: &str) -> (u16, Value) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n{more}content-length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all((head + body).as_bytes()).unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        while self.0.read_line(&mut line).unwrap() > 2 {
            let lower = line.to_lowercase();
            if let Some(rest) = lower.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            if let Some(rest) = lower.strip_prefix("content-length: ") {
                length = rest.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}
