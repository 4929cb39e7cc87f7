//! `mliot plan` against what runs: what an edit would do, and what would become of everything that is remembered, weighed as it
//! is now. Nothing is changed by asking.

use std::sync::mpsc::sync_channel;

use crate::plan::diff;

use super::super::control::{Answer, Reply};
use super::super::engine::Order;
use super::super::outside::Compiled;
use super::super::preview::Preview;
use super::super::said::Messages;
use super::Shell;
use super::editing::compile;

impl Shell {
    pub(super) fn plan(&mut self, text: &str, reply: &Reply) {
        let Compiled { graph, diagnostics, sources, files: _ } = compile(self.compiler.as_mut(), text);
        let Some(wanted) = graph else {
            reply.say(Answer::refused(&Messages { diagnostics, sources }));
            return;
        };
        let diff = diff(&self.served, &wanted);
        let (done, weighed) = sync_channel(1);
        let order = Order::Weigh { wanted: Box::new(wanted.clone()), done };
        let weighed = self.orders.send(order).ok().and_then(|()| weighed.recv().ok());
        // An engine that is gone drops the reply, which says that the run is ending.
        let Some(weighed) = weighed else { return };
        let preview = Preview::of(diff, &self.served, &wanted, weighed, self.history.now(), self.probation.is_some());
        reply.say(Answer::Planned { text: preview.text(), plan: preview.json() });
    }
}
