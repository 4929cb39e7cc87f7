//! `--confirm`: an edit that would lose something waits until somebody says that it may, or may not, or for too long.

use std::time::{Duration, Instant};

use crate::diag::{Code, Diagnostic};
use crate::plan::diff;

use super::super::control::{Answer, Reply};
use super::super::said::{HostEvent, Messages, in_words};
use super::super::state::plans::Cause;
use super::Shell;
use super::change::Wish;
use super::editing::answer;

/// How long an edit waits for a word; then it does not take place.
pub const CONFIRM_MAX: Duration = Duration::from_secs(600);

/// An edit that waits for a word.
pub struct Waiting {
    pub wish: Wish,
    until: Instant,
}

impl Shell {
    /// None: nothing, or nobody wants to be asked.
    pub(super) fn what_is_lost(&self, wish: &Wish) -> Option<Vec<String>> {
        let losses = self.asks_for(wish).then(|| diff(&self.served, &wish.wanted).losses())?;
        let losses: Vec<String> = losses.into_iter().map(|loss| loss.to_string()).collect();
        Some(losses).filter(|losses| !losses.is_empty())
    }

    pub(super) fn asks_for(&self, wish: &Wish) -> bool {
        self.confirm.is_some() && wish.cause == Cause::Edited && !wish.is_confirmed
    }

    pub(super) fn ask(&mut self, wish: Wish, losses: Vec<String>) {
        let wait = self.confirm.unwrap_or(CONFIRM_MAX);
        let words = in_words(&diff(&self.served, &wish.wanted));
        self.waiting = Some(Waiting { wish, until: Instant::now() + wait });
        self.file_differs(Some(format!("an edit waits for `mliot confirm`: {}", losses.join("; "))));
        self.say(HostEvent::EditWaiting { losses, words, wait_s: wait.as_secs(), typed: self.has_keys });
    }

    /// A word about the edit that waits.
    pub(super) fn confirm(&mut self, accept: bool, reply: Option<Reply>) {
        let Some(Waiting { wish, .. }) = self.waiting.take() else {
            return answer(reply, Answer::refused(&Messages::of(nothing_waits())));
        };
        if accept {
            return self.go(Wish { reply, is_confirmed: true, ..wish });
        }
        self.waited_in_vain("it was declined");
        answer(reply, Answer::Nothing { why: "the edit does not take place".to_owned() });
    }

    pub(super) fn look_at_what_waits(&mut self, now: Instant) {
        if self.waiting.take_if(|waiting| waiting.until <= now).is_some() {
            let most = self.confirm.unwrap_or(CONFIRM_MAX).as_secs();
            self.waited_in_vain(&format!("nobody has confirmed it within {most} s"));
        }
    }

    fn waited_in_vain(&mut self, why: &str) {
        self.file_is_set_aside();
        self.say(HostEvent::EditDropped { why: why.to_owned() });
    }

    /// What somebody has typed where the run shows itself.
    pub(super) fn typed(&mut self, line: &str) {
        match line.trim() {
            _ if self.waiting.is_none() => {}
            "y" | "yes" => self.confirm(true, None),
            "n" | "no" => self.confirm(false, None),
            _ => self.say(HostEvent::Hint { text: "y applies the edit that waits, n drops it".to_owned() }),
        }
    }
}

fn nothing_waits() -> Diagnostic {
    Diagnostic::new(Code::R0204, "no edit waits to be confirmed")
        .help("only under `mliot run --confirm` do edits wait, and only those that would lose something")
}
