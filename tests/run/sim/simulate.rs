//! A case, carried out: the engine is stepped on a virtual clock, as the live shell steps it.

mod change;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use mliot::base::Name;
use mliot::compile::{World, compile};
use mliot::ir::Outlet;
use mliot::node::{Assignment, Ordinal};
use mliot::plan::{Graph, Input, NodeKey, Slot};
use mliot::runtime::{Engine, Event, Life, Progress, Row, Settings, Side, from_table};

use super::case::{Action, Case, Deed, Mood};
use super::crash::{Disk, Written};
use super::ledger::{Ledger, MADE};
use super::log::{Assigned, Happening, Model};
use super::oracle::Oracle;
use super::record::{Moment, Record, Recovery};
use super::sheet::{self, Sheet};
use super::world::{Scripts, SimWorld, path};
use change::start;

/// A run that takes more steps than this does not end.
const STEPS_MAX: u64 = 20_000;

/// Rows that a tap keeps; more than a case has.
const TAP_ROWS: usize = 100_000;

pub struct Simulation {
    world: SimWorld,
    settings: Settings,
    disk: Disk,
    recoveries: Vec<Recovery>,
    engine: Engine,
    sheet: Sheet,
    moods: BTreeMap<String, Mood>,
    steps: u64,
    blocked: bool,
    written: Written,
    tapped: BTreeMap<NodeKey, Vec<Row>>,
    versions: i64,
    log: Vec<Happening>,
    moments: Vec<Moment>,
    findings: Vec<String>,
    unfinished: Vec<String>,
    oracle: Oracle,
    stale_outboxes: usize,
    pending: Pending,
}

/// What belongs to a change that was prepared and has not been made or dropped.
#[derive(Default)]
struct Pending {
    nodes: BTreeSet<u64>,
    /// Sources that it has opened.
    open: u64,
    /// Ends that it reads once more, and their nodes.
    aside: u64,
    opened: Vec<(Name, Side, Name)>,
    /// The next attempt is this one.
    is_tried: bool,
}

struct Text(String);

impl World for Text {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let table = sheet::version_of(&path.to_string_lossy()).map(|version| format!("{:?}", sheet::places(version)));
        Ok(table.unwrap_or_else(|| self.0.clone()))
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// Texts that are kept compiled, by thread: saves bring back what was there before, and so does a case that is made smaller.
const TEXTS_MAX: usize = 256;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Result<Graph, String>>> = RefCell::default();
}

/// The graph of a text, or why the compiler refuses it.
pub fn graph_of(text: String) -> Result<Graph, String> {
    if let Some(known) = COMPILED.with_borrow(|compiled| compiled.get(&text).cloned()) {
        return known;
    }
    let made = compiled(text.clone());
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= TEXTS_MAX {
            compiled.clear();
        }
        compiled.insert(text, made.clone());
    });
    made
}

fn compiled(text: String) -> Result<Graph, String> {
    let compiled = compile(Path::new("sim.mliot"), &Text(text), &[]);
    let errors: Vec<String> =
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.message.clone()).collect();
    compiled.graph.ok_or_else(|| errors.join("; "))
}

/// Everything that happens in a case. None for a case whose first file is refused; that happens while cases are made smaller.
pub fn simulate(case: &Case) -> Option<Record> {
    let graph = graph_of(case.sheet.to_string()).ok()?;
    let scripts = case.scripts.iter().map(|(path, script)| (path.clone(), Arc::from(script.as_slice())));
    let scripts: Arc<Scripts> = Arc::new(scripts.collect());
    let world = SimWorld { ledger: Ledger::default(), scripts: scripts.clone(), rereads: case.rereads };
    let life = if case.live { Life::Run } else { Life::Replay };
    let settings = Settings { batch_rows_max: case.batch_rows, outbox_rows_max: case.outbox_rows, life, until: None };
    let mut simulation = Simulation {
        engine: Engine::empty(settings),
        settings,
        disk: Disk::default(),
        recoveries: Vec::new(),
        world,
        sheet: case.sheet.clone(),
        moods: BTreeMap::new(),
        steps: 0,
        blocked: false,
        written: Written::new(),
        tapped: BTreeMap::new(),
        versions: 0,
        log: Vec::new(),
        moments: Vec::new(),
        findings: Vec::new(),
        unfinished: Vec::new(),
        oracle: Oracle::new(life, scripts),
        stale_outboxes: 0,
        pending: Pending::default(),
    };
    let first = case.sheet.clone();
    simulation.attempt("the first file", &first, Ok(graph), None, &mut start);
    simulation.disk.save(&mut simulation.engine, &simulation.written);
    simulation.disk.keep(&mut simulation.engine, &simulation.world.ledger);
    case.actions.iter().for_each(|action| simulation.act(action));
    Some(simulation.finish())
}

impl Simulation {
    fn act(&mut self, action: &Action) {
        self.advance(action.after);
        match &action.deed {
            Deed::Save { edits, how } => self.save(edits, how),
            Deed::Sink { which, mood } => {
                let paths: Vec<String> = self.engine.outboxes().map(|outbox| path(&outbox.connector)).collect();
                if !paths.is_empty() {
                    self.moods.insert(paths[*which as usize % paths.len()].clone(), *mood);
                }
            }
            Deed::Break { which, panics } => {
                let nodes: BTreeSet<String> = self.world.ledger.book().nodes.values().cloned().collect();
                // What comes in beside the rows of a join comes before them or after, as batches are cut: at which row it fails
                // would be another one for the oracle.
                let pairs = |name: &str| ["/task", "/join", "/asof"].into_iter().any(|kind| name.ends_with(kind));
                let nodes: Vec<&String> = nodes.iter().filter(|name| !pairs(name)).collect();
                if !nodes.is_empty() {
                    let node = nodes[*which as usize % nodes.len()].clone();
                    self.world.ledger.book().breaking = Some((node, *panics));
                }
            }
            Deed::Assign { ahead } => self.assign(*ahead),
            Deed::Tap { which } => self.tap(*which),
            Deed::Epoch => self.disk.save(&mut self.engine, &self.written),
            Deed::Crash => self.crash(),
        }
    }

    /// Until so many ordinals have been drawn, or nothing moves any more.
    fn advance(&mut self, ordinals: u64) {
        let target = self.engine.next().plus(ordinals as usize);
        while self.engine.next() < target {
            match self.step(Some(target)) {
                Progress::Rows(_) => {}
                Progress::Waiting if self.wait() => {}
                Progress::Blocked if self.drains() => {}
                Progress::Waiting | Progress::Blocked | Progress::Ended => return,
            }
        }
    }

    /// The clock goes on to when something comes. False if nothing will.
    fn wait(&mut self) -> bool {
        let mut book = self.world.ledger.book();
        let Some(wake) = book.wake_ms.take() else { return false };
        book.now_ms = book.now_ms.max(wake);
        true
    }

    /// Is a full outbox emptied at all?
    fn drains(&mut self) -> bool {
        let moods = &self.moods;
        self.engine.outboxes().any(|outbox| outbox.waiting() > 0 && moods.get(&path(&outbox.connector)) != Some(&Mood::Stuck))
    }

    fn step(&mut self, stop: Option<Ordinal>) -> Progress {
        self.steps += 1;
        assert!(
            self.steps < STEPS_MAX,
            "a case has an end; the last things were {:?}",
            &self.log[self.log.len().saturating_sub(4)..]
        );
        let progress = self.engine.step_until(stop);
        self.blocked = progress == Progress::Blocked;
        self.note();
        self.deliver();
        if self.engine.in_flight() != 0 {
            self.unfinished.push(format!("{} rows after step {}", self.engine.in_flight(), self.steps));
        }
        progress
    }

    /// Writes down what a step brought, in the order in which it happened, and tells the oracle.
    fn note(&mut self) {
        let (mut before, mut ended) = (Vec::new(), BTreeMap::<u64, Vec<Name>>::new());
        for event in self.engine.take_events() {
            match event {
                Event::WentLive { .. } => before.push(Happening::WentLive),
                Event::SourceEnded { source, at } => ended.entry(at.0).or_default().push(source),
                Event::Failed { message, name, .. } if !message.contains(MADE) => {
                    self.findings.push(format!("{name}: {message}"))
                }
                Event::Failed { .. } | Event::Cut(_) | Event::Assigned { .. } => {}
            }
        }
        let found = self.engine.take_findings().into_iter().map(|found| found.message);
        self.findings.extend(found.filter(|message| !message.contains(MADE)));
        let mut book = self.world.ledger.book();
        before.extend(book.failures.drain(..).map(Happening::Failed));
        before.extend(book.draws.drain(..).map(Happening::Draw));
        drop(book);
        before.extend(ended.into_iter().map(|(at, sources)| Happening::Ends { sources, at }));
        before.into_iter().for_each(|happening| self.happen(happening));
        self.look();
    }

    fn happen(&mut self, happening: Happening) {
        self.oracle.tell(&happening);
        self.log.push(happening);
    }

    fn deliver(&mut self) {
        for outbox in self.engine.outboxes_mut() {
            let path = path(&outbox.connector);
            let mood = self.moods.get(&path).copied().unwrap_or(Mood::Prompt);
            let batches = match mood {
                Mood::Prompt => usize::MAX,
                Mood::Slow(steps) => usize::from(self.steps.is_multiple_of(steps)),
                Mood::Stuck => 0,
                Mood::Failing => 1,
            };
            for _ in 0..batches {
                let Some(rows) = outbox.take() else { break };
                self.written.entry((path.clone(), outbox.id.0)).or_default().extend(from_table(&rows));
                if mood == Mood::Failing {
                    outbox.failed(rows.num_rows());
                    self.moods.insert(path.clone(), Mood::Prompt);
                }
            }
        }
        self.engine.forget_retired(|_| true);
    }

    fn assign(&mut self, ahead: Option<u64>) {
        let Some(task) = &self.sheet.task else { return };
        let features: Vec<Name> = task.features.iter().map(|name| name.as_str().into()).collect();
        let mut model = || {
            self.versions += 1;
            let version = format!("level-{}", self.versions);
            let model = Arc::new(Model { version: version.clone(), features: features.clone(), factor: self.versions });
            self.disk.models.insert(version, model.clone());
            model
        };
        let now = self.engine.next();
        match ahead {
            None => {
                let model = model();
                self.engine.assign(&"level".into(), Some(model.clone()));
                self.happen(Happening::Assigned(Assigned { from: now.0, model: Some(model) }));
            }
            Some(rows) => {
                let (first, second, later) = (model(), model(), now.plus(rows as usize));
                let pieces = vec![(now, Some(first.clone() as _)), (later, Some(second.clone() as _))];
                self.engine.assign_all(&"level".into(), Assignment { pieces });
                self.happen(Happening::Assigned(Assigned { from: now.0, model: Some(first) }));
                self.happen(Happening::Assigned(Assigned { from: later.0, model: Some(second) }));
            }
        }
    }

    fn tap(&mut self, which: u64) {
        let stages = self.engine.graph().nodes.keys().filter(|key| matches!(key.slot, Slot::Stage { .. }));
        let stages: Vec<NodeKey> = stages.filter(|key| !self.tapped.contains_key(key)).cloned().collect();
        if stages.is_empty() {
            return;
        }
        let key = stages[which as usize % stages.len()].clone();
        assert!(
            self.engine.tap(&Input { node: key.clone(), outlet: Outlet::Rows }, TAP_ROWS),
            "a node that runs can be tapped"
        );
        self.tapped.insert(key.clone(), vec![]);
        self.oracle.looked_at.insert(key, vec![]);
    }

    fn look(&mut self) {
        for (key, rows) in &mut self.tapped {
            rows.extend(self.engine.tapped(key).iter().flat_map(|batch| from_table(&batch.rows)));
        }
    }

    /// To the end of everything that comes.
    fn finish(mut self) -> Record {
        self.moods.clear();
        loop {
            match self.step(None) {
                Progress::Rows(_) | Progress::Blocked => {}
                Progress::Waiting if self.wait() => {}
                Progress::Waiting => self.world.ledger.book().closing = true,
                Progress::Ended => break,
            }
        }
        self.deliver();
        self.stale_outboxes = self.engine.outboxes_mut().count() - self.engine.outboxes().count();
        let mut written: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for ((path, _), rows) in std::mem::take(&mut self.written) {
            written.entry(path).or_default().extend(rows);
        }
        let last = self.snapshot();
        let has_failures = self.log.iter().any(|happening| matches!(happening, Happening::Failed(_)));
        let scripts = self.world.scripts.clone();
        let Simulation { world, log, moments, recoveries, tapped, findings, unfinished, oracle, stale_outboxes, .. } = self;
        let seen = std::mem::take(&mut world.ledger.book().seen);
        Record {
            scripts,
            log,
            moments,
            recoveries,
            seen,
            written,
            tapped,
            findings,
            unfinished,
            last,
            oracle,
            stale_outboxes,
            has_failures,
        }
    }
}
