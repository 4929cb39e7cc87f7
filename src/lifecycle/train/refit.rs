//! What was judged without some rows is fitted once more with all of them.

use crate::diag::{Code, Diagnostic};
use crate::model::{Config, Control};

use super::super::pool::run_all;
use super::super::{Job, Progress, Round, TrialError};
use super::{Context, Trial};

impl Context<'_> {
    /// Bundles of `kept`, in its order.
    pub fn refit(
        &self,
        kept: &[usize],
        fitted: &[usize],
        tried: &[Trial],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Vec<u8>>, Diagnostic> {
        let job = |at: &usize| self.refit_job(&tried[fitted[*at]].family, &tried[fitted[*at]].config);
        let jobs: Vec<Job> = kept.iter().map(job).collect();
        let mut done = 0;
        let mut ended = |_: usize, _: &_| {
            done += 1;
            progress(Progress::Refitting { done, of: jobs.len() });
        };
        let results = run_all(self.trials, &self.data, &jobs, None, &mut ended);
        let bundle = |(result, job): (Result<super::super::Done, TrialError>, &Job)| match result {
            Ok(mut done) if !done.bundles.is_empty() => Ok(done.bundles.swap_remove(0)),
            Ok(_) => Err(self.cannot_refit(&job.family, "it gave no model")),
            Err(error) => Err(self.cannot_refit(&job.family, &error.to_string())),
        };
        results.into_iter().zip(&jobs).map(bundle).collect()
    }

    /// Here and at once.
    pub fn refit_one(&self, family: &str, config: &Config) -> Result<Vec<u8>, Diagnostic> {
        let job = self.refit_job(family, config);
        match super::super::trial::perform(&self.data, &job, &Control::default()) {
            Ok(mut done) => Ok(done.bundles.swap_remove(0)),
            Err(error) => Err(self.cannot_refit(family, &error.to_string())),
        }
    }

    fn refit_job(&self, family: &str, config: &Config) -> Job {
        let round = Round { train: self.split.refit.clone(), validate: Vec::new() };
        let job = self.plan(&[], &[], None).job(family, config);
        Job { rounds: vec![round], earlier: Vec::new(), measured: false, ..job }
    }

    fn cannot_refit(&self, family: &str, why: &str) -> Diagnostic {
        let message = format!("{family}, chosen for `{}`, could not be fitted to all its rows: {why}", self.task.name);
        Diagnostic::new(Code::E0556, message).at(self.task.span, "").help("train again; if it stays so, list other families")
    }
}
