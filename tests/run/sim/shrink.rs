//! A failing case made smaller: fewer actions, fewer edits in one, fewer rows, fewer declarations, as long as it still fails.

use super::case::{Case, Deed, How};
use super::promises::Broken;

/// Attempts at most; each is a whole simulation.
pub const ATTEMPTS_MAX: usize = 600;

/// The smallest case that was found, and how it fails.
pub fn shrink(case: &Case, broken: Broken, fails: &dyn Fn(&Case) -> Option<Broken>) -> (Case, Broken) {
    let mut best = Best { case: case.clone(), broken, left: ATTEMPTS_MAX, fails };
    loop {
        let before = best.case.size();
        best.actions();
        best.rows();
        best.edits();
        best.declarations();
        best.settings();
        if best.case.size() >= before || best.left == 0 {
            return (best.case, best.broken);
        }
    }
}

struct Best<'a> {
    case: Case,
    broken: Broken,
    left: usize,
    fails: &'a dyn Fn(&Case) -> Option<Broken>,
}

impl Best<'_> {
    /// Takes the other case if it breaks the same promise.
    fn offer(&mut self, other: Case) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let Some(broken) = (self.fails)(&other).filter(|broken| broken.promise == self.broken.promise) else { return false };
        (self.case, self.broken) = (other, broken);
        true
    }

    /// Leaves out runs of a list, long ones first.
    fn without_runs<T: Clone>(&mut self, get: impl Fn(&Case) -> Vec<T>, put: impl Fn(&mut Case, Vec<T>)) {
        let mut run = get(&self.case).len();
        while run > 0 {
            let mut at = 0;
            while at < get(&self.case).len() {
                let mut fewer = get(&self.case);
                fewer.drain(at..(at + run).min(fewer.len()));
                let mut other = self.case.clone();
                put(&mut other, fewer);
                if !self.offer(other) {
                    at += run;
                }
            }
            run /= 2;
        }
    }

    fn actions(&mut self) {
        self.without_runs(|case| case.actions.clone(), |case, actions| case.actions = actions);
    }

    fn rows(&mut self) {
        let paths: Vec<String> = self.case.scripts.keys().cloned().collect();
        for path in paths {
            let get = |case: &Case| case.scripts[&path].clone();
            self.without_runs(get, |case, rows| _ = case.scripts.insert(path.clone(), rows));
        }
    }

    fn edits(&mut self) {
        for at in 0..self.case.actions.len() {
            let get = |case: &Case| match &case.actions[at].deed {
                Deed::Save { edits, .. } if edits.len() > 1 => edits.clone(),
                _ => vec![],
            };
            self.without_runs(get, |case, fewer| {
                if let Deed::Save { edits, .. } = &mut case.actions[at].deed {
                    *edits = fewer;
                }
            });
            let mut plain = self.case.clone();
            if let Deed::Save { how, .. } = &mut plain.actions[at].deed
                && !matches!(how, How::Plain)
            {
                *how = How::Plain;
                self.offer(plain);
            }
            let mut first = self.case.clone();
            if let Deed::Save { edits, how } = &mut first.actions[at].deed
                && let How::Overtaken(others) = how
            {
                (*edits, *how) = (others.clone(), How::Plain);
                self.offer(first);
            }
        }
    }

    fn declarations(&mut self) {
        self.without_runs(|case| case.sheet.sinks.clone(), |case, sinks| case.sheet.sinks = sinks);
        self.without_runs(|case| case.sheet.streams.clone(), |case, streams| case.sheet.streams = streams);
        self.without_runs(|case| case.sheet.sources.clone(), |case, sources| case.sheet.sources = sources);
        for at in 0..self.case.sheet.streams.len() {
            let get = |case: &Case| case.sheet.streams[at].stages.clone();
            self.without_runs(get, |case, stages| case.sheet.streams[at].stages = stages);
        }
    }

    fn settings(&mut self) {
        let mut plain = self.case.clone();
        plain.outbox_rows = 65_536;
        plain.sheet.remarks = 0;
        self.offer(plain);
        let mut single = self.case.clone();
        single.batch_rows = 1;
        self.offer(single);
    }
}
