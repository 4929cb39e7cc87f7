//! The way back: to a plan that has run before, by the same cut as any edit. The file is not touched; until it changes again
//! it says something else than what runs.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::base::{Name, Sources};
use crate::diag::{Code, Diagnostic};
use crate::node::Ordinal;
use crate::plan::Graph;

use super::super::control::{Answer, Applied as Done, Reply};
use super::super::history::{Draft, Outcome};
use super::super::outside::Compiled;
use super::super::said::{Effect, HostEvent, Messages};
use super::super::state::plans::{Answering, Aside, Cause, ChangeLine, WholePlan};
use super::Shell;
use super::change::Wish;
use super::editing::{answer, compile};

impl Shell {
    /// Back to a plan; without a number to the one before that which runs, or, where an edit waits, to what runs.
    pub(super) fn undo(&mut self, to: Option<u64>, reply: Reply) {
        let waits = "it was taken back before it took place";
        if self.let_go_of_what_waits(waits) && to.is_none() {
            self.file_is_set_aside();
            return answer(Some(reply), Answer::Nothing { why: "the edit that waited was taken back".to_owned() });
        }
        let to = to.or_else(|| self.history.before()).ok_or_else(nothing_before);
        match to.and_then(|to| self.history.load(to)) {
            Err(wrong) => answer(Some(reply), Answer::refused(&Messages::of(wrong))),
            Ok(whole) => {
                let to = whole.plan.number;
                self.go_back(whole, Cause::Undone { to }, Some(reply));
            }
        }
    }

    pub(super) fn go_back(&mut self, whole: WholePlan, cause: Cause, reply: Option<Reply>) {
        let (begun, file) = (Instant::now(), self.file_now());
        let WholePlan { plan, text, graph } = whole;
        let (mut wanted, sources) = self.as_it_was(&text, graph);
        wanted.was = self.history.names_since(plan.number);
        let aside = file.filter(|aside| *aside != Aside::of(&text, &wanted));
        let models = plan.models;
        // Whoever goes back has said what he wants, and is not asked again.
        let wish = Wish { cause, wanted, text, sources, aside, models, begun, reply, is_confirmed: true };
        if wish.wanted != self.graph {
            self.go(wish);
        } else if self.answers_differently(&wish.models).next().is_some() {
            self.answer_as_before(wish);
        } else {
            let now = self.learning.answering();
            let newer: Vec<&str> = now.keys().filter(|task| !wish.models.contains_key(*task)).map(|task| &**task).collect();
            let why = match newer.is_empty() {
                true => format!("plan {} is what runs", plan.number),
                false => format!("plan {} is what runs, but for the model of {}, which stays", plan.number, newer.join(", ")),
            };
            answer(wish.reply, Answer::Nothing { why });
        }
    }

    /// The same graph, other models.
    fn answer_as_before(&mut self, wish: Wish) {
        let Wish { cause, wanted, text, sources: _, aside, models, begun, reply, is_confirmed: _ } = wish;
        if let Err(wrong) = self.history.begin(Draft { cause: cause.clone(), text: &text, graph: &wanted, aside }) {
            return self.refuse(Messages::of(wrong), reply);
        }
        self.learner.hold(models.clone());
        let changes = self.choose_held(&models);
        let words: Vec<String> = changes.iter().map(|line| format!("{} {}", line.name, line.why)).collect();
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (at, plan) = (Ordinal(self.board.status().rows_in), self.history.open_number());
        self.ran = text;
        let models = self.learning.answering();
        let outcome = Outcome { at, pause_us: 0, took_us, changes, was: BTreeMap::new(), models };
        let wrong = self.history.settle(outcome);
        self.find(wrong);
        self.set_aside(aside);
        self.board.edit(|edits| edits.applied += 1, Some(words.join("; ")));
        self.say(HostEvent::EditApplied {
            plan,
            cause,
            at,
            words: words.clone(),
            effect: Effect::default(),
            pause_us: 0,
            took_us,
        });
        answer(reply, Answer::Applied(Done { plan, at, words, pause_us: 0, took_us }));
    }

    /// Models that somebody has gone back to and that do not answer yet are chosen; with what came of it.
    pub(super) fn choose_held(&mut self, held: &BTreeMap<Name, Answering>) -> Vec<ChangeLine> {
        let tasks: Vec<(Name, String)> =
            self.answers_differently(held).map(|(task, held)| (task.clone(), held.version.clone())).collect();
        let mut lines = Vec::new();
        for (task, version) in tasks {
            let said = self.learning.choose(&task);
            self.promoted(&said);
            said.into_iter().for_each(|event| self.say(event));
            let is_back = self.learning.answering().get(&task).is_some_and(|now| now.version == version);
            let why =
                if is_back { format!("`{version}` answers again") } else { format!("`{version}` is not to be had any more") };
            lines.push(ChangeLine { name: task.to_string(), class: "retuned".to_owned(), why });
        }
        lines
    }

    /// Of tasks whose features are those of then.
    fn answers_differently<'a>(
        &self,
        models: &'a BTreeMap<Name, Answering>,
    ) -> impl Iterator<Item = (&'a Name, &'a Answering)> + use<'a> {
        let (now, graph) = (self.learning.answering(), self.graph.clone());
        models.iter().filter(move |(task, then)| {
            let is_other = now.get(*task).is_none_or(|now| now.version != then.version);
            is_other && super::super::engine::closure(&graph, task) == Some(then.closure)
        })
    }

    /// With the places of its text, if that still means the same.
    fn as_it_was(&mut self, text: &str, graph: Graph) -> (Graph, Sources) {
        let Compiled { graph: again, sources, .. } = compile(self.compiler.as_mut(), text);
        match again.filter(|again| *again == graph) {
            Some(again) => (again, sources),
            None => (graph, Sources::default()),
        }
    }

    /// What the file says now. None: it has errors.
    pub(super) fn file_now(&mut self) -> Option<Aside> {
        let graph = compile(self.compiler.as_mut(), &self.text.clone()).graph?;
        Some(Aside::of(&self.text, &graph))
    }

    /// The file says something that does not run, and is not to, until it changes.
    pub(super) fn file_is_set_aside(&mut self) {
        let aside = self.file_now();
        self.set_aside(aside);
    }

    pub(super) fn set_aside(&mut self, aside: Option<Aside>) {
        self.aside = aside;
        let other = aside.map(|_| "it says something else than what runs; its next change takes place".to_owned());
        self.file_differs(other.or_else(|| self.is_broken.then(|| "it has errors; what ran before runs on".to_owned())));
    }

    pub(super) fn file_differs(&self, how: Option<String>) {
        self.board.differs(how);
    }

    /// Another model has been learned and answers: that is a plan of its own.
    pub(super) fn note_promotions(&mut self, said: &[HostEvent]) {
        for (task, version, at) in said.iter().filter_map(promotion) {
            self.learner.let_go(task);
            let (text, graph) = (self.ran.clone(), self.graph.clone());
            let cause = Cause::Promoted { task: task.clone(), version: version.cloned() };
            let begun = self.history.begin(Draft { cause, text: &text, graph: &graph, aside: self.aside });
            let why = version.map_or("nobody answers".to_owned(), |version| format!("`{version}` answers"));
            let changes = vec![ChangeLine { name: task.to_string(), class: "retuned".to_owned(), why }];
            let models = self.learning.answering();
            let wrong = self.history.settle(Outcome { at, changes, models, ..Outcome::default() });
            self.find(begun.err().into_iter().chain(wrong));
        }
    }
}

/// Who answers for which task from which row on, where that is new.
fn promotion(event: &HostEvent) -> Option<(&Name, Option<&String>, Ordinal)> {
    if let HostEvent::Trained { task, version, at, .. } = event {
        return Some((task, Some(version), *at));
    }
    if let HostEvent::ChosenAgain { task, version, at: Some(at), .. } = event {
        return Some((task, version.as_ref(), *at));
    }
    None
}

fn nothing_before() -> Diagnostic {
    Diagnostic::new(Code::R0203, "there is no plan before the one that runs").help("`mliot history` lists what there is")
}
