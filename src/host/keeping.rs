//! Epochs of a run: taken by the engine's thread between two steps, written by a thread of their own.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::{Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::io::{Now, Position, Wall};
use crate::node::Ordinal;
use crate::runtime::{Engine, Epoch, Side, Standing};

use super::said::{HostEvent, Messages};
use super::sinks::Sinks;
use super::state::{EPOCHS_KEPT, Entry, LogHandle, Settled, StateFolder};

/// Between two epochs: what a restart has to make again at most.
pub const EPOCH_EVERY: Duration = Duration::from_secs(10);
/// Epochs that may be overdue before that is said: what is under way between two steps should be gone after the next.
const OVERDUE_MAX: u32 = 6;
/// For the last epoch to be written when the run ends; after that the one before it, and the log, have to do.
const LAST_EPOCH_MAX: Duration = Duration::from_secs(30);

/// Owned by the engine's thread.
pub struct Keeping {
    pub log: LogHandle,
    every: Duration,
    next: Instant,
    number: u64,
    /// Is one being written?
    busy: bool,
    /// Was it said that none can be taken?
    complained: bool,
    to: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    thread: JoinHandle<()>,
    /// Of epochs that may still be asked for.
    positions: VecDeque<(u64, Positions)>,
}

/// Where the sources stood.
type Positions = Vec<(Name, Side, Position)>;

struct Job {
    number: u64,
    epoch: Epoch,
    sinks: Vec<Settled>,
    pause_us: u64,
}

/// What came of writing one.
struct Done {
    number: u64,
    at: Ordinal,
    pause_us: u64,
    took_us: u64,
    sinks: Vec<Settled>,
    /// Its size, and the oldest that is kept.
    written: Result<(u64, u64), Diagnostic>,
    /// Files that did not get their names.
    wrong: Vec<Diagnostic>,
}

impl Keeping {
    /// `number` is that of the log that `log` has begun, and of the first epoch.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub fn start(folder: Arc<StateFolder>, log: LogHandle, number: u64, began: Time, every: Duration) -> io::Result<Keeping> {
        let (to, jobs) = sync_channel(1);
        let (out, done) = sync_channel(1);
        let run = move || {
            for job in jobs {
                if out.send(write(&folder, job, began)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("epoch".into()).spawn(run)?;
        let (next, positions) = (Instant::now() + every, VecDeque::new());
        Ok(Keeping { log, every, next, number, busy: false, complained: false, to: Some(to), done, thread, positions })
    }

    /// The first epoch, before any row: until it is there, nothing may be written that could not be taken back.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(&mut self, engine: &mut Engine, sinks: &mut Sinks) -> Result<HostEvent, Vec<Diagnostic>> {
        let taken = self.take(engine, sinks, false).map_err(|wrong| vec![wrong])?;
        if !taken {
            let wrong = Diagnostic::new(Code::R0001, "rows are under way before the run has begun");
            return Err(vec![wrong.help("report this as a bug of mliot")]);
        }
        let done = self.done.recv().ok();
        let (event, wrong) = done.map(|done| self.heed(done, engine, sinks)).unwrap_or_default();
        event.ok_or_else(|| wrong.into_iter().collect())
    }

    /// Between two steps: what the writing thread has done, and another epoch if it is time.
    pub fn look(&mut self, engine: &mut Engine, sinks: &mut Sinks) -> Vec<HostEvent> {
        let mut said = Vec::new();
        if self.busy
            && let Ok(done) = self.done.try_recv()
        {
            said.extend(self.events(done, engine, sinks));
        }
        if !self.busy && Instant::now() >= self.next {
            // A pipeline at rest wears out no disk.
            if self.log.lines() == 0 && !sinks.has_news() {
                self.next = Instant::now() + self.every;
                return said;
            }
            match self.take(engine, sinks, true) {
                Ok(true) => self.complained = false,
                Ok(false) => said.extend(self.overdue()),
                Err(wrong) => {
                    self.next = Instant::now() + self.every;
                    said.push(HostEvent::Finding(Messages::of(wrong)));
                }
            }
        }
        said
    }

    /// Said once: a restart would have much to make again.
    fn overdue(&mut self) -> Option<HostEvent> {
        let late = !self.complained && Instant::now() >= self.next + self.every * OVERDUE_MAX;
        self.complained |= late;
        late.then(|| {
            let found = Diagnostic::new(Code::R0104, "no epoch can be taken: rows are under way between two steps");
            HostEvent::Finding(Messages::of(found.help("report this as a bug of mliot, with the file")))
        })
    }

    fn events(&mut self, done: Done, engine: &mut Engine, sinks: &mut Sinks) -> Vec<HostEvent> {
        let (event, wrong) = self.heed(done, engine, sinks);
        let wrong = wrong.into_iter().map(|found| HostEvent::Finding(Messages::of(found)));
        event.into_iter().chain(wrong).collect()
    }

    /// False while rows are under way; then it is tried again after the next step.
    fn take(&mut self, engine: &mut Engine, sinks: &Sinks, roll: bool) -> Result<bool, Diagnostic> {
        let begun = Instant::now();
        let taken = engine.epoch().map_err(|error| error.diagnostic("no epoch can be taken"))?;
        let Some(mut epoch) = taken else { return Ok(false) };
        let settled = sinks.save(&mut epoch);
        if roll {
            self.number += 1;
            self.log.roll(self.number, epoch.at());
        }
        self.log.append(&Entry::Stands(Box::new(Standing::of(&epoch, Wall.now()))));
        self.positions.push_back((self.number, epoch.positions()));
        let pause_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let job = Job { number: self.number, epoch, sinks: settled, pause_us };
        self.busy = self.to.as_ref().is_some_and(|to| to.send(job).is_ok());
        self.next = Instant::now() + self.every;
        Ok(true)
    }

    fn heed(&mut self, done: Done, engine: &mut Engine, sinks: &mut Sinks) -> (Option<HostEvent>, Vec<Diagnostic>) {
        self.busy = false;
        let Done { number, at, pause_us, took_us, sinks: settled, written, mut wrong } = done;
        match written {
            Ok((bytes, oldest)) => {
                sinks.committed(&settled);
                self.log.append(&Entry::Settled { epoch: number, sinks: settled });
                self.acknowledge(engine, oldest);
                (Some(HostEvent::Epoch { number, at, pause_us, took_us, bytes }), wrong)
            }
            Err(found) => {
                wrong.push(found);
                (None, wrong)
            }
        }
    }

    /// What was before the oldest epoch that is kept is asked for by nobody.
    fn acknowledge(&mut self, engine: &mut Engine, oldest: u64) {
        while self.positions.front().is_some_and(|(number, _)| *number < oldest) || self.positions.len() > EPOCHS_KEPT + 1 {
            self.positions.pop_front();
        }
        if let Some((_, positions)) = self.positions.front().filter(|(number, _)| *number == oldest) {
            engine.acknowledge(positions);
        }
    }

    /// The last epoch, so that the next run goes on where this one stops. In a hurry the one before it and the log have to do.
    pub fn finish(mut self, engine: &mut Engine, sinks: &mut Sinks, in_a_hurry: bool) -> Vec<HostEvent> {
        let mut said = Vec::new();
        if self.busy && !in_a_hurry {
            said.extend(self.wait(engine, sinks));
        }
        let fresh = !in_a_hurry && (self.log.lines() > 0 || sinks.has_news());
        match if fresh { self.take(engine, sinks, true) } else { Ok(false) } {
            Ok(true) => said.extend(self.wait(engine, sinks)),
            Ok(false) => {}
            Err(wrong) => said.push(HostEvent::Finding(Messages::of(wrong))),
        }
        let _ = self.log.sync();
        let Keeping { to, thread, .. } = self;
        drop(to);
        // It holds the state folder, which is free again when it has ended.
        if !in_a_hurry {
            let _ = thread.join();
        }
        said
    }

    fn wait(&mut self, engine: &mut Engine, sinks: &mut Sinks) -> Vec<HostEvent> {
        match self.done.recv_timeout(LAST_EPOCH_MAX) {
            Ok(done) => self.events(done, engine, sinks),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
        }
    }
}

/// What its sinks have written is durable before the epoch says that it stands, and gets its name after.
fn write(folder: &StateFolder, job: Job, began: Time) -> Done {
    let begun = Instant::now();
    let Job { number, epoch, sinks, pause_us } = job;
    let at = epoch.at();
    let marks = || sinks.iter().flat_map(|settled| &settled.mark.files);
    let unsynced = |error: io::Error| super::state::unwritten(&folder.path, &error);
    let synced = marks().try_for_each(|mark| mark.sync()).map_err(unsynced);
    let written = synced.and_then(|()| folder.commit(number, &epoch, began));
    let mut wrong = Vec::new();
    if written.is_ok() {
        wrong.extend(marks().filter_map(|mark| mark.publish().err()).map(crate::io::IoError::diagnostic));
    }
    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    Done { number, at, pause_us, took_us, sinks, written, wrong }
}
