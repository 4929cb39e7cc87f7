//! Several jobs at once, answered in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Instant;

use crate::model::Control;

use super::{Data, Done, Job, TrialError, Trials};

/// Results in the order of `jobs`. At `deadline` what runs is cancelled and nothing new begins; `ended` hears of each job
/// as it ends. How many run at once changes nothing but the time.
pub fn run_all(
    trials: &dyn Trials,
    data: &Data,
    jobs: &[Job],
    deadline: Option<Instant>,
    ended: &mut dyn FnMut(usize, &Result<Done, TrialError>),
) -> Vec<Result<Done, TrialError>> {
    let next = AtomicUsize::new(0);
    let control = Control::default();
    let mut results: Vec<Result<Done, TrialError>> = jobs.iter().map(|_| Err(TrialError::Cancelled)).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..trials.parallel().min(jobs.len()) {
            let (sender, next, control) = (sender.clone(), &next, &control);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let over = || deadline.is_some_and(|at| Instant::now() >= at);
                    let Some(job) = jobs.get(at).filter(|_| control.proceed().is_ok() && !over()) else { return };
                    if sender.send((at, trials.run(data, job, control))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut open_end = deadline;
        loop {
            let received = match open_end {
                Some(at) => receiver.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok((at, result)) => {
                    ended(at, &result);
                    results[at] = result;
                }
                Err(RecvTimeoutError::Timeout) => {
                    control.cancel();
                    open_end = None;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    results
}
