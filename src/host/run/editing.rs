//! What the shell does with another text: compile, open, cut, and say what came of it. Where anything fails nothing has changed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use crate::base::Sources;
use crate::diag::{Code, Diagnostic};
use crate::plan::Graph;
use crate::runtime::Rebuild;

use super::super::engine::{Applied, Order};
use super::super::outside::{Compiled, Compiler};
use super::super::rebuild::{Pending, Rebuilt, is_asked};
use super::super::said::{HostEvent, Messages, in_words, serving_in_words};
use super::super::serving::Opened;
use super::super::threads::refused;
use super::super::watch::{Notice, Seen};
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
        let Some(wanted) = graph else { return self.refuse(diagnostics, sources) };
        // The newest text counts: what an older one waits for is of no use any more.
        if let Some(pending) = self.pending.take() {
            pending.stop();
        }
        if wanted == self.graph {
            self.board.edit(|edits| edits.unchanged += 1, None);
            return self.say(HostEvent::EditUnchanged);
        }
        if !diagnostics.is_empty() {
            self.say(HostEvent::Finding(Messages { diagnostics, sources: sources.clone() }));
        }
        if !is_asked(&self.served, &wanted) {
            return self.take_up(wanted, Rebuild::Now, sources, begun);
        }
        self.rebuilds += 1;
        let running = self.served.clone();
        match Pending::begin(self.rebuilds, running, wanted, sources, begun, self.work.clone()) {
            Ok(pending) => {
                self.say(HostEvent::Rebuilding);
                self.pending = Some(pending);
            }
            Err(error) => self.refuse(vec![refused("a thread", &error)], Sources::default()),
        }
    }

    /// The edit that has waited for it takes place.
    pub(super) fn rebuilt(&mut self, Rebuilt { nth, rebuild }: Rebuilt) {
        if let Some(Pending { wanted, sources, begun, .. }) = self.pending.take_if(|pending| pending.nth == nth) {
            self.take_up(wanted, rebuild, sources, begun);
        }
    }

    fn take_up(&mut self, wanted: Graph, rebuild: Rebuild, sources: Sources, begun: Instant) {
        match self.change(&wanted, rebuild, &sources) {
            Err(wrong) => self.refuse(wrong, sources),
            Ok((Applied { cut, graph, served }, opened)) => {
                self.serving.commit(opened);
                self.graph = wanted;
                self.serve(graph);
                let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                let words = [serving_in_words(&served), in_words(&cut.diff)].concat();
                self.board.edit(|edits| edits.applied += 1, Some(words.join("; ")));
                self.say(HostEvent::EditApplied { at: cut.event.at, words, pause_us: cut.event.pause_us, took_us });
                self.learn_on();
            }
        }
    }

    /// Nothing has changed where this fails.
    fn change(&self, wanted: &Graph, rebuild: Rebuild, sources: &Sources) -> Result<(Applied, Opened), Vec<Diagnostic>> {
        let opened = self.serving.prepare(wanted)?;
        let (done, answer) = sync_channel(1);
        let order = Order::Apply { wanted: Box::new(wanted.clone()), rebuild, sources: sources.clone(), done };
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

    fn refuse(&mut self, diagnostics: Vec<Diagnostic>, sources: Sources) {
        self.board.edit(|edits| edits.refused += 1, None);
        self.say(HostEvent::EditRefused(Messages { diagnostics, sources }));
    }
}

/// A compiler that stops on a text must not take the running pipeline with it.
fn compile(compiler: &mut dyn Compiler, text: &str) -> Compiled {
    catch_unwind(AssertUnwindSafe(|| compiler.compile(text))).unwrap_or_else(|panic| {
        let found = Diagnostic::new(Code::R0952, format!("the compiler failed on this text: {}", said_by(panic.as_ref())));
        Compiled { diagnostics: vec![found.help("take back the last change, and report this text")], ..Compiled::default() }
    })
}
