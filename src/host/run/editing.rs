//! What the shell does with another text: compile, ask where something would be lost, open, cut, and say what came of it. Where
//! anything fails nothing has changed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use crate::base::Sources;
use crate::diag::{Code, Diagnostic};
use crate::plan::Graph;
use crate::runtime::{Beside, Rebuild};

use super::super::control::{Answer, Applied as Done, Reply};
use super::super::engine::{Applied, Order};
use super::super::history::{Draft, Outcome, changes};
use super::super::outside::{Compiled, Compiler};
use super::super::rebuild::{Pending, Rebuilt, is_asked};
use super::super::said::{Effect, HostEvent, Messages, in_words, serving_in_words};
use super::super::serving::Opened;
use super::super::state::plans::{Aside, Cause};
use super::super::threads::refused;
use super::super::watch::{Notice, Seen};
use super::change::Wish;
use super::{Shell, said_by};

impl Shell {
    /// Other text, of the file itself or of files that it uses; what cannot be read changes nothing.
    pub(super) fn noticed(&mut self, Notice { seen }: Notice) {
        let mut is_edited = false;
        for (path, seen) in seen {
            if path != self.file {
                self.compiler.saw(&path, &seen);
            }
            match seen {
                Seen::Trouble(why) => {
                    self.say(HostEvent::FileTrouble { path: path.display().to_string(), why: why.to_string() });
                    continue;
                }
                Seen::Text(text) if path == self.file => self.text = text,
                Seen::Text(_) => {}
            }
            is_edited = true;
        }
        if is_edited {
            self.edited();
        }
    }

    fn edited(&mut self) {
        let begun = Instant::now();
        let compiled = compile(self.compiler.as_mut(), &self.text);
        self.follow(compiled.known());
        let Compiled { graph, diagnostics, sources, files: _ } = compiled;
        self.is_broken = graph.is_none();
        let Some(wanted) = graph else {
            self.set_aside(None);
            return self.refuse(Messages { diagnostics, sources }, None);
        };
        // The newest text counts: what an older one waits for is of no use any more.
        self.let_go_of_what_waits("a newer text has taken its place");
        let is_set_aside = self.aside.is_some_and(|aside| aside == Aside::of(&self.text, &wanted));
        if is_set_aside || wanted == self.graph {
            self.set_aside(self.aside.filter(|_| is_set_aside));
            self.board.edit(|edits| edits.unchanged += 1, None);
            return self.say(HostEvent::EditUnchanged);
        }
        if !diagnostics.is_empty() {
            self.say(HostEvent::Finding(Messages { diagnostics, sources: sources.clone() }));
        }
        let (cause, text) = (Cause::Edited, self.text.clone());
        let models = BTreeMap::new();
        let wish = Wish { cause, wanted, text, sources, aside: None, models, begun, reply: None, is_confirmed: false };
        match self.what_is_lost(&wish) {
            Some(losses) => self.ask(wish, losses),
            None => self.go(wish),
        }
    }

    /// Whatever an edit waits for, it does not take place.
    pub(super) fn let_go_of_what_waits(&mut self, why: &str) -> bool {
        let pending = self.pending.take().inspect(Pending::stop).map(|pending| pending.wish);
        let waiting = self.waiting.take().map(|waiting| waiting.wish);
        let mut any = false;
        for wish in pending.into_iter().chain(waiting) {
            any = true;
            answer(wish.reply, Answer::Nothing { why: why.to_owned() });
            self.say(HostEvent::EditDropped { why: why.to_owned() });
        }
        any
    }

    /// At once, or when what it makes unreadable has been rebuilt.
    pub(super) fn go(&mut self, wish: Wish) {
        if !is_asked(&self.served, &wish.wanted) {
            return self.take_up(wish, Rebuild::Now);
        }
        self.rebuilds += 1;
        let running = self.served.clone();
        if let Some(reply) = &wish.reply {
            reply.say(Answer::Word { text: "its sources are read again, rows go on meanwhile".to_owned() });
        }
        match Pending::begin(self.rebuilds, running, wish, self.work.clone()) {
            Ok(pending) => {
                self.say(HostEvent::Rebuilding);
                self.pending = Some(pending);
            }
            Err((error, wish)) => self.refuse(Messages::of(refused("a thread", &error)), wish.reply),
        }
    }

    /// The edit that has waited for it takes place.
    pub(super) fn rebuilt(&mut self, Rebuilt { nth, rebuild }: Rebuilt) {
        let Some(Pending { wish, .. }) = self.pending.take_if(|pending| pending.nth == nth) else { return };
        match &rebuild {
            Rebuild::Not(why) if self.asks_for(&wish) => {
                let losses = vec![format!("what was to be rebuilt begins empty: {why}")];
                self.ask(wish, losses);
            }
            Rebuild::Now | Rebuild::With(_) | Rebuild::Not(_) | Rebuild::AllBut(_) => self.take_up(wish, rebuild),
        }
    }

    fn take_up(&mut self, wish: Wish, rebuild: Rebuild) {
        let ran = self.history.now();
        let draft = Draft { cause: wish.cause.clone(), text: &wish.text, graph: &wish.wanted, aside: wish.aside };
        let written = self.history.begin(draft).map_err(|wrong| vec![wrong]);
        match written.and_then(|()| self.change(&wish, rebuild)) {
            Err(diagnostics) => {
                let left = self.history.abandon();
                self.find(left);
                self.refuse(Messages { diagnostics, sources: wish.sources }, wish.reply);
            }
            Ok((applied, opened)) => {
                self.serving.commit(opened);
                // A change that somebody has taken back, or made another on, is not tried any more.
                self.trial = None;
                let trial = self.trial_of(self.on_probation(&wish.cause), ran, &applied.cut.diff);
                let beside = self.applied(wish, applied);
                self.begin_trial(trial, beside);
            }
        }
    }

    /// It runs; what is left is to say so, to whom it concerns.
    fn applied(&mut self, wish: Wish, applied: Applied) -> Beside {
        let Wish { cause, wanted, text, sources: _, aside, models, begun, reply, is_confirmed: _ } = wish;
        let Applied { cut, graph: running, served, beside, paused_us: pause_us, waited } = applied;
        let words = [serving_in_words(&served), in_words(&cut.diff)].concat();
        (self.graph, self.ran) = (wanted, text);
        self.learner.hold(models.clone());
        self.serve(running);
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (at, plan) = (cut.event.at, self.history.open_number());
        self.board.edit(|edits| edits.applied += 1, Some(words.join("; ")));
        let effect = Effect::of(&cut, waited);
        self.say(HostEvent::EditApplied { plan, cause, at, words: words.clone(), effect, pause_us, took_us });
        self.learn_on();
        self.choose_held(&models);
        let (changes, was) = changes(&cut.diff);
        let models = self.learning.answering();
        let wrong = self.history.settle(Outcome { at, pause_us, took_us, changes, was, models });
        self.find(wrong);
        self.set_aside(aside);
        answer(reply, Answer::Applied(Done { plan, at, words, pause_us, took_us }));
        beside
    }

    /// Nothing has changed where this fails.
    fn change(&self, wish: &Wish, rebuild: Rebuild) -> Result<(Applied, Opened), Vec<Diagnostic>> {
        let opened = self.serving.prepare(&wish.wanted)?;
        let (done, answer) = sync_channel(1);
        let (wanted, probation, sources) =
            (Box::new(wish.wanted.clone()), self.on_probation(&wish.cause), wish.sources.clone());
        let order = Order::Apply { wanted, rebuild, probation, sources, done };
        let ending = || vec![Diagnostic::new(Code::R0006, "the pipeline is ending; nothing was changed")];
        self.orders.send(order).map_err(|_| ending())?;
        let applied = answer.recv().map_err(|_| ending())??;
        Ok((applied, opened))
    }

    /// Requests are read as the graph that runs reads them: a model that goes on with features of its own takes those. All
    /// ports are open already.
    pub(super) fn serve(&mut self, running: Graph) {
        if running != self.served {
            match self.serving.prepare(&running) {
                Ok(opened) => self.serving.commit(opened),
                Err(diagnostics) => self.say(HostEvent::Finding(Messages { diagnostics, sources: Sources::default() })),
            }
            self.served = running;
        }
    }

    /// A model on the features of the file has been chosen: the former one's are gone.
    pub(super) fn promoted(&mut self, said: &[HostEvent]) {
        for event in said {
            if let HostEvent::Trained { task, .. }
            | HostEvent::Restored { task, .. }
            | HostEvent::ChosenAgain { at: Some(_), task, .. } = event
                && self.served.is_shadowed(task)
            {
                self.serve(self.served.without_shadow(task));
            }
        }
    }

    pub(super) fn refuse(&mut self, messages: Messages, reply: Option<Reply>) {
        self.board.edit(|edits| edits.refused += 1, None);
        answer(reply, Answer::refused(&messages));
        self.say(HostEvent::EditRefused(messages));
    }

    /// Worth a word, and no reason to stop.
    pub(super) fn find(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        found.into_iter().for_each(|found| self.say(HostEvent::Finding(Messages::of(found))));
    }
}

/// To whoever waits, if anybody does.
pub(super) fn answer(reply: Option<Reply>, answer: Answer) {
    if let Some(reply) = reply {
        reply.say(answer);
    }
}

/// A compiler that stops on a text must not take the running pipeline with it.
pub(super) fn compile(compiler: &mut dyn Compiler, text: &str) -> Compiled {
    catch_unwind(AssertUnwindSafe(|| compiler.compile(text))).unwrap_or_else(|panic| {
        let found = Diagnostic::new(Code::R0952, format!("the compiler failed on this text: {}", said_by(panic.as_ref())));
        Compiled { diagnostics: vec![found.help("take back the last change, and report this text")], ..Compiled::default() }
    })
}
