//! What somebody wants of the kept models while the pipeline runs: changed on the disk, then asked for again, so that another
//! model answers by the same cut as after a training.

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::lifecycle::{Act, Registry, RegistryError};
use crate::node::Ordinal;

use super::super::control::Answer;
use super::super::outside::Learner;
use super::super::said::HostEvent;
use super::Shell;

impl Shell {
    /// # Errors
    /// If there is no such task or version, or it cannot answer; nothing is changed then.
    pub(super) fn act(&mut self, act: &Act) -> Result<Answer, Diagnostic> {
        let task = act.task().clone();
        let done = {
            let (learn, closure) = self.learning.definition(&task).ok_or_else(|| no_task(&task))?;
            act.carry_out(self.models()?, learn, closure)?
        };
        // Whoever names a version does not want the one of a plan that somebody went back to before.
        self.learner.let_go(&task);
        let said = self.learning.choose(&task);
        self.promoted(&said);
        self.note_promotions(&said);
        let at = said.iter().find_map(chosen_at);
        said.into_iter().for_each(|event| self.say(event));
        Ok(Answer::Models { words: vec![done], at })
    }

    /// # Errors
    /// If the state folder cannot be written.
    pub(super) fn prune(&self, task: Option<&Name>, keep: usize) -> Result<Answer, Diagnostic> {
        let pruned = self.models()?.prune_all(task, keep, &self.learning.in_use()).map_err(RegistryError::diagnostic)?;
        Ok(Answer::Models { words: pruned.words(), at: None })
    }

    fn models(&self) -> Result<&Registry, Diagnostic> {
        self.learner.registry().ok_or_else(keeps_none)
    }
}

fn chosen_at(event: &HostEvent) -> Option<Ordinal> {
    if let HostEvent::ChosenAgain { at, .. } = event { *at } else { None }
}

/// R0504.
fn no_task(task: &Name) -> Diagnostic {
    Diagnostic::new(Code::R0504, format!("the file that runs has no task `{task}`"))
        .help("`mliot models FILE` lists the tasks and their versions")
}

/// R0504.
fn keeps_none() -> Diagnostic {
    Diagnostic::new(Code::R0504, "this run keeps no models").help("start it with a state folder: mliot run FILE")
}
