//! How a run begins: from nothing, or where a former process stopped.
//!
//! Going on has an order of its own. What the dead process was writing to its sinks is undone first, up to what the newest epoch
//! says; then the epoch is taken up and its log made again, cuts included; then the graph changes into what the file says now,
//! which is an edit like any other; and an epoch of all that stands before the first new row comes in. A process that ends
//! anywhere on the way leaves everything as it found it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crate::base::{Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::io::{FileMark, Ledger, settle};
use crate::node::Ordinal;
use crate::plan::Graph;
use crate::runtime::{Engine, Life, OUTBOX_ROWS_MAX, OutboxId, Phase, Record, Restored, Settings, SourceSpec, Unopened};

use super::engine::{Running, SharedParts};
use super::keeping::Keeping;
use super::learning::{Learning, Ready};
use super::outside::Learner;
use super::said::{HostEvent, Messages, Said};
use super::sinks::{SinkLimits, Sinks};
use super::state::{Entry, Found, LogHandle, Settled, StateFolder};
use super::stop::{Stop, Wanted};

/// Between two looks at sinks that have to catch up while the log is made again.
const CATCH_UP: Duration = Duration::from_millis(2);
/// So long a sink that cannot be written holds up a beginning.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);

/// The state folder of a run, taken, with what is in it.
pub struct Kept {
    pub folder: StateFolder,
    pub found: Option<Found>,
    /// When the run began: now, or where the former process says.
    pub began: Time,
    /// Between two epochs.
    pub every: Duration,
}

impl Kept {
    /// Takes the folder and looks what a former run has left.
    ///
    /// # Errors
    /// If it cannot be taken, or what is in it cannot be read.
    pub fn open(folder: StateFolder, now: Time, every: Duration) -> Result<Kept, Diagnostic> {
        let found = folder.find()?;
        let began = found.as_ref().map_or(now, |found| found.manifest.began);
        Ok(Kept { folder, found, began, every })
    }
}

/// What a beginning needs.
pub struct Given<'a> {
    /// As the file has it.
    pub graph: &'a Graph,
    pub parts: &'a SharedParts,
    pub learner: &'a dyn Learner,
    pub sinks: SinkLimits,
    pub stop: &'a Stop,
    pub said: SyncSender<Said>,
}

/// A running graph before its first new row.
pub struct Begun {
    pub running: Running,
    /// Champions of former runs, which answer already.
    pub models: Ready,
    /// Worth saying once the run has begun.
    pub events: Vec<HostEvent>,
    /// What a former process ran last, as the file had it, and since which row.
    pub found: Option<(Graph, Ordinal)>,
}

/// # Errors
/// What keeps it from beginning; then nothing has been changed that a later beginning would miss.
pub fn begin(given: &Given, kept: Option<Kept>) -> Result<Begun, Vec<Diagnostic>> {
    let Some(Kept { folder, found, began, every }) = kept else {
        let sinks = Sinks::new(given.sinks, given.stop.clone(), given.said.clone(), None);
        let (mut engine, sinks) = fresh(given, sinks)?;
        let models = Learning::restore_all(given.learner, &mut engine, given.parts.as_ref());
        return Ok(Begun { running: Running { engine, sinks, keeping: None }, models, events: Vec::new(), found: None });
    };
    let number = folder.next_number();
    let at = found.as_ref().map_or(Ordinal(0), |found| found.manifest.at);
    let trouble = given.said.clone();
    let told = move |wrong| _ = trouble.try_send(Said::Host(HostEvent::Finding(Messages::of(wrong))));
    let log = LogHandle::start(folder.files.clone(), &folder.path, number, at, told).map_err(|wrong| vec![wrong])?;
    let ledger: Arc<dyn Ledger> = Arc::new(log.0.clone());
    let sinks = Sinks::new(given.sinks, given.stop.clone(), given.said.clone(), Some(ledger));
    let (mut events, mut ran) = (Vec::new(), None);
    let (mut engine, mut sinks) = match found {
        None => fresh(given, sinks)?,
        Some(found) => going_on(given, &folder, found, sinks, &log.0, &mut events, &mut ran)?,
    };
    engine.keep(Box::new(log.0.clone()));
    let models = Learning::restore_all(given.learner, &mut engine, given.parts.as_ref());
    let keeping = Keeping::start(Arc::new(folder), log.0, number, began, every);
    let mut keeping = keeping.map_err(|error| vec![no_thread(&error)])?;
    events.push(keeping.begin(&mut engine, &mut sinks)?);
    Ok(Begun { running: Running { engine, sinks, keeping: Some(keeping) }, models, events, found: ran })
}

/// Starting is a change of the empty graph.
fn fresh(given: &Given, mut sinks: Sinks) -> Result<(Engine, Sinks), Vec<Diagnostic>> {
    let parts = given.parts.as_ref();
    let ready = sinks.prepare(&Engine::empty(settings()), given.graph, parts)?;
    let engine = Engine::start(settings(), given.graph, parts)?;
    let wrong = sinks.take_up(&engine, ready, parts);
    if wrong.is_empty() { Ok((engine, sinks)) } else { Err(wrong) }
}

fn settings() -> Settings {
    Settings { life: Life::Run, ..Settings::default() }
}

fn going_on(
    given: &Given,
    folder: &StateFolder,
    found: Found,
    sinks: Sinks,
    log: &LogHandle,
    events: &mut Vec<HostEvent>,
    ran: &mut Option<(Graph, Ordinal)>,
) -> Result<(Engine, Sinks), Vec<Diagnostic>> {
    let begun = Instant::now();
    let Found { manifest, mut epoch, damaged } = found;
    let files = Files::scan(folder, manifest.number);
    files.settle(&mut epoch).map_err(|wrong| vec![wrong])?;
    let mut models = |task: &Name, version: &str| given.learner.version(task, version);
    let Restored { engine, unopened, findings } =
        Engine::restore(settings(), epoch, given.parts.as_ref(), &mut models).map_err(cannot_go_on)?;
    let mut again = Again { given, changed: engine.next(), engine, sinks, lines: 0, findings };
    again.take_up()?;
    again.log(folder, manifest.number);
    let Again { mut engine, mut sinks, lines, findings, changed, .. } = again;
    *ran = Some((engine.graph().of_file(), changed));
    engine.take_events();
    engine.keep(Box::new(log.clone()));
    change(given, &mut engine, &mut sinks, unopened)?;
    let said = damaged.into_iter().chain(findings).chain(engine.take_findings());
    events.extend(said.map(|found| HostEvent::Finding(Messages::of(found))));
    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    events.push(HostEvent::Recovered { epoch: manifest.number, at: engine.next(), lines, took_us });
    Ok((engine, sinks))
}

/// The text on disk is an input: what has been edited meanwhile is an edit. A source that could not be opened where it stood
/// matters only if the text still has it.
fn change(given: &Given, engine: &mut Engine, sinks: &mut Sinks, unopened: Vec<Unopened>) -> Result<(), Vec<Diagnostic>> {
    let parts = given.parts.as_ref();
    let end =
        |graph: &Graph, gone: &Unopened| SourceSpec::of(graph, &gone.source).and_then(|source| source.end(gone.side).cloned());
    let still = unopened.into_iter().filter(|gone| end(given.graph, gone).is_some());
    let still: Vec<Diagnostic> =
        still.filter(|gone| end(given.graph, gone) == end(engine.graph(), gone)).map(|gone| gone.why).collect();
    if !still.is_empty() {
        return Err(still);
    }
    let (wanted, _served) = engine.keep_serving(given.graph);
    let ready = sinks.prepare(engine, &wanted, parts)?;
    engine.apply(&wanted, parts)?;
    engine.take_events();
    let wrong = sinks.take_up(engine, ready, parts);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The log made again.
struct Again<'a> {
    given: &'a Given<'a>,
    engine: Engine,
    sinks: Sinks,
    /// The first row of the graph that ran last, or one that it saw.
    changed: Ordinal,
    lines: u64,
    findings: Vec<Diagnostic>,
}

impl Again<'_> {
    fn take_up(&mut self) -> Result<(), Vec<Diagnostic>> {
        let wrong = self.sinks.take_up(&self.engine, BTreeMap::new(), self.given.parts.as_ref());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Line by line, as far as they fit.
    fn log(&mut self, folder: &StateFolder, number: u64) {
        let mut reader = folder.log(number);
        for logged in reader.by_ref() {
            let Entry::Record(record) = logged.entry else { continue };
            if let Err(wrong) = self.record(record) {
                self.findings.extend(wrong);
                break;
            }
            self.lines += 1;
            self.catch_up();
        }
        self.findings.extend(reader.wrong);
        self.engine.skip_no_more();
    }

    fn record(&mut self, record: Record) -> Result<(), Vec<Diagnostic>> {
        let (parts, learner) = (self.given.parts.as_ref(), self.given.learner);
        if begins(&record).is_some_and(|at| at != self.engine.next()) {
            return Err(vec![does_not_follow(&record, self.engine.next())]);
        }
        let mut models = |task: &Name, version: &str| learner.version(task, version);
        let Record::Cut(cut) = &record else { return self.engine.redo(record, parts, &mut models) };
        let wanted = cut.wanted.on(self.engine.graph());
        let ready = self.sinks.prepare(&self.engine, &wanted, parts)?;
        self.changed = cut.at;
        self.engine.redo(record, parts, &mut models)?;
        self.findings.extend(self.sinks.take_up(&self.engine, ready, parts));
        Ok(())
    }

    /// Sinks write while the log is made again; one that cannot is waited for, but not for ever.
    fn catch_up(&mut self) {
        let until = Instant::now() + CATCH_UP_MAX;
        self.sinks.pump(&mut self.engine);
        while self.engine.outboxes().any(|outbox| outbox.is_full(OUTBOX_ROWS_MAX)) && Instant::now() < until {
            if !self.sinks.pump(&mut self.engine) && !self.given.stop.wait(CATCH_UP, Wanted::End) {
                return;
            }
        }
    }
}

/// The ordinal at which it was written down.
fn begins(record: &Record) -> Option<Ordinal> {
    match record {
        Record::Round(round) => round.draws.first().map(|draw| draw.first),
        Record::WentLive { at } | Record::Assigned { at, .. } => Some(*at),
        Record::Cut(cut) => Some(cut.at),
    }
}

/// What the log says about files of sinks.
#[derive(Default)]
struct Files {
    begun: Vec<FileMark>,
    /// By outbox: what an epoch that was committed later knew.
    settled: BTreeMap<OutboxId, Settled>,
}

impl Files {
    fn scan(folder: &StateFolder, number: u64) -> Files {
        let mut files = Files::default();
        for logged in folder.log(number) {
            match logged.entry {
                Entry::Record(_) | Entry::Stands(_) => {}
                Entry::Begun(mark) => files.begun.push(mark),
                Entry::Settled { epoch: _, sinks } => files.settled.extend(sinks.into_iter().map(|sink| (sink.id, sink))),
            }
        }
        files
    }

    /// Only what stands for good is left in the files.
    fn settle(mut self, epoch: &mut crate::runtime::Epoch) -> Result<(), Diagnostic> {
        for saved in &mut epoch.outboxes {
            if let Some(Settled { id: _, settled, mark }) = self.settled.remove(&saved.id) {
                saved.skip_to(settled, mark);
            }
        }
        let later = self.settled.values().map(|settled| &settled.mark);
        let marks = epoch.outboxes.iter().map(|saved| &saved.mark).chain(later);
        settle(marks, &self.begun).map_err(crate::io::IoError::diagnostic)
    }
}

/// Is it live already, so that no recording is read any more?
pub fn is_live(engine: &Engine) -> bool {
    match engine.phase() {
        Phase::Recorded => false,
        Phase::Live => true,
    }
}

/// What ran before cannot be built any more; the file of now may well be.
fn cannot_go_on(wrong: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let way_out = "begin anew with `--fresh`, which puts the state of before aside and keeps the models";
    wrong.into_iter().map(|found| if found.help.is_none() { found.help(way_out) } else { found }).collect()
}

fn does_not_follow(record: &Record, next: Ordinal) -> Diagnostic {
    let at = begins(record).unwrap_or(next);
    let message = format!("the log goes on at row {}, and what it is behind ends at row {}", at.0, next.0);
    Diagnostic::new(Code::R0101, message).help("what follows is read from the sources again, where they can")
}

fn no_thread(error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::R0951, format!("the system does not give a thread: {error}"))
}
