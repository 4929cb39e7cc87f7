//! What the shell does for somebody who wants to see rows: it only begins. Who looks has a thread of his own.

use std::time::{Duration, Instant};

use super::super::control::{Answer, PATIENCE, Reply};
use super::super::said::Messages;
use super::super::stop::{Stop, Wanted};
use super::super::taps::{Look, TapWord, Teller, look_on};
use super::super::threads::refused;
use super::super::trace::{self, follow};
use super::Shell;

/// Between two tries to say the last answer to a slow reader.
const AGAIN: Duration = Duration::from_millis(20);

impl Shell {
    /// Rows that pass a place, as long as somebody wants them.
    pub(super) fn tap(&self, look: Look, reply: Reply) {
        let teller = Box::new(Telling(reply.clone(), self.stop.clone()));
        if let Err(error) = look_on(look, self.orders.clone(), self.compiler.conditions(), teller, self.stop.clone()) {
            reply.say(Answer::refused(&Messages::of(refused("a thread", &error))));
        }
    }

    /// One row, when it comes.
    pub(super) fn trace(&self, row: trace::Wanted, reply: Reply) {
        let (gone, done, stop) = (reply.clone(), reply.clone(), self.stop.clone());
        let answer = move |found: Result<_, Messages>| {
            let answer = found.map_or_else(|wrong| Answer::refused(&wrong), |row| Answer::Traced { row });
            last(&done, answer, &stop);
        };
        if let Err(error) = follow(row, self.orders.clone(), self.compiler.conditions(), move || gone.is_closed(), answer) {
            reply.say(Answer::refused(&Messages::of(refused("a thread", &error))));
        }
    }
}

struct Telling(Reply, Stop);

impl Teller for Telling {
    fn tell(&self, told: &TapWord) -> bool {
        self.0.say(Answer::Tap { told: told.clone() })
    }

    fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    fn end(&self, wrong: Option<Messages>) {
        last(&self.0, wrong.as_ref().map_or(Answer::Done, Answer::refused), &self.1);
    }
}

/// Behind what still waits for a slow reader, but not for ever.
fn last(reply: &Reply, answer: Answer, stop: &Stop) {
    let until = Instant::now() + PATIENCE;
    while !reply.is_closed() && !reply.say(answer.clone()) && Instant::now() < until {
        stop.wait(AGAIN, Wanted::Hurry);
    }
}
