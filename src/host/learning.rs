//! Training in the background, one task at a time: who needs a model, from what it learns, and the swap when it is there.
//!
//! A model is tied to the feature definitions that it was trained on by their hash; when these change under a training, its
//! result is dropped, and when they come back, the kept model of then answers at once.

mod task;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use crate::base::{Hash, Name};
use crate::diag::{Code, Diagnostic};
use crate::lifecycle::Version;
use crate::node::{Ordinal, Predictor};
use crate::plan::{Graph, Learn, NodeOp};
use crate::runtime::{Engine, Parts, upstream};

use super::board::TaskNote;
use super::engine::{Order, SharedParts, closure};
use super::outside::{Learned, Learner, Remembered, Trained};
use super::run::Signal;
use super::said::{HostEvent, Messages};
use super::serving::served;
use super::state::plans::Answering;

use task::{Asks, Need, Task};
use work::Work;

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
    ready: Ready,
}

/// What former runs have left, by task.
pub type Ready = BTreeMap<Name, Result<Remembered, Diagnostic>>;

struct Running {
    nth: u64,
    task: Name,
    /// Of the features that it learns.
    closure: Hash,
    stop: Arc<AtomicBool>,
}

/// The result of a training.
pub struct Done {
    nth: u64,
    closure: Hash,
    result: Result<Trained, Diagnostic>,
}

impl Learning {
    pub fn new(
        learner: Arc<dyn Learner>,
        parts: SharedParts,
        orders: SyncSender<Order>,
        results: SyncSender<Signal>,
        ready: Ready,
        goes_on: bool,
    ) -> Learning {
        Learning { learner, parts, orders, results, tasks: BTreeMap::new(), running: None, next_job: 0, goes_on, ready }
    }

    /// Lets the champions of former runs answer before the first row comes in.
    pub fn restore_all(learner: &dyn Learner, engine: &mut Engine, parts: &dyn Parts) -> Ready {
        let graph = engine.graph().clone();
        let mut ready = BTreeMap::new();
        for learn in learns(&graph) {
            let name = &learn.task.name;
            let found = learner.champion(learn, &upstream(&graph, &[name.clone()].into()));
            if let Ok(Some(Remembered { learned: Some(learned), .. })) = &found
                && engine.version(name) != Some(learned.model.version())
                && let Err(wrong) = engine.promote(name, Some(learned.model.clone()), parts)
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
                Some(before) if before.closure == closure => {
                    let is_running = self.running.as_ref().is_some_and(|running| running.task == name);
                    let (mut task, asks) = before.go_on(learn, part, is_served, is_running);
                    if asks == Asks::Choice {
                        said.extend(self.choose_again(&name, &mut task));
                    }
                    task
                }
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

    /// A training whose task is gone, means something else, or means again what its model was trained on is not worth going
    /// on.
    fn stop_strangers(&mut self) {
        let Some(running) = &self.running else { return };
        let is_strange = |task: &Task| task.need != Need::Nothing || task.closure != running.closure;
        if self.tasks.get(&running.task).is_none_or(is_strange) {
            running.stop.store(true, Relaxed);
            self.running = None;
        }
    }

    fn restore(&mut self, name: &Name, task: &mut Task) -> Vec<HostEvent> {
        let (found, answers) = match self.ready.remove(name) {
            Some(found) => (found.map(Some), true),
            None => (self.learner.champion(&task.learn, &task.graph), false),
        };
        let Remembered { learned, search, words } = match found {
            Ok(None) => return Vec::new(),
            Ok(Some(remembered)) => remembered,
            Err(why) => return vec![HostEvent::TrainingFailed { task: name.clone(), why: Messages::of(why) }],
        };
        let Some(learned) = learned else {
            task.need = if search { task.need } else { Need::Nothing };
            return vec![chosen_again(name, None, None, words)];
        };
        if !answers && self.assign(name, task.closure, Some(learned.model.clone())).is_none() {
            return Vec::new();
        }
        let version = learned.model.version().to_owned();
        let mut said = vec![HostEvent::Restored { task: name.clone(), version, family: learned.family.clone() }];
        if search {
            said.push(chosen_again(name, None, Some(&learned), words));
        } else {
            task.need = Need::Nothing;
        }
        task.take(learned, &mut said);
        said
    }

    /// Another goal, requirement or list of models, and the features as before: what was measured may be enough.
    fn choose_again(&mut self, name: &Name, task: &mut Task) -> Vec<HostEvent> {
        let Remembered { learned, search, words } = match self.learner.champion(&task.learn, &task.graph) {
            Ok(Some(remembered)) => remembered,
            Ok(None) => {
                task.need = Need::Node;
                return Vec::new();
            }
            Err(why) => {
                task.need = Need::Node;
                return vec![HostEvent::TrainingFailed { task: name.clone(), why: Messages::of(why) }];
            }
        };
        if search {
            task.need = Need::Node;
        }
        let version = |learned: &Learned| learned.model.version().to_owned();
        let (before, after) = (task.model.as_ref().map(version), learned.as_ref().map(version));
        if before == after {
            let mut said = vec![chosen_again(name, None, learned.as_ref(), words)];
            learned.into_iter().for_each(|learned| task.take(learned, &mut said));
            return said;
        }
        let model = learned.as_ref().map(|learned| learned.model.clone());
        let Some(at) = self.assign(name, task.closure, model) else {
            task.need = Need::Node;
            return Vec::new();
        };
        let mut said = vec![chosen_again(name, Some(at), learned.as_ref(), words)];
        match learned {
            Some(learned) => task.take(learned, &mut said),
            None => (task.model, task.former) = (None, None),
        }
        said
    }

    /// Somebody has gone back to another model of the task.
    pub fn choose(&mut self, name: &Name) -> Vec<HostEvent> {
        let Some(mut task) = self.tasks.remove(name) else { return Vec::new() };
        let said = self.choose_again(name, &mut task);
        self.tasks.insert(name.clone(), task);
        said
    }

    /// A task that runs, with the graph up to it.
    pub fn definition(&self, name: &Name) -> Option<(&Learn, &Graph)> {
        self.tasks.get(name).map(|task| (&task.learn, &task.graph))
    }

    /// Versions that answer, or would again if an edit were taken back.
    pub fn in_use(&self) -> BTreeSet<Version> {
        let models = self.tasks.values().flat_map(Task::models);
        models.filter_map(|learned| learned.model.version().parse().ok()).collect()
    }

    /// Who answers, by task.
    pub fn answering(&self) -> BTreeMap<Name, Answering> {
        self.tasks.iter().filter_map(|(name, task)| Some((name.clone(), task.answers()?))).collect()
    }

    /// From which row on the model answers, or nobody, if the features are still its own.
    fn assign(&self, task: &Name, closure: Hash, model: Option<Arc<dyn Predictor>>) -> Option<Ordinal> {
        let (done, answer) = sync_channel(1);
        let order = Order::Assign { task: task.clone(), closure, model, done };
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
                self.running = Some(Running { nth, task: name.clone(), closure: task.closure, stop });
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
            Ok(trained) => self.trained(&name, &mut task, done.closure, trained),
            Err(why) => vec![task.failed(&name, why)],
        };
        self.tasks.insert(name, task);
        said
    }

    /// The swap, where the features are still those that were learned from.
    fn trained(&self, name: &Name, task: &mut Task, closure: Hash, trained: Trained) -> Vec<HostEvent> {
        let model = match &trained {
            Trained::Answers(learned) => Some(learned.model.clone()),
            Trained::Abstains(_) => None,
        };
        let is_current = task.closure == closure;
        let Some(at) = is_current.then(|| self.assign(name, closure, model)).flatten() else {
            task.need = Need::Recording;
            return Vec::new();
        };
        match trained {
            Trained::Answers(learned) => task.learned(name, at, learned),
            Trained::Abstains(notes) => {
                (task.model, task.former) = (None, None);
                let words = "nothing meets the requirements; rows get no prediction".to_owned();
                let notes = notes.into_iter().map(|note| HostEvent::Finding(Messages::of(note)));
                std::iter::once(chosen_again(name, Some(at), None, words)).chain(notes).collect()
            }
        }
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

fn chosen_again(task: &Name, at: Option<Ordinal>, learned: Option<&Learned>, words: String) -> HostEvent {
    let version = learned.map(|learned| learned.model.version().to_owned());
    HostEvent::ChosenAgain { at, task: task.clone(), version, words }
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
