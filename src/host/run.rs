//! The live loop: one thread that decides (this one), one that steps (the engine's), and helpers that may wait.

mod asking;
mod calls;
mod change;
mod editing;
mod first;
mod models;
mod planning;
mod seeing;
mod trying;
mod undoing;

use std::any::Any;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::base::{Hash, Time};
use crate::diag::{Code, Diagnostic};
use crate::io::Inlets;
use crate::plan::Graph;
use crate::runtime::Event;
use crate::server::{self, Status};

use super::begin::{Begun, Given, Kept, begin, is_live};
use super::board::Board;
use super::control::{Call, Door};
use super::desk::Desk;
use super::engine::{Core, Ended, ORDERS_MAX, Order, SharedParts};
use super::hear::Ear;
use super::history::{History, Outcome};
use super::holding::Holding;
use super::learning::{Done, Learning};
use super::outside::{Compiled, Compiler, Learner};
use super::rebuild::{Pending, REBUILD_MAX, Rebuilt, Work};
use super::said::{HostEvent, Messages, Said};
use super::serving::Serving;
use super::sinks::SinkLimits;
use super::state::plans::Aside;
use super::stop::{Stop, Wanted};
use super::threads::{SIGNALS_MAX, connections, forward, heed, listen_to_keys, pass_on, refused};
use super::view::in_one_line;
use super::watch::{Notice, WatchLimits, Watcher};

pub use asking::CONFIRM_MAX;
pub use change::Wish;

use asking::Waiting;
use first::first_plan;
use trying::Trial;

/// Between two looks of the ear, and at clocks.
const TICK: Duration = Duration::from_millis(250);
/// How long the log may be silent at the end before it is over.
const LAST_WORDS: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub watch: WatchLimits,
    pub server: server::Limits,
    pub sinks: SinkLimits,
    pub rebuild: RebuildLimits,
    /// Look at files so often, and trust no events of the system: on a network's disk nobody sends them.
    pub poll: Option<Duration>,
}

/// Of what an edit has to read again.
#[derive(Clone, Copy, Debug)]
pub struct RebuildLimits {
    /// How long that may take; then the edit takes place without it.
    pub most: Duration,
}

impl Default for RebuildLimits {
    fn default() -> Self {
        RebuildLimits { most: REBUILD_MAX }
    }
}

/// What a run is given.
pub struct Setup {
    /// The file that is watched.
    pub file: PathBuf,
    /// Its text as it was compiled, and what came of it.
    pub text: String,
    pub compiled: Compiled,
    pub compiler: Box<dyn Compiler>,
    pub parts: SharedParts,
    /// Where the sources among `parts` take what is posted.
    pub inlets: Arc<Inlets>,
    pub learner: Arc<dyn Learner>,
    pub ear: Box<dyn Ear>,
    pub stop: Stop,
    /// End on ctrl-c and SIGTERM.
    pub heed_signals: bool,
    pub limits: Limits,
    /// Where the run is kept over restarts; without it every start is a beginning.
    pub state: Option<Kept>,
    /// How long an edit that would lose something waits for a word; without it none waits.
    pub confirm: Option<Duration>,
    /// How long what a change replaces is kept beside it, and whoever fails takes it back; without it nobody does.
    pub probation: Option<Duration>,
    /// Is there somebody who types such words on the standard input?
    pub typed: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Summary {
    pub status: Status,
    /// Rows that were accepted and could not be written.
    pub undelivered: u64,
    /// Why the engine ended by itself, which is a mistake of mliot.
    pub crashed: Option<String>,
}

/// What this thread waits for.
pub enum Signal {
    Notice(Notice),
    Said(Said),
    Learned(Done),
    /// What an edit waits for.
    Rebuilt(Box<Rebuilt>),
    /// A command of somebody who came in at the control door.
    Call(Call),
    /// A line that somebody typed.
    Typed(String),
    Stop,
}

/// Runs until somebody wants an end.
///
/// # Errors
/// What keeps it from starting; nothing is left behind then.
pub fn run(setup: Setup) -> Result<Summary, Vec<Diagnostic>> {
    Shell::start(setup).map(Shell::run)
}

struct Shell {
    file: PathBuf,
    /// As the file has it, and as it was when what runs was made of it.
    text: Arc<str>,
    ran: Arc<str>,
    /// What the file says, where somebody has gone back to something else; it takes place when it changes.
    aside: Option<Aside>,
    /// Does the file have errors?
    is_broken: bool,
    /// As the file had it then.
    graph: Graph,
    /// As it runs: also with the features of models that go on being served although the file's have changed.
    served: Graph,
    compiler: Box<dyn Compiler>,
    ear: Box<dyn Ear>,
    stop: Stop,
    board: Arc<Board>,
    orders: SyncSender<Order>,
    signals: Receiver<Signal>,
    watcher: Watcher,
    serving: Serving,
    learning: Learning,
    core: JoinHandle<Ended>,
    /// Carries the connections; shut down last.
    runtime: Runtime,
    live: bool,
    /// What is needed to read sources again.
    work: Work,
    /// The edit that waits for it, and how many have.
    pending: Option<Pending>,
    rebuilds: u64,
    /// The edit that waits for a word, and for how long one does.
    waiting: Option<Waiting>,
    confirm: Option<Duration>,
    /// Does somebody type such words?
    has_keys: bool,
    /// The change that is on probation, and for how long one is.
    trial: Option<Trial>,
    probation: Option<Duration>,
    history: History,
    /// Whom somebody has gone back to answers.
    learner: Arc<Holding>,
    /// As the first plan of this process is to be written down, if it is another than the last one.
    first: Option<Outcome>,
    /// Said once it has started.
    begun: Vec<HostEvent>,
    /// Where commands come in; closed before the state folder is given back.
    door: Option<Door>,
}

impl Shell {
    fn start(setup: Setup) -> Result<Shell, Vec<Diagnostic>> {
        let Setup { file, text, compiled, compiler, parts, inlets, learner, ear, stop, heed_signals, limits, .. } = setup;
        let (state, confirm, probation, typed) = (setup.state, setup.confirm, setup.probation, setup.typed);
        let used = compiled.known();
        let Some(graph) = compiled.graph else { return Err(compiled.diagnostics) };
        let (mut history, damaged) = match &state {
            Some(kept) => History::open(&kept.folder.path, kept.folder.files.clone()),
            None => (History::none(), Vec::new()),
        };
        let text: Arc<str> = text.into();
        let back = history.aside(&text, &graph);
        let aside = back.as_ref().map(|_| Aside::of(&text, &graph));
        let (ran, graph) = back.map_or((text.clone(), graph), |whole| (whole.text, whole.graph));
        let learner = Arc::new(Holding::over(learner, history.held(&graph)));
        let pipeline = file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
        let board = Arc::new(Board::new(pipeline));
        let (orders, orders_in) = sync_channel(ORDERS_MAX);
        let (signal, signals) = sync_channel(SIGNALS_MAX);
        let runtime = connections().map_err(|error| vec![refused("a runtime for connections", &error)])?;
        let desk = Arc::new(Desk { orders: orders.clone(), board: board.clone() });
        let mut serving = Serving::new(desk, inlets, limits.server, runtime.handle().clone());
        let opened = serving.prepare(&graph)?;
        // Before the first row: whoever sees one may ask for an end in order.
        if heed_signals {
            runtime.spawn(heed(stop.clone(), signal.clone()));
        }

        let said = forward(&signal, Signal::Said).map_err(|error| vec![refused("a thread", &error)])?;
        let given = Given {
            graph: &graph,
            parts: &parts,
            learner: learner.as_ref(),
            sinks: limits.sinks,
            stop: &stop,
            said: said.clone(),
        };
        let folder = state.as_ref().map(|kept| kept.folder.path.clone());
        let Begun { running, models, mut events, found } = begin(&given, state)?;
        let wrong = damaged.into_iter().chain(history.resolve(found.as_ref()));
        events.extend(wrong.map(|found| HostEvent::Finding(Messages::of(found))));
        let first = first_plan(&history, &graph, running.engine.next());
        let (live, served) = (is_live(&running.engine), running.engine.graph().clone());
        let core = Core::new(running, parts.clone(), orders_in, board.clone(), said, stop.clone(), compiled.sources);
        let core = std::thread::Builder::new().name("engine".into()).spawn(move || core.run());
        let core = core.map_err(|error| vec![refused("a thread", &error)])?;
        serving.commit(opened);
        if served != graph {
            // A model goes on with features of its own: requests are read as those want them.
            let opened = serving.prepare(&served)?;
            serving.commit(opened);
        }

        let (watcher, notices) = watcher(&limits).map_err(|error| vec![refused("a thread", &error)])?;
        pass_on(notices, signal.clone()).map_err(|error| vec![refused("a thread", &error)])?;
        let door = folder.map(|folder| Door::open(&folder, signal.clone(), runtime.handle())).transpose();
        let door = door.unwrap_or_else(|wrong| {
            events.push(HostEvent::Finding(Messages::of(wrong)));
            None
        });
        let most = limits.rebuild.most;
        let work = Work { parts: parts.clone(), orders: orders.clone(), signals: signal.clone(), most };
        if typed && confirm.is_some() {
            listen_to_keys(signal.clone()).map_err(|error| vec![refused("a thread", &error)])?;
        }
        let learning = Learning::new(learner.clone(), parts, orders.clone(), signal, models, live);
        let shell = Shell {
            file,
            text,
            ran,
            aside,
            is_broken: false,
            served,
            graph,
            compiler,
            ear,
            stop,
            board,
            orders,
            signals,
            watcher,
            serving,
            learning,
            core,
            runtime,
            live,
            work,
            pending: None,
            rebuilds: 0,
            waiting: None,
            confirm,
            has_keys: typed,
            trial: None,
            probation,
            history,
            learner,
            first,
            begun: events,
            door,
        };
        shell.follow(used);
        Ok(shell)
    }

    /// The file itself and all that it uses.
    fn follow(&self, used: Vec<(PathBuf, Option<Hash>)>) {
        let own = (self.file.clone(), Some(Hash::of_bytes(self.text.as_bytes())));
        self.watcher.follow(used.into_iter().chain([own]));
    }

    fn run(mut self) -> Summary {
        let pipeline = self.board.status().pipeline;
        self.say(HostEvent::Started { pipeline, serving: self.serving.addresses() });
        std::mem::take(&mut self.begun).into_iter().for_each(|event| self.say(event));
        self.learn_on();
        self.begin_history();
        let mut look = Instant::now();
        while self.stop.wanted() == Wanted::Run && !self.core.is_finished() {
            match self.signals.recv_timeout(look.saturating_duration_since(Instant::now())) {
                Ok(signal) => self.heed(signal),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= look {
                look = Instant::now() + TICK;
                self.tick();
            }
        }
        self.end()
    }

    fn heed(&mut self, signal: Signal) {
        match signal {
            Signal::Notice(notice) => self.noticed(notice),
            Signal::Said(said) => self.pass(said),
            Signal::Learned(done) => {
                let said = self.learning.done(done);
                self.promoted(&said);
                self.note_promotions(&said);
                self.say_of_tasks(said);
            }
            Signal::Rebuilt(rebuilt) => self.rebuilt(*rebuilt),
            Signal::Call(call) => self.call(call),
            Signal::Typed(line) => self.typed(&line),
            Signal::Stop => {}
        }
    }

    fn pass(&mut self, said: Said) {
        let went_live = matches!(&said, Said::Engine(Event::WentLive { .. }));
        self.ear.hear(&said);
        if went_live {
            self.live = true;
            self.learning.went_live();
            self.tick();
        }
    }

    fn tick(&mut self) {
        if let Some(event) = self.learning.tick(Instant::now()) {
            self.say(event);
        }
        self.look_at_what_waits(Instant::now());
        self.look_at_trial(Instant::now());
        self.board.set_tasks(self.learning.notes());
        self.ear.look(&self.board.status());
    }

    fn learn_on(&mut self) {
        let said = self.learning.follow(&self.graph, &self.served, self.live);
        self.promoted(&said);
        self.say_of_tasks(said);
    }

    /// On the board first: whoever hears of it and asks is told the same.
    fn say_of_tasks(&mut self, said: Vec<HostEvent>) {
        self.board.set_tasks(self.learning.notes());
        said.into_iter().for_each(|event| self.say(event));
        self.tick();
    }

    fn say(&mut self, event: HostEvent) {
        if event.is_remembered() {
            self.board.happened(Time(chrono::Utc::now().timestamp_micros()), &in_one_line(&event));
        }
        self.ear.hear(&Said::Host(event));
    }

    /// In the order in which things depend on each other: no new requests, no new rows, sinks written, threads gone.
    fn end(mut self) -> Summary {
        self.board.stopping();
        self.say(HostEvent::Stopping);
        self.door = None;
        self.learning.stop();
        self.let_go_of_what_waits("the pipeline is ending");
        self.serving.close();
        // The engine may be ending by itself; then this is only said again.
        if self.stop.wanted() == Wanted::Run {
            self.stop.please();
        }
        let Shell { mut ear, board, signals, watcher, learning, core, runtime, orders, work, .. } = self;
        drop((watcher, orders, learning, work));
        while !core.is_finished() {
            if let Ok(Signal::Said(said)) = signals.recv_timeout(Duration::from_millis(20)) {
                ear.hear(&said);
            }
        }
        let (ended, crashed) = match core.join() {
            Ok(ended) => (ended, None),
            Err(panic) => (Ended { rows: board.status().rows_in, undelivered: 0 }, Some(said_by(panic.as_ref()))),
        };
        if let Some(why) = &crashed {
            let found = Diagnostic::new(Code::R0953, format!("the engine failed: {why}"));
            ear.hear(&Said::Host(HostEvent::Finding(Messages::of(found.help("start it again, and report this message")))));
        }
        // What was said last is still on its way through the forwarding thread.
        while let Ok(signal) = signals.recv_timeout(LAST_WORDS) {
            if let Signal::Said(said) = signal {
                ear.hear(&said);
            }
        }
        let (Ended { rows, undelivered }, status) = (ended, board.status());
        ear.hear(&Said::Host(HostEvent::Stopped { rows, undelivered, sinks: status.sinks.clone() }));
        runtime.shutdown_timeout(Duration::from_secs(1));
        Summary { status, undelivered, crashed }
    }
}

fn watcher(limits: &Limits) -> io::Result<(Watcher, Receiver<Notice>)> {
    match limits.poll {
        None => Watcher::start(limits.watch, true),
        Some(poll) => Watcher::start(WatchLimits { poll_without_events: poll, ..limits.watch }, false),
    }
}

/// What a panic says.
fn said_by(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}
