//! What the shell does when somebody asks it something at the control door. Answers are said without waiting; what takes
//! longer keeps the [`Reply`](super::super::control::Reply) until it is done.

use super::super::control::{Answer, Call, Request, Running};
use super::Shell;

impl Shell {
    pub(super) fn call(&mut self, Call { request, reply }: Call) {
        match request {
            Request::Running => _ = reply.say(self.running()),
            Request::Plan { text } => self.plan(&text, &reply),
            Request::Undo { to } => self.undo(to, reply),
            Request::Confirm { accept } => self.confirm(accept, Some(reply)),
            Request::Tap { look } => self.tap(look, reply),
            Request::Trace { row } => self.trace(row, reply),
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
