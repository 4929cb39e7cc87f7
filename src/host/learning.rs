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
use crate::plan::{Graph, Learn, NodeOp, TaskEdit, task_edits};
use crate::runtime::{Engine, upstream};

use super::board::TaskNote;
use super::engine::{Order, SharedParts, closure};
use super::outside::{Learned, Learner, Remembered};
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
    /// Models that answer already, from before the first row.
    ready: Ready,
}

/// What former runs have left, by task.
pub type Ready = BTreeMap<Name, Result<Remembered, Diagnostic>>;

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
        ready: Ready,
    ) -> Learning {
        Learning { learner, parts, orders, results, tasks: BTreeMap::new(), running: None, next_job: 0, ready }
    }

    /// Lets the champions of former runs answer before the first row comes in.
    pub fn restore_all(learner: &dyn Learner, engine: &mut Engine) -> Ready {
        let graph = engine.graph().clone();
        let mut ready = BTreeMap::new();
        for learn in learns(&graph) {
            let name = &learn.task.name;
            let found = learner.champion(learn, &upstream(&graph, &[name.clone()].into()));
            if let Ok(Some(Remembered { learned: Some(learned), .. })) = &found {
                engine.assign(name, Some(learned.model.clone()));
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
                    let fresh = before.is_none() && !live;
                    let mut task =
                        Task::new(learn, closure, part, is_served, if fresh { Need::Waits } else { Need::Recording });
                    task.keep_former(before, running.door(&name).map(|door| door.hashes.flow));
                    if task.model.is_none() {
                        said.extend(self.restore(&name, &mut task));
                    }
                    task
                }
            };
            self.tasks.insert(name, task);
        }
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
                let model = Some(learned.model.clone());
                let at = is_current.then(|| self.assign(&name, done.closure, model)).flatten();
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

    /// The features are the same. What is asked of a model besides may have changed: then the kept ones are asked first, and
    /// only other rows, another split or another budget make a training. Text that has moved changes nothing.
    fn go_on(self, learn: &Learn, graph: Graph, served: bool, is_running: bool) -> (Task, Asks) {
        let asks = asks(&self.learn, learn);
        // A training that runs or waits follows the text of now, whatever is chosen meanwhile.
        let need = match (asks, self.need) {
            (Asks::Training, Need::Nothing) => self.anew(),
            (Asks::Choice, Need::Nothing) if is_running => self.anew(),
            (Asks::Training | Asks::Choice | Asks::Nothing, need) => need,
        };
        let asks = if self.model.is_none() && need != Need::Nothing { Asks::Nothing } else { asks };
        (Task { learn: learn.clone(), graph, served, need, ..self }, asks)
    }

    /// Without a model of these features the node may have collected few rows of them.
    fn anew(&self) -> Need {
        if self.model.is_some() { Need::Node } else { Need::Recording }
    }

    /// It answers from now on, on the features of the file; with what its owner should know.
    fn take(&mut self, learned: Learned, said: &mut Vec<HostEvent>) {
        said.extend(learned.notes.iter().map(|note| HostEvent::Finding(Messages::of(note.clone()))));
        self.note = learned.notes.first().map(|note| note.message.clone());
        (self.model, self.former) = (Some(learned), None);
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
        self.take(learned, &mut said);
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

/// What an edit of a task or its policy asks for, where the features stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asks {
    Nothing,
    /// To choose again from what was measured.
    Choice,
    Training,
}

fn asks(before: &Learn, after: &Learn) -> Asks {
    let of = |edit: &TaskEdit| match edit {
        TaskEdit::Choice | TaskEdit::Models => Asks::Choice,
        TaskEdit::Rows | TaskEdit::Search | TaskEdit::Validate => Asks::Training,
        TaskEdit::Answer | TaskEdit::Target | TaskEdit::Features { .. } | TaskEdit::FeatureOrder => Asks::Training,
        TaskEdit::TargetName | TaskEdit::Acts => Asks::Nothing,
    };
    task_edits(before, after).iter().map(of).max().unwrap_or(Asks::Nothing)
}

fn chosen_again(task: &Name, at: Option<Ordinal>, learned: Option<&Learned>, words: String) -> HostEvent {
    let version = learned.map(|learned| learned.model.version().to_owned());
    HostEvent::ChosenAgain { at, task: task.clone(), version, words }
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
