//! What the shell does when somebody asks it something at the control door. Answers are said without waiting; what takes
//! longer keeps the [`Reply`](super::super::control::Reply) until it is done.

use super::super::control::{Answer, Call, Request, Running};
use super::super::said::Messages;
use super::Shell;
use crate::diag::Diagnostic;

impl Shell {
    pub(super) fn call(&mut self, Call { request, reply }: Call) {
        match request {
            Request::Running => _ = reply.say(self.running()),
            Request::Plan { text } => self.plan(&text, &reply),
            Request::Undo { to } => self.undo(to, reply),
            Request::Confirm { accept } => self.confirm(accept, Some(reply)),
            Request::Tap { look } => self.tap(look, reply),
            Request::Trace { row } => self.trace(row, reply),
            Request::Models { act } => _ = reply.say(self.act(&act).unwrap_or_else(refused)),
            Request::Prune { task, keep } => {
                let done = self.prune(task.as_ref(), keep);
                _ = reply.say(done.unwrap_or_else(refused));
            }
        }
    }

    fn running(&self) -> Answer {
        let status = self.board.status();
        let (plan, number) = (self.history.now(), self.history.number());
        Answer::Running(Running {
            pipeline: status.pipeline,
            rows: status.rows_in,
            plan: number,
            back_to: plan.filter(|plan| number != Some(*plan)),
            differs: status.differs,
            waits: self.waiting.is_some(),
        })
    }
}

fn refused(wrong: Diagnostic) -> Answer {
    Answer::refused(&Messages::of(wrong))
}
