//! Probation: for a while after a change what it replaced is kept beside it, and whoever fails or drops rows more than before
//! takes the change back. Nobody has to be there for that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use crate::diag::{Code, Diagnostic};
use crate::plan::{Class, Diff};
use crate::runtime::{Beside, NodeReport, PROBATION_BYTES_MAX};
use crate::server::Status;

use super::super::engine::Order;
use super::super::said::{HostEvent, Messages};
use super::super::state::plans::Cause;
use super::Shell;

/// Rows that a node must have got since the change before its share of errors says anything.
const ROWS_MIN: u64 = 20;
/// By how much a share of errors has to be higher than before the change, of all rows.
const WORSE_BY: f64 = 0.05;
/// Between two looks at how much is kept beside a change.
const WEIGH_EVERY: Duration = Duration::from_secs(2);
/// Drops that are meant, and no errors.
const MEANT: [&str; 2] = ["where", "between windows"];

/// A change on probation.
pub struct Trial {
    until: Instant,
    /// When to look next how much is kept beside it.
    weigh: Instant,
    plan: u64,
    /// The plan that ran before.
    back_to: u64,
    judge: Judge,
}

/// What was known of nodes when the change took place.
#[derive(Debug, Default)]
pub struct Judge {
    /// Of the nodes that it changed, errors and rows.
    before: BTreeMap<String, Errors>,
    /// Nodes that had failed already.
    failed: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Errors {
    errors: u64,
    rows: u64,
}

impl Shell {
    /// How long what now takes place is on probation, by its number; None where nothing is.
    pub(super) fn on_probation(&self, cause: &Cause) -> Option<u64> {
        self.probation.filter(|_| *cause == Cause::Edited).and(self.history.open_number())
    }

    /// `ran` is the plan before. The board shows how all stood when the change took place.
    pub(super) fn trial_of(&self, plan: Option<u64>, ran: Option<u64>, diff: &Diff) -> Option<Trial> {
        let (time, plan, back_to) = (self.probation?, plan?, ran?);
        let (now, judge) = (Instant::now(), Judge::of(&self.board.status(), diff));
        Some(Trial { until: now + time, weigh: now + WEIGH_EVERY, plan, back_to, judge })
    }

    pub(super) fn begin_trial(&mut self, trial: Option<Trial>, beside: Beside) {
        let (Some(trial), Some(time)) = (trial, self.probation) else { return };
        let Beside { kept, bytes, left_out, too_large } = beside;
        let (plan, time_s) = (trial.plan, time.as_secs_f64());
        self.say(HostEvent::OnProbation { plan, time_s, kept, bytes, left_out, too_large });
        self.trial = Some(trial);
    }

    pub(super) fn look_at_trial(&mut self, now: Instant) {
        let Some(trial) = &self.trial else { return };
        let (to, plan, is_over) = (trial.back_to, trial.plan, now >= trial.until);
        if let Some(why) = trial.judge.verdict(&self.board.status()) {
            self.trial = None;
            self.find([taken_back(plan, to, &why)]);
            return match self.history.load(to) {
                Ok(whole) => self.go_back(whole, Cause::RolledBack { to, why }, None),
                Err(wrong) => self.say(HostEvent::Finding(Messages::of(wrong))),
            };
        }
        if now >= trial.weigh {
            self.weigh_beside(now);
        }
        if is_over {
            self.trial = None;
            self.drop_beside();
            self.say(HostEvent::ProbationPassed { plan });
        }
    }

    /// What is kept beside grows with its rows, and has a limit.
    fn weigh_beside(&mut self, now: Instant) {
        if let Some(trial) = &mut self.trial {
            trial.weigh = now + WEIGH_EVERY;
        }
        let (done, answer) = sync_channel(1);
        let bytes = self.orders.send(Order::WeighBeside { done }).ok().and_then(|()| answer.recv().ok());
        if let Some(bytes) = bytes.filter(|bytes| *bytes > PROBATION_BYTES_MAX) {
            self.drop_beside();
            self.find([too_large(bytes)]);
        }
    }

    /// What was kept beside goes.
    fn drop_beside(&mut self) {
        if !self.served.has_former() {
            return;
        }
        let (done, answer) = sync_channel(1);
        match self.orders.send(Order::Pass { done }).ok().and_then(|()| answer.recv().ok()) {
            Some(Ok(graph)) => self.serve(graph),
            Some(Err(wrong)) => self.find(wrong),
            // The engine is ending.
            None => {}
        }
    }
}

fn too_large(bytes: usize) -> Diagnostic {
    let (now, most) = (bytes >> 20, PROBATION_BYTES_MAX >> 20);
    let message = format!("what a plan has replaced has grown to {now} MiB, and at most {most} MiB are kept beside it");
    Diagnostic::new(Code::R0206, message)
        .help("it is gone; the plan is still on probation, and going back begins with what is remembered now")
}

fn taken_back(plan: u64, to: u64, why: &str) -> Diagnostic {
    Diagnostic::new(Code::R0205, format!("plan {plan} is taken back, plan {to} runs again: {why}"))
        .help("the file is as you saved it; mend it and save it again, or run without `--probation`")
}

impl Judge {
    pub fn of(status: &Status, diff: &Diff) -> Judge {
        let changed = diff.nodes.iter().filter(|(_, change)| change.class > Class::Rewired);
        let changed: BTreeSet<String> = changed.map(|(key, _)| key.to_string()).collect();
        let mut before: BTreeMap<String, Errors> = changed.into_iter().map(|name| (name, Errors::default())).collect();
        for node in &status.nodes {
            before.entry(node.name.clone()).and_modify(|errors| *errors = Errors::of(node));
        }
        Judge { before, failed: status.failed.keys().cloned().collect() }
    }

    /// Why it is worse than before, with the numbers.
    pub fn verdict(&self, status: &Status) -> Option<String> {
        let failed = status.failed.iter().find(|(name, _)| !self.failed.contains(*name) && !name.contains(" @"));
        if let Some((name, why)) = failed {
            return Some(format!("`{name}` failed: {why}"));
        }
        status.nodes.iter().find_map(|node| self.worse(node))
    }

    fn worse(&self, node: &NodeReport) -> Option<String> {
        let (before, all) = (*self.before.get(&node.name)?, Errors::of(node));
        // A node that is new counts anew.
        let since = if all.rows < before.rows { all } else { all.since(before) };
        if since.rows < ROWS_MIN || since.share() <= before.share() + WORSE_BY {
            return None;
        }
        let (now, then) = (100.0 * since.share(), 100.0 * before.share());
        let Errors { errors, rows } = since;
        Some(format!("`{}` dropped {errors} of {rows} rows, {now:.1} %, before {then:.1} %", node.name))
    }
}

impl Errors {
    fn of(node: &NodeReport) -> Errors {
        let meant = |reason: &String| MEANT.contains(&reason.as_str());
        let errors = node.dropped.iter().filter(|(reason, _)| !meant(reason)).map(|(_, rows)| rows).sum();
        Errors { errors, rows: node.input }
    }

    fn since(self, before: Errors) -> Errors {
        Errors { errors: self.errors.saturating_sub(before.errors), rows: self.rows.saturating_sub(before.rows) }
    }

    fn share(self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.errors as f64 / self.rows as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(rows: u64, dropped: &[(&str, u64)], failed: &[&str]) -> Status {
        let dropped = dropped.iter().map(|(reason, rows)| ((*reason).to_owned(), *rows)).collect();
        let node = NodeReport {
            name: "air/window".into(),
            input: rows,
            passed: 0,
            absorbed: rows,
            dropped,
            out: 0,
            noted: BTreeMap::new(),
        };
        let failed = failed.iter().map(|name| ((*name).to_owned(), "R0001".to_owned())).collect();
        Status { nodes: vec![node], failed, ..Status::default() }
    }

    /// Of 1,000 rows before, 20 late.
    fn judge() -> Judge {
        Judge { before: BTreeMap::from([("air/window".into(), Errors { errors: 20, rows: 1_000 })]), failed: BTreeSet::new() }
    }

    #[test]
    fn a_change_is_worse_where_more_rows_are_lost_than_before_and_enough_have_come() {
        let judge = judge();
        assert_eq!(judge.verdict(&status(1_000 + ROWS_MIN - 1, &[("late", 20 + ROWS_MIN - 1)], &[])), None, "too few rows");
        assert_eq!(judge.verdict(&status(1_100, &[("late", 26)], &[])), None, "as before, nearly");
        assert_eq!(judge.verdict(&status(1_100, &[("late", 20), ("where", 90)], &[])), None, "as meant");
        let why = judge.verdict(&status(1_100, &[("late", 30)], &[])).unwrap();
        assert_eq!(why, "`air/window` dropped 10 of 100 rows, 10.0 %, before 2.0 %");
        assert!(judge.verdict(&status(100, &[("null key", 30)], &[])).is_some(), "a node that counts anew");
    }

    #[test]
    fn a_node_that_newly_fails_is_enough_and_what_is_kept_beside_does_not_count() {
        let judge = Judge { failed: BTreeSet::from(["old/set".to_owned()]), ..judge() };
        assert_eq!(judge.verdict(&status(1_000, &[], &["old/set", "air/scan @before-3"])), None);
        assert_eq!(judge.verdict(&status(1_000, &[], &["air/scan", "old/set"])), Some("`air/scan` failed: R0001".to_owned()));
    }
}
