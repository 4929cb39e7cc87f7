//! What is known of one task: its text, who answers, and what its next training waits for.

use std::time::{Duration, Instant};

use crate::base::{Hash, Name};
use crate::diag::Diagnostic;
use crate::ir::Trigger;
use crate::node::Ordinal;
use crate::plan::{Graph, Learn, TaskEdit, task_edits};

use super::super::outside::Learned;
use super::super::said::{HostEvent, Messages};
use super::super::state::plans::Answering;

/// After a training that gave no model, while there is none; doubled each time.
const AGAIN_FIRST: Duration = Duration::from_secs(10);
const AGAIN_MAX: Duration = Duration::from_secs(600);

pub struct Task {
    pub learn: Learn,
    pub closure: Hash,
    /// The graph up to the task.
    pub graph: Graph,
    pub served: bool,
    pub model: Option<Learned>,
    /// Answers with features of its own until there is a model on those of the file; with their hash.
    pub former: Option<(Hash, Learned)>,
    pub need: Need,
    pub not_before: Instant,
    pub again: Duration,
    pub note: Option<String>,
}

/// From what the next training learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Nothing,
    /// Nothing yet: the recording is still being read.
    Waits,
    /// What the running node has collected.
    Node,
    /// The recording, read anew with the definitions of now; what the node has collected where there is none.
    Recording,
}

impl Task {
    pub fn new(learn: &Learn, closure: Hash, graph: Graph, served: bool, need: Need) -> Task {
        let (learn, not_before) = (learn.clone(), Instant::now());
        Task { learn, closure, graph, served, model: None, former: None, need, not_before, again: AGAIN_FIRST, note: None }
    }

    /// The model of `before` that answers on, if `serving`, the features that run for it, are still its own. Where they are
    /// the file's again it is the task's model as before.
    pub fn keep_former(&mut self, before: Option<Task>, serving: Option<Hash>) {
        let Some(before) = before else { return };
        let own = before.model.map(|model| (before.closure, model));
        match own.or(before.former).filter(|(closure, _)| Some(*closure) == serving) {
            Some((closure, model)) if closure == self.closure => {
                (self.model, self.need) = (Some(model), Need::Nothing);
            }
            former => self.former = former,
        }
    }

    /// Who answers, as it is written down.
    pub fn answers(&self) -> Option<Answering> {
        let own = self.model.as_ref().map(|learned| (self.closure, learned));
        let (closure, learned) = own.or(self.former.as_ref().map(|(closure, learned)| (*closure, learned)))?;
        let (version, family) = (learned.model.version().to_owned(), learned.family.clone());
        Some(Answering { version, family, metric: learned.metric.clone(), closure })
    }

    /// Of its features of now, and of former ones.
    pub fn models(&self) -> impl Iterator<Item = &Learned> {
        self.model.iter().chain(self.former.as_ref().map(|(_, learned)| learned))
    }

    pub fn answering(&self) -> Option<&Learned> {
        self.model.as_ref().or(self.former.as_ref().map(|(_, learned)| learned))
    }

    /// The features are the same. What is asked of a model besides may have changed: then the kept ones are asked first, and
    /// only other rows, another split or another budget make a training. Text that has moved changes nothing.
    pub fn go_on(self, learn: &Learn, graph: Graph, served: bool, is_running: bool) -> (Task, Asks) {
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
    pub fn anew(&self) -> Need {
        if self.model.is_some() { Need::Node } else { Need::Recording }
    }

    /// It answers from now on, on the features of the file; with what its owner should know.
    pub fn take(&mut self, learned: Learned, said: &mut Vec<HostEvent>) {
        said.extend(learned.notes.iter().map(|note| HostEvent::Finding(Messages::of(note.clone()))));
        self.note = learned.notes.first().map(|note| note.message.clone());
        (self.model, self.former) = (Some(learned), None);
    }

    /// `retrain every …`.
    pub fn look_at_clock(&mut self, now: Instant) {
        if self.need == Need::Nothing
            && self.model.is_some()
            && let Some(every) = self.learn.policy.retrain.as_ref().and_then(every)
            && now >= self.not_before + every
        {
            self.need = Need::Node;
            self.not_before = now;
        }
    }

    pub fn learned(&mut self, name: &Name, at: Ordinal, learned: Learned) -> Vec<HostEvent> {
        let (version, family) = (learned.model.version().to_owned(), learned.family.clone());
        let mut said = vec![HostEvent::Trained { at, task: name.clone(), version, family, metric: learned.metric.clone() }];
        self.take(learned, &mut said);
        self.again = AGAIN_FIRST;
        self.not_before = Instant::now();
        said
    }

    /// Without a model it is tried again when more rows have come.
    pub fn failed(&mut self, name: &Name, why: Diagnostic) -> HostEvent {
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
pub enum Asks {
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
