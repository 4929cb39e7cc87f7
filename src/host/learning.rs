//! Training in the background, one task at a time: who needs a model, from what it learns, and the swap when it is there.
//!
//! A model is tied to the feature definitions that it was trained on by their hash; when these change under a training, its
//! result is dropped, and when they come back, the kept model of then answers at once.

mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::base::{Hash, Name};
use crate::diag::{Code, Diagnostic};
use crate::ir::Trigger;
use crate::node::{Ordinal, Predictor};
use crate::plan::{Graph, Learn, NodeOp};
use crate::runtime::{Engine, Parts, upstream};

use super::board::TaskNote;
use super::engine::{Order, SharedParts, closure};
use super::outside::{Learned, Learner};
use super::run::Signal;
use super::said::{HostEvent, Messages};
use super::serving::served;

use work::Work;

/// After a training that gave no model, while there is none; doubled each time.
const AGAIN_FIRST: Duration = Duration::from_secs(10);
const AGAIN_MAX: Duration = Duration::from_secs(600);

pub struct Learning {
    learner: Arc<dyn Learner>,
    parts: SharedParts,
    orders: SyncSender<Order>,
    results: SyncSender<Signal>,
    tasks: BTreeMap<Name, Task>,
    /// The running training; at most one, so that the stream and requests keep their share of the machine.
    running: Option<Running>,
    next_job: u64,
    /// Has it gone on live from a former process? Then the first tasks have what they learn from in their nodes.
    goes_on: bool,
    /// Models that answer already, from before the first row.
    ready: BTreeMap<Name, Result<Learned, Diagnostic>>,
}

struct Task {
    learn: Learn,
    closure: Hash,
    /// The graph up to the task.
    graph: Graph,
    served: bool,
    model: Option<Learned>,
    /// Answers with features of its own until there is a model on those of the file; with their hash.
    former: Option<(Hash, Learned)>,
    need: Need,
    not_before: Instant,
    again: Duration,
    note: Option<String>,
}

/// From what the next training learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// Nothing yet: the recording is still being read.
    Waits,
    /// What the running node has collected.
    Node,
    /// The recording, read anew with the definitions of now; what the node has collected where there is none.
    Recording,
}

struct Running {
    nth: u64,
    task: Name,
    stop: Arc<AtomicBool>,
}

/// The result of a training.
pub struct Done {
    nth: u64,
    closure: Hash,
    result: Result<Learned, Diagnostic>,
}

impl Learning {
    pub fn new(
        learner: Arc<dyn Learner>,
        parts: SharedParts,
        orders: SyncSender<Order>,
        results: SyncSender<Signal>,
        ready: BTreeMap<Name, Result<Learned, Diagnostic>>,
        goes_on: bool,
    ) -> Learning {
        Learning { learner, parts, orders, results, tasks: BTreeMap::new(), running: None, next_job: 0, goes_on, ready }
    }

    /// Lets the champions of former runs answer before the first row comes in.
    pub fn restore_all(
        learner: &dyn Learner,
        engine: &mut Engine,
        parts: &dyn Parts,
    ) -> BTreeMap<Name, Result<Learned, Diagnostic>> {
        let graph = engine.graph().clone();
        let mut ready = BTreeMap::new();
        for learn in learns(&graph) {
            let name = &learn.task.name;
            let found = learner.champion(learn, &upstream(&graph, &[name.clone()].into()));
            if let Ok(Some(learned)) = &found
                && engine.version(name) != Some(learned.model.version())
                && let Err(wrong) = engine.promote(name, learned.model.clone(), parts)
            {
                ready.extend(wrong.into_iter().next().map(|why| (name.clone(), Err(why))));
                continue;
            }
            ready.extend(found.transpose().map(|found| (name.clone(), found)));
        }
        ready
    }

    /// Takes up the tasks of a graph that runs from now on, with the features of former models beside it as `running` has
    /// them. `live` says whether recordings have been read already.
    pub fn follow(&mut self, graph: &Graph, running: &Graph, live: bool) -> Vec<HostEvent> {
        let mut said = Vec::new();
        let mut old = std::mem::take(&mut self.tasks);
        let served: BTreeSet<&Name> = served(graph).map(|serve| &serve.task).collect();
        for learn in learns(graph) {
            let name = learn.task.name.clone();
            let Some(closure) = closure(graph, &name) else { continue };
            let part = upstream(graph, &[name.clone()].into());
            let before = old.remove(&name);
            let is_served = served.contains(&name);
            let task = match before {
                Some(before) if before.closure == closure => before.go_on(learn, part, is_served),
                before => {
                    let need = match (&before, live) {
                        (None, false) => Need::Waits,
                        (None, true) if self.goes_on => Need::Node,
                        (None, true) | (Some(_), _) => Need::Recording,
                    };
                    let mut task = Task::new(learn, closure, part, is_served, need);
                    task.keep_former(before, running.door(&name).map(|door| door.hashes.flow));
                    if task.model.is_none() {
                        said.extend(self.restore(&name, &mut task));
                    }
                    task
                }
            };
            self.tasks.insert(name, task);
        }
        self.goes_on = false;
        self.stop_strangers();
        said
    }

    /// A training whose task is gone or means something else is not worth going on.
    fn stop_strangers(&mut self) {
        let Some(running) = &self.running else { return };
        if self.tasks.get(&running.task).is_none_or(|task| task.need != Need::Nothing) {
            running.stop.store(true, Relaxed);
            self.running = None;
        }
    }

    fn restore(&mut self, name: &Name, task: &mut Task) -> Option<HostEvent> {
        let (found, answers) = match self.ready.remove(name) {
            Some(found) => (found.map(Some), true),
            None => (self.learner.champion(&task.learn, &task.graph), false),
        };
        match found {
            Ok(None) => None,
            Ok(Some(learned)) if answers || self.assign(name, task.closure, &learned.model).is_some() => {
                let version = learned.model.version().to_owned();
                let event = HostEvent::Restored { task: name.clone(), version, family: learned.family.clone() };
                (task.model, task.former) = (Some(learned), None);
                task.need = Need::Nothing;
                Some(event)
            }
            Ok(Some(_)) => None,
            Err(why) => Some(HostEvent::TrainingFailed { task: name.clone(), why: Messages::of(why) }),
        }
    }

    /// From which row on the model answers, if it does.
    fn assign(&self, task: &Name, closure: Hash, model: &Arc<dyn Predictor>) -> Option<Ordinal> {
        let (done, answer) = sync_channel(1);
        let order = Order::Assign { task: task.clone(), closure, model: model.clone(), done };
        self.orders.send(order).ok().and_then(|()| answer.recv().ok()).flatten()
    }

    /// The recordings have been read: whoever has no model learns from them.
    pub fn went_live(&mut self) {
        for task in self.tasks.values_mut().filter(|task| task.need == Need::Waits) {
            task.need = Need::Node;
        }
    }

    /// Starts what is due, if nothing is under way.
    pub fn tick(&mut self, now: Instant) -> Option<HostEvent> {
        for task in self.tasks.values_mut() {
            task.look_at_clock(now);
        }
        if self.running.is_some() {
            return None;
        }
        let due = |(_, task): &(&Name, &Task)| matches!(task.need, Need::Node | Need::Recording) && now >= task.not_before;
        let name = self.tasks.iter().find(due)?.0.clone();
        self.start(&name)
    }

    fn start(&mut self, name: &Name) -> Option<HostEvent> {
        let models = self.models();
        let task = self.tasks.get_mut(name)?;
        self.next_job += 1;
        let nth = self.next_job;
        let stop = Arc::new(AtomicBool::new(false));
        let work = Work {
            nth,
            need: task.need,
            closure: task.closure,
            learn: task.learn.clone(),
            graph: task.graph.clone(),
            stop: stop.clone(),
            learner: self.learner.clone(),
            parts: self.parts.clone(),
            orders: self.orders.clone(),
            models,
        };
        let results = self.results.clone();
        let run = move || {
            let done = work.run();
            let _ = results.send(Signal::Learned(done));
        };
        match std::thread::Builder::new().name(format!("train {name}")).spawn(run) {
            Ok(_) => {
                task.need = Need::Nothing;
                self.running = Some(Running { nth, task: name.clone(), stop });
                Some(HostEvent::Training { task: name.clone() })
            }
            Err(error) => {
                let why = Diagnostic::new(Code::R0951, format!("the system gives no thread for training `{name}`: {error}"));
                Some(task.failed(name, why))
            }
        }
    }

    fn models(&self) -> BTreeMap<Name, Arc<dyn Predictor>> {
        let model = |(name, task): (&Name, &Task)| Some((name.clone(), task.model.as_ref()?.model.clone()));
        self.tasks.iter().filter_map(model).collect()
    }

    pub fn done(&mut self, done: Done) -> Vec<HostEvent> {
        let Some(running) = self.running.take_if(|running| running.nth == done.nth) else { return Vec::new() };
        let name = running.task;
        let Some(mut task) = self.tasks.remove(&name) else { return Vec::new() };
        let said = match done.result {
            Ok(learned) => {
                let is_current = task.closure == done.closure;
                let at = is_current.then(|| self.assign(&name, done.closure, &learned.model)).flatten();
                match at {
                    Some(at) => task.learned(&name, at, learned),
                    None => {
                        task.need = Need::Recording;
                        Vec::new()
                    }
                }
            }
            Err(why) => vec![task.failed(&name, why)],
        };
        self.tasks.insert(name, task);
        said
    }

    pub fn notes(&self) -> BTreeMap<Name, TaskNote> {
        let training = |name: &Name| self.running.as_ref().is_some_and(|running| running.task == *name);
        let note = |(name, task): (&Name, &Task)| {
            let note = TaskNote {
                family: task.answering().map(|learned| learned.family.clone()),
                metric: task.answering().and_then(|learned| learned.metric.clone()),
                served: task.served,
                training: training(name),
                note: task.note.clone(),
            };
            (name.clone(), note)
        };
        self.tasks.iter().map(note).collect()
    }

    pub fn stop(&self) {
        if let Some(running) = &self.running {
            running.stop.store(true, Relaxed);
        }
    }
}

impl Task {
    fn new(learn: &Learn, closure: Hash, graph: Graph, served: bool, need: Need) -> Task {
        let (learn, not_before) = (learn.clone(), Instant::now());
        Task { learn, closure, graph, served, model: None, former: None, need, not_before, again: AGAIN_FIRST, note: None }
    }

    /// The model of `before` that answers on, if `serving`, the features that run for it, are still its own. Where they are
    /// the file's again it is the task's model as before.
    fn keep_former(&mut self, before: Option<Task>, serving: Option<Hash>) {
        let Some(before) = before else { return };
        let own = before.model.map(|model| (before.closure, model));
        match own.or(before.former).filter(|(closure, _)| Some(*closure) == serving) {
            Some((closure, model)) if closure == self.closure => {
                (self.model, self.need) = (Some(model), Need::Nothing);
            }
            former => self.former = former,
        }
    }

    fn answering(&self) -> Option<&Learned> {
        self.model.as_ref().or(self.former.as_ref().map(|(_, learned)| learned))
    }

    /// The features are the same; another policy or list of models asks for another choice.
    fn go_on(self, learn: &Learn, graph: Graph, served: bool) -> Task {
        let need = match self.need {
            Need::Nothing if self.learn != *learn => Need::Node,
            need => need,
        };
        Task { learn: learn.clone(), graph, served, need, ..self }
    }

    /// `retrain every …`.
    fn look_at_clock(&mut self, now: Instant) {
        if self.need == Need::Nothing
            && self.model.is_some()
            && let Some(every) = self.learn.policy.retrain.as_ref().and_then(every)
            && now >= self.not_before + every
        {
            self.need = Need::Node;
            self.not_before = now;
        }
    }

    fn learned(&mut self, name: &Name, at: Ordinal, learned: Learned) -> Vec<HostEvent> {
        let (version, family) = (learned.model.version().to_owned(), learned.family.clone());
        let mut said = vec![HostEvent::Trained { at, task: name.clone(), version, family, metric: learned.metric.clone() }];
        said.extend(learned.notes.iter().map(|note| HostEvent::Finding(Messages::of(note.clone()))));
        self.note = learned.notes.first().map(|note| note.message.clone());
        (self.model, self.former) = (Some(learned), None);
        self.again = AGAIN_FIRST;
        self.not_before = Instant::now();
        said
    }

    /// Without a model it is tried again when more rows have come.
    fn failed(&mut self, name: &Name, why: Diagnostic) -> HostEvent {
        self.note = Some(why.message.clone());
        if self.model.is_none() {
            self.need = Need::Node;
        }
        self.not_before = Instant::now() + self.again;
        self.again = (self.again * 2).min(AGAIN_MAX);
        HostEvent::TrainingFailed { task: name.clone(), why: Messages::of(why) }
    }
}

/// The shortest time after which the trigger fires by itself.
fn every(trigger: &Trigger) -> Option<Duration> {
    match trigger {
        Trigger::Any(triggers) => triggers.iter().filter_map(every).min(),
        Trigger::Every(time) => u64::try_from(time.0).ok().map(Duration::from_micros),
        Trigger::All(_)
        | Trigger::Drift { .. }
        | Trigger::Measured { .. }
        | Trigger::BelowChampion { .. }
        | Trigger::Host { .. } => None,
    }
}

fn learns(graph: &Graph) -> impl Iterator<Item = &Learn> {
    graph.nodes.values().filter_map(|spec| match &spec.op {
        NodeOp::Task(learn) => Some(&**learn),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => None,
    })
}
