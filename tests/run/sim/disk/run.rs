//! A small run with two edits and three epochs, in one process after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use mliot::base::{Name, Time};
use mliot::diag::Diagnostic;
use mliot::host::state::{Entry, Files, LogHandle, StateFolder};
use mliot::node::{Ordinal, Predictor, State};
use mliot::plan::{Graph, NodeKey};
use mliot::runtime::{Engine, Life, Log, Progress, Row, Settings, from_table};

use crate::sim::ledger::{Ledger, MADE};
use crate::sim::random::Random;
use crate::sim::rows;
use crate::sim::simulate::graph_of;
use crate::sim::world::{Scripts, SimWorld, path};

use super::faulty::Faulty;

const FILE: &str = r#"
source lab {
  columns { at: time; id: int; key: text?; g: int?; v: float? from "a"; y: float? }
  recorded jsonl("lab-0.jsonl")
  time     at, lateness 1s
}

stream sums = lab | where v > LIMIT | scan by key { so_far = cumulative(sum(v)) }
stream mins = sums | window 3s by key { n = count(); most = max(v) }
stream best = lab | dedupe by key within WITHINs | top 2 by v within 4s

sink one = sums | to jsonl("one.jsonl")
sink two = mins | to jsonl("two.jsonl")
sink three = best | to jsonl("three.jsonl")
"#;

const ROWS: usize = 44;
/// After so many rows.
const EDITS: [u64; 2] = [12, 27];
const EPOCHS: [u64; 3] = [7, 19, 33];

pub struct Small {
    /// The first file, and after each edit.
    graphs: Vec<Graph>,
    scripts: Arc<Scripts>,
}

/// What a run comes to.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    written: BTreeMap<String, Vec<Row>>,
    states: BTreeMap<NodeKey, State>,
    graph: Graph,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// To the last row.
    Whole,
    /// The process ended on the way.
    Over,
}

impl Small {
    pub fn new() -> Small {
        let text = |limit: &str, within: &str, more: &str| FILE.replace("LIMIT", limit).replace("WITHIN", within) + more;
        let texts = [
            text("-20.0", "1", ""),
            text(
                "0.0",
                "2",
                "stream more = lab | window session gap 2s by g { n = count() }\nsink four = more | to jsonl(\"four.jsonl\")\n",
            ),
            text("0.5", "2", ""),
        ];
        let graph = |text: &String| graph_of(text.clone()).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let script = rows::script(ROWS, 0, 1, &mut Random::new(11));
        let scripts = Scripts::from([("lab-0.jsonl".to_owned(), Arc::from(script.as_slice()))]);
        Small { graphs: texts.iter().map(graph).collect(), scripts: Arc::new(scripts) }
    }

    /// Without a disk.
    pub fn reference(&self) -> Outcome {
        let world = self.world();
        let mut engine = Engine::start(settings(), &self.graphs[0], &world).expect("it begins");
        let mut written = Written::new();
        for (at, graph) in EDITS.into_iter().zip(&self.graphs[1..]) {
            advance(&mut engine, Some(Ordinal(at)), &mut written, None);
            engine.apply(graph, &world).expect("an edit that can be made");
        }
        advance(&mut engine, None, &mut written, None);
        outcome(&mut engine, &written)
    }

    fn world(&self) -> SimWorld {
        SimWorld { ledger: Ledger::default(), scripts: self.scripts.clone(), rereads: true }
    }
}

fn settings() -> Settings {
    Settings { batch_rows_max: 3, life: Life::Replay, ..Settings::default() }
}

type Written = BTreeMap<(String, u64), Vec<Row>>;

fn advance(engine: &mut Engine, stop: Option<Ordinal>, written: &mut Written, mut log: Option<&mut LogHandle>) {
    while stop.is_none_or(|stop| engine.next() < stop) {
        let progress = engine.step_until(stop);
        deliver(engine, written);
        // A line that cannot be written breaks the log, and the run goes on until an edit or an epoch needs it.
        log.iter_mut().for_each(|log| drop(log.write_out()));
        if progress == Progress::Ended {
            return;
        }
    }
}

fn outcome(engine: &mut Engine, written: &Written) -> Outcome {
    let mut by_path: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for ((path, _), rows) in written {
        by_path.entry(path.clone()).or_default().extend(rows.iter().cloned());
    }
    by_path.retain(|_, rows| !rows.is_empty());
    let keys: Vec<NodeKey> = engine.slots().map(|slot| slot.key.clone()).collect();
    let save = |key: NodeKey| {
        let state = engine.slot_mut(&key).expect("a node that runs").node.save().expect("every node can save");
        (key, state)
    };
    let states = keys.into_iter().map(save).collect();
    Outcome { written: by_path, states, graph: engine.graph().clone() }
}

/// Processes one after the other over one state folder, and the files that their sinks write.
pub struct Journey {
    folder: PathBuf,
    /// What stands in the files of sinks: it stays where a process ends.
    written: Written,
    /// How much of each stood there when an epoch was taken.
    settled: BTreeMap<u64, BTreeMap<(String, u64), usize>>,
    outcome: Option<Outcome>,
    /// The newest epoch that was committed.
    pub newest: u64,
    /// What recoveries have said.
    pub told: Vec<String>,
}

/// One process at work.
struct Process<'a> {
    small: &'a Small,
    world: SimWorld,
    files: Faulty,
    folder: StateFolder,
    engine: Engine,
    log: LogHandle,
    thread: JoinHandle<()>,
    number: u64,
}

impl Journey {
    pub fn new(folder: &Path) -> Journey {
        let (written, settled, told) = (Written::new(), BTreeMap::new(), Vec::new());
        Journey { folder: folder.to_owned(), written, settled, outcome: None, newest: 0, told }
    }

    pub fn is_as(&self, wanted: &Outcome) -> Result<(), String> {
        let got = self.outcome.as_ref().ok_or("it has no end")?;
        if got.graph != wanted.graph {
            return Err("another graph runs in the end".into());
        }
        for (path, rows) in &wanted.written {
            let none = Vec::new();
            crate::sim::promises::alike(path, rows, got.written.get(path).unwrap_or(&none))?;
        }
        if got.written.len() != wanted.written.len() {
            Err("other files".into())
        } else {
            same_states(&wanted.states, &got.states)
        }
    }

    /// To the end of the rows, or of the process.
    pub fn process(&mut self, small: &Small, files: Faulty) -> End {
        let Some(mut process) = self.begin(small, files.clone()) else { return End::Over };
        let whole = self.work(&mut process);
        let Process { log, thread, folder, mut engine, .. } = process;
        let over = whole.is_none() || files.is_over();
        if !over {
            self.outcome = Some(outcome(&mut engine, &self.written));
        }
        drop((engine, log));
        thread.join().expect("the log ends");
        drop(folder);
        if over { End::Over } else { End::Whole }
    }

    /// None where it does not get so far.
    fn begin<'a>(&mut self, small: &'a Small, files: Faulty) -> Option<Process<'a>> {
        let world = small.world();
        let shared: Arc<dyn Files> = Arc::new(files.clone());
        let folder = StateFolder::with(&self.folder, shared.clone()).expect("nobody else has it");
        let found = folder.find().unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let number = folder.next_number();
        let at = found.as_ref().map_or(Ordinal(0), |found| found.manifest.at);
        let (log, thread) = LogHandle::start(shared, &self.folder, number, at, |_| ()).ok()?;
        let mut engine = match found {
            None => {
                self.written.clear();
                Engine::start(settings(), &small.graphs[0], &world).expect("it begins")
            }
            Some(found) => {
                self.told.extend(found.damaged.iter().map(said));
                let settled = &self.settled[&found.manifest.number];
                self.written.retain(|outbox, _| settled.contains_key(outbox));
                self.written.iter_mut().for_each(|(outbox, rows)| rows.truncate(settled[outbox]));
                self.restored(&folder, found.manifest.number, found.epoch, &world)
            }
        };
        engine.keep(Box::new(log.clone()));
        let mut process = Process { small, world, files, folder, engine, log, thread, number };
        // The first epoch, before any row.
        if self.commit(&mut process).is_err() {
            let Process { engine, log, thread, .. } = process;
            drop((engine, log));
            thread.join().expect("the log ends");
            return None;
        }
        Some(process)
    }

    fn restored(&mut self, folder: &StateFolder, number: u64, epoch: mliot::runtime::Epoch, world: &SimWorld) -> Engine {
        let mut models = |_: &Name, _: &str| None::<Arc<dyn Predictor>>;
        let restored = Engine::restore(settings(), epoch, world, &mut models).unwrap_or_else(|found| panic!("{found:?}"));
        let mut engine = restored.engine;
        let mut reader = folder.log(number);
        for logged in reader.by_ref() {
            let Entry::Record(record) = logged.entry else { continue };
            if let Err(wrong) = engine.redo(record, world, &mut models) {
                self.told.extend(wrong.iter().map(said));
                break;
            }
            deliver(&mut engine, &mut self.written);
        }
        self.told.extend(reader.wrong.iter().chain(&restored.findings).chain(&engine.take_findings()).map(said));
        engine.skip_no_more();
        engine
    }

    fn commit(&mut self, process: &mut Process) -> Result<(), Diagnostic> {
        let epoch = process.engine.epoch().expect("every node can save").expect("nothing is under way");
        let settled = self.written.iter().map(|(outbox, rows)| (outbox.clone(), rows.len())).collect();
        self.settled.insert(process.number, settled);
        process.folder.commit(process.number, &epoch, Time(0))?;
        self.newest = process.number;
        Ok(())
    }

    /// The next log and its epoch; one that cannot be written leaves those before it.
    fn roll(&mut self, process: &mut Process) {
        process.number += 1;
        process.log.roll(process.number, process.engine.next());
        let _ = self.commit(process);
    }

    fn work(&mut self, process: &mut Process) -> Option<()> {
        let plan = process.small.graphs.iter().position(|graph| graph == process.engine.graph());
        let mut plan = plan.expect("exactly one of the plans");
        assert!(plan == 0 || EDITS[plan - 1] <= process.engine.next().0, "a plan holds from its edit on");
        assert!(plan == EDITS.len() || process.engine.next().0 <= EDITS[plan], "no row is seen by a plan that has ended");
        let stops: Vec<u64> = EDITS.into_iter().chain(EPOCHS).chain(process.files.killed_at()).collect();
        loop {
            let now = process.engine.next().0;
            let due = |stop: &u64| *stop > now || plan < EDITS.len() && *stop == EDITS[plan];
            let stop = stops.iter().copied().filter(due).min();
            advance(&mut process.engine, stop.map(Ordinal), &mut self.written, Some(&mut process.log));
            if process.files.is_over() || stop.is_some() && stop == process.files.killed_at() {
                return None;
            }
            let Some(stop) = stop else { return Some(()) };
            if EPOCHS.contains(&stop) {
                self.roll(process);
            } else {
                self.edit(process, plan + 1)?;
                plan += 1;
            }
            if process.files.is_over() {
                return None;
            }
        }
    }

    /// One that is refused is made as soon as another log has begun.
    fn edit(&mut self, process: &mut Process, plan: usize) -> Option<()> {
        for _ in 0..2 {
            let before = process.engine.graph().clone();
            let made = process.engine.apply(&process.small.graphs[plan], &process.world);
            match made {
                Ok(_) => return Some(()),
                Err(_) if process.files.is_over() => return None,
                Err(_) => assert!(*process.engine.graph() == before, "what is refused leaves no trace"),
            }
            self.roll(process);
        }
        // The disk stays full: whoever edits has to wait, and here the process ends.
        None
    }
}

fn deliver(engine: &mut Engine, written: &mut Written) {
    for outbox in engine.outboxes_mut() {
        while let Some(rows) = outbox.take() {
            written.entry((path(&outbox.connector), outbox.id.0)).or_default().extend(from_table(&rows));
        }
    }
}

fn said(found: &Diagnostic) -> String {
    let text = format!("{}: {}", found.code.as_str(), found.message);
    assert!(!text.contains(MADE), "{text}");
    text
}

fn same_states(wanted: &BTreeMap<NodeKey, State>, got: &BTreeMap<NodeKey, State>) -> Result<(), String> {
    let other = wanted.iter().find(|(key, state)| got.get(key) != Some(state));
    other.map_or(Ok(()), |(key, _)| Err(format!("{key} remembers something else in the end")))
}
